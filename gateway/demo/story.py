"""Tells a play at the terminal: what is about to happen, and the events as they reach the log.

What it shows comes from the log alone, opened for this reader: never write it to a process log.
"""

import asyncio
from collections.abc import Sequence
from typing import Final, TextIO

from rich.console import Console

from events.catalogue import RungReached
from events.codec import decode
from events.envelope import Stored
from gateway.demo.stage import LOOK_AGAIN, LiveStage
from gateway.demo.summary import Summary
from gateway.words import say

# Steps on the way to a message or a rung: true, and no part of a story.
_SILENT: Final = frozenset({"outreach-requested", "obligation-moved", "policy-adopted"})
_STYLES: Final = {
    "obligation-breached": "bold red",
    "escalation-raised": "red",
    "command-refused": "yellow",
    "obligation-met": "green",
    "escalation-settled": "green",
    "offer-accepted": "bold green",
}


class Story:
    """Writes lines; several engagements speak in turn, each by its name."""

    def __init__(self, out: TextIO) -> None:
        self._console = Console(file=out, highlight=False, soft_wrap=True)
        self._told: dict[str, int] = {}
        self._stage: LiveStage | None = None
        self._turn = asyncio.Lock()

    def line(self, text: str = "", style: str | None = None) -> None:
        """Write one line."""
        self._console.print(text, style=style, markup=False)

    def heading(self, text: str) -> None:
        """Write a line that stands out."""
        self.line(text, "bold")

    def say(self, engagement: str, text: str) -> None:
        """Say what happens next."""
        self.line(f"{engagement:>10} │ ▸ {text}", "cyan")

    async def follow(self, stage: LiveStage, engagements: Sequence[str]) -> None:
        """Tell events as they come, for ever."""
        self._stage = stage
        # What an earlier play has told already is not told again.
        self._told = {each: len(await stage.events(each)) for each in engagements}
        while True:
            await self.catch_up()
            await asyncio.sleep(LOOK_AGAIN)

    async def catch_up(self) -> None:
        """Tell what has come since the last look."""
        async with self._turn:
            await self._tell_news()

    async def _tell_news(self) -> None:
        if self._stage is None:
            return
        for engagement, version in list(self._told.items()):
            events = await self._stage.log.read_stream(
                self._stage.agency, f"engagement:{engagement}", after=version, open_personal=True
            )
            self._told[engagement] = version + len(events)
            for stored in events:
                self._tell(engagement, stored)

    def _tell(self, engagement: str, stored: Stored) -> None:
        event = decode(stored)
        # An escalation tells its rung itself.
        if stored.type in _SILENT or (isinstance(event, RungReached) and event.level > 0):
            return
        day = f"{stored.decided_at:%a %d %b}"
        style = _STYLES.get(stored.type, "dim" if stored.origin == "engine" else None)
        self.line(f"{engagement:>10} │ {day}  {say(event)}", style)

    def summary(self, summary: Summary) -> None:
        """Tell what it came to."""
        levels = ", ".join(
            f"{count} at level {level}" for level, count in summary.escalations_by_level.items()
        )
        self.line()
        self.heading(
            f"{summary.engagements} engagements, {summary.events} events, "
            f"{summary.breaches} broken promises, escalations: {levels or 'none'}, "
            f"{summary.outreach_sent} messages sent."
        )
        self.heading(
            f"{summary.verified} of {summary.engagements} verified against their running workflows, "
            f"{summary.mismatches} mismatches, in {summary.seconds} s."
        )
