"""Each command to a job order through the service: what it comes to, given again, and given too late."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from activities.commands import CommandService
from activities.types import StreamCommand
from events.envelope import Actor, AppendRequest
from events.errors import WrongState
from events.job_order import COMMANDS
from events.log.memory import MemoryLog
from events.log.port import AppendResult

Given = tuple[str, dict[str, Any]]
"""A command's name and what it says."""

STREAM: Final = "job-order:j-1"
NOON: Final = datetime(2026, 1, 5, 12, tzinfo=UTC)
OURS: Final = {"engagement_id": "e-1", "submission_id": "s-1"}
OPEN: Final[Given] = ("open-job-order", {"job_order_id": "j-1", "openings": 2})
HOLD: Final[Given] = ("hold-job-order", {"until": "2026-03-01T00:00:00Z"})
TERMS: Final[dict[str, Any]] = {
    "placement_kind": "permanent",
    "guarantee_days": 90,
    "remedy": "refund",
    "refund_steps": [{"until_day": 30, "percent": 100}, {"until_day": 90, "percent": 50}],
}

# What was there before, the command, the event it leads to.
EVERY: Final[list[tuple[tuple[Given, ...], Given, str]]] = [
    ((), OPEN, "job-order-opened"),
    ((OPEN,), ("stop-intake", {}), "intake-stopped"),
    ((OPEN,), ("record-submission-received", OURS), "submission-received"),
    ((OPEN,), HOLD, "job-order-held"),
    ((OPEN, HOLD), ("resume-job-order", {}), "job-order-resumed"),
    ((OPEN,), ("change-openings", {"openings": 3}), "openings-changed"),
    ((OPEN,), ("fill-job-order", OURS), "job-order-filled"),
    ((OPEN, ("fill-job-order", OURS)), ("reopen-job-order", OURS), "job-order-reopened"),
    ((OPEN,), ("record-job-order-terms", TERMS), "job-order-terms-recorded"),
    ((OPEN,), ("change-client-contact", {"contact": "m-2"}), "client-contact-changed"),
    ((OPEN,), ("change-job-order-owner", {"owner": "r-2"}), "job-order-owner-changed"),
    ((OPEN,), ("close-job-order", {"reason": "budget"}), "job-order-closed"),
]
IDS: Final = [name for _, (name, _), _ in EVERY]
# What somebody else writes at the same moment, and what the command then contradicts.
OVERTAKEN: Final[list[tuple[Given, Given, str]]] = [
    (("stop-intake", {}), ("close-job-order", {}), "takes no candidates any more"),
    (("hold-job-order", {}), ("fill-job-order", {}), "there is nothing to hold"),
    (("resume-job-order", {}), ("close-job-order", {}), "open a new job order"),
    (("change-openings", {"openings": 1}), ("fill-job-order", {}), "1 are too few"),
    (("fill-job-order", OURS), ("fill-job-order", {}), "no opening left"),
    (("reopen-job-order", OURS), ("close-job-order", {}), "open a new job order"),
    (("change-client-contact", {"contact": "m-2"}), ("close-job-order", {}), "its contact cannot change"),
]


def order(name: str, data: dict[str, Any], command_id: str) -> StreamCommand:
    return StreamCommand(
        agency="a-1",
        stream=STREAM,
        command_id=command_id,
        name=name,
        data=data,
        actor=Actor(kind="person", id="r-1"),
    )


class Overtaken(MemoryLog):
    """A log to which somebody else writes between a command's decision and its append."""

    first: StreamCommand | None = None

    async def append_many(self, requests: Sequence[AppendRequest]) -> list[AppendResult]:
        if self.first is not None:
            first, self.first = self.first, None
            await CommandService(self, now=lambda: NOON).give(first)
        return await super().append_many(requests)


async def office(given: Sequence[Given]) -> tuple[CommandService, Overtaken]:
    log = Overtaken()
    service = CommandService(log, now=lambda: NOON)
    for number, (name, data) in enumerate(given):
        await service.give(order(name, data, f"before-{number}"))
    return service, log


async def types(log: MemoryLog) -> list[str]:
    return [each.type for each in await log.read_stream("a-1", STREAM)]


def test_every_command_is_here() -> None:
    assert set(IDS) == set(COMMANDS)


@pytest.mark.parametrize(("given", "command", "event"), EVERY, ids=IDS)
class TestACommand:
    async def test_leads_to_its_event(self, given: Sequence[Given], command: Given, event: str) -> None:
        service, log = await office(given)
        reply = await service.give(order(*command, "c-1"))
        assert (reply.outcome, (await types(log))[-1]) == ("accepted", event)

    async def test_given_again_writes_nothing(
        self, given: Sequence[Given], command: Given, event: str
    ) -> None:
        """A retry gets its first answer; the same words under another id say nothing new."""
        service, log = await office(given)
        first = await service.give(order(*command, "c-1"))
        before = await types(log)
        again = await service.give(order(*command, "c-1"))
        anew = await service.give(order(*command, "c-2"))
        assert (first.outcome, again.outcome, anew.outcome) == ("accepted", "accepted", "nothing-to-do")
        assert await types(log) == before

    async def test_is_decided_again_on_what_was_written_meanwhile(
        self, given: Sequence[Given], command: Given, event: str
    ) -> None:
        """Somebody else said the same: the log has it once, and neither of the two fails."""
        service, log = await office(given)
        log.first = order(*command, "c-first")
        reply = await service.give(order(*command, "c-1"))
        assert reply.outcome == "nothing-to-do"
        assert (await types(log)).count(event) == 1


class TestACommandThatWasOvertaken:
    @pytest.mark.parametrize(
        ("command", "first", "sentence"), OVERTAKEN, ids=[name for (name, _), _, _ in OVERTAKEN]
    )
    async def test_is_refused_by_what_was_first(self, command: Given, first: Given, sentence: str) -> None:
        """What it was decided on is gone, so it is decided anew, and nothing of it is written."""
        service, log = await office([OPEN, ("fill-job-order", OURS)] if "reopen" in command[0] else [OPEN])
        log.first = order(*first, "c-first")
        before = await types(log)
        with pytest.raises(WrongState, match=sentence):
            await service.give(order(*command, "c-1"))
        assert len(await types(log)) == len(before) + 1


class TestAClosedOrder:
    async def test_takes_terms_late_and_no_reopening(self) -> None:
        service, log = await office([OPEN, ("fill-job-order", OURS), ("close-job-order", {})])
        assert (await service.give(order("record-job-order-terms", TERMS, "c-1"))).outcome == "accepted"
        with pytest.raises(WrongState, match="is closed; open a new job order if the client looks again"):
            await service.give(order("reopen-job-order", OURS, "c-2"))
        assert (await types(log))[-1] == "job-order-terms-recorded"
