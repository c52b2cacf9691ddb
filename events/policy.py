"""A policy as data: the gates and obligations an agency has adopted, compiled and validated.

The compiled form is a stored format and reaches workflows through their history: at most 32 KiB.
"""

import hashlib
from datetime import timedelta
from functools import lru_cache
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from events.canonical import canonical
from events.kinds import Awaited, Code, Mode, OwnerRole, Recipient, RuleId

LARGEST_COMPILED: Final = 32 * 1024

Subject = Literal["engagement", "application", "submission", "interview", "message", "job-order"]
# The field of an event that names an obligation's subject.
SUBJECT_FIELDS: Final[dict[str, str]] = {
    "application": "application_id",
    "submission": "submission_id",
    "interview": "interview_id",
    "message": "message_id",
    "job-order": "job_order_id",
}
Unit = Literal["minutes", "hours", "days"]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Span(_Data):
    """A length of time; a calendar other than ``elapsed`` is resolved when an obligation opens."""

    amount: int = Field(ge=-99_999, le=99_999)
    unit: Unit
    calendar: Literal["elapsed"] = "elapsed"

    @property
    def delta(self) -> timedelta:
        """Give the span as elapsed time."""
        return timedelta(**{self.unit: self.amount})


class Trigger(_Data):
    """An event that opens, meets or drops an obligation, narrowed by the event's own plain fields."""

    event: Code
    where: dict[str, str] = Field(default_factory=dict)
    about_subject: bool = Field(default=False, description="the event must speak of the obligation's subject")


class LadderStep(_Data):
    """A step before (negative) or after the due time."""

    after: Span
    do: Literal["remind", "escalate", "message", "propose-reassignment"]
    to: Recipient
    level: int
    template: Code


class ObligationRule(_Data):
    """A promise: what opens it, what keeps it, who owes it, and who hears when it is not kept."""

    id: RuleId
    says: str
    because: str
    kind: Literal["contact", "answer", "duty"]
    subject: Subject
    opens_on: tuple[Trigger, ...]
    met_by: tuple[Trigger, ...]
    dropped_by: tuple[Trigger, ...] = ()
    planned: Literal["starts_at", "ends_at"] | None = Field(
        default=None, description="count from this time of the opening event; moves with it"
    )
    counts_from: Literal["known", "happened"] = Field(
        default="known",
        description="count from when the agency learnt of the opening event, or from when it happened",
    )
    within: Span = Field(description="negative: before the planned time")
    at_least: Span | None = Field(default=None, description="never due sooner than this after opening")
    unless_dormant: bool = False
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

    format: Literal[1] = 1
    name: Code
    gates: tuple[GateRule, ...] = ()
    obligations: tuple[ObligationRule, ...] = ()

    def obligation(self, rule: str) -> ObligationRule | None:
        """Find an obligation's rule by its id."""
        return next((each for each in self.obligations if each.id == rule), None)

    def body(self) -> str:
        """Write the policy as the canonical text that is stored under its digest."""
        return canonical(self.model_dump(mode="json"))

    def digest(self) -> str:
        """Name the policy by the SHA-256 of its canonical text."""
        return hashlib.sha256(self.body().encode()).hexdigest()


@lru_cache(maxsize=256)
def read_policy(body: str) -> Policy:
    """Read a stored canonical policy back; the same text gives the same object.

    A policy takes a hundred KiB: it is kept once a process, not once an engagement.
    """
    return Policy.model_validate_json(body)
