"""What outlives a run of an engagement: letters, promises, owed messages; and what rings by itself."""

import asyncio
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from temporalio.testing import WorkflowEnvironment

from events.clock import ClockSpec, domain_now
from events.fold import fold
from workers.client import Engagements, NotAnswered
from workers.embedded import binaries
from workflows.types import workflow_id

if TYPE_CHECKING:
    from tests.workflows.conftest import Ground

pytestmark = pytest.mark.temporal

TALK = {"by": "r-1", "channel": "phone"}
DAY = 86_400


def _fast(days_a_second: float) -> ClockSpec:
    now = datetime.now(UTC)
    return ClockSpec(origin=now, started=now, rate=days_a_second * DAY)


class TestTheClock:
    async def test_is_the_logs_whoever_starts_a_run(self, ground: "Ground") -> None:
        """Temporal's data may be lost, and who starts the workflow anew knows no clock but the usual."""
        fast = _fast(days_a_second=1)
        await ground.opened(by=ground.engagements(clock=fast))
        await ground.handle().terminate("lost")

        assert await ground.engagements().start("e-1")
        before = domain_now(fast, datetime.now(UTC))
        await ground.give("e-1", "record-contact", TALK)

        [contact] = [each for each in await ground.events() if each.type == "contact-made"]
        assert contact.decided_at >= before

    async def test_goes_over_to_the_next_run(self, ground: "Ground") -> None:
        fast = _fast(days_a_second=1)
        await ground.opened(by=ground.engagements(clock=fast))
        await ground.handle().terminate("lost")
        by = ground.engagements(roll_over_at=10)
        assert await by.start("e-1")
        for _ in range(3):
            await by.command("e-1", "record-attempt", TALK)
        await ground.until(lambda: _has_runs(ground, 3))

        before = domain_now(fast, datetime.now(UTC))
        await by.command("e-1", "record-contact", TALK)

        [contact] = [each for each in await ground.events() if each.type == "contact-made"]
        assert contact.decided_at >= before


class TestRollOver:
    async def test_loses_nothing_under_load(self, ground: "Ground") -> None:
        """Law 5, over many runs: each command and each signal once, whatever run it met."""
        by = ground.engagements(roll_over_at=60)
        await ground.opened(by=by)
        stranger = ground.handle(stranger=True)

        async def signals() -> None:
            for number in range(40):
                await stranger.signal("record-attempt", {**TALK, "command_id": f"try-{number}"})

        async def updates(worker: int) -> list[str]:
            replies = [
                await by.command("e-1", "record-contact", TALK, command_id=f"talk-{worker}-{number}")
                for number in range(15)
            ]
            return [reply.outcome for reply in replies]

        _, *outcomes = await asyncio.gather(signals(), *(updates(worker) for worker in range(6)))
        await by.poke("e-1")
        types = await ground.types()
        assert {outcome for each in outcomes for outcome in each or []} == {"accepted"}
        assert types.count("contact-made") == 90
        assert types.count("attempt-made") == 40
        assert len(await ground.runs()) > 2
        assert await by.state("e-1") == fold(await ground.events())

    async def test_keeps_the_promises_open(self, ground: "Ground") -> None:
        by = ground.engagements(roll_over_at=15)
        await ground.opened(by=by)
        for _ in range(4):
            await by.command("e-1", "record-contact", TALK)
        state = await by.state("e-1")
        assert len(await ground.runs()) > 1
        assert {each.rule for each in state.obligations.values()} == {"keep-in-touch", "introduce-recruiter"}

    async def test_counts_signals_on(self, ground: "Ground") -> None:
        """The counter is in a derived command id: starting it again would take a new signal for an old."""
        by = ground.engagements(roll_over_at=15)
        await ground.opened(by=by)
        for count in range(1, 9):
            await ground.handle(stranger=True).signal("record-contact", TALK)
            await ground.until(lambda wanted=count: _counts(ground, "contact-made", wanted))  # type: ignore[misc]
        assert len(await ground.runs()) > 1

    async def test_carries_no_more_than_an_input_holds(self, ground: "Ground", temporal_server: str) -> None:
        """Temporal refuses an input of two MiB, and with it the run that tries to hand it on."""
        place = await type(ground).at(temporal_server, f"a-{uuid4().hex[:12]}")
        await place.adopt()
        async with place.worker():
            await place.opened(by=place.engagements(roll_over_at=15))
        for number in range(60):
            # Words that do not repeat themselves, for what repeats itself is compressed.
            note = Random(number).randbytes(9_500).hex()
            said = {**TALK, "note": note, "command_id": f"talk-{number}"}
            await place.handle().signal("record-contact", said)
        async with place.worker():
            await place.until(lambda: _counts(place, "contact-made", 60))
            sizes = [await _input_size(place, run) for run in await place.runs()]
            told = [event.command_id for event in await place.events() if event.type == "contact-made"]
            await place.leave()
        assert told == [f"talk-{number}" for number in range(60)]
        assert 128 * 1024 < max(sizes) < 600 * 1024


class TestTimer:
    async def test_rings_when_a_promise_is_due(self, ground: "Ground") -> None:
        by = ground.engagements(clock=_fast(days_a_second=20))
        await ground.opened(by=by)
        async with ground.outreach():
            await ground.until(lambda: _counts(ground, "obligation-breached", 1))
        breach = next(event for event in await ground.events() if event.type == "obligation-breached")
        assert breach.command_id.startswith("step:")
        assert breach.decided_at >= breach.occurred_at

    async def test_is_not_armed_again_for_each_command(self, ground: "Ground") -> None:
        await ground.opened()
        for _ in range(5):
            await ground.give("e-1", "record-contact", TALK)
        history = await ground.handle().fetch_history()
        started = [event for event in history.events if event.HasField("timer_started_event_attributes")]
        assert len(started) == 1

    @pytest.mark.slow
    async def test_climbs_the_ladder_while_time_is_skipped(self, ground: "Ground") -> None:
        """On the real server with its own time skipping: a fortnight's silence reaches the director."""
        environment = await WorkflowEnvironment.start_time_skipping_v2(
            data_converter=ground.client.data_converter,
            dev_server_existing_path=str(binaries.temporal()),
            dev_server_extra_args=[
                "--dynamic-config-value",
                "frontend.WorkflowTimeSkippingEnabled=true",
                "--dynamic-config-value",
                'history.timerProcessorMaxTimeShift="1ms"',
            ],
        )
        async with environment:
            usual, ground.client = ground.client, environment.client
            async with ground.worker(), ground.outreach():
                by = ground.engagements(search_attributes=False)
                with environment.with_time_skipping_disabled():
                    await ground.opened(by=by)
                await environment.fast_forward(ground.handle(), timedelta(days=21))
                levels = [each.level for each in (await by.state("e-1")).breaches.values()]
            ground.client = usual
        assert max(levels) == 3


class TestOutreach:
    async def test_is_sent_once_and_told_back(self, ground: "Ground") -> None:
        by = ground.engagements(clock=_fast(days_a_second=5))
        async with ground.outreach() as postman:
            await ground.opened(by=by)
            await ground.until(lambda: _counts(ground, "outreach-sent", 2))
        sent = [event for event in await ground.events() if event.type == "outreach-sent"]
        assert all(event.command_id.startswith("effect:") for event in sent)
        assert len({order.effect_id for order in postman.sent}) >= 2
        assert all(order.says for order in postman.sent)

    async def test_owed_when_a_run_ends_is_sent_by_the_next(self, ground: "Ground") -> None:
        by = ground.engagements(clock=_fast(days_a_second=5), roll_over_at=25)
        await ground.opened(by=by)
        await ground.until(lambda: _counts(ground, "outreach-requested", 2))
        for _ in range(3):
            await by.command("e-1", "record-attempt", TALK)
        await ground.until(lambda: _has_runs(ground, 2))
        assert (await ground.types()).count("outreach-sent") == 0
        async with ground.outreach():
            await ground.until(lambda: _owes_nothing(ground))
        types = await ground.types()
        assert types.count("outreach-sent") == types.count("outreach-requested")

    async def test_that_cannot_leave_blocks_no_command(self, ground: "Ground") -> None:
        by = ground.engagements(clock=_fast(days_a_second=200))
        ground.postman.away = True
        async with ground.outreach():
            await ground.opened(by=by)
            await ground.until(lambda: _counts(ground, "outreach-requested", 1))
            assert (await by.command("e-1", "complete-intake")).outcome == "accepted"
            ground.postman.away = False
            await ground.until(lambda: _counts(ground, "outreach-sent", 1))


class TestWithoutAWorker:
    async def test_says_that_nobody_answered(self, ground: "Ground") -> None:
        by = Engagements(
            ground.client, ground.agency, task_queue="nobody-listens", patience=timedelta(seconds=2)
        )
        with pytest.raises(NotAnswered, match="under the id 'open-1'"):
            await by.command("e-9", "open-engagement", {"candidate_id": "c-9"}, command_id="open-1")
        await ground.handle("e-9").terminate("the test is over")


class TestEncryption:
    async def test_leaves_no_personal_word_in_the_history(self, ground: "Ground") -> None:
        """Law 7."""
        await ground.opened()
        words = {"note": "keeps bees in Lisbon"}
        await ground.give("e-1", "record-contact", {**TALK, **words})
        await ground.give("e-1", "propose-job", {"job_order_id": "j-1", "by": "r-1", "reason": "keeps bees"})
        await ground.handle().signal("record-attempt", {**TALK, **words})
        await ground.engagements().poke("e-1")
        raw = await _raw_history(ground)
        assert b"engagement-opened" not in raw, "payloads must not be readable at all"
        assert b"keeps bees" not in raw

    async def test_shows_plain_words_to_who_has_the_keys(self, ground: "Ground") -> None:
        await ground.opened()
        description = await ground.handle().describe()
        assert await description.static_summary() == f"Engagement e-1 of {ground.agency}"
        attributes = {pair.key.name: pair.value for pair in description.typed_search_attributes}
        assert attributes["RapportStage"] == "intake"
        assert attributes["RapportOwner"] == "r-1"


async def _raw_history(ground: "Ground") -> bytes:
    handle = ground.handle()
    events = [event async for event in handle.fetch_history_events()]
    return b"".join(event.SerializeToString() for event in events)


async def _counts(ground: "Ground", kind: str, wanted: int) -> bool:
    return (await ground.types()).count(kind) >= wanted


async def _input_size(ground: "Ground", run_id: str) -> int:
    handle = ground.client.get_workflow_handle(workflow_id(ground.agency, "e-1"), run_id=run_id)
    async for event in handle.fetch_history_events():
        return event.ByteSize()
    raise AssertionError("a run without a beginning")


async def _has_runs(ground: "Ground", wanted: int) -> bool:
    return len(await ground.runs()) >= wanted


async def _owes_nothing(ground: "Ground") -> bool:
    return not fold(await ground.events()).owed
