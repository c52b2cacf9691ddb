"""What holds for every command alike: a retry, a stale version, and where gates may stand in the way."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from events import gates
from events.commands import Order
from events.decider import prepare
from events.envelope import ENGINE, AppendRequest
from events.fold import fold
from events.gates import GATES, INTENT_OF_REPORT
from events.log.memory import MemoryLog
from events.log.port import Appended, Conflict
from events.orders import COMMANDS
from events.policy import GateRule, Policy
from events.policy_checks import INTENTS, check_gate
from events.policy_needs import family_of

if TYPE_CHECKING:
    from events.decider import Prepared
    from tests.events.specification import Given, Life, World

NOW: Final = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)
PERSON: Final = {"kind": "person", "id": "recruiter-1"}
LEAD: Final = {"kind": "person", "id": "lead-1"}
OPENED: Final = ("engagement-opened", "assigned")
TALKED: Final = (*OPENED, "contact-made")
KNOWN: Final = (*TALKED, "facet-learnt")
SUBMITTED: Final = (*OPENED, "application-recorded", "submitted")
SCHEDULED: Final = (*SUBMITTED, "interview-scheduled")
OFFERED: Final = (*SUBMITTED, "offer-extended")
ACCEPTED: Final = (*OFFERED, "offer-accepted")
STARTED: Final = (*ACCEPTED, "placement-terms-recorded", "placement-started")
PROPOSED: Final = (*OPENED, "application-recorded", "job-proposed")
# What must have happened for the canonical command to have something to say; changes where it needs some.
BEFORE: Final[dict[str, tuple[str, ...]]] = {
    "open-engagement": (),
    "assign": OPENED[:1],
    "resume": (*OPENED, "paused"),
    "allow-outreach": (*OPENED, "outreach-stopped"),
    "withdraw-offer": (*SUBMITTED, "offer-extended"),
    "withdraw": SUBMITTED,
    "record-facet": TALKED,
    "retire-facet": KNOWN,
    "play-back-profile": KNOWN,
    "confirm-profile": (*KNOWN, "profile-played-back"),
    "decline-application": PROPOSED,
    "record-check": PROPOSED,
    "answer-proposal": PROPOSED,
    "grant-right-to-represent": PROPOSED,
    "revoke-right-to-represent": (*PROPOSED, "right-to-represent-granted"),
    "submit": PROPOSED,
    "record-submission": PROPOSED,
    "record-client-answer": SUBMITTED,
    "record-client-talk": SUBMITTED,
    "open-conflict": SUBMITTED,
    "add-conflict-evidence": (*SUBMITTED, "ownership-conflict-opened"),
    "resolve-conflict": (*SUBMITTED, "ownership-conflict-opened"),
    "request-interview": SUBMITTED,
    "schedule-interview": SUBMITTED,
    "record-interview-scheduled": SUBMITTED,
    "move-interview": SCHEDULED,
    "cancel-interview": SCHEDULED,
    "record-interview-held": SCHEDULED,
    "record-interview-missed": SCHEDULED,
    "explain-no-show": (*SCHEDULED, "interview-missed"),
    "record-interview-result": (*SCHEDULED, "interview-held"),
    "pass-on-feedback": SCHEDULED,
    "record-offer": SUBMITTED,
    "revise-offer": OFFERED,
    "note-counter-offer": OFFERED,
    "accept-offer": OFFERED,
    "decline-offer": OFFERED,
    "settle-submission": (*ACCEPTED, "submission-left-open"),
    "record-placement-terms": ACCEPTED,
    "move-start": ACCEPTED,
    "confirm-start": ACCEPTED,
    "extend-contract": ACCEPTED,
    "convert-placement": STARTED,
    "raise-concern": STARTED,
    "end-placement": STARTED,
    "invoke-guarantee": (*STARTED, "placement-ended"),
    "record-position-held": SUBMITTED,
    "record-position-resumed": (*SUBMITTED, "position-held"),
    "record-position-filled": SUBMITTED,
    "record-position-owner": SUBMITTED,
    "acknowledge-escalation": (*OPENED, "obligation-opened", "escalation-raised"),
    "excuse-obligation": (*OPENED, "obligation-opened"),
    "record-outreach": (*OPENED, "outreach-requested"),
    "annul-event": (*OPENED, "intake-completed"),
}
CHANGES: Final[dict[str, dict[str, Any]]] = {
    "settle-submission": {"submission_id": "s-1"},
    "pause": {"until": NOW + timedelta(days=3)},
    "record-pause": {"until": NOW + timedelta(days=3)},
    "record-no-match": {"expected_by": NOW + timedelta(days=3)},
    "record-facet": {"expires_at": NOW + timedelta(days=300)},
}
# ``go-live`` is decided on an imported past alone: its own tests are in test_going_live.
EVERY = pytest.mark.parametrize("name", sorted(COMMANDS.keys() - {"go-live"}))
REPORTS: Final = sorted(
    name for name, each in COMMANDS.items() if each.kind == "report" and name != "go-live"
)


def ready(world: "World", name: str) -> "Given":
    """Begin where the canonical command of a name has something to say."""
    told: list[Any] = list(BEFORE.get(name, OPENED))
    if name in ("extend-contract", "convert-placement"):
        told[told.index("offer-accepted")] = accepted(world)
        told = [each for each in told if each != "placement-terms-recorded"]
    if name == "link-application-to-job-order":
        told = [*OPENED, world.event("application-recorded", application_id="a-2", job_order_id=None)]
    if name == "settle-submission":
        # The other submission is alive beside the offer that was accepted.
        told = [*OPENED, "submitted", world.event("submission-left-open", submission_id="s-1")]
    return world.given(*told)


def accepted(world: "World") -> Any:
    """Give an acceptance of a contract that has an end."""
    found = world.event("offer-accepted")
    return world.event("offer-accepted", kind="contract", ends_on=found.starts_on + timedelta(days=100))


def order(given: "Given", name: str, world: "World", command_id: str = "command-1") -> Order:
    """Give the canonical command, with what it must name to say anything."""
    changes = dict(CHANGES.get(name, {}))
    if name == "annul-event":
        changes["event_id"] = given.history[-1].event_id
    command = world.command(name, **changes)
    actor = ENGINE if name in ("record-outreach", "refuse-message") else PERSON
    if name == "excuse-obligation":
        actor = LEAD
    return Order.model_validate({"command_id": command_id, "command": command, "actor": actor})


def decided(asked: Order, history: Any, policy: Policy, now: datetime = NOW) -> "Prepared":
    """Decide an order on a stream."""
    return prepare(
        asked,
        fold(history),
        policy,
        now,
        agency="agency-1",
        engagement_id="e-1",
        history=tuple(history),
    )


def relived(world: "World", given: "Given") -> "Life":
    """Give a life whose stream is what was given, so that it can be gone on with."""
    life = world.life(given.policy)
    life.stream.extend(given.history)
    life.state = given.state
    return life


class TestARetry:
    @EVERY
    def test_under_the_same_id_adds_nothing(self, world: "World", name: str) -> None:
        """Law 3: whoever did not hear the answer asks again, and nothing happens twice."""
        given = ready(world, name)
        life = relived(world, given)
        asked = order(given, name, world)
        assert life.give(asked, NOW).group.outcome in ("accepted", "message-refused")
        assert life.stream[len(given.history) :]
        again = decided(asked, life.stream, given.policy, NOW + HOUR)
        assert (again.group.drafts, again.group.outcome) == ((), "nothing-to-do")
        assert again.state == life.state == fold(life.stream)

    @EVERY
    async def test_is_known_to_the_log_for_ever(self, world: "World", name: str) -> None:
        """Also when the writer has long forgotten it: the receipt gives the stored events back."""
        given = ready(world, name)
        log = MemoryLog()
        version = await stored(log, given)
        group = decided(order(given, name, world), given.history, given.policy).group
        request = append(group, version)
        (first,) = await log.append_many([request])
        (again,) = await log.append_many([request])
        assert isinstance(first, Appended)
        assert isinstance(again, Appended)
        assert again.events == first.events
        assert again.outcomes == first.outcomes == {"command-1": group.outcome}


class TestAStaleVersion:
    @EVERY
    async def test_leads_to_deciding_again_on_what_was_missed(self, world: "World", name: str) -> None:
        """The log wins: nothing is written at a version that is not the last, and nothing is lost."""
        given = ready(world, name)
        log = MemoryLog()
        version = await stored(log, given)
        asked = order(given, name, world)
        stale = decided(asked, given.history, given.policy)
        # Somebody else was faster, with something that this command does not touch.
        opening = "open-engagement" if name == "open-engagement" else "record-check"
        faster = Order.model_validate(
            {"command_id": "faster-1", "command": world.command(opening, **FASTER[opening]), "actor": PERSON}
        )
        (ahead,) = await log.append_many(
            [append(decided(faster, given.history, given.policy).group, version)]
        )
        assert isinstance(ahead, Appended)
        (conflict,) = await log.append_many([append(stale.group, version)])
        assert isinstance(conflict, Conflict)
        assert [each.command_id for each in conflict.missing] == ["faster-1"] * len(ahead.events)
        caught_up = [*given.history, *conflict.missing]
        again = decided(asked, caught_up, given.policy)
        (done,) = await log.append_many([append(again.group, conflict.version)])
        assert isinstance(done, Appended)
        kept = await log.read_stream("agency-1", "engagement:e-1")
        assert [each.version for each in kept] == list(range(1, len(kept) + 1))
        if name != "open-engagement":
            assert [each.type for each in again.events] == [each.type for each in stale.events]
        else:
            assert again.group.outcome == "nothing-to-do"


FASTER: Final[dict[str, dict[str, Any]]] = {
    "open-engagement": {},
    "record-check": {"check_id": "check-9", "about": ()},
}


async def stored(log: MemoryLog, given: "Given") -> int:
    """Put what was given into a log; gives the version."""
    for each in given.history:
        fields = each.model_dump(include=DRAFTED)
        group = {"command_id": each.command_id, "input": each.command_id, "outcome": "accepted"}
        request = AppendRequest.model_validate(
            {
                "agency": "agency-1",
                "stream": "engagement:e-1",
                "expected": each.version - 1,
                "groups": [{**group, "drafts": [fields]}],
            }
        )
        (done,) = await log.append_many([request])
        assert isinstance(done, Appended)
    return len(given.history)


DRAFTED: Final = {
    "event_id",
    "type",
    "schema_version",
    "occurred_at",
    "decided_at",
    "origin",
    "actor",
    "source",
    "body",
}


def append(group: Any, version: int) -> AppendRequest:
    """Ask for one group at a version."""
    return AppendRequest(agency="agency-1", stream="engagement:e-1", expected=version, groups=(group,))


def rule(gate: str, *guards: str, **needs: Any) -> GateRule:
    """Give a gate that is enforced."""
    return GateRule(
        id=gate,
        guards=guards,
        says=f"No: {gate}.",
        remedy=f"Do it: {gate}.",
        because="M: a test.",
        needs=needs,
    )


def may_guard(gate: str, intent: str) -> bool:
    """Tell whether a policy may let a gate guard an intent."""
    found: list[str] = []
    check_gate(rule(gate, intent), lambda path, says: found.append(says))
    return not found


class TestAReport:
    @pytest.mark.parametrize("name", REPORTS)
    def test_is_refused_by_no_gate(self, world: "World", name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """What has happened is recorded, whatever is shut; what it passed by stands beside it."""
        monkeypatch.setattr(gates, "GATES", {each: lambda *_: False for each in GATES})
        guarding = [rule(gate, *(each for each in INTENTS if may_guard(gate, each))) for gate in GATES]
        given = ready(world, name)
        then = decided(order(given, name, world), given.history, Policy(name="shut", gates=tuple(guarding)))
        assert then.group.outcome in ("accepted", "message-refused")
        assert "command-refused" not in {each.type for each in then.events}
        bypassed = [each.gate for each in then.events if each.type == "gate-bypassed"]
        guarded = INTENT_OF_REPORT.get(name)
        assert bypassed == [each.id for each in guarding if guarded in each.guards]
        assert all(each.why == "report" for each in then.events if each.type == "gate-bypassed")


# What leaves each gate shut, beside what the command needs.
SHUT: Final[dict[str, tuple[tuple[str, ...], dict[str, Any], dict[str, Any]]]] = {
    "know-each-other-first": ((), {}, {}),
    "right-to-represent": ((), {}, {}),
    "no-double-submission": (("submitted",), {}, {}),
    "not-while-paused": (("paused",), {}, {}),
    "good-enough-fit": ((), {"floor": 60}, {"fit": 59}),
    "talk-before-matching-again": (("offer-extended", "offer-accepted", "placement-ended"), {}, {}),
    "not-while-placed": (("offer-extended", "offer-accepted"), {}, {}),
    "needs-check:identity": ((), {}, {}),
    "long-pause-needs-lead": ((), {"days": 14}, {"approved_by": None, "until": NOW + timedelta(days=15)}),
}
ASKED: Final[dict[str, tuple[tuple[str, ...], dict[str, Any]]]] = {
    "pause": (OPENED, {"until": NOW + timedelta(days=3)}),
    "propose-job": (OPENED, {}),
    "submit": (OPENED, {"submission_id": "s-9", "application_id": None}),
    "schedule-interview": (OPENED, {"submission_id": "s-2", "starts_at": NOW + timedelta(days=3)}),
}
PAIRS: Final = [(gate, each) for gate in sorted(SHUT) for each in sorted(INTENTS) if may_guard(gate, each)]


def elsewhere(world: "World", name: str) -> list[Any]:
    """Give the submission that an interview is for, which no other event of these tables touches."""
    other = world.event("submitted", submission_id="s-2", job_order_id="j-2")
    return [other] if name == "schedule-interview" else []


class TestAnIntent:
    def test_is_known_to_this_table(self) -> None:
        assert {family_of(each) for each in SHUT} == GATES.keys()
        assert set(ASKED) == INTENTS

    @pytest.mark.parametrize(("gate", "name"), PAIRS, ids=lambda each: each)
    def test_is_refused_by_each_gate_that_guards_it(self, world: "World", gate: str, name: str) -> None:
        """The refusal is an event, and says what would help."""
        events, needs, changed = SHUT[gate]
        begun, changes = ASKED[name]
        fields = COMMANDS[name].model_fields
        changes = {**changes, **{key: value for key, value in changed.items() if key in fields}}
        told: list[Any] = [*begun, *elsewhere(world, name), *events]
        if gate == "not-while-paused":
            told[-1] = world.event("paused", until=NOW + timedelta(days=1))
        if gate == "good-enough-fit":
            told.append(world.event("job-proposed", fit=59) if name == "submit" else "contact-made")
        given = world.given(*told).under(Policy(name="one", gates=(rule(gate, name, **needs),)))
        then = given.when(name, now=NOW, **changes)
        then.refused_by(gate)
        (refused,) = then.events
        assert (refused.says, refused.remedy) == (f"No: {gate}.", f"Do it: {gate}.")

    @pytest.mark.parametrize("name", sorted(INTENTS))
    def test_passes_where_nothing_guards_it(self, world: "World", name: str) -> None:
        begun, changes = ASKED[name]
        given = world.given(*begun, *elsewhere(world, name)).under(Policy(name="open"))
        then = given.when(name, now=NOW, **changes)
        assert then.outcome == "accepted"
