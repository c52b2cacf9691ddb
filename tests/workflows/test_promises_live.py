"""Every promise of the shipped policy on live workflows whose clocks skip: what fires when, what stops it.

The due times here are written down by hand from the policy's prose, never computed by the code under test.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import pytest
from temporalio.testing._timeskipping import TimeSkipper

from events.envelope import Stored
from events.steps import next_due
from workers.embedded.blocking import in_thread
from workers.embedded.stack import EmbeddedStack
from workers.shipped import deploy_policy

if TYPE_CHECKING:
    from tests.workflows.conftest import Ground

pytestmark = pytest.mark.temporal

SEARCH_ATTRIBUTES: Final = {
    "RapportAgency": "Keyword",
    "RapportStage": "Keyword",
    "RapportOwner": "Keyword",
    "RapportLevel": "Int",
}
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
# What a step's own time and the moment at which it is decided may differ by on a live clock.
SOON: Final = timedelta(minutes=1)


@pytest.fixture(scope="module")
def temporal_server() -> Iterator[str]:
    """This will yield a server where each workflow may have a clock of its own; the ground stands on it."""
    with in_thread(
        EmbeddedStack(
            ephemeral=True,
            postgres=False,
            smtp_sink=False,
            time_skipping=True,
            search_attributes=SEARCH_ATTRIBUTES,
        )
    ) as running:
        yield running.temporal_address


@dataclass(frozen=True)
class Promise:
    """One obligation of ``starter``: how it opens, when it is due, which steps it climbs, what keeps it."""

    rule: str
    subject: str
    opening: tuple[tuple[str, dict[str, Any]], ...]
    within: timedelta
    steps: tuple[tuple[timedelta, str, int, str], ...]
    kept_by: tuple[str, dict[str, Any]]
    not_kept_by: tuple[tuple[str, dict[str, Any]], ...] = ()
    planned: bool = field(default=False, metadata={"about": "counts from when the interview starts"})

    def due(self, opened_at: datetime) -> datetime:
        """Tell when it is due, by the policy's prose."""
        return (STARTS_AT if self.planned else opened_at) + self.within


def ladder(*offsets: timedelta) -> tuple[tuple[timedelta, str, int, str], ...]:
    """Write the five steps that every shipped promise has, at their distances from the due time."""
    steps = (
        ("remind", 0, "owner"),
        ("escalate", 1, "owner"),
        ("escalate", 2, "team-lead"),
        ("escalate", 3, "director"),
        ("propose-reassignment", 3, "director"),
    )
    return tuple((offset, *step) for offset, step in zip(offsets, steps, strict=True))


# To the second: a planned time with fractions is nobody's.
STARTS_AT: Final = datetime.now(UTC).replace(microsecond=0) + 20 * DAY
SUBMITTED: Final = ("record-submission", {"job_order_id": "j-1", "submission_id": "s-1", "by": "r-1"})
SCHEDULED: Final = (
    "record-interview-scheduled",
    {"submission_id": "s-1", "interview_id": "i-1", "starts_at": STARTS_AT.isoformat()},
)
TALK: Final = ("record-contact", {"by": "r-1", "channel": "phone"})
VOICEMAIL: Final = ("record-attempt", {"by": "r-1", "channel": "phone"})
USUAL: Final = ladder(-DAY, 0 * DAY, DAY, 2 * DAY, 4 * DAY)
DECISION: Final = ladder(-12 * HOUR, 0 * DAY, DAY, 2 * DAY, 4 * DAY)


def about(command: tuple[str, dict[str, Any]], *subjects: str, **more: str) -> tuple[str, dict[str, Any]]:
    """Let a contact or an attempt speak of something."""
    return command[0], {**command[1], "about": list(subjects), **more}


PROMISES: Final = (
    Promise(
        "answer-application",
        "application:a-1",
        opening=(("record-application", {"application_id": "a-1"}),),
        within=7 * DAY,
        steps=ladder(-DAY, 0 * DAY, DAY, 3 * DAY, 5 * DAY),
        kept_by=about(VOICEMAIL, "a-1"),
        not_kept_by=(VOICEMAIL,),
    ),
    Promise(
        "keep-in-touch",
        "engagement",
        opening=(),
        within=7 * DAY,
        steps=ladder(-DAY, 0 * DAY, 2 * DAY, 4 * DAY, 7 * DAY),
        kept_by=TALK,
        not_kept_by=(VOICEMAIL, ("record-message", {"message_id": "m-9"})),
    ),
    Promise(
        "answer-candidate",
        "message:m-1",
        opening=(("record-message", {"message_id": "m-1"}),),
        within=DAY,
        steps=ladder(-4 * HOUR, 0 * DAY, DAY, 2 * DAY, 4 * DAY),
        kept_by=about(VOICEMAIL, "m-1"),
        not_kept_by=(VOICEMAIL,),
    ),
    Promise(
        "prepare-for-interview",
        "interview:i-1",
        opening=(SUBMITTED, SCHEDULED),
        within=-DAY,
        planned=True,
        steps=ladder(-DAY, 0 * DAY, 6 * HOUR, 12 * HOUR, 16 * HOUR),
        kept_by=about(TALK, "i-1", purpose="preparation"),
        not_kept_by=(TALK, about(TALK, "i-1"), about(VOICEMAIL, "i-1")),
    ),
    Promise(
        "word-after-interview",
        "interview:i-1",
        opening=(SUBMITTED, SCHEDULED, ("record-interview-held", {"interview_id": "i-1"})),
        within=2 * DAY,
        steps=USUAL,
        kept_by=about(VOICEMAIL, "i-1"),
        not_kept_by=(VOICEMAIL,),
    ),
    Promise(
        "tell-decision",
        "submission:s-1",
        opening=(SUBMITTED, ("record-client-answer", {"submission_id": "s-1", "answer": "no"})),
        within=2 * DAY,
        steps=DECISION,
        kept_by=("pass-on-feedback", {"submission_id": "s-1", "by": "r-1"}),
        not_kept_by=(TALK, VOICEMAIL),
    ),
    Promise(
        "tell-position-filled",
        "submission:s-1",
        opening=(SUBMITTED, ("record-position-filled", {"job_order_id": "j-1"})),
        within=2 * DAY,
        steps=DECISION,
        kept_by=about(TALK, "s-1"),
        not_kept_by=(TALK, VOICEMAIL),
    ),
)
every_promise = pytest.mark.parametrize("promise", PROMISES, ids=lambda each: each.rule)


class Life:
    """One live engagement with a clock of its own."""

    def __init__(self, ground: "Ground") -> None:
        self._ground = ground
        self._skipper = TimeSkipper(ground.client)
        self._given = 0

    async def give(self, command: tuple[str, dict[str, Any]]) -> None:
        """Give a command that must be accepted."""
        self._given += 1
        reply = await self._ground.give("e-1", *command, command_id=f"c-{self._given}")
        assert reply.outcome == "accepted", reply

    async def open(self, promise: Promise, *also: str) -> tuple[UUID, datetime]:
        """Let the promise open, and no others; returns its id and, by the policy's prose, when it is due."""
        await self._ground.adopt("starter", promise.rule, *also)
        await self._ground.opened()
        for command in promise.opening:
            await self.give(command)
        [opened] = [each for each in await self.of("obligation-opened") if _rule(each) == promise.rule]
        body = json.loads(opened.body)
        assert body["subject"] == promise.subject
        due = promise.due(opened.occurred_at)
        assert datetime.fromisoformat(body["due_at"]) == due
        return UUID(body["obligation_id"]), due

    async def now(self) -> datetime:
        """Tell what time it is for this engagement."""
        return await self._skipper.get_current_time(self._ground.handle())

    async def live_until(self, moment: datetime) -> None:
        """Let time pass, and every step due until then be taken."""
        handle = self._ground.handle()
        assert await self._skipper.fast_forward(handle, moment - await self.now())

        async def all_taken() -> bool:
            # The clock has jumped; the timers that it passed fire a moment after.
            due = next_due(await self._ground.engagements().state("e-1"))
            return due is None or due > moment

        await self._ground.until(all_taken)

    async def all(self) -> list[Stored]:
        """Read the whole record."""
        return await self._ground.events()

    async def of(self, kind: str, key: UUID | None = None) -> list[Stored]:
        """Read the events of a type, perhaps those of one promise only."""
        found = [each for each in await self.all() if each.type == kind]
        return [each for each in found if key is None or json.loads(each.body)["obligation_id"] == str(key)]

    async def climbed(self, key: UUID) -> list[tuple[datetime, str, int]]:
        """Tell which steps a promise has climbed, and at which times."""
        steps = await self.of("rung-reached", key)
        return [
            (each.occurred_at, json.loads(each.body)["do"], json.loads(each.body)["level"]) for each in steps
        ]


def _rule(event: Stored) -> str:
    rule: str = json.loads(event.body)["rule"]
    return rule


@pytest.fixture
async def life(ground: "Ground") -> "Life":
    """This will be an engagement yet to be opened."""
    return Life(ground)


class TestNeglect:
    @every_promise
    async def test_climbs_each_step_at_its_own_time(
        self, ground: "Ground", life: Life, promise: Promise
    ) -> None:
        """Silence is measured and raised: reminder, owner, team lead, director, reassignment."""
        async with ground.outreach() as postman:
            key, due = await life.open(promise)
            await life.live_until(due + promise.steps[-1][0] + HOUR)
            assert await life.climbed(key) == [
                (due + offset, do, level) for offset, do, level, _ in promise.steps
            ]
            [breached] = await life.of("obligation-breached", key)
            assert breached.occurred_at == due
            raised = [json.loads(each.body) for each in await life.of("escalation-raised", key)]
            assert [(each["level"], each["to"]) for each in raised] == [
                (1, "owner"),
                (2, "team-lead"),
                (3, "director"),
            ]
            asked = await life.of("outreach-requested", key)
            assert [(each.occurred_at, json.loads(each.body)["to"]) for each in asked] == [
                (due + offset, to) for offset, _, _, to in promise.steps
            ]
            effects = {json.loads(each.body)["effect_id"] for each in asked}

            async def all_sent() -> bool:
                sent = [json.loads(each.body)["effect_id"] for each in await life.of("outreach-sent")]
                assert len(sent) == len(set(sent))
                return effects <= set(sent)

            await ground.until(all_sent)
            assert {str(each.effect_id) for each in postman.sent} >= effects
            state = await ground.engagements().state("e-1")
            assert (state.breaches[key].level, state.obligations[key].level) == (3, 3)
            assert not await life.of("obligation-met", key)
            for event in (breached, *await life.of("rung-reached", key)):
                # By a live timer, not when the next command happened to come by.
                assert event.occurred_at <= event.decided_at < event.occurred_at + SOON


class TestKeeping:
    @every_promise
    async def test_in_time_lets_nothing_fire(self, ground: "Ground", life: Life, promise: Promise) -> None:
        async with ground.outreach():
            key, due = await life.open(promise)
            await life.live_until(due + promise.steps[0][0] - HOUR)
            await life.give(promise.kept_by)
            await life.live_until(due + promise.steps[-1][0] + HOUR)
            assert await life.climbed(key) == []
            assert not await life.of("obligation-breached", key)
            assert not await life.of("outreach-requested", key)
            [met] = await life.of("obligation-met", key)
            assert json.loads(met.body)["timely"] is True

    @every_promise
    async def test_takes_what_the_promise_asks_for_and_nothing_less(
        self, ground: "Ground", life: Life, promise: Promise
    ) -> None:
        """A voice message about nothing meets no promise, and only a talk meets a contact promise."""
        async with ground.outreach():
            key, due = await life.open(promise)
            for command in promise.not_kept_by:
                await life.give(command)
            assert not await life.of("obligation-met", key)
            await life.live_until(due + SOON)
            assert len(await life.of("obligation-breached", key)) == 1

    async def test_late_ends_the_ladder_and_the_breach_stays(self, ground: "Ground", life: Life) -> None:
        promise = PROMISES[1]
        async with ground.outreach():
            key, due = await life.open(promise)
            await life.live_until(due + 3 * DAY)
            await life.give(TALK)
            await life.live_until(due + 8 * DAY)
            assert [level for _, _, level in await life.climbed(key)] == [0, 1, 2]
            assert len(await life.of("escalation-settled", key)) == 2
            state = await ground.engagements().state("e-1")
            assert state.breaches[key].level == 2
            assert not state.breaches[key].excused
            [met] = await life.of("obligation-met", key)
            assert json.loads(met.body)["timely"] is False

    async def test_in_time_but_told_late_excuses_the_breach(self, ground: "Ground", life: Life) -> None:
        """Law 6: late recording of a timely contact excuses a breach; it never unmakes it."""
        promise = PROMISES[1]
        async with ground.outreach():
            key, due = await life.open(promise)
            await life.live_until(due + HOUR)
            talked_at = due - HOUR
            await life.give(("record-contact", {**TALK[1], "at": talked_at.isoformat()}))
            assert len(await life.of("obligation-breached", key)) == 1
            assert len(await life.of("obligation-excused", key)) == 1
            following = (await life.of("obligation-opened"))[-1]
            # A week since the talk itself, even when it was written down late.
            assert datetime.fromisoformat(json.loads(following.body)["due_at"]) == talked_at + 7 * DAY
            await life.live_until(due + 3 * DAY)
            assert [level for _, _, level in await life.climbed(key)] == [0, 1]


class TestPause:
    async def test_moves_what_waits_with_it_and_nothing_else(self, ground: "Ground", life: Life) -> None:
        """Who wants quiet is not chased; who applied is answered all the same."""
        async with ground.outreach():
            touch, due = await life.open(PROMISES[1], "answer-application")
            await life.give(("record-application", {"application_id": "a-1"}))
            [answer] = [
                each for each in await life.of("obligation-opened") if _rule(each) == "answer-application"
            ]
            await life.live_until(due - 5 * DAY)
            paused_at = await life.now()
            await life.give(("pause", {"until": (paused_at + 10 * DAY).isoformat()}))
            [moved] = await life.of("obligation-moved", touch)
            shift = datetime.fromisoformat(json.loads(moved.body)["due_at"]) - due
            assert 10 * DAY - SOON < shift <= 10 * DAY
            await life.live_until(due + shift + HOUR)
            assert await life.climbed(touch) == [
                (due + shift - DAY, "remind", 0),
                (due + shift, "escalate", 1),
            ]
            answered_by = datetime.fromisoformat(json.loads(answer.body)["due_at"])
            [breached] = await life.of("obligation-breached", UUID(json.loads(answer.body)["obligation_id"]))
            assert breached.occurred_at == answered_by

    async def test_ended_early_gives_back_the_rest(self, ground: "Ground", life: Life) -> None:
        async with ground.outreach():
            touch, due = await life.open(PROMISES[1])
            paused_at = await life.now()
            until = (paused_at + 30 * DAY).isoformat()
            await life.give(("pause", {"until": until, "approved_by": "lead-1"}))
            await life.live_until(due - 2 * DAY)
            quiet = await life.now() - paused_at
            await life.give(("resume", {}))
            expected = due + quiet
            await life.live_until(expected + HOUR)
            [breached] = await life.of("obligation-breached", touch)
            assert abs(breached.occurred_at - expected) < SOON


class TestMovedInterview:
    async def test_takes_its_preparation_with_it(self, ground: "Ground", life: Life) -> None:
        async with ground.outreach():
            promise = PROMISES[3]
            key, due = await life.open(promise)
            later = STARTS_AT + 5 * DAY
            await life.live_until(due - 3 * DAY)
            await life.give(("move-interview", {"interview_id": "i-1", "starts_at": later.isoformat()}))
            await life.live_until(due + 2 * DAY)
            assert await life.climbed(key) == []
            await life.live_until(later)
            assert await life.climbed(key) == [
                (later - DAY + offset, do, level) for offset, do, level, _ in promise.steps
            ]


class TestStarter:
    def test_climbs_to_the_director_with_nothing_that_is_not_proved_here(self) -> None:
        """A promise of the shipped policy that climbs so far must be lived through in this file."""
        furthest = [
            each.id
            for each in deploy_policy("starter").obligations
            if any(step.do == "propose-reassignment" for step in each.ladder)
        ]
        assert furthest == [each.rule for each in PROMISES]
