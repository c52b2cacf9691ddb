"""Random lives for the laws: commands in any order, whose ids often name things that exist.

A move is made without knowing the life; what it can only know then (a due time, an event's id) is chosen
when it is lived.  A whole life is one draw, a number from which it follows: Hypothesis would draw its few
hundred parts alike too often.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from random import Random
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin
from uuid import UUID

from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from events.calendar_resolving import Office, Period, resolve
from events.codec import ENGAGEMENT_EVENTS
from events.commands import Order
from events.decider import next_due
from events.envelope import Actor
from events.errors import CallerError
from events.orders import COMMANDS
from events.personal import PERSONAL, Erased
from events.policy import ObligationRule, Policy, Span
from events.rule_index import index_of

# Occurs nowhere but in personal fields, so that a leak is found by looking for it.
WORDS: Final = "quincunx marmalade"
OBLIGATIONS: Final = tuple(UUID(int=number) for number in range(1, 4))
POOL: Final[Mapping[str, tuple[str, ...]]] = {
    "job_order_id": ("j-1", "j-2"),
    "submission_id": ("s-1", "s-2", "s-3"),
    "interview_id": ("i-1", "i-2", "i-3"),
    "application_id": ("a-1", "a-2"),
    "offer_id": ("o-1", "o-2"),
    "message_id": ("m-1", "m-2"),
    "contact_id": ("contact-1", "contact-2", "contact-3"),
    "attempt_id": ("attempt-1", "attempt-2"),
    "about": (
        "application:a-1",
        "submission:s-1",
        "interview:i-1",
        "interview:i-2",
        "message:m-1",
        "placement:s-1",
        "conflict:x-1",
    ),
    "placement_id": ("s-1", "s-2"),
    "conflict_id": ("x-1", "x-2"),
    "no_match_id": ("n-1", "n-2"),
    "facet_id": ("facet-1", "facet-2", "facet-3"),
    "facets": ("facet-1", "facet-2", "facet-3"),
    "by": ("recruiter-1", "lead-1"),
    "recruiter": ("recruiter-1", "recruiter-2"),
    "owner": ("recruiter-1", "recruiter-2"),
    "approved_by": ("recruiter-1", "lead-1"),
    "zone": ("UTC", "Europe/London", "Nowhere/Atall"),
    "quiet_hours": ("20:00-08:00", "00:00-23:59", "12:00-12:00"),
    "office": ("london", "new-york"),
    "person": ("recruiter-1", "recruiter-2"),
    "candidate_id": ("candidate-1", "candidate-1", "candidate-2"),
    "rule": ("keep-in-touch", "answer-candidate"),
    "subject": ("engagement", "message:m-1"),
}
NUMBERS: Final[Mapping[str, tuple[int, ...]]] = {
    "fit": (30, 59, 60, 90),
    "guarantee_days": (0, 30, 90),
    "until_day": (30, 60, 90),
    "percent": (0, 50, 100),
}
_WEEK: Final = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "09:00-17:30")
_YEARS: Final = Period.around(date(2026, 1, 5), date(2030, 1, 1))
LONDON: Final = resolve(Office("Europe/London", _WEEK, "GB", "ENG"), _YEARS)
NEW_YORK: Final = resolve(Office("America/New_York", _WEEK, "US"), _YEARS)
ACTORS: Final = (
    Actor(kind="person", id="recruiter-1"),
    Actor(kind="candidate", id="candidate-1"),
    Actor(kind="client", id="client-1"),
    Actor(kind="engine", id="rapport"),
)
GAPS: Final = (
    timedelta(),
    timedelta(minutes=1),
    timedelta(hours=5),
    timedelta(days=1),
    timedelta(days=3),
    timedelta(days=9),
    timedelta(days=40),
)
SPANS: Final = tuple(timedelta(hours=hours) for hours in (-60, -1, 1, 3, 26, 50, 200, 700))
# Chosen when the move is made, or telling of a moment.
LATE: Final = frozenset({"event_id", "escalation_id", "obligation_id", "effect_id", "digest", "policy_name"})


@dataclass(frozen=True)
class Move:
    """One command to come; without *fields* the canonical one.

    *pick* chooses among what there is by then; *gap* None waits for a due time.
    """

    name: str
    fields: Mapping[str, Any] | None
    gap: timedelta | None
    back: timedelta
    actor: Actor
    pick: int


def _told(*moves: tuple[str, timedelta, Mapping[str, Any] | None]) -> tuple[Move, ...]:
    return tuple(Move(name, fields, gap, timedelta(), ACTORS[0], 1) for name, gap, fields in moves)


FACETS: Final = {"facet-1": "goal", "facet-2": "motive", "facet-3": "like"}
# Enough of a story, told with the canonical commands, that interviews and decisions come up often.
STORY: Final = _told(
    ("record-application", GAPS[1], None),
    ("record-contact", GAPS[2], None),
    ("introduce-recruiter", GAPS[0], None),
    *(("record-facet", GAPS[0], {"facet_id": key, "facet": kind}) for key, kind in FACETS.items()),
    ("play-back-profile", GAPS[1], {"facets": tuple(FACETS)}),
    ("confirm-profile", GAPS[1], {"facets": tuple(FACETS)}),
    ("complete-intake", GAPS[0], None),
    ("propose-job", GAPS[1], None),
    ("answer-proposal", GAPS[2], None),
    ("grant-right-to-represent", GAPS[1], None),
    ("submit", GAPS[1], None),
    ("schedule-interview", GAPS[3], None),
)
# What may come of it: another submission beside it, an offer, a placement that starts.
OFFERED: Final = _told(
    ("record-submission", GAPS[1], {"submission_id": "s-2", "job_order_id": "j-2"}),
    ("record-interview-held", GAPS[5], None),
    ("record-client-answer", GAPS[3], None),
    ("record-offer", GAPS[2], None),
)
PLACED: Final = _told(
    ("accept-offer", GAPS[3], None),
    ("record-placement-terms", GAPS[1], None),
    ("confirm-start", GAPS[1], None),
)
LIFE: Final = (*STORY, *OFFERED, *PLACED)
FELL: Final = (*LIFE, *_told(("end-placement", GAPS[5], None)))
ABOUT_THE_PERSON: Final = (
    "record-facet",
    "retire-facet",
    "play-back-profile",
    "confirm-profile",
    "record-no-match",
    "propose-job",
    "go-dormant",
)
ABOUT_CONFLICTS: Final = (
    "open-conflict",
    "add-conflict-evidence",
    "resolve-conflict",
    "revoke-right-to-represent",
    "record-position-held",
    "record-position-resumed",
    "record-position-owner",
)
ABOUT_INTERVIEWS: Final = (
    "record-interview-held",
    "record-interview-missed",
    "explain-no-show",
    "record-interview-scheduled",
    "move-interview",
    "cancel-interview",
    "record-interview-result",
)
ABOUT_OFFERS: Final = (
    "record-offer",
    "revise-offer",
    "note-counter-offer",
    "accept-offer",
    "decline-offer",
    "settle-submission",
    "record-contact",
)
ABOUT_PLACEMENTS: Final = (
    "record-placement-terms",
    "move-start",
    "confirm-start",
    "extend-contract",
    "convert-placement",
    "raise-concern",
    "end-placement",
    "record-client-talk",
    "record-contact",
)
AFTER_A_FALL: Final = ("invoke-guarantee", "record-contact", "propose-job", "record-offer", "accept-offer")
AGREED: Final = (*STORY, *OFFERED, *PLACED[:1])
# How a life begins, and what then comes up more often.
BEGUN: Final[tuple[tuple[tuple[Move, ...], tuple[str, ...]], ...]] = (
    (LIFE, ABOUT_PLACEMENTS),
    (LIFE, ()),
    (AGREED, ABOUT_PLACEMENTS),
    (FELL, AFTER_A_FALL),
    ((*STORY, *OFFERED), ABOUT_OFFERS),
    (STORY, ABOUT_INTERVIEWS),
    (STORY[:-1], ABOUT_CONFLICTS),
    (STORY[:9], ABOUT_THE_PERSON),
    (STORY[:3], ABOUT_THE_PERSON),
    ((), ()),
)
RARE: Final = frozenset({"close-engagement", "open-engagement", "refuse-message", "assign"})
# Where ids of things lie in the state, and which commands make them.
REFERS: Final = {
    "submission_id": "submissions",
    "interview_id": "interviews",
    "offer_id": "offers",
    "application_id": "applications",
    "placement_id": "placements",
    "conflict_id": "conflicts",
    "facet_id": "facets",
    "contact_id": "contacts",
}
MAKES: Final = frozenset(
    {
        ("submit", "submission_id"),
        ("record-submission", "submission_id"),
        ("request-interview", "interview_id"),
        ("schedule-interview", "interview_id"),
        ("record-interview-scheduled", "interview_id"),
        ("record-offer", "offer_id"),
        ("record-application", "application_id"),
        ("record-contact", "contact_id"),
        ("record-facet", "facet_id"),
        ("open-conflict", "conflict_id"),
    }
)
OFTEN: Final = frozenset(
    {
        "record-contact",
        "record-message",
        "record-interview-held",
        "record-interview-scheduled",
        "move-interview",
        "annul-event",
        "pause",
        "resume",
        "excuse-obligation",
    }
)


def _plain(name: str, kind: Any, times: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    origin = get_origin(kind)
    if origin is Annotated:
        return _plain(name, get_args(kind)[0], times)
    if origin is Literal:
        return st.sampled_from(get_args(kind))
    if origin in (Union, UnionType):
        return st.one_of(*(_plain(name, each, times) for each in get_args(kind) if each is not Erased))
    if origin is tuple:
        inner = get_args(kind)[0]
        return st.lists(_plain(name, inner, times), max_size=3).map(tuple)
    if isinstance(kind, type) and (issubclass(kind, BaseModel) or is_dataclass(kind)):
        return instances(kind, times)
    simple: dict[Any, Callable[[], st.SearchStrategy[Any]]] = {
        NoneType: st.none,
        bool: st.booleans,
        int: lambda: st.sampled_from(NUMBERS.get(name, tuple(range(1, 10)))),
        datetime: lambda: times,
        UUID: lambda: st.sampled_from(OBLIGATIONS),
        str: lambda: st.sampled_from(POOL.get(name, ("one", "two"))),
    }
    return simple[kind]()


def _of_field(name: str, field: FieldInfo, times: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    if PERSONAL in field.metadata:
        return st.one_of(
            st.none(), st.text(st.characters(exclude_categories=["Cs"]), max_size=8), st.just(WORDS)
        )
    return _plain(name, field.annotation, times)


# Hypothesis wants its bounds without a zone.
MOMENTS: Final = st.datetimes(
    datetime(2025, 1, 1),  # noqa: DTZ001 - the same
    datetime(2027, 1, 1),  # noqa: DTZ001 - the same
    timezones=st.just(UTC),
)


@cache
def instances(model: type[Any], times: st.SearchStrategy[Any] = MOMENTS) -> st.SearchStrategy[Any]:
    """Any instance of a model or of a dataclass of pydantic's, its ids from the pools."""
    declared = getattr(model, "model_fields", None) or model.__pydantic_fields__
    fields = {
        name: _of_field(name, field, times)
        for name, field in declared.items()
        if name not in ("type", "name") or get_origin(field.annotation) is not Literal
    }
    return st.builds(model, **fields)


@cache
def any_event() -> st.SearchStrategy[Any]:
    """Any event of an engagement, however nonsensical."""
    return st.one_of(*(instances(each) for each in ENGAGEMENT_EVENTS.values()))


def _value(name: str, kind: Any, chance: Random) -> Any:
    origin = get_origin(kind)
    if origin is Annotated:
        return _value(name, get_args(kind)[0], chance)
    if origin is Literal:
        return chance.choice(get_args(kind))
    if origin in (Union, UnionType):
        return _value(name, chance.choice([each for each in get_args(kind) if each is not Erased]), chance)
    if origin is tuple:
        return tuple(_value(name, get_args(kind)[0], chance) for _ in range(chance.randint(0, 3)))
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind.model_validate(_values(kind, chance))
    choices: dict[Any, Sequence[Any]] = {
        NoneType: (None,),
        bool: (False, True),
        int: NUMBERS.get(name, range(1, 10)),
        datetime: SPANS,
        UUID: OBLIGATIONS,
        str: POOL.get(name, ("one", "two")),
    }
    return chance.choice(choices[kind])


def _values(model: type[BaseModel], chance: Random) -> dict[str, Any]:
    return {
        name: chance.choice((None, "", "Žofie", WORDS))
        if PERSONAL in field.metadata
        else _value(name, field.annotation, chance)
        for name, field in model.model_fields.items()
        if name != "name" and name not in LATE
    }


def _move(name: str, chance: Random) -> Move:
    return Move(
        name=name,
        fields=_values(COMMANDS[name], chance),
        gap=chance.choice((*GAPS, None)),
        back=chance.choice((*[timedelta()] * 6, *GAPS[2:])),
        actor=chance.choice((*[ACTORS[0]] * 6, *ACTORS)),
        pick=chance.randint(0, 99),
    )


def _planned(chance: Random, without: frozenset[str]) -> list[Move]:
    every = sorted(set(COMMANDS) - without)
    begun, often = chance.choice(BEGUN)
    usual = [*sorted(set(every) - RARE) * 4, *sorted(OFTEN - without) * 8, *every, *often * 16]
    return [*begun, *(_move(chance.choice(usual), chance) for _ in range(chance.randint(6, 24)))]


def moves(*, without: frozenset[str] = frozenset()) -> st.SearchStrategy[list[Move]]:
    """A life to be lived: some of the usual story, then anything, and perhaps an end."""
    return st.integers(0, 2**64 - 1).map(lambda number: _planned(Random(number), without))


def modes(policy: Policy) -> st.SearchStrategy[Policy]:
    """The policy as it is, or with every rule in another mode."""

    def under(mode: str) -> Policy:
        gates = tuple(rule.model_copy(update={"mode": mode}) for rule in policy.gates)
        promises = tuple(rule.model_copy(update={"mode": mode}) for rule in policy.obligations)
        return policy.model_copy(update={"gates": gates, "obligations": promises})

    # Made once for each policy object: what is known of a policy is kept by its object too.
    if id(policy) not in _MODES:
        changed = [policy, in_working_time(policy), under("remind"), under("observe")]
        _MODES[id(policy)] = (policy, st.sampled_from(changed))
    return _MODES[id(policy)][1]


_MODES: dict[int, tuple[Policy, st.SearchStrategy[Policy]]] = {}


def in_working_time(policy: Policy) -> Policy:
    """The policy with every day a working day, for two offices, and with quiet nights."""

    def worked(span: Any) -> Any:
        days = isinstance(span, Span) and span.unit == "days"
        return span.model_copy(update={"calendar": "working"}) if days else span

    rules = []
    for rule in policy.obligations:
        ladder = tuple(step.model_copy(update={"after": worked(step.after)}) for step in rule.ladder)
        spans = {name: worked(getattr(rule, name)) for name in ("within", "at_least", "not_before")}
        rules.append(rule.model_copy(update={**spans, "ladder": ladder}))
    return policy.model_copy(
        update={
            "obligations": tuple(rules),
            "calendars": (("london", LONDON), ("new-york", NEW_YORK)),
            "quiet_hours": "20:00-08:00",
        }
    )


def live(life: Any, planned: list[Move]) -> list[CallerError]:
    """Live a life from its opening on; gives the mistakes that its caller made.

    Whatever else is raised is a fault of ours.
    """
    life.offices = {"recruiter-2": "new-york"}
    life.do("open-engagement", life.world.noon)
    return live_on(life, planned)


def live_on(life: Any, planned: list[Move]) -> list[CallerError]:
    """Go on with a life; gives the mistakes that its caller made."""
    now: datetime = life.journal[-1][0]
    mistakes = []
    for move in planned:
        now = max(now, next_due(life.state) or now) if move.gap is None else now + move.gap
        policy = life.policy
        try:
            life.give(_order(life, move, now, f"move-{len(life.orders)}"), now)
        except CallerError as mistake:
            mistakes.append(mistake)
            life.policy = policy
        if move.gap is None or move.pick % 5 == 0:
            life.wait(now)
    return mistakes


def _order(life: Any, move: Move, now: datetime, command_id: str) -> Order:
    fields = {
        name: now + value if isinstance(value, timedelta) else _known(life, name, value, move)
        for name, value in (move.fields or {}).items()
    }
    if move.name == "annul-event":
        business = [each for each in life.stream if each.origin == "business" or move.pick % 5 == 0]
        fields["event_id"] = business[move.pick * 7 % len(business)].event_id
    elif move.name == "acknowledge-escalation":
        fields["escalation_id"] = _one_of([*life.state.escalations, UUID(int=9)], move.pick)
    elif move.name == "excuse-obligation":
        # Whoever excuses is mostly somebody who does not owe it.
        owed = [*life.state.obligations, *life.state.breaches, UUID(int=9)]
        fields |= {"obligation_id": _one_of(owed, move.pick)} | ({"by": "lead-1"} if move.pick % 5 else {})
    elif move.name == "record-outreach":
        fields["effect_id"] = _one_of([*life.state.owed, UUID(int=9)], move.pick)
    elif move.name == "adopt-policy":
        # The writer decides an adoption under the policy that is adopted.
        rules = [_changed(rule, move.pick) for rule in life.world.starter.obligations]
        cut = life.world.starter.model_copy(update={"obligations": tuple(rules[move.pick % len(rules) :])})
        life.policy = cut
        fields |= {
            "digest": index_of(cut).digest,
            "policy_name": cut.name,
            "modes": "open" if move.pick % 2 else "new",
        }
    elif move.name == "open-engagement":
        fields["candidate_name"] = WORDS
    command = COMMANDS[move.name].model_validate(fields) if move.fields else life.world.command(move.name)
    return Order.model_validate(
        {
            "command_id": command_id,
            "command": command,
            "actor": move.actor,
            "source": "test",
            "at": now - move.back if move.back else None,
        }
    )


def _known(life: Any, name: str, value: Any, move: Move) -> Any:
    """Mostly name what exists, where the command does not bring it into being."""
    if name == "evidence_ref":
        return value if value is not None or move.pick % 5 == 0 else "call-1"
    if name == "about":
        things = [] if move.pick % 5 == 0 else _things(life.state)
        return tuple(_spelt(things, each, move.pick + place) for place, each in enumerate(value))
    if name == "facets":
        known = sorted(life.state.facets)
        return tuple(known[(move.pick + place) % len(known)] for place, _ in enumerate(value) if known)
    there = sorted(getattr(life.state, REFERS[name])) if name in REFERS else []
    if not there or move.pick % 5 == 0 or (move.name, name) in MAKES:
        return value
    return there[move.pick % len(there)]


def _changed(rule: ObligationRule, pick: int) -> ObligationRule:
    """Leave a rule as it is, or give it another mode, or another time that holds for what is open."""
    if pick % 7 == 0:
        return rule.model_copy(update={"mode": "observe" if pick % 2 else "remind"})
    if pick % 3 == 0:
        return rule
    amount = rule.within.amount * 3 if pick % 2 else rule.within.amount // 2 or 1
    within = rule.within.model_copy(update={"amount": amount})
    return rule.model_copy(update={"applies": "open", "within": within})


def _things(state: Any) -> list[str]:
    """Name all that a talk can be about."""
    named = {
        "application": state.applications,
        "submission": state.submissions,
        "interview": state.interviews,
        "offer": state.offers,
        "placement": state.placements,
        "conflict": state.conflicts,
        "no-match": state.no_matches,
        "message": state.messages,
    }
    return [f"{kind}:{key}" for kind, keys in named.items() for key in keys]


def _spelt(things: list[str], value: str, pick: int) -> str:
    """Choose one of the things, now by its kind and id, now by its bare id."""
    found = things[pick % len(things)] if things else value
    return found if pick % 2 else found.partition(":")[2]


def _one_of(found: list[UUID], pick: int) -> UUID:
    return found[pick % len(found)]


__all__ = ["WORDS", "Move", "any_event", "instances", "live", "modes", "moves"]
