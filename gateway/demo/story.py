"""Tells a play at the terminal: what is about to happen, and the events as they reach the log.

What it shows comes from the log alone, opened for this reader: never write it to a process log.
"""

import asyncio
from collections.abc import Sequence
from typing import Final, TextIO

from rich.text import Text

from events.catalogue import ObligationMet, RungReached
from events.codec import decode
from events.envelope import Stored
from gateway.cli.console import EscapingConsole
from gateway.demo.stage import LOOK_AGAIN, LiveStage
from gateway.demo.summary import Summary
from gateway.words import say

# True, and no part of a story told at a day a second: promises are named when one is broken or kept late.
_SILENT: Final = frozenset(
    {
        "outreach-requested",
        "outreach-sent",
        "obligation-moved",
        "obligation-opened",
        "obligation-dropped",
        "policy-adopted",
        "assigned",
    }
)
_NAMES: Final = ("cyan", "magenta", "blue", "green", "yellow", "bright_cyan", "bright_magenta", "bright_blue")
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
        self._console = EscapingConsole(file=out, highlight=False, soft_wrap=True)
        self._told: dict[str, int] = {}
        self._read = 0
        self._width = 0
        self._stage: LiveStage | None = None
        self._turn = asyncio.Lock()

    def line(self, text: str = "", style: str | None = None) -> None:
        """Write one line."""
        self._console.print(text, style=style, markup=False)

    def heading(self, text: str) -> None:
        """Write a line that stands out."""
        self.line(text, "bold")

    async def say(self, engagement: str, text: str) -> None:
        """Say what happens next, after all that has happened in this engagement."""
        async with self._turn:
            await self._tell_news(engagement)
            day = f"{self._stage.now():%a %d %b}" if self._stage is not None else ""
            self._spoken(engagement, day, f"▸ {text}", "bold")

    def _spoken(self, engagement: str, day: str, text: str, style: str | None) -> None:
        colour = _NAMES[list(self._told).index(engagement) % len(_NAMES)]
        line = Text(f"{day:>10}  ")
        line.append(f"{engagement:>{self._width}} │ ", colour)
        line.append(text, style)
        self._console.print(line)

    async def open(self, stage: LiveStage, engagements: Sequence[str]) -> None:
        """Begin to tell of these, each with a column of one width and a colour of its own."""
        self._width = max(map(len, engagements), default=0)
        # What an earlier play has told already is not told again.
        self._told = {each: len(await stage.events(each)) for each in engagements}
        self._read = (await stage.log.log_head(stage.agency)).position
        self._stage = stage

    async def follow(self) -> None:
        """Tell events as they come, for ever."""
        while True:
            await self.catch_up()
            await asyncio.sleep(LOOK_AGAIN)

    async def catch_up(self) -> None:
        """Tell what has come since the last look."""
        if self._stage is None:
            return
        async with self._turn:
            # One question for all of them; only those with news are read with their words.
            news = await self._stage.log.read_all(self._stage.agency, after=self._read, category="engagement")
            for stream in dict.fromkeys(stored.stream for stored in news):
                await self._tell_news(stream.partition(":")[2])
            self._read = news[-1].position if news else self._read

    async def _tell_news(self, engagement: str) -> None:
        if self._stage is None or engagement not in self._told:
            return
        events = await self._stage.log.read_stream(
            self._stage.agency,
            f"engagement:{engagement}",
            after=self._told[engagement],
            open_personal=True,
        )
        self._told[engagement] += len(events)
        for stored in events:
            self._tell(engagement, stored)

    def _tell(self, engagement: str, stored: Stored) -> None:
        event = decode(stored)
        if stored.type in _SILENT or isinstance(event, RungReached):
            return
        if isinstance(event, ObligationMet) and event.timely:
            return
        style = _STYLES.get(stored.type, "dim" if stored.origin == "engine" else None)
        self._spoken(engagement, f"{stored.decided_at:%a %d %b}", f"  {say(event)}", style)

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
