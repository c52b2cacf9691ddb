"""A policy as data: the gates and obligations an agency has adopted, compiled and validated.

The compiled form is a stored format and reaches workflows through their history: at most 32 KiB.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from functools import lru_cache
from typing import Any, ClassVar, Final, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from events.calendar import Calendar
from events.canonical import canonical
from events.kinds import Awaited, Code, Mode, OwnerRole, Recipient, RuleId, WallHours

# The context under which a policy is written short.  The defaults of this page are part of that format:
# none may ever change.
SHORT: Final = {"format": 2}
LARGEST_COMPILED: Final = 32 * 1024
# The lists that format 3 writes once for all rules, and all offices, that have the same.
SHARED: Final = frozenset({"opens_on", "met_by", "dropped_by", "ladder", "closed", "offsets"})

Subject = Literal[
    "engagement",
    "application",
    "submission",
    "interview",
    "message",
    "job-order",
    "offer",
    "placement",
    "conflict",
    "no-match",
]
# The field of an event that names an obligation's subject.
SUBJECT_FIELDS: Final[dict[str, str]] = {
    "application": "application_id",
    "submission": "submission_id",
    "interview": "interview_id",
    "message": "message_id",
    "job-order": "job_order_id",
    "offer": "offer_id",
    "placement": "placement_id",
    "conflict": "conflict_id",
    "no-match": "no_match_id",
}
# The times an obligation may be counted from, each a field of the event that opens it.
Planned = Literal["starts_at", "ends_at", "starts_on", "started_on", "ends_on", "expires_at", "expected_by"]
Unit = Literal["minutes", "hours", "days"]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    # Fields that came later: not written at their defaults, so that an older policy keeps its digest.
    grown: ClassVar[frozenset[str]] = frozenset()

    def short(self) -> Any:
        """Give the short form that format 2 writes instead of a table, or None where there is none."""
        return None

    @model_serializer(mode="wrap")
    def _as_ever(self, write: SerializerFunctionWrapHandler, info: SerializationInfo) -> Any:
        if info.context == SHORT and (short := self.short()) is not None:
            return short
        written: dict[str, Any] = write(self)
        fields = type(self).model_fields
        return {
            key: value
            for key, value in written.items()
            if key not in self.grown or getattr(self, key) != fields[key].default
        }


@lru_cache(maxsize=1024)
def _elapsed(amount: int, unit: Unit) -> timedelta:
    # Asked for at every step of every promise that opens.
    return timedelta(**{unit: amount})


class Span(_Data):
    """A length of time: elapsed, or of the working time of an office, resolved when an obligation opens."""

    grown: ClassVar[frozenset[str]] = frozenset({"by"})

    amount: int = Field(ge=-99_999, le=99_999)
    unit: Unit
    calendar: Literal["elapsed", "working"] = "elapsed"
    by: str | None = Field(
        default=None, description="wall time on the working day that is so many days away, as 17:00"
    )

    @model_validator(mode="before")
    @classmethod
    def _from_short(cls, given: Any) -> Any:
        if not isinstance(given, str):
            return given
        amount, *rest = given.split(" ")
        if len(rest) == 1:
            return {"amount": amount, "unit": rest[0]}
        return {"amount": amount, "calendar": rest[0], "unit": rest[1], "by": (*rest, None)[2]}

    def short(self) -> Any:
        """Write it as ``7 days``, ``2 working days`` or ``1 working days 17:00``."""
        words = [str(self.amount), "working" * (self.calendar == "working"), self.unit, self.by or ""]
        return " ".join(word for word in words if word)

    @property
    def working(self) -> bool:
        """Tell whether it takes a calendar to reckon it."""
        return self.calendar == "working"

    @property
    def delta(self) -> timedelta:
        """Give the span as elapsed time; of working time it is the least that can elapse."""
        if self.by is not None:
            return timedelta(days=self.amount - 1, minutes=1)
        return _elapsed(self.amount, self.unit)

    def after(self, moment: datetime, calendar: Calendar | None) -> datetime:
        """Give the moment that lies so far after another (before it where the span is negative).

        :raises BeyondCalendar: the calendar does not reach there.
        """
        if not self.working or calendar is None:
            return moment + self.delta
        if self.by is not None:
            return calendar.by_time(moment, self.amount, time.fromisoformat(self.by))
        if self.unit == "days":
            return calendar.working_days(moment, self.amount)
        return calendar.working_hours(moment, self.amount)

    def before(self, moment: datetime, calendar: Calendar | None) -> datetime:
        """Give the moment that lies so far before another."""
        return self.model_copy(update={"amount": -self.amount}).after(moment, calendar)


class Trigger(_Data):
    """An event that opens, meets or drops an obligation, narrowed by the event's own plain fields."""

    event: Code
    where: dict[str, str] = Field(default_factory=dict)
    about_subject: bool = Field(default=False, description="the event must speak of the obligation's subject")

    @model_validator(mode="before")
    @classmethod
    def _from_short(cls, given: Any) -> Any:
        return {"event": given} if isinstance(given, str) else given

    def short(self) -> Any:
        """Write an event's name alone where nothing narrows it."""
        return None if self.where or self.about_subject else self.event


LEVELS: Final[Mapping[str, int]] = {"owner": 1, "team-lead": 2, "director": 3}
_USUAL: Final = {
    "remind": "obligation-reminder",
    "escalate": "escalation",
    "propose-reassignment": "propose-reassignment",
    "message": "candidate-apology",
}


def level_of(do: str, to: str) -> int:
    """Give the level of a step: 0 for a reminder or a message, else that of the person."""
    return LEVELS.get(to, 0) if do in {"escalate", "propose-reassignment"} else 0


class LadderStep(_Data):
    """A step before (negative) or after the due time."""

    after: Span
    do: Literal["remind", "escalate", "message", "propose-reassignment"]
    to: Recipient
    level: int
    template: Code

    @model_validator(mode="before")
    @classmethod
    def _from_short(cls, given: Any) -> Any:
        if not isinstance(given, list):
            return given
        after, do, to, *said = given
        level, template = said or (level_of(do, to), _USUAL.get(do))
        return {"after": after, "do": do, "to": to, "level": level, "template": template}

    def short(self) -> Any:
        """Write its values in the order of its fields; a usual level and template are left out."""
        told = [self.after.model_dump(context=SHORT), self.do, self.to]
        usual = (self.level, self.template) == (level_of(self.do, self.to), _USUAL[self.do])
        return told if usual else [*told, self.level, self.template]


class ObligationRule(_Data):
    """A promise: what opens it, what keeps it, who owes it, and who hears when it is not kept."""

    grown: ClassVar[frozenset[str]] = frozenset({"not_before", "while_placed"})

    id: RuleId
    says: str
    because: str
    kind: Literal["contact", "answer", "duty"]
    subject: Subject
    opens_on: tuple[Trigger, ...]
    met_by: tuple[Trigger, ...]
    dropped_by: tuple[Trigger, ...] = ()
    planned: Planned | None = Field(
        default=None, description="count from this time of the opening event; moves with it"
    )
    counts_from: Literal["known", "happened"] = Field(
        default="known",
        description="count from when the agency learnt of the opening event, or from when it happened",
    )
    within: Span = Field(description="negative: before the planned time")
    at_least: Span | None = Field(default=None, description="never due sooner than this after opening")
    not_before: Span | None = Field(
        default=None, description="an act that comes sooner than this before the due time does not keep it"
    )
    unless_dormant: bool = False
    while_placed: Literal["opens", "rests", "only"] = Field(
        default="opens",
        description="whether it opens while a placement runs: as ever, not at all, or only then",
    )
    while_paused: Literal["runs", "waits"] = "runs"
    owner: OwnerRole = "candidate-owner"
    awaits: Awaited = "recruiter"
    mode: Mode = "enforce"
    applies: Literal["new", "open"] = "new"
    useful_for: Span | None = Field(
        default=None, description="a message to the candidate is withheld when later than this"
    )
    ladder: tuple[LadderStep, ...] = ()

    @property
    def asks_for_calendar(self) -> bool:
        """Tell whether any of its times is of working time."""
        spans = (self.within, self.at_least, self.not_before, *(step.after for step in self.ladder))
        return any(span is not None and span.working for span in spans)


class GateRule(_Data):
    """What an intent needs before the engine allows it."""

    id: RuleId
    guards: tuple[Code, ...]
    says: str
    remedy: str
    because: str
    needs: dict[str, str | int | bool | tuple[str, ...]] = Field(default_factory=dict)
    mode: Mode = "enforce"


class Policy(_Data):
    """All the rules that govern an engagement at one time."""

    grown: ClassVar[frozenset[str]] = frozenset({"quiet_hours", "calendars"})

    format: Literal[1, 2, 3] = Field(
        default=1,
        description="2: written short, and without what is at its default; 3: lists that are alike once",
    )
    name: Code
    gates: tuple[GateRule, ...] = ()
    obligations: tuple[ObligationRule, ...] = ()
    quiet_hours: WallHours | None = Field(
        default=None, description="when candidates are not written to, by their own wall clock"
    )
    calendars: tuple[tuple[Code, Calendar], ...] = Field(
        default=(), description="each office's, by its name; the first is that of whoever has no office"
    )

    @model_validator(mode="before")
    @classmethod
    def _with_shared(cls, given: Any) -> Any:
        if not isinstance(given, Mapping) or "shared" not in given:
            return given
        shared = given["shared"]

        def whole(short: Mapping[str, Any]) -> dict[str, Any]:
            return {
                name: shared[value] if name in SHARED and isinstance(value, int) else value
                for name, value in short.items()
            }

        return {
            **{name: value for name, value in given.items() if name != "shared"},
            "obligations": [whole(each) for each in given.get("obligations", ())],
            "calendars": [(office, whole(each)) for office, each in given.get("calendars", ())],
        }

    def obligation(self, rule: str) -> ObligationRule | None:
        """Find an obligation's rule by its id."""
        return next((each for each in self.obligations if each.id == rule), None)

    def calendar(self, office: str | None) -> tuple[str, Calendar] | None:
        """Find an office's calendar, else that of whoever has no office; None: there is none at all."""
        named = next((each for each in self.calendars if each[0] == office), None)
        return named or next(iter(self.calendars), None)

    def body(self) -> str:
        """Write the policy as the canonical text that is stored under its digest."""
        if self.format == 1:
            return canonical(self.model_dump(mode="json"))
        written = self.model_dump(mode="json", exclude_defaults=True, context=SHORT)
        return canonical(written if self.format == 2 else _sharing(written))

    def digest(self) -> str:
        """Name the policy by the SHA-256 of its canonical text."""
        return hashlib.sha256(self.body().encode()).hexdigest()


def _sharing(written: dict[str, Any]) -> dict[str, Any]:
    """Write each list of a rule or a calendar once, and name it by its place, in the order of the policy."""
    shared: list[Any] = []

    def short(whole: dict[str, Any]) -> dict[str, Any]:
        places = {}
        for name in sorted(SHARED & whole.keys()):
            if whole[name] not in shared:
                shared.append(whole[name])
            places[name] = shared.index(whole[name])
        return {**whole, **places}

    result = {**written, "obligations": [short(each) for each in written.get("obligations", ())]}
    if "calendars" in written:
        result["calendars"] = [(office, short(each)) for office, each in written["calendars"]]
    return {**result, "shared": shared}


@lru_cache(maxsize=256)
def read_policy(body: str) -> Policy:
    """Read a stored canonical policy back; the same text gives the same object.

    A policy takes a hundred KiB: it is kept once a process, not once an engagement.
    """
    return Policy.model_validate_json(body)
