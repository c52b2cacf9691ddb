from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activities.commands import CommandService
from activities.types import StreamCommand
from events.decider import prepare, recall
from events.envelope import Actor, AppendRequest, Stored
from events.fold import fold
from events.log.hashing import link, stored_hash
from events.log.memory import MemoryLog
from events.log.port import LogHead
from events.orders import parse_order
from events.state import Engagement
from workers.verify import verify_agency, verify_engagement

AGENCY = "acme"
RECRUITER = Actor(kind="person", id="r-1")
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
LIFE: tuple[tuple[str, dict[str, Any]], ...] = (
    ("open-engagement", {"candidate_name": "Candidate Quux", "owner": "r-1"}),
    ("record-contact", {"channel": "phone", "note": "hello"}),
    ("complete-intake", {}),
)


async def live(
    log: MemoryLog, engagement: str, commands: Sequence[tuple[str, dict[str, Any]]] = LIFE
) -> None:
    """Let an engagement happen, without a workflow."""
    stream = f"engagement:{engagement}"
    told = len(await log.read_stream(AGENCY, stream))
    for number, (name, data) in enumerate(commands, told):
        state = fold(await log.read_stream(AGENCY, stream))
        if name == "open-engagement":
            data = {"candidate_id": f"c-of-{engagement}", **data}
        order = parse_order(name, data, command_id=f"k-{number}", actor_default=RECRUITER, source="test")
        now = NOON + timedelta(hours=number)
        ready = prepare(order, state, None, now, agency=AGENCY, engagement_id=engagement)
        request = AppendRequest(agency=AGENCY, stream=stream, expected=state.version, groups=(ready.group,))
        await log.append_many([request])


class Workflows:
    """Stands for the running workflows: each folds the log when it is poked."""

    def __init__(
        self, log: MemoryLog, change: Callable[[Engagement], Engagement] = lambda state: state
    ) -> None:
        self._log, self._change = log, change
        self._states: dict[str, Engagement] = {}
        self.deaf = 0

    async def poke(self, engagement_id: str) -> object:
        """Catch up, unless this one is deaf for some pokes."""
        if self.deaf > 0:
            self.deaf -= 1
        else:
            events = await self._log.read_stream(AGENCY, f"engagement:{engagement_id}")
            self._states[engagement_id] = self._change(fold(events))
        return None

    async def state(self, engagement_id: str) -> Engagement:
        """Show what was folded."""
        return self._states.get(engagement_id, Engagement())


class Busy(Workflows):
    """Something happens before each is asked, and again before its answer is looked at."""

    async def state(self, engagement_id: str) -> Engagement:
        """Show what was folded, while life goes on."""
        await live(self._log, engagement_id, [("request-call", {})])
        await self.poke(engagement_id)
        found = await super().state(engagement_id)
        await live(self._log, engagement_id, [("request-call", {})])
        return found


class Tampered(MemoryLog):
    """A log whose owner has changed the past."""

    def __init__(self, change: Callable[[list[Stored]], list[Stored]]) -> None:
        super().__init__()
        self.change: Callable[[list[Stored]], list[Stored]] | None = None
        self._later = change

    def tamper(self) -> None:
        """Change what is read from now on."""
        self.change = self._later

    async def read_stream(self, *args: Any, **options: Any) -> list[Stored]:
        """Read what is left of the truth."""
        events = await super().read_stream(*args, **options)
        return events if self.change is None else self.change(events)

    async def read_all(self, *args: Any, **options: Any) -> list[Stored]:
        """Read what is left of the truth."""
        events = await super().read_all(*args, **options)
        return events if self.change is None else self.change(events)


def reworded(events: list[Stored]) -> list[Stored]:
    """Change the body of version 2."""
    return [each.model_copy(update={"body": "{}"}) if each.version == 2 else each for each in events]


def without_the_last(events: list[Stored]) -> list[Stored]:
    """Delete the newest event."""
    return events[:-1]


class TestVerifyEngagement:
    async def test_finds_a_living_engagement_sound(self) -> None:
        log = MemoryLog()
        await live(log, "e-1")

        verdict = await verify_engagement(log, Workflows(log), AGENCY, "e-1")

        assert verdict.sound
        assert verdict.compared_at == verdict.version == len(await log.read_stream(AGENCY, "engagement:e-1"))

    async def test_finds_one_sound_that_goes_on_while_it_is_looked_at(self) -> None:
        """An agency is at work when an operator verifies it: what came since the answer is no mismatch."""
        log = MemoryLog()
        await live(log, "e-1")

        verdict = await verify_engagement(log, Busy(log), AGENCY, "e-1")

        assert (verdict.reason, verdict.compared_at) == (None, verdict.version)
        assert verdict.version == len(await log.read_stream(AGENCY, "engagement:e-1")) - 1

    async def test_needs_nothing_that_runs(self) -> None:
        """After a restore there is the log and nothing else; what it claims is then less."""
        log = MemoryLog()
        await live(log, "e-1")

        verdict = await verify_engagement(log, None, AGENCY, "e-1")

        assert (verdict.sound, verdict.compared_at) == (True, None)

    async def test_names_an_event_that_this_version_cannot_fold(self) -> None:
        def unknown(events: list[Stored]) -> list[Stored]:
            def changed(event: Stored) -> Stored:
                renamed = event.model_copy(update={"type": "from-the-future"})
                return renamed.model_copy(update={"content_hash": stored_hash(renamed)})

            previous, told = b"", []
            for event in map(changed, events):
                previous = link(previous, event.content_hash)
                told.append(event.model_copy(update={"chain_hash": previous}))
            return told

        log = Tampered(unknown)
        await live(log, "e-1")
        log.tamper()

        verdict = await verify_engagement(log, None, AGENCY, "e-1")

        assert not verdict.sound
        assert "from-the-future" in str(verdict.reason)

    async def test_finds_a_closed_engagement_sound(self) -> None:
        """Its run has ended; the poke starts one that loads and answers."""
        log = MemoryLog()
        await live(log, "e-1", (*LIFE, ("close-engagement", {"reason": "moved-away"})))

        assert (await verify_engagement(log, Workflows(log), AGENCY, "e-1")).sound

    async def test_asks_a_run_again_that_is_still_loading(self) -> None:
        log = MemoryLog()
        await live(log, "e-1")
        workflows = Workflows(log)
        workflows.deaf = 2

        assert (await verify_engagement(log, workflows, AGENCY, "e-1")).sound

    async def test_names_the_version_that_a_workflow_does_not_reach(self) -> None:
        log = MemoryLog()
        await live(log, "e-1")
        workflows = Workflows(log)
        workflows.deaf = 99

        verdict = await verify_engagement(log, workflows, AGENCY, "e-1")

        assert (verdict.sound, verdict.broken_at) == (False, 1)

    async def test_names_what_the_running_state_has_otherwise(self) -> None:
        log = MemoryLog()
        await live(log, "e-1")
        workflows = Workflows(log, lambda state: replace(state, candidate_owner="r-2"))

        verdict = await verify_engagement(log, workflows, AGENCY, "e-1")

        assert not verdict.sound
        assert "candidate_owner" in str(verdict.reason)

    async def test_finds_a_workflow_that_is_ahead_of_the_log(self) -> None:
        """It has folded what was never recorded, or what was deleted."""
        log = MemoryLog()
        await live(log, "e-1")
        workflows = Workflows(log, lambda state: replace(state, version=state.version + 1))

        assert not (await verify_engagement(log, workflows, AGENCY, "e-1")).sound

    @pytest.mark.parametrize(("change", "version"), [(reworded, 2), (without_the_last, None)])
    async def test_names_the_version_that_was_tampered_with(
        self, change: Callable[[list[Stored]], list[Stored]], version: int | None
    ) -> None:
        log = Tampered(change)
        await live(log, "e-1")
        whole = len(await log.read_stream(AGENCY, "engagement:e-1"))
        log.tamper()

        verdict = await verify_engagement(log, Workflows(log), AGENCY, "e-1")

        assert not verdict.sound
        assert verdict.broken_at == (version or whole)
        assert verdict.compared_at is None


class TestVerifyAgency:
    async def test_counts_what_it_compared(self) -> None:
        log = MemoryLog()
        for engagement in ("e-1", "e-2", "e-3"):
            await live(log, engagement)
        await CommandService(log).give(
            StreamCommand(
                agency=AGENCY,
                stream="job-order:j-1",
                command_id="k-1",
                name="open-job-order",
                data={"job_order_id": "j-1"},
                actor=RECRUITER,
            )
        )

        report = await verify_agency(log, Workflows(log), AGENCY)

        assert (report.verified, report.mismatches, report.missing) == (3, 0, ())
        assert [each.stream for each in report.others] == ["job-order:j-1"]
        assert report.positions == (await log.log_head(AGENCY)).position

    async def test_finds_an_agency_without_events_sound(self) -> None:
        log = MemoryLog()

        report = await verify_agency(log, Workflows(log), AGENCY)

        assert (report.verified, report.mismatches) == (0, 0)

    async def test_names_missing_positions(self) -> None:
        """A gap proves that something was deleted."""
        log = Tampered(without_the_last)
        await live(log, "e-1")
        last = (await log.log_head(AGENCY)).position
        log.tamper()

        report = await verify_agency(log, Workflows(log), AGENCY)

        assert report.missing == (last,)
        assert report.mismatches > 0

    async def test_compares_with_the_head_that_vouches_for_all(self, monkeypatch: pytest.MonkeyPatch) -> None:
        log = MemoryLog()
        await live(log, "e-1")
        head = await log.log_head(AGENCY)

        async def another(_agency: str) -> LogHead:
            return replace(head, head_hash=b"\0" * 32)

        monkeypatch.setattr(log, "log_head", another)

        report = await verify_agency(log, Workflows(log), AGENCY)

        assert not report.head_sound
        assert report.mismatches == 1


class TestWhileAStreamIsImported:
    async def test_nothing_that_runs_is_asked(self) -> None:
        """It has no writer yet, and whoever pokes one would wait for nothing."""
        log, stream = MemoryLog(), "engagement:e-1"
        await log.begin_import(AGENCY, stream)
        name, data = LIFE[0]
        told = {**data, "candidate_id": "c-1", "at": NOON.isoformat()}
        order = parse_order(name, told, command_id="k-1", actor_default=RECRUITER, source="test")
        past = recall(order, Engagement(), NOON, agency=AGENCY, engagement_id="e-1")
        await log.append_many([AppendRequest(agency=AGENCY, stream=stream, expected=0, groups=(past.group,))])
        running = Workflows(log)
        report = await verify_agency(log, running, AGENCY)
        assert report.mismatches == 0
        assert [each.compared_at for each in report.engagements] == [None]
        assert await running.state("e-1") == Engagement()
