"""What an engagement is after its events: the fold's result, and what every decision looks at.

It holds no personal data and nothing that only a clock could tell, so a shredded stream folds the same.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from pydantic import TypeAdapter

from events import catalogue as e
from events.kinds import (
    Awaited,
    ConflictOutcome,
    Mode,
    OwnerRole,
    PlacementEnd,
    PlacementKind,
    Recipient,
    Remedy,
    Stage,
)

ATTEMPTS_UNTIL_WAITING = 3
REMEMBERED_COMMANDS = 128

SubmissionStatus = Literal[
    "live", "rejected", "withdrawn", "offer-declined", "position-filled", "placed", "placement-ended"
]
InterviewStatus = Literal["requested", "scheduled", "cancelled", "held", "missed"]


@dataclass(frozen=True, slots=True)
class Application:
    """The candidate's own interest in a job."""

    job_order_id: str | None
    status: Literal["live", "declined", "withdrawn"] = "live"


@dataclass(frozen=True, slots=True)
class KnownFacet:
    """That something is known of the person, and whether they confirmed it; never what."""

    facet: str
    contact_id: str
    expires_at: datetime | None = None
    played_back: bool = False
    confirmed: bool = False

    def holds(self, now: datetime) -> bool:
        """Tell whether it need not be asked again yet."""
        return self.expires_at is None or now < self.expires_at


@dataclass(frozen=True, slots=True)
class Proposal:
    """A job that was put to the candidate."""

    job_order_owner: str | None
    answer: Literal["yes", "no"] | None = None
    fit: int | None = None
    overridden: bool = False


@dataclass(frozen=True, slots=True)
class Right:
    """The candidate's agreement to one job."""

    expires_at: datetime | None
    revoked: bool = False
    exclusive: bool = False
    evidence_ref: str | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """One presentation to one client."""

    job_order_id: str
    application_id: str | None
    job_order_owner: str | None
    status: SubmissionStatus = "live"
    answer: Literal["yes", "no"] | None = None
    interviewed: bool = False
    held: bool = False
    held_until: datetime | None = None
    unsettled: bool = False
    """Another offer was accepted, and the candidate has not said what becomes of this one."""


@dataclass(frozen=True, slots=True)
class Interview:
    """One meeting of a submission's process."""

    submission_id: str
    status: InterviewStatus = "requested"
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    result: Literal["advance", "hold", "reject"] | None = None
    earlier: tuple[datetime, ...] = ()
    """The times it was to begin at before it was moved."""
    missed: int = 0
    explained: bool = False


@dataclass(frozen=True, slots=True)
class Conflict:
    """A dispute with somebody else over who presented the candidate."""

    job_order_id: str
    submission_id: str | None
    evidence: tuple[str, ...] = ()
    outcome: ConflictOutcome | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """A client's offer and what the candidate said."""

    submission_id: str
    answer: Literal["accepted", "declined", "withdrawn"] | None = None
    revision: int = 1
    kind: PlacementKind = "unknown"
    starts_on: datetime | None = None
    ends_on: datetime | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Placement:
    """An accepted offer and what became of it; it has its submission's id."""

    kind: PlacementKind = "unknown"
    starts_on: datetime | None = None
    started_on: datetime | None = None
    ends_on: datetime | None = None
    agreed: bool = False
    """The client's terms are on record, be it that there is no guarantee."""
    guarantee_days: int | None = None
    remedy: Remedy = "none"
    refund_steps: tuple[e.RefundStep, ...] = ()
    ended_on: datetime | None = None
    ended_how: PlacementEnd | None = None
    invoked: Remedy | None = None

    @property
    def running(self) -> bool:
        """Tell whether the person works there now."""
        return self.started_on is not None and self.ended_how is None

    def unfinished(self, now: datetime) -> bool:
        """Tell whether it is still to start, under guarantee, or before its agreed end."""
        if self.ended_how is not None:
            return False
        ends = [each for each in (self.guarantee_until, self.ends_on) if each is not None]
        return self.started_on is None or any(now < each for each in ends)

    @property
    def guarantee_until(self) -> datetime | None:
        """Tell when the guarantee ends: its days count from the first paid day."""
        if self.started_on is None or self.guarantee_days is None:
            return None
        return self.started_on + timedelta(days=self.guarantee_days)


@dataclass(frozen=True, slots=True)
class Check:
    """What somebody checked, when, and what came of it; *about* holds references."""

    kind: str
    outcome: str
    at: datetime
    expires_at: datetime | None = None
    about: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenObligation:
    """A promise still to be kept; *rungs* are those ahead."""

    rule: str
    subject: str
    kind: Literal["contact", "answer", "duty"]
    mode: Mode
    owner_role: OwnerRole
    awaits: Awaited
    since: datetime
    due_at: datetime
    rungs: tuple[e.Rung, ...]
    numbered: int
    opened_at: datetime
    waited: int = 0
    useful_for: int | None = None
    breached: bool = False
    level: int = 0
    calendar: str | None = None


@dataclass(frozen=True, slots=True)
class Breach:
    """A promise that was not kept in time: a fact for ever."""

    rule: str
    subject: str
    since: datetime
    due_at: datetime
    owner_role: OwnerRole = "candidate-owner"
    level: int = 0
    excused: bool = False
    met_at: datetime | None = None
    calendar: str | None = None


@dataclass(frozen=True, slots=True)
class Escalation:
    """A duty that lies with a person by role, until the obligation is settled."""

    obligation_id: UUID
    level: int
    to: Recipient
    acknowledged_by: str | None = None
    plan_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class OwedOutreach:
    """A message the engine owes and nobody has reported on yet."""

    channel: str
    to: Recipient
    owner: str | None
    template: str
    rule: str | None
    obligation_id: UUID | None
    subject: str | None
    level: int
    due_at: datetime | None
    useful_until: datetime | None
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Engagement:
    """One person's engagement at one version of its stream."""

    agency: str = ""
    engagement_id: str = ""
    version: int = 0
    decided_at: datetime | None = None
    recent_commands: tuple[str, ...] = ()
    candidate_id: str = ""
    opened_at: datetime | None = None
    closed: bool = False
    policy_digest: str | None = None
    zone: str = "UTC"
    quiet_hours: str | None = None
    """As the candidate said; None: as the policy says."""
    usual_quiet_hours: str | None = None
    outreach_stopped: bool = False
    """The candidate wants no automated message."""
    office: str | None = None
    """Where they were taken on: the calendar of what is owed while nobody answers for them."""
    offices: dict[str, str] = field(default_factory=dict)
    candidate_owner: str | None = None
    team: tuple[str, ...] = ()
    intake_completed: bool = False
    introduced: tuple[str, ...] = ()
    introduction_owed: bool = False
    facets: dict[str, KnownFacet] = field(default_factory=dict)
    no_matches: tuple[str, ...] = ()
    paused_until: datetime | None = None
    paused_since: datetime | None = None
    """When the pauses that join one another began."""
    dormant: bool = False
    withdrawn: bool = False
    conversations: int = 0
    last_contact_at: datetime | None = None
    attempts_since_contact: int = 0
    applications: dict[str, Application] = field(default_factory=dict)
    proposals: dict[str, Proposal] = field(default_factory=dict)
    rights: dict[str, Right] = field(default_factory=dict)
    submissions: dict[str, Submission] = field(default_factory=dict)
    interviews: dict[str, Interview] = field(default_factory=dict)
    offers: dict[str, Offer] = field(default_factory=dict)
    placements: dict[str, Placement] = field(default_factory=dict)
    placed_on: str | None = None
    talk_owed_since: datetime | None = None
    """When a placement came to nothing, until a person has talked with the candidate."""
    conflicts: dict[str, Conflict] = field(default_factory=dict)
    client_talks: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    checked: dict[str, Check] = field(default_factory=dict)
    """The same by their ids; apart, because a snapshot of an earlier edition must still be read."""
    contacts: tuple[str, ...] = ()
    attempts: tuple[str, ...] = ()
    obligations: dict[UUID, OpenObligation] = field(default_factory=dict)
    breaches: dict[UUID, Breach] = field(default_factory=dict)
    escalations: dict[UUID, Escalation] = field(default_factory=dict)
    owed: dict[UUID, OwedOutreach] = field(default_factory=dict)

    @property
    def stream(self) -> str:
        """Name the stream this state is the fold of."""
        return f"engagement:{self.engagement_id}"

    @property
    def live_submissions(self) -> dict[str, Submission]:
        """Give the submissions a client may still say yes to."""
        return {key: each for key, each in self.submissions.items() if each.status == "live"}

    @property
    def stage(self) -> Stage:
        """Derive how far the engagement is; nothing ever sets it."""
        if self.closed:
            return "closed"
        if self.placed_on is not None:
            return "placement"
        live = self.live_submissions.values()
        if any(each.interviewed for each in live):
            return "interview"
        if live:
            return "submission"
        return "matching" if self.intake_completed else "intake"

    @property
    def working(self) -> bool:
        """Tell whether the person works in a placement of ours now."""
        return any(each.running for each in self.placements.values())

    def paused(self, now: datetime) -> bool:
        """Tell whether the candidate asked for quiet at this time."""
        return self.paused_until is not None and now < self.paused_until

    def posture(self, now: datetime) -> str:
        """Say who moves next: active, waiting on somebody, paused or dormant."""
        if self.closed:
            return "closed"
        if self.dormant:
            return "dormant"
        if self.paused(now):
            return "paused"
        if any(each.kind == "answer" and each.awaits == "recruiter" for each in self.obligations.values()):
            return "waiting on agency"
        if self.attempts_since_contact >= ATTEMPTS_UNTIL_WAITING:
            return "waiting on candidate"
        if any(each.answer is None and self._alive(each) for each in self.offers.values()):
            return "waiting on candidate"
        if any(each.answer is None for each in self.proposals.values()):
            return "waiting on candidate"
        if any(each.answer is None for each in self.live_submissions.values()):
            return "waiting on client"
        return "active"

    def _alive(self, offer: Offer) -> bool:
        submission = self.submissions.get(offer.submission_id)
        return submission is not None and submission.status == "live"

    @property
    def level(self) -> int:
        """Give the highest level that any open obligation has reached."""
        return max((each.level for each in self.obligations.values()), default=0)


STATE: TypeAdapter[Engagement] = TypeAdapter(Engagement)
