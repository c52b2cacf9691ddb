"""A policy as data: the gates and obligations an agency has adopted, compiled and validated.

The compiled form is a stored format and reaches workflows through their history: at most 32 KiB.
"""

import hashlib
from collections.abc import Mapping
from datetime import timedelta
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

from events.canonical import canonical
from events.kinds import Awaited, Code, Mode, OwnerRole, Recipient, RuleId

# The context under which a policy is written short.  The defaults of this page are part of that format:
# none may ever change.
SHORT: Final = {"format": 2}
LARGEST_COMPILED: Final = 32 * 1024

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


class Span(_Data):
    """A length of time; a calendar other than ``elapsed`` is resolved when an obligation opens."""

    amount: int = Field(ge=-99_999, le=99_999)
    unit: Unit
    calendar: Literal["elapsed"] = "elapsed"

    @model_validator(mode="before")
    @classmethod
    def _from_short(cls, given: Any) -> Any:
        if not isinstance(given, str):
            return given
        amount, _, unit = given.partition(" ")
        return {"amount": amount, "unit": unit}

    def short(self) -> Any:
        """Write it as ``7 days``."""
        return f"{self.amount} {self.unit}" if self.calendar == "elapsed" else None

    @property
    def delta(self) -> timedelta:
        """Give the span as elapsed time."""
        return timedelta(**{self.unit: self.amount})


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


class GateRule(_Data):
    """What an intent needs before the engine allows it."""

    id: RuleId
    guards: tuple[Code, ...]
    says: str
    remedy: str
    because: str
    needs: dict[str, str | int | bool] = Field(default_factory=dict)
    mode: Mode = "enforce"


class Policy(_Data):
    """All the rules that govern an engagement at one time."""

    format: Literal[1, 2] = Field(
        default=1, description="2: written short, and without what is at its default"
    )
    name: Code
    gates: tuple[GateRule, ...] = ()
    obligations: tuple[ObligationRule, ...] = ()

    def obligation(self, rule: str) -> ObligationRule | None:
        """Find an obligation's rule by its id."""
        return next((each for each in self.obligations if each.id == rule), None)

    def body(self) -> str:
        """Write the policy as the canonical text that is stored under its digest."""
        if self.format == 1:
            return canonical(self.model_dump(mode="json"))
        return canonical(self.model_dump(mode="json", exclude_defaults=True, context=SHORT))

    def digest(self) -> str:
        """Name the policy by the SHA-256 of its canonical text."""
        return hashlib.sha256(self.body().encode()).hexdigest()


@lru_cache(maxsize=256)
def read_policy(body: str) -> Policy:
    """Read a stored canonical policy back; the same text gives the same object.

    A policy takes a hundred KiB: it is kept once a process, not once an engagement.
    """
    return Policy.model_validate_json(body)
