from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from activities.agency_load import load_agency
from activities.commands import CommandService
from activities.directory import Directory
from activities.types import StreamCommand
from events.agency import Entry
from events.codec import ENGAGEMENT_EVENTS
from events.decider import prepare, tick
from events.envelope import Actor, AppendRequest
from events.fold import fold
from events.log.digests_memory import MemoryDigests
from events.log.effects import MemoryEffects
from events.log.memory import MemoryLog
from events.orders import parse_order
from events.policy import Policy
from gateway import words
from gateway.cli import messages, reading
from gateway.cli.errors import Wrong
from gateway.cli.telling import tell_stream
from workers.shipped import deploy_policy

AGENCY = "acme"
RECRUITER = Actor(kind="person", id="r-1")
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
PEOPLE = (
    Entry(person_id="r-1", role="recruiter", team_lead="t-1", name="Recruiter One"),
    Entry(person_id="t-1", role="team-lead", director="d-1", name="Team Lead One"),
    Entry(person_id="d-1", role="director", name="Director One"),
)
Story = Sequence[tuple[int, str, dict[str, Any]]]
QUIET: Story = ((0, "open-engagement", {"candidate_name": "Candidate Quux", "owner": "r-1"}),)
TALKED: Story = (*QUIET, (6, "record-contact", {"channel": "phone", "note": "hello there"}))


class World:
    """An agency in memory, where engagements happen without workflows."""

    def __init__(self, policy: Policy) -> None:
        self.log = MemoryLog()
        self.ledger = MemoryEffects()
        self.directory = Directory(self.log)
        self.policy = policy

    async def live(self, engagement: str, story: Story, *, until: int) -> None:
        """Let an engagement happen, and every step on its day."""
        last = 0
        for number, (day, name, data) in enumerate(story):
            await self._steps(engagement, last, day)
            last = day
            if name == "open-engagement":
                data = {"candidate_id": f"c-of-{engagement}", **data}
            order = parse_order(name, data, command_id=f"k-{number}", actor_default=RECRUITER, source="test")
            state = fold(await self.log.read_stream(AGENCY, f"engagement:{engagement}"))
            moment = NOON + timedelta(days=day)
            ready = prepare(order, state, self.policy, moment, agency=AGENCY, engagement_id=engagement)
            await self.append(engagement, state.version, [ready])
        await self._steps(engagement, last, until)

    async def _steps(self, engagement: str, after: int, until: int) -> None:
        for day in range(after + 1, until + 1):
            state = fold(await self.log.read_stream(AGENCY, f"engagement:{engagement}"))
            moment = NOON + timedelta(days=day)
            steps = tick(state, moment, agency=AGENCY, inclusive=True, stepped=True)
            await self.append(engagement, state.version, steps)

    async def append(self, engagement: str, expected: int, ready: Sequence[Any]) -> None:
        """Put what was decided into the log."""
        if ready:
            groups = tuple(each.group for each in ready)
            stream = f"engagement:{engagement}"
            await self.log.append_many(
                [AppendRequest(agency=AGENCY, stream=stream, expected=expected, groups=groups)]
            )


@pytest.fixture
async def world() -> World:
    """This will be an agency with three people, which promises no more than to keep in touch."""
    touch = deploy_policy("starter").obligation("keep-in-touch")
    assert touch is not None
    made = World(deploy_policy("starter").model_copy(update={"obligations": (touch,)}))
    await load_agency(CommandService(made.log), AGENCY, people=PEOPLE, actor=RECRUITER)
    return made


class TestEngagements:
    async def test_folds_every_engagement(self, world: World) -> None:
        await world.live("e-1", QUIET, until=0)
        await world.live("e-2", TALKED, until=6)

        rows = [reading.summary(each) for each in await reading.engagements(world.log, AGENCY)]

        assert [(row["engagement"], row["stage"], row["owner"]) for row in rows] == [
            ("e-1", "intake", "r-1"),
            ("e-2", "intake", "r-1"),
        ]


class TestWaiting:
    async def test_puts_the_worst_first_and_names_who_owes(self, world: World) -> None:
        await world.live("talked", TALKED, until=12)
        await world.live("neglected", QUIET, until=9)
        states = await reading.engagements(world.log, AGENCY)

        rows = await reading.waiting(states, AGENCY, world.directory)

        assert [row["engagement"] for row in rows] == ["neglected", "talked"]
        worst, other = rows
        assert (worst["rule"], worst["overdue"], worst["owner_name"]) == (
            "keep-in-touch",
            True,
            "Recruiter One",
        )
        assert worst["since"] == NOON
        assert (other["overdue"], other["level"], other["lies_with"]) == (False, 0, "r-1")

    async def test_follows_the_escalation_up_the_owners_line(self, world: World) -> None:
        await world.live("e-1", QUIET, until=30)
        states = await reading.engagements(world.log, AGENCY)

        [row] = await reading.waiting(states, AGENCY, world.directory)

        assert (row["level"], row["owner"], row["lies_with"]) == (3, "r-1", "d-1")
        assert row["lies_with_name"] == "Director One"


class TestOutbox:
    async def test_shows_what_is_owed(self, world: World) -> None:
        await world.live("e-1", QUIET, until=30)

        rows = await messages.outbox(world.log, world.ledger, AGENCY)

        assert {row["state"] for row in rows} == {"owed"}
        assert {row["to"] for row in rows} >= {"owner", "team-lead", "director"}
        assert rows == sorted(rows, key=lambda row: row["requested_at"])

    async def test_says_what_is_held_and_what_gathers(self, world: World) -> None:
        await world.live("e-1", QUIET, until=30)
        rows = await messages.outbox(world.log, world.ledger, AGENCY)
        digests = MemoryDigests(world.ledger, clock=lambda: NOON)
        sent, gathers, *_ = [row["effect"] for row in rows]
        await world.ledger.claim(AGENCY, sent, "engagement:e-1", "email", "<m>", stale_after=timedelta(1))
        await world.ledger.finish(AGENCY, sent, 1, "sent")
        stream, window = "engagement:e-1", timedelta(minutes=15)
        await digests.join(AGENCY, "t-1", gathers, stream, "{}", digest_id="d-1", window=window)
        hold = StreamCommand(
            agency=AGENCY,
            stream=f"agency:{AGENCY}",
            command_id="hold",
            name="hold-outreach",
            data={"reason": "wrong-template"},
            actor=RECRUITER,
        )
        await CommandService(world.log).give(hold)
        held = await world.directory.outreach_held(AGENCY)
        assert held is not None

        rows = await messages.outbox(world.log, world.ledger, AGENCY)
        waits = await messages.waits_of(digests, world.directory, AGENCY)
        told = {row["effect"]: row for row in messages.what_waits(rows, waits)}

        assert told[sent]["held_since"] is None
        assert {row["held_since"] for row in told.values()} == {None, held.since}
        assert (told[gathers]["digest_of"], told[gathers]["digest_at"]) == ("t-1", NOON + window)
        assert told[sent]["digest_of"] is None


class TestTimeline:
    async def test_says_who_and_why(self, world: World) -> None:
        await world.live("e-1", TALKED, until=6)
        events = await world.log.read_stream(AGENCY, "engagement:e-1", open_personal=True)

        rows = reading.timeline(events, words.say, ENGAGEMENT_EVENTS)

        contact = next(row for row in rows if row["event"] == "contact-made")
        assert contact["says"] == "r-1 talked with the candidate by phone: “hello there”"
        assert contact["actor"] == {"kind": "person", "id": "r-1"}
        assert contact["why"] == "command k-1"
        after = rows[rows.index(contact) + 1]
        assert after["why"] == f"because of {contact['version']}"

    async def test_marks_what_was_annulled(self, world: World) -> None:
        await world.live("e-1", TALKED, until=6)
        events = await world.log.read_stream(AGENCY, "engagement:e-1")
        contact = next(each for each in events if each.type == "contact-made")
        state = fold(events)
        order = parse_order(
            "annul-event",
            {"event_id": str(contact.event_id)},
            command_id="k-9",
            actor_default=RECRUITER,
            source="test",
        )
        moment = NOON + timedelta(days=6)
        ready = prepare(
            order, state, world.policy, moment, agency=AGENCY, engagement_id="e-1", history=events
        )
        await world.append("e-1", state.version, [ready])
        events = await world.log.read_stream(AGENCY, "engagement:e-1")

        rows = reading.timeline(events, words.say, ENGAGEMENT_EVENTS)

        assert [UUID(str(row["event_id"])) for row in rows if row["annulled"]] == [contact.event_id]


class TestTellStream:
    async def test_shows_the_state_after_so_many_events(self, world: World) -> None:
        await world.live("e-1", TALKED, until=6)

        first = await tell_stream(world.log, AGENCY, "engagement", "e-1", 1)
        whole = await tell_stream(world.log, AGENCY, "engagement", "e-1", None)

        assert (first["version"], first["state"]["conversations"]) == (1, 0)
        assert whole["state"]["conversations"] == 1

    async def test_tells_the_agencys_own_stream(self, world: World) -> None:
        told = await tell_stream(world.log, AGENCY, "agency", AGENCY, None)

        assert told["timeline"][0]["says"] == "r-1 joined as recruiter: “Recruiter One”"

    @pytest.mark.parametrize(
        ("key", "at", "complaint"), [("e-404", None, "no engagement"), ("e-1", 99, "--at")]
    )
    async def test_asks_for_what_there_is(
        self, world: World, key: str, at: int | None, complaint: str
    ) -> None:
        await world.live("e-1", QUIET, until=0)

        with pytest.raises(Wrong, match=complaint):
            await tell_stream(world.log, AGENCY, "engagement", key, at)
