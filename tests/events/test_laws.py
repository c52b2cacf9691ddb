"""The laws of the core, on random lives: what must hold whatever people do, and in whatever order.

The draws are the same in every run; to search further raise EXAMPLES and let ``derandomize`` be false.
"""

import json
from datetime import UTC, datetime, timedelta
from itertools import groupby, takewhile
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from events import agency, job_order
from events.annulment import Happened
from events.canonical import canonical
from events.catalogue import Event, WentLive
from events.codec import ENGAGEMENT_EVENTS, decode, draft
from events.decider import next_due, prepare, tick
from events.envelope import ENGINE, Draft, Stored, derived_id, event_id
from events.evolve import evolve
from events.fold import advance, fold, needs_refold
from events.going_live import went_live
from events.obligations import react
from events.orders import COMMANDS
from events.prediction import Prediction, commands_of
from events.rule_index import index_of
from events.state import STATE, Engagement

if TYPE_CHECKING:
    from tests.events.specification import Life, World

EXAMPLES = 40
# No moment that a caller may name lies so far ahead, nor any step that is counted from one.
LONG_AFTER = datetime(3500, 1, 1, tzinfo=UTC)
law = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    # To shrink a whole life takes minutes; leave this out when a law has fallen.
    phases=[Phase.explicit, Phase.generate],
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
REGISTRIES = {**ENGAGEMENT_EVENTS, **job_order.EVENTS, **agency.EVENTS}


def lived(
    data: st.DataObject, world: "World", lives: ModuleType, without: frozenset[str] = frozenset()
) -> "Life":
    """Draw a life and live it."""
    life = world.life(data.draw(lives.modes(world.starter)), stepped=data.draw(st.booleans()))
    life.mistakes = lives.live(life, data.draw(lives.moves(without=without)))
    return life


class TestFold:
    @law
    @given(data=st.data())
    def test_equals_the_scratch_state_at_every_version(
        self, data: st.DataObject, world: "World", lives: ModuleType
    ) -> None:
        """Law 2: what the writer holds is what anybody else can fold, at once and from a snapshot."""
        life = lived(data, world, lives)
        state = Engagement()
        for group in life.groups:
            fresh = life.stream[state.version : group.state.version]
            state = fold(life.stream[: group.state.version]) if needs_refold(fresh) else fold(fresh, state)
            assert state == group.state
        assert state == life.state == fold(life.stream)
        assert STATE.validate_json(STATE.dump_json(state)) == state
        assert fold(life.stream, state) == state

    @law
    @given(data=st.data())
    def test_is_the_same_without_the_personal_values(
        self, data: st.DataObject, world: "World", lives: ModuleType
    ) -> None:
        """Law 8: a shredded stream folds to the equal state."""
        life = lived(data, world, lives)
        clear = [
            kept.model_copy(update={"opened": {name: canonical(values[name]) for name in each.personal}})
            for kept, each in zip(life.stream, life.drafts, strict=True)
            if (values := json.loads(each.body)) is not None
        ]
        assert fold(clear) == life.state

    @law
    @given(data=st.data())
    def test_never_contradicts_itself(self, data: st.DataObject, world: "World", lives: ModuleType) -> None:
        """Whatever is annulled: who is placed works or will, and a talk is owed about what has ended."""
        life = lived(data, world, lives)
        for state in [group.state for group in life.groups]:
            going = {key for key, each in state.placements.items() if each.ended_how is None}
            assert (state.placed_on in going) if going else state.placed_on is None
            assert state.talk_owed_since is None or life.seen("placement-ended")
            placed = {key for key, each in state.submissions.items() if each.status == "placed"}
            assert placed == going & set(state.submissions)
            left = [each for each in state.live_submissions.values() if each.unsettled]
            assert not left or any(each.answer == "accepted" for each in state.offers.values())

    @law
    @given(data=st.data())
    def test_takes_any_history(self, data: st.DataObject, lives: ModuleType) -> None:
        """The past is not open to objection, however nonsensical it is."""
        state = Engagement()
        for event in data.draw(st.lists(lives.any_event(), max_size=30)):
            state = evolve(state, event)
            assert state.stage
            assert state.posture(event.at)
            assert state.level >= 0
        assert STATE.validate_json(STATE.dump_json(state)) == state


class TestDecide:
    @law
    @given(data=st.data())
    def test_gives_the_same_for_the_same(
        self, data: st.DataObject, world: "World", lives: ModuleType
    ) -> None:
        """Law 3: pure, deterministic, and total: nothing but a caller's mistake is ever raised."""
        policy = data.draw(lives.modes(world.starter))
        planned = data.draw(lives.moves())
        one, other = world.life(policy), world.life(policy)
        mistakes = lives.live(one, planned), lives.live(other, planned)
        assert one.drafts == other.drafts
        assert [group.group for group in one.groups] == [group.group for group in other.groups]
        assert [str(each) for each in mistakes[0]] == [str(each) for each in mistakes[1]]

    @law
    @given(data=st.data())
    def test_adds_nothing_when_a_decided_command_comes_again(
        self, data: st.DataObject, world: "World", lives: ModuleType
    ) -> None:
        """Law 3: whoever retries with the same command id changes nothing."""
        life = lived(data, world, lives)
        now = life.journal[-1][0] + timedelta(days=1)
        wrote = {each.command_id for each in life.stream}
        for order in life.orders:
            if order.command_id in wrote:
                again = prepare(
                    order,
                    life.state,
                    life.policy,
                    now,
                    agency="agency-1",
                    engagement_id="e-1",
                    history=life.stream,
                )
                assert again.group.drafts == ()
                assert again.state == life.state

    @law
    @given(data=st.data())
    def test_refuses_no_report(self, data: st.DataObject, world: "World", lives: ModuleType) -> None:
        """What has happened is recorded; a gate that it did not pass stands beside it."""
        life = lived(data, world, lives)
        for _, event in life.seen("command-refused"):
            assert COMMANDS[event.command].kind == "intent"
        for _, event in life.seen("gate-bypassed"):
            assert (event.why == "report") == (COMMANDS[event.command].kind == "report")

    @law
    @given(data=st.data())
    def test_keeps_what_people_said_out_of_everything_else(
        self, data: st.DataObject, world: "World", lives: ModuleType
    ) -> None:
        """Law 7: no personal value in a body, an id, the state or an error's sentence."""
        life = lived(data, world, lives)
        assert not any(lives.WORDS in str(each) for each in life.mistakes)
        assert not any(lives.WORDS in each.model_dump_json() for each in life.stream)
        assert lives.WORDS not in STATE.dump_json(life.state).decode()


class TestPromises:
    @law
    @given(data=st.data())
    def test_are_kept_by_people_alone(self, data: st.DataObject, world: "World", lives: ModuleType) -> None:
        """Law 6: a contact obligation by contact only, an answer by what a person did, never by a message."""
        life = lived(data, world, lives)
        causes = {each.event_id: each for each in life.stream}
        kinds = {event.obligation_id: event.kind for _, event in life.seen("obligation-opened")}
        for kept, event in life.seen("obligation-met"):
            assert kept.causation_id is not None
            cause = causes[kept.causation_id]
            assert not cause.type.startswith("outreach-")
            if kinds[event.obligation_id] == "contact":
                assert cause.type == "contact-made"
            if kinds[event.obligation_id] in ("contact", "answer"):
                assert cause.actor.kind != "engine"

    @law
    @given(data=st.data())
    def test_once_broken_stay_on_record(self, data: st.DataObject, world: "World", lives: ModuleType) -> None:
        """Law 6: late recording excuses a breach and never unmakes it."""
        life = lived(data, world, lives)
        breached = [event.obligation_id for _, event in life.seen("obligation-breached")]
        assert len(breached) == len(set(breached))
        assert set(life.state.breaches) == set(breached)
        excused = {event.obligation_id for _, event in life.seen("obligation-excused")}
        assert excused & set(breached) == {key for key, each in life.state.breaches.items() if each.excused}

    @law
    @given(data=st.data())
    def test_end_with_the_engagement(self, data: st.DataObject, world: "World", lives: ModuleType) -> None:
        """A closed engagement owes nothing, and takes late reports only."""
        life = lived(data, world, lives, without=frozenset({"close-engagement"}))
        end = life.journal[-1][0] + timedelta(hours=1)
        if life.state.live_submissions:
            life.do("withdraw", end, submission_id=None)
        for key, placement in life.state.placements.items():
            if placement.ended_how is None:
                how = "reneged" if placement.started_on is None else "fall-off"
                life.do("end-placement", end, placement_id=key, how=how)
        life.do("close-engagement", end)
        closed = len(life.drafts)
        lives.live_on(life, data.draw(lives.moves()))
        assert not life.state.obligations
        assert not life.state.escalations
        assert life.state.stage == "closed"
        assert all(each.after_close for each in life.drafts[closed:])

    @law
    @given(data=st.data())
    def test_keep_in_touch_with_everybody(
        self, data: st.DataObject, world: "World", lives: ModuleType
    ) -> None:
        """Under the shipped rules nobody who is awake and not at work through us is out of sight, ever."""
        life = lived(data, world, lives, without=frozenset({"adopt-policy"}))
        for state in [group.state for group in life.groups]:
            if not (state.closed or state.dormant or state.working):
                assert "keep-in-touch" in {each.rule for each in state.obligations.values()}

    @law
    @given(data=st.data())
    def test_end_one_way_or_another(self, data: st.DataObject, world: "World", lives: ModuleType) -> None:
        """Every promise is kept, dropped or excused, or, when only time runs on, broken to its ladder's end.

        None waits for a step that will never come, and none ends twice.
        """
        life = lived(data, world, lives)
        life.wait(LONG_AFTER)
        assert next_due(life.state) is None
        opened = [event.obligation_id for _, event in life.seen("obligation-opened")]
        ended = [
            event.obligation_id
            for kind in ("obligation-met", "obligation-dropped")
            for _, event in life.seen(kind)
        ]
        assert len(ended) == len(set(ended))
        assert set(opened) == set(ended) | set(life.state.obligations)
        assert not set(ended) & set(life.state.obligations)
        broken = {(each.rule, each.subject, each.since) for each in life.state.breaches.values()}
        for each in life.state.obligations.values():
            assert each.breached
            assert each.rungs == ()
            # One that an annulment opened again carries on the breach of the one before.
            assert (each.rule, each.subject, each.since) in broken
        if life.state.closed:
            assert not life.state.obligations
            assert not life.state.escalations

    @law
    @given(data=st.data())
    def test_leave_no_escalation_behind(self, data: st.DataObject, world: "World", lives: ModuleType) -> None:
        life = lived(data, world, lives)
        for group in life.groups:
            assert {each.obligation_id for each in group.state.escalations.values()} <= set(
                group.state.obligations
            )

    @law
    @given(data=st.data())
    def test_follow_from_what_people_did(
        self, data: st.DataObject, world: "World", lives: ModuleType
    ) -> None:
        """Law 10, in small: the events of the business and the clock give every event of the engine."""
        life = lived(data, world, lives, without=frozenset({"annul-event"}))
        assert predicted(life) == [(each.event_id, each.type, each.body) for each in life.drafts]

    @law
    @given(data=st.data())
    def test_foretells_whole_lives_with_annulments_and_adoptions(
        self, data: st.DataObject, world: "World", lives: ModuleType
    ) -> None:
        """Law 10: from the stream's own events of the world and the policies, whatever was slept through."""
        life = lived(data, world, lives)
        steps = {each.occurred_at for each in life.stream if each.command_id.startswith("step:")}
        # At the very moment of a step it is the order of asking that decides, which no event tells.
        assume(not any(told[0].decided_at in steps for told in commands_of(life.stream)))
        assert foretold(life) == [
            decode(each).model_dump_json()
            for each in life.stream
            if each.origin == "engine" and each.type != "outreach-requested"
        ]


def foretold(life: "Life") -> list[str]:
    """Give what the engine concludes, messages aside, from what the log would show of a life."""
    heard: list[str] = []

    def hear(event: Any) -> None:
        if event.type != "outreach-requested":
            heard.append(event.model_dump_json())

    policies = {index_of(policy).digest: policy for *_, policy in life.journal}
    prediction = Prediction(
        "agency-1", "engagement:e-1", life.journal[0][3], hear, remembers=True, policies=policies
    )
    for told in commands_of(life.stream):
        prediction.follow(told)
    for now, inclusive in _looked_since(life):
        prediction.wait(now, inclusive=inclusive)
    return heard


def _looked_since(life: "Life") -> list[tuple[datetime, bool]]:
    """Give the moments at which somebody looked after the last command that led to anything."""
    idle = takewhile(
        lambda entry: not any(group.events for group in entry[2]),
        reversed(life.journal),
    )
    return [(now, inclusive) for now, inclusive, *_ in reversed(list(idle))]


def predicted(life: "Life") -> list[tuple[Any, str, str]]:
    """Give every event as it follows from the business's own ones and the moments of looking."""
    state = Engagement()
    result: list[tuple[Any, str, str]] = []

    def add(event: Any, identity: Any, now: datetime, command_id: str) -> Engagement:
        made = draft(event, event_id=identity, decided_at=now, actor=ENGINE, source="test")
        result.append((identity, made.type, made.body))
        return advance(state, event, "agency-1", now, command_id)

    for now, inclusive, groups, policy in life.journal:
        for step in tick(state, now, agency="agency-1", inclusive=inclusive, stepped=life.stepped):
            result += [(each.event_id, each.type, each.body) for each in step.group.drafts]
            state = step.state
        for group in groups:
            told = zip(group.group.drafts, group.events, strict=True)
            command_id = group.group.command_id
            begun = len(result)
            for identity, event in [
                (each.event_id, event) for each, event in told if each.origin == "business"
            ]:
                before = state
                state = add(event, identity, now, command_id)
                for reaction in react(before, state, event, identity, policy, now):
                    after_id = event_id("agency-1", "engagement:e-1", command_id, len(result) - begun)
                    state = add(reaction, after_id, now, command_id)
    return result


class TestIds:
    @law
    @given(data=st.data())
    def test_are_given_once(self, data: st.DataObject, world: "World", lives: ModuleType) -> None:
        """Law 1: versions are dense, and no step, event, promise, escalation or message shares an id."""
        life = lived(data, world, lives)
        assert [each.version for each in life.stream] == list(range(1, life.state.version + 1))
        steps = [each.group.command_id for each in life.groups if each.group.command_id.startswith("step:")]
        assert len(steps) == len(set(steps))
        for kind, name in (
            ("obligation-opened", "obligation_id"),
            ("escalation-raised", "escalation_id"),
            ("outreach-requested", "effect_id"),
        ):
            found = [getattr(event, name) for _, event in life.seen(kind)]
            assert len(found) == len(set(found))
        assert len({each.event_id for each in life.stream}) == len(life.stream)
        commands = [key for key, _ in groupby(life.stream, key=lambda each: each.command_id)]
        assert len(commands) == len(set(commands))


class TestCodec:
    @pytest.mark.parametrize("kind", sorted(REGISTRIES))
    @settings(law, max_examples=4)
    @given(data=st.data())
    def test_gives_back_what_was_stored(self, data: st.DataObject, lives: ModuleType, kind: str) -> None:
        """Events survive the log, to the byte."""
        event = data.draw(lives.instances(REGISTRIES[kind]))
        made = drafted(event)
        again = decode(kept_in_clear(made), REGISTRIES)
        assert again == event
        assert drafted(again) == made
        assert canonical(json.loads(made.body)) == made.body


def drafted(event: Event) -> Draft:
    """Wrap an event, with an id of no meaning."""
    return draft(event, event_id=derived_id("test"), decided_at=event.at, actor=ENGINE, source="test")


def kept_in_clear(made: Draft) -> Stored:
    """Give a draft a place in a log that seals nothing."""
    return Stored(
        position=1,
        agency="agency-1",
        stream="engagement:e-1",
        version=1,
        command_id="command-1",
        recorded_at=made.decided_at,
        **made.model_dump(exclude={"personal", "after_close"}),
    )


class TestGoingLive:
    @law
    @given(data=st.data())
    def test_finds_the_promises_that_would_stand_had_it_been_live(
        self, data: st.DataObject, world: "World", lives: ModuleType
    ) -> None:
        """An imported past owes what the same life owes that was lived here, and tells nobody of it."""
        life = lived(data, world, lives, without=frozenset({"annul-event", "adopt-policy"}))
        now = (life.state.decided_at or world.noon) + timedelta(days=data.draw(st.integers(0, 20)))
        life.wait(now, inclusive=False)
        past = [
            Happened(each.event_id, decode(each), each.causation_id, each.decided_at)
            for each in life.stream
            if not ENGAGEMENT_EVENTS[each.type].by_engine
        ]
        state = fold(each for each in life.stream if not ENGAGEMENT_EVENTS[each.type].by_engine)
        live = WentLive(at=now, imported=1)
        cause = derived_id("went-live")
        for event in went_live(state, live, cause, past, life.policy, now):
            assert event.type in {"obligation-opened", "obligation-breached", "obligation-dropped"}
            state = evolve(state, event)
        assert standing(state, now) >= standing(life.state, now)
        overdue = {about(each) for each in life.state.obligations.values() if each.breached}
        assert {about(each) for each in state.obligations.values()} <= overdue | {
            about(each) for each in life.state.obligations.values()
        }
        assert {(each.rule, each.subject, each.due_at) for each in state.breaches.values()} == {
            (each.rule, each.subject, each.due_at)
            for each in life.state.obligations.values()
            if each.breached
        }


def about(promise: Any) -> tuple[str, str]:
    """Name a promise by what it is about."""
    return promise.rule, promise.subject


def standing(state: Engagement, now: datetime) -> set[Any]:
    """Give the promises that are not overdue, each with the steps that are ahead of it."""
    return {
        (key, *about(each), each.since, each.opened_at, each.due_at, each.waited, each.calendar, steps)
        for key, each in state.obligations.items()
        if not each.breached and each.due_at >= now
        for steps in [tuple((rung.at, rung.do, rung.to) for rung in each.rungs)]
    }
