"""A process that runs the product's own workers, with one fault planted from outside.

The product has no hooks for faults: they sit in adapters that wrap its own, and each happens once.
"""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiosmtplib
import structlog

from activities.channels.email import Email
from activities.channels.port import Letter
from activities.commands import Commands
from activities.outreach import Outreach
from activities.recording import Recording
from activities.sweeping import Sweeping
from events.envelope import AppendRequest
from events.log.port import AppendResult
from workers.ending import end_process
from workers.inbox.pump import Pump
from workers.poking import Poking
from workers.settings import load_settings
from workers.wiring import Adapters, adapters, connect, messages
from workers.worker import engagement_worker, outreach_worker, run_until, stop_on_signals

# Longer than a letter takes here; what an attempt without an outcome waits before it counts as unknown.
SETTLES_AFTER = timedelta(seconds=2)


@dataclass(frozen=True)
class Fault:
    """Dies, as kill -9 does, the first time that *where* is reached with *command_id*.

    ``after-append``: its events are committed and nobody knows.  ``after-send``: the letter has left and
    nobody knows.  ``before-settle``: a message's commands are given and the inbox does not
    know.  ``before-data``, ``inside-data``: the server was told for whom a letter is; it has the letter as
    well, and its answer is on the way.
    """

    where: str
    command_id: str
    marker: Path

    def strike(self) -> None:
        """End the process, once; a later process with the same marker lives on."""
        try:
            self.marker.touch(exist_ok=False)
        except FileExistsError:
            return
        os._exit(9)


class FaultyLog:
    """The product's log, but for the moment after a commit."""

    def __init__(self, log: Any, fault: Fault) -> None:
        self._log = log
        self._fault = fault

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    async def append_many(self, requests: Sequence[AppendRequest]) -> list[AppendResult]:
        """Append, then perhaps die."""
        results: list[AppendResult] = await self._log.append_many(requests)
        given = {group.command_id for request in requests for group in request.groups}
        if self._fault.command_id in given:
            self._fault.strike()
        return results


class FaultyWork:
    """The product's way to the inbox, but for the moment before a message is settled."""

    def __init__(self, work: Any, fault: Fault) -> None:
        self._work = work
        self._fault = fault

    def __getattr__(self, name: str) -> Any:
        return getattr(self._work, name)

    async def settle(self, due: Any, about: Any, end: Any) -> Any:
        """Perhaps die, else settle."""
        if f"hook:{due.message_id}:0" == self._fault.command_id:
            self._fault.strike()
        return await self._work.settle(due, about, end)


class FaultyClient(aiosmtplib.SMTP):
    """The library's conversation, but for the moments around DATA."""

    fault: Fault

    async def data(self, message: str | bytes, **_: Any) -> Any:
        """Send a letter's content, and die before it or before the answer."""
        if self.fault.where == "inside-data":
            assert self.protocol is not None
            assert isinstance(message, bytes)
            await self.protocol.execute_command(b"DATA")
            self.protocol.write(message + b"\r\n.\r\n")
        self.fault.strike()
        raise AssertionError("one fault is enough for a test")


class FaultyEmail(Email):
    """The product's channel, but for the moments in which a letter leaves."""

    fault: Fault

    async def send(self, letter: Letter, message_id: str) -> None:
        """Send, then perhaps die."""
        await super().send(letter, message_id)
        self.fault.strike()

    def _client(self) -> aiosmtplib.SMTP:
        client = super()._client()
        if self.fault.where in ("before-data", "inside-data"):
            client.__class__ = FaultyClient
            assert isinstance(client, FaultyClient)
            client.fault = self.fault
        return client


def planted(having: Adapters, fault: Fault | None) -> Adapters:
    """Put the fault into the adapters."""
    if fault is None:
        return having
    if fault.where == "after-append":
        return replace(having, log=FaultyLog(having.log, fault))
    if fault.where == "before-settle":
        faulty: Any = FaultyWork(having.work, fault)
        return replace(having, work=faulty)
    email = FaultyEmail(having.email._settings)
    email.fault = fault
    return replace(having, email=email)


async def main(told: dict[str, Any]) -> None:
    """Run until told to stop; says when it is ready and how many engagements it had to poke."""
    # Nobody reads our output beyond the first line: a full pipe would hold us up.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    stopping = asyncio.Event()
    stop_on_signals(stopping)
    settings = load_settings()
    assert settings.database_url is not None
    url = settings.database_url.get_secret_value()
    fault = Fault(told["where"], told["command_id"], Path(told["marker"])) if told.get("where") else None
    async with adapters(settings, url, smtp=tuple(told["smtp"])) as sound:
        having = planted(sound, fault)
        client = await connect(settings.temporal_connect(), having.keys)
        outreach = Outreach(
            having.log,
            having.ledger,
            having.directory,
            having.email,
            having.digests,
            settles_after=SETTLES_AFTER,
            digest_window=having.digest_window,
        )
        both = [
            engagement_worker(client, Recording(having.log, having.directory), Commands(having.service)),
            outreach_worker(client, outreach),
        ]
        running = asyncio.create_task(run_until(stopping, both))
        pumping = asyncio.create_task(Pump(messages(client, having)).run())
        poked = 0
        if told["pokes"]:
            poked = (await Sweeping(having.log, Poking(client), quiet=timedelta()).sweep()).poked
        sys.stdout.write(json.dumps({"ready": True, "poked": poked}) + "\n")
        sys.stdout.flush()
        await running
        pumping.cancel()
        await asyncio.gather(pumping, return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
    end_process(0)
