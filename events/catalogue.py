"""Every event that can happen in an engagement.

Each class is a stored format: never rename a field or change its meaning; add an event
and an upcaster instead.  Workflow code imports this module: no clock, no I/O.
"""

from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass

from events.kinds import (
    Awaited,
    Channel,
    Claimant,
    ClientPurpose,
    Code,
    ConflictOutcome,
    Direction,
    Evidence,
    Facet,
    Id,
    Mode,
    Modes,
    Moment,
    OwnerRole,
    Party,
    PlacementEnd,
    PlacementKind,
    Purpose,
    Recipient,
    Reference,
    Remedy,
    RuleId,
    RungAction,
    Sentiment,
    Verdict,
    WallHours,
    WithdrawalScope,
)
from events.personal import Personal


class Event(BaseModel):
    """Something that happened; ``at`` is when, as claimed, and is stored in the envelope."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: ClassVar[int] = 1
    by_engine: ClassVar[bool] = False
    after_close: ClassVar[bool] = False

    at: Moment

    def key_subject(self) -> str | None:
        """Name whose key seals the personal fields; None: the stream's."""
        return None


class EngineEvent(Event):
    """Something the engine itself concluded; a prediction regenerates it from the other events."""

    by_engine: ClassVar[bool] = True


# -- the relationship ---------------------------------------------------------------------------


class EngagementOpened(Event):
    """The agency takes on a person, who is known here by an opaque id."""

    schema_version: ClassVar[int] = 2
    type: Literal["engagement-opened"] = "engagement-opened"
    engagement_id: Id
    candidate_id: Id
    name: Personal[str | None] = None
    email: Personal[str | None] = None
    phone: Personal[str | None] = None
    zone: str = Field(
        default="UTC", description="IANA zone the candidate lives by; plain, it moves due times"
    )
    opened_from: Code = "direct"
    office: Code | None = Field(default=None, description="where whoever answers for them first works")


class PolicyAdopted(Event):
    """From here on this policy governs; its body is kept under its digest."""

    schema_version: ClassVar[int] = 3
    type: Literal["policy-adopted"] = "policy-adopted"
    digest: str
    name: Code
    body: str | None = Field(default=None, description="the canonical policy, in the agency's stream only")
    quiet_hours: WallHours | None = Field(
        default=None, description="when candidates are not written to, unless they say otherwise"
    )
    modes: Modes = Field(
        default="new", description="open: what is open takes its rule's mode too; new: it keeps its own"
    )


class Assigned(Event):
    """A recruiter answers for the candidate from now on."""

    type: Literal["assigned"] = "assigned"
    owner: Id
    team: tuple[Id, ...] = ()


class Reassigned(Event):
    """Another recruiter takes over; no clock starts again because of it."""

    type: Literal["reassigned"] = "reassigned"
    owner: Id
    previous: Id
    team: tuple[Id, ...] = ()
    reason: Code = "unspecified"
    handover: Personal[str | None] = Field(
        default=None, description="what the next one must know; None: not recorded"
    )


class WentLive(Event):
    """The past of this engagement was imported, and from here on its promises are kept."""

    type: Literal["went-live"] = "went-live"
    imported: int = Field(ge=1, description="how many events of the stream tell the past")
    observes: tuple[RuleId, ...] | None = Field(
        default=None,
        description="the rules that the source of the past can show, so that of the others nothing is owed "
        "from before; None: all",
    )


class OfficeNoted(Event):
    """Where a person of the agency works: what they owe is reckoned by that office's calendar."""

    type: Literal["office-noted"] = "office-noted"
    person: Id
    office: Code


class QuietHoursSet(Event):
    """The candidate said when they are not to be written to, and perhaps where they live now."""

    type: Literal["quiet-hours-set"] = "quiet-hours-set"
    quiet_hours: WallHours | None = Field(
        description="None: at no time of their own; the policy's hold again"
    )
    zone: str | None = Field(default=None, description="IANA zone they live by from now on; None: as before")


class OutreachStopped(Event):
    """The candidate wants no automated message any more; people may still write and call."""

    type: Literal["outreach-stopped"] = "outreach-stopped"
    after_close: ClassVar[bool] = True
    evidence_ref: Id | None = Field(default=None, description="the message in which they said so")


class OutreachAllowed(Event):
    """The candidate takes automated messages again."""

    type: Literal["outreach-allowed"] = "outreach-allowed"
    after_close: ClassVar[bool] = True
    evidence_ref: Id | None = Field(default=None, description="the message in which they said so")


class OutreachBounced(Event):
    """A message that had left came back: it reached nobody."""

    type: Literal["outreach-bounced"] = "outreach-bounced"
    after_close: ClassVar[bool] = True
    effect_id: UUID | None = Field(
        default=None, description="the message; None: the return does not say which"
    )
    reason: Code = Field(description="the enhanced status of the mail system, e.g. mail-5-1-1")


class IntakeCompleted(Event):
    """Candidate and recruiter know each other well enough for job-finding to begin."""

    type: Literal["intake-completed"] = "intake-completed"


class Paused(Event):
    """The candidate wants quiet until a date."""

    schema_version: ClassVar[int] = 2
    type: Literal["paused"] = "paused"
    until: Moment
    reason: Personal[str | None] = None
    approved_by: Id | None = Field(default=None, description="the lead who agreed to a long pause")


class Resumed(Event):
    """The engagement is active again."""

    type: Literal["resumed"] = "resumed"


class WentDormant(Event):
    """Nothing is alive and nothing is promised, until someone moves."""

    type: Literal["went-dormant"] = "went-dormant"
    reason: Code


class CandidateWithdrew(Event):
    """The candidate leaves one submission, or the whole engagement's search."""

    type: Literal["candidate-withdrew"] = "candidate-withdrew"
    scope: WithdrawalScope
    submission_id: Id | None = None
    reason: Personal[str | None] = None


class EngagementClosed(Event):
    """The engagement is over; the log takes nothing but late reports from here."""

    type: Literal["engagement-closed"] = "engagement-closed"
    reason: Code


# -- words exchanged ----------------------------------------------------------------------------


class ContactMade(Event):
    """A person of the agency and the candidate really exchanged words."""

    schema_version: ClassVar[int] = 2
    type: Literal["contact-made"] = "contact-made"
    after_close: ClassVar[bool] = True
    contact_id: Id
    by: Id = Field(description="the person of the agency")
    channel: Channel
    direction: Direction = Field(default="unknown", description="who began; it went both ways in any case")
    evidence: Evidence = "asserted"
    evidence_ref: Id | None = None
    purpose: Purpose = "talk"
    about: tuple[Reference, ...] = Field(
        default=(), description="applications, submissions, interviews, messages spoken of"
    )
    note: Personal[str | None] = None
    also: tuple[Purpose, ...] = Field(default=(), description="what else the same talk was for")
    sentiment: Sentiment | None = Field(default=None, description="how they say they are; None: not asked")
    likes: Verdict | None = Field(
        default=None, description="whether they like the job that a check-in is about; None: not asked"
    )


class AttemptMade(Event):
    """A person of the agency tried, one way: never contact, but it may carry an answer."""

    type: Literal["attempt-made"] = "attempt-made"
    after_close: ClassVar[bool] = True
    attempt_id: Id
    by: Id
    channel: Channel
    about: tuple[Reference, ...] = Field(default=(), description="what it carries the answer to")
    note: Personal[str | None] = None


class CandidateWrote(Event):
    """The candidate wrote to the agency, and waits for an answer."""

    type: Literal["candidate-wrote"] = "candidate-wrote"
    after_close: ClassVar[bool] = True
    message_id: Id
    channel: Channel
    words: Personal[str | None] = None


class CallRequested(Event):
    """The candidate asks to be called."""

    type: Literal["call-requested"] = "call-requested"
    after_close: ClassVar[bool] = True
    message_id: Id
    words: Personal[str | None] = None


# -- knowing each other -------------------------------------------------------------------------


class RecruiterIntroduced(Event):
    """The candidate learnt who it is that answers for them."""

    type: Literal["recruiter-introduced"] = "recruiter-introduced"
    recruiter: Id
    by: Id
    channel: Channel = "unknown"


class FacetLearnt(Event):
    """Something about the person, not the CV, from a conversation; the same id again replaces it."""

    type: Literal["facet-learnt"] = "facet-learnt"
    facet_id: Id
    facet: Facet
    contact_id: Id = Field(description="the conversation it comes from")
    expires_at: Moment | None = Field(default=None, description="from then on it must be asked again")
    words: Personal[str | None] = None


class FacetRetired(Event):
    """What was learnt about the person is true no longer."""

    type: Literal["facet-retired"] = "facet-retired"
    facet_id: Id
    reason: Code = "unspecified"


class ProfilePlayedBack(Event):
    """A person told the candidate how the agency understood them."""

    type: Literal["profile-played-back"] = "profile-played-back"
    by: Id
    channel: Channel = "unknown"
    facets: tuple[Id, ...]


class ProfileConfirmed(Event):
    """The candidate said that they were understood rightly."""

    type: Literal["profile-confirmed"] = "profile-confirmed"
    facets: tuple[Id, ...]
    evidence: Evidence = "asserted"
    evidence_ref: Id | None = None


class NoMatchYet(Event):
    """Nothing is good enough for this person yet; they are owed that word, and why."""

    type: Literal["no-match-yet"] = "no-match-yet"
    no_match_id: Id
    by: Id
    expected_by: Moment | None = Field(default=None, description="until when the wait is expected to last")
    reason: Personal[str | None] = None


class MatchDeclined(Event):
    """The agency does not put a job to the candidate, because it would not suit them well enough."""

    type: Literal["match-declined"] = "match-declined"
    job_order_id: Id
    by: Id
    fit: int | None = Field(default=None, description="0 to 100: how well the job suits the person")
    reason: Personal[str | None] = None


# -- applications and what leads to a submission ------------------------------------------------


class ApplicationRecorded(Event):
    """The candidate showed interest in a job themselves, before anything goes to a client."""

    type: Literal["application-recorded"] = "application-recorded"
    application_id: Id
    job_order_id: Id | None = None


class ApplicationLinked(Event):
    """An application turns out to be for this job order; the candidate has been told nothing by it."""

    type: Literal["application-linked"] = "application-linked"
    application_id: Id
    job_order_id: Id


class ApplicationDeclined(Event):
    """The agency will not take an application further."""

    type: Literal["application-declined"] = "application-declined"
    application_id: Id
    reason: Code = "unspecified"


class CheckRecorded(Event):
    """Somebody checked something about the candidate, or about a job for them; it is no contact."""

    schema_version: ClassVar[int] = 2
    type: Literal["check-recorded"] = "check-recorded"
    after_close: ClassVar[bool] = True
    check_id: Id
    kind: Code
    outcome: Code
    evidence: Evidence = "asserted"
    consent: Literal["given", "unknown", "not-needed"] = "not-needed"
    about: tuple[Reference, ...] = ()
    expires_at: Moment | None = Field(default=None, description="from then on it must be checked again")


class JobProposed(Event):
    """A recruiter put a job to the candidate, with the reason why it suits this person."""

    schema_version: ClassVar[int] = 2
    type: Literal["job-proposed"] = "job-proposed"
    job_order_id: Id
    by: Id
    job_order_owner: Id | None = None
    reason: Personal[str | None] = None
    fit: int | None = Field(default=None, description="0 to 100: how well the job suits the person")
    override_by: Id | None = Field(default=None, description="who put it forward below the policy's floor")
    override_reason: Personal[str | None] = None


class ProposalAnswered(Event):
    """The candidate said whether they want to be put forward."""

    type: Literal["proposal-answered"] = "proposal-answered"
    job_order_id: Id
    answer: Literal["yes", "no"]
    reason: Personal[str | None] = None


class RightToRepresentGranted(Event):
    """The candidate agreed that the agency speaks for them on this one job."""

    schema_version: ClassVar[int] = 2
    type: Literal["right-to-represent-granted"] = "right-to-represent-granted"
    job_order_id: Id
    evidence: Evidence
    evidence_ref: Id | None = None
    expires_at: Moment | None = None
    wording: Personal[str | None] = None
    pay: Personal[str | None] = Field(default=None, description="the pay that the agreement names")
    exclusive: bool = Field(default=False, description="no other agency may present them for this job")


class RightToRepresentRevoked(Event):
    """The candidate took that agreement back."""

    schema_version: ClassVar[int] = 2
    type: Literal["right-to-represent-revoked"] = "right-to-represent-revoked"
    job_order_id: Id
    reason: Personal[str | None] = None
    submission_id: Id | None = Field(
        default=None, description="the submission that was alive on it: its client must be told"
    )


# -- submissions, interviews, offers ------------------------------------------------------------


class Submitted(Event):
    """The candidate was presented to the client of a job order."""

    type: Literal["submitted"] = "submitted"
    submission_id: Id
    job_order_id: Id
    application_id: Id | None = None
    by: Id | None = None
    job_order_owner: Id | None = None
    right_to_represent: Literal["held", "unknown", "missing"] = "held"


class ClientAnswered(Event):
    """The client said yes or no to a submission."""

    schema_version: ClassVar[int] = 2
    type: Literal["client-answered"] = "client-answered"
    submission_id: Id
    answer: Literal["yes", "no"]
    reason: Personal[str | None] = None
    reason_code: Code = Field(default="unspecified", description="e.g. duplicate, experience, pay")


class TalkedWithClient(Event):
    """A person of the agency and the client exchanged words about a candidate; no contact with them."""

    type: Literal["talked-with-client"] = "talked-with-client"
    after_close: ClassVar[bool] = True
    client_talk_id: Id
    by: Id
    channel: Channel = "unknown"
    purpose: ClientPurpose = "talk"
    submission_id: Id | None = None
    placement_id: Id | None = None
    excels: Verdict | None = Field(
        default=None, description="what a check-in with the client said of the placed person"
    )
    note: Personal[str | None] = None


class OwnershipConflictOpened(Event):
    """Somebody else says that this candidate is theirs on this job."""

    type: Literal["ownership-conflict-opened"] = "ownership-conflict-opened"
    conflict_id: Id
    job_order_id: Id
    submission_id: Id | None = None
    kind: Literal["duplicate", "ownership"]
    other: Claimant = Field(description="who claims it")
    details: Personal[str | None] = None


class ConflictEvidenceAdded(Event):
    """Something that shows who was first."""

    type: Literal["conflict-evidence-added"] = "conflict-evidence-added"
    conflict_id: Id
    kind: Code = Field(description="e.g. right-to-represent, submission-mail")
    evidence_ref: Id
    dated: Moment | None = None


class OwnershipConflictResolved(Event):
    """It is settled who presented the candidate; the candidate is owed that word."""

    type: Literal["ownership-conflict-resolved"] = "ownership-conflict-resolved"
    conflict_id: Id
    job_order_id: Id
    submission_id: Id | None = None
    outcome: ConflictOutcome
    reason: Personal[str | None] = None


class InterviewRequested(Event):
    """The client wants to meet the candidate; there is no time yet."""

    type: Literal["interview-requested"] = "interview-requested"
    interview_id: Id
    submission_id: Id


class InterviewScheduled(Event):
    """The interview has a time."""

    type: Literal["interview-scheduled"] = "interview-scheduled"
    interview_id: Id
    submission_id: Id
    starts_at: Moment
    ends_at: Moment
    place: Personal[str | None] = None


class InterviewMoved(Event):
    """The interview has another time; the earlier ones stay on record."""

    type: Literal["interview-moved"] = "interview-moved"
    interview_id: Id
    submission_id: Id
    starts_at: Moment
    ends_at: Moment
    moved_by: Literal["candidate", "client", "agency", "unknown"] = "unknown"
    reason: Personal[str | None] = None


class InterviewCancelled(Event):
    """The interview will not take place."""

    type: Literal["interview-cancelled"] = "interview-cancelled"
    interview_id: Id
    submission_id: Id
    cancelled_by: Literal["candidate", "client", "agency", "unknown"] = "unknown"
    reason: Personal[str | None] = None


class InterviewHeld(Event):
    """The client and the candidate met."""

    type: Literal["interview-held"] = "interview-held"
    interview_id: Id
    submission_id: Id


class InterviewMissed(Event):
    """Somebody did not come."""

    type: Literal["interview-missed"] = "interview-missed"
    interview_id: Id
    submission_id: Id
    missed_by: Literal["candidate", "client", "unknown"] = "unknown"


class NoShowExplained(Event):
    """It is known why somebody did not come."""

    type: Literal["no-show-explained"] = "no-show-explained"
    interview_id: Id
    submission_id: Id
    reason_code: Code = "unspecified"
    reason: Personal[str | None] = None


class InterviewResultRecorded(Event):
    """The client said what the interview led to."""

    type: Literal["interview-result-recorded"] = "interview-result-recorded"
    interview_id: Id
    submission_id: Id
    result: Literal["advance", "hold", "reject"]
    feedback: Personal[str | None] = None


class FeedbackPassedOn(Event):
    """The client's decision and its reason reached the candidate, told by a person."""

    type: Literal["feedback-passed-on"] = "feedback-passed-on"
    submission_id: Id
    interview_id: Id | None = None
    by: Id
    channel: Channel = "unknown"
    words: Personal[str | None] = None


class OfferExtended(Event):
    """The client wants the candidate; it is the candidate's turn."""

    schema_version: ClassVar[int] = 2
    type: Literal["offer-extended"] = "offer-extended"
    offer_id: Id
    submission_id: Id
    terms: Personal[str | None] = None
    kind: PlacementKind = "unknown"
    starts_on: Moment | None = None
    ends_on: Moment | None = None
    expires_at: Moment | None = None


class OfferRevised(Event):
    """The offer has other terms now; the earlier ones stay on record."""

    type: Literal["offer-revised"] = "offer-revised"
    offer_id: Id
    submission_id: Id
    revision: int = Field(description="counts from 2: the offer as it was extended is the first")
    kind: PlacementKind = "unknown"
    starts_on: Moment | None = None
    ends_on: Moment | None = None
    expires_at: Moment | None = None
    terms: Personal[str | None] = None


class CounterOfferNoted(Event):
    """Somebody else wants to keep or win the candidate; they are owed a talk about it."""

    type: Literal["counter-offer-noted"] = "counter-offer-noted"
    offer_id: Id
    submission_id: Id
    made_by: Literal["present-employer", "another-client", "unknown"] = "unknown"
    words: Personal[str | None] = None


class OfferAccepted(Event):
    """The candidate said yes: a placement begins, under the submission's id."""

    schema_version: ClassVar[int] = 2
    type: Literal["offer-accepted"] = "offer-accepted"
    offer_id: Id
    submission_id: Id
    starts_on: Moment | None = None
    placement_id: Id
    kind: PlacementKind = "unknown"
    ends_on: Moment | None = None


class OfferDeclined(Event):
    """The candidate said no."""

    type: Literal["offer-declined"] = "offer-declined"
    offer_id: Id
    submission_id: Id
    reason: Personal[str | None] = None


class OfferWithdrawn(Event):
    """The offer stands no longer: the client took it back, or it lapsed."""

    type: Literal["offer-withdrawn"] = "offer-withdrawn"
    offer_id: Id
    submission_id: Id
    why: Literal["taken-back", "lapsed", "unknown"] = "unknown"
    reason: Personal[str | None] = None


class SubmissionLeftOpen(Event):
    """An offer was accepted while this submission was alive: the candidate chooses what becomes of it."""

    type: Literal["submission-left-open"] = "submission-left-open"
    submission_id: Id
    offer_id: Id = Field(description="the offer that was accepted")


class SubmissionKept(Event):
    """The candidate wants this submission to stay alive beside the offer they accepted."""

    type: Literal["submission-kept"] = "submission-kept"
    submission_id: Id
    reason: Personal[str | None] = None


class PositionHeld(Event):
    """The client put the job on hold while this candidate was alive on it."""

    type: Literal["position-held"] = "position-held"
    job_order_id: Id
    submission_id: Id
    until: Moment | None = None


class PositionOwnerChanged(Event):
    """Another recruiter answers for the client's job, here too; no clock starts again because of it."""

    type: Literal["position-owner-changed"] = "position-owner-changed"
    job_order_id: Id
    owner: Id
    previous: tuple[Id, ...] = Field(description="whom they follow in this engagement")


class PositionResumed(Event):
    """The job goes on, and this candidate with it."""

    type: Literal["position-resumed"] = "position-resumed"
    job_order_id: Id
    submission_id: Id


class PositionFilled(Event):
    """The job order was filled or closed while this candidate was still alive on it."""

    type: Literal["position-filled"] = "position-filled"
    job_order_id: Id
    submission_id: Id
    how: Literal["filled", "closed"]


# -- placements: each has the id of the submission it came from -----------------------------------


class RefundStep(BaseModel):
    """What a client gets back when a placement ends by this day after its start."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    until_day: int = Field(ge=1, le=3650)
    percent: int = Field(ge=0, le=100)


class PlacementTermsRecorded(Event):
    """The client's terms for a placement: its kind, and what the agency guarantees."""

    type: Literal["placement-terms-recorded"] = "placement-terms-recorded"
    placement_id: Id
    kind: PlacementKind = "unknown"
    guarantee_days: int | None = Field(default=None, description="counted from the first paid day")
    remedy: Remedy = "none"
    refund_steps: tuple[RefundStep, ...] = ()
    guarantee_until: Moment | None = Field(default=None, description="None: not started, or no guarantee")


class StartMoved(Event):
    """The agreed first day is another now, or is known at last."""

    type: Literal["start-moved"] = "start-moved"
    placement_id: Id
    starts_on: Moment
    moved_by: Party = "unknown"
    reason: Personal[str | None] = None


class PlacementStarted(Event):
    """The first paid day is confirmed: guarantee and after-care count from it."""

    type: Literal["placement-started"] = "placement-started"
    placement_id: Id
    submission_id: Id
    started_on: Moment
    kind: PlacementKind = "unknown"
    guarantee_until: Moment | None = None
    ends_on: Moment | None = None


class ContractExtended(Event):
    """A contract ends at another time than was agreed."""

    type: Literal["contract-extended"] = "contract-extended"
    placement_id: Id
    ends_on: Moment
    reason: Personal[str | None] = None


class PlacementConverted(Event):
    """A temporary placement became a permanent one."""

    type: Literal["placement-converted"] = "placement-converted"
    placement_id: Id
    converted_on: Moment


class ConcernRaised(Event):
    """The placed person or the client is not happy; somebody must talk about it."""

    type: Literal["concern-raised"] = "concern-raised"
    placement_id: Id
    raised_by: Party
    words: Personal[str | None] = None


class PlacementEnded(Event):
    """A placement is over: given up before its start, never begun, broken off, or completed."""

    type: Literal["placement-ended"] = "placement-ended"
    placement_id: Id
    submission_id: Id
    job_order_id: Id | None = None
    how: PlacementEnd
    ended_by: Party = "unknown"
    ended_on: Moment
    within_guarantee: bool | None = Field(default=None, description="None: no guarantee is known")
    reason_code: Code = "unspecified"
    reason: Personal[str | None] = None


class GuaranteeInvoked(Event):
    """The client asks for what the guarantee promises."""

    type: Literal["guarantee-invoked"] = "guarantee-invoked"
    placement_id: Id
    submission_id: Id
    remedy: Remedy
    refund_percent: int | None = Field(default=None, description="as the refund steps give it for that day")


# -- the record about the record ----------------------------------------------------------------


class CommandRefused(Event):
    """A gate said no.  The command is kept, because we must be able to show what was prevented."""

    type: Literal["command-refused"] = "command-refused"
    after_close: ClassVar[bool] = True
    command: Code
    gate: RuleId
    says: str = Field(description="why, in the policy's words")
    remedy: str
    job_order_id: Id | None = None
    submission_id: Id | None = None
    given: str = Field(description="the refused command without its personal words, as canonical JSON")
    content: Personal[str | None] = Field(default=None, description="its personal words, as canonical JSON")


class GateBypassed(Event):
    """A gate was not met, and the thing happened all the same."""

    type: Literal["gate-bypassed"] = "gate-bypassed"
    command: Code
    gate: RuleId
    mode: Mode
    why: Literal["report", "mode"]
    job_order_id: Id | None = None
    submission_id: Id | None = None


class MessageRefused(Event):
    """A message could not be applied.  Recorded without its content, so that nothing is lost silently."""

    type: Literal["message-refused"] = "message-refused"
    after_close: ClassVar[bool] = True
    name: str = Field(description="the name it came under, or '?' where that is no command's")
    reason: Code
    says: str


class EventAnnulled(Event):
    """An earlier event was wrong: it folds as absent from here, and stays visible."""

    type: Literal["event-annulled"] = "event-annulled"
    after_close: ClassVar[bool] = True
    event_id: UUID
    annulled_type: Code
    reason: Personal[str | None] = None


# -- obligations --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class Rung:
    """One step of an open obligation, at its own fixed moment; ``breach`` is the due time itself.

    Every cached engagement holds dozens: a dataclass with slots takes a quarter of a model.
    """

    number: int
    at: Moment
    do: RungAction
    level: int = Field(description="0 a reminder, 1 the owner, 2 the team lead, 3 the director")
    to: Recipient | None = None
    template: Code | None = None


class ObligationOpened(EngineEvent):
    """A promise is open, due at a time that no later change of a library can move."""

    schema_version: ClassVar[int] = 2
    type: Literal["obligation-opened"] = "obligation-opened"
    obligation_id: UUID
    rule: RuleId
    subject: str
    kind: Literal["contact", "answer", "duty"]
    mode: Mode
    owner_role: OwnerRole
    awaits: Awaited
    since: Moment = Field(description="when what opened it happened: earlier acts cannot meet it")
    opened_at: Moment = Field(
        description="when it was decided: what a rule counts from, unless it says happened"
    )
    due_at: Moment
    rungs: tuple[Rung, ...]
    useful_for: int | None = Field(
        default=None, description="seconds after its rung that a message still helps"
    )
    waited: int = Field(default=0, description="microseconds of pauses that the due time includes")
    calendar: Code | None = Field(
        default=None, description="the office by whose working time it was reckoned; None: by elapsed time"
    )


class ObligationMoved(EngineEvent):
    """The due time changed, because what it was planned around did."""

    type: Literal["obligation-moved"] = "obligation-moved"
    obligation_id: UUID
    rule: RuleId
    subject: str
    due_at: Moment
    rungs: tuple[Rung, ...] = Field(description="what is still ahead, numbered on from the rungs before")
    reason: Code
    waited: int = Field(default=0, description="microseconds of pauses that the due time includes")


class ObligationModeChanged(EngineEvent):
    """The policy lets an open promise tell people more, or less, from here on; its times are as they were."""

    type: Literal["obligation-mode-changed"] = "obligation-mode-changed"
    obligation_id: UUID
    rule: RuleId
    subject: str
    mode: Mode


class ObligationMet(EngineEvent):
    """The promise was kept: in time, or late."""

    type: Literal["obligation-met"] = "obligation-met"
    obligation_id: UUID
    rule: RuleId
    subject: str
    met_at: Moment = Field(description="when the act happened, as claimed")
    due_at: Moment
    timely: bool


class ObligationBreached(EngineEvent):
    """The due time passed and nobody had kept the promise.  It is a fact and stays one."""

    type: Literal["obligation-breached"] = "obligation-breached"
    obligation_id: UUID
    rule: RuleId
    subject: str
    due_at: Moment


class ObligationExcused(Event):
    """A breach that was none: the act was timely and recorded late, or a lead excused it."""

    type: Literal["obligation-excused"] = "obligation-excused"
    by_engine: ClassVar[bool] = True
    after_close: ClassVar[bool] = True
    obligation_id: UUID
    rule: RuleId
    subject: str
    reason: Code


class ExcuseGranted(Event):
    """Somebody who does not owe the promise says why it need not be kept; it never counts as kept."""

    type: Literal["excuse-granted"] = "excuse-granted"
    after_close: ClassVar[bool] = True
    obligation_id: UUID
    rule: RuleId
    subject: str
    by: Id
    reason: Code
    words: Personal[str | None] = None


class ObligationDropped(EngineEvent):
    """Nobody is waiting for this any more."""

    type: Literal["obligation-dropped"] = "obligation-dropped"
    obligation_id: UUID
    rule: RuleId
    subject: str
    reason: Code


class RungReached(EngineEvent):
    """An obligation climbed a step, at the step's own time or as soon after as anyone could look."""

    type: Literal["rung-reached"] = "rung-reached"
    obligation_id: UUID
    rule: RuleId
    subject: str
    rung: int
    do: RungAction
    level: int
    due_at: Moment = Field(description="the rung's own time")


class EscalationRaised(EngineEvent):
    """A duty now lies with a person, by role; who that is, the directory says when it is delivered."""

    type: Literal["escalation-raised"] = "escalation-raised"
    escalation_id: UUID
    obligation_id: UUID
    rule: RuleId
    subject: str
    level: int
    to: Recipient
    owner: Id | None = None


class EscalationAcknowledged(Event):
    """The person took it on, with a plan."""

    type: Literal["escalation-acknowledged"] = "escalation-acknowledged"
    escalation_id: UUID
    by: Id
    plan_by: Moment | None = None
    plan: Personal[str | None] = None


class EscalationSettled(EngineEvent):
    """What the escalation was about is met or gone."""

    type: Literal["escalation-settled"] = "escalation-settled"
    escalation_id: UUID
    obligation_id: UUID
    how: Literal["met", "dropped"]


# -- outreach -----------------------------------------------------------------------------------


class OutreachRequested(EngineEvent):
    """The engine owes a message; sending it is neither contact nor attempt."""

    schema_version: ClassVar[int] = 2
    type: Literal["outreach-requested"] = "outreach-requested"
    effect_id: UUID
    channel: Literal["email"] = "email"
    to: Recipient
    owner: Id | None = None
    template: Code
    rule: RuleId | None = None
    obligation_id: UUID | None = None
    subject: str | None = None
    level: int = 0
    due_at: Moment | None = None
    useful_until: Moment | None = None
    not_before: Moment | None = Field(
        default=None,
        description="the end of the candidate's quiet hours, for which it waits; None: it may leave",
    )


class OutreachSent(Event):
    """The message left; ``person`` is who got it, None for the candidate."""

    type: Literal["outreach-sent"] = "outreach-sent"
    after_close: ClassVar[bool] = True
    effect_id: UUID
    person: Id | None = None
    attempt: int = 1
    message_id: str


class OutreachFailed(Event):
    """The message could not be sent, for good."""

    type: Literal["outreach-failed"] = "outreach-failed"
    after_close: ClassVar[bool] = True
    effect_id: UUID
    attempt: int = 1
    reason: Code
    says: str


class OutreachWithheld(Event):
    """A rule forbade writing.  Kept, because we must be able to prove restraint."""

    type: Literal["outreach-withheld"] = "outreach-withheld"
    after_close: ClassVar[bool] = True
    effect_id: UUID
    rule: RuleId = Field(description="the policy's name for the rule, e.g. quiet-hours")


AnyEvent = Annotated[
    EngagementOpened
    | PolicyAdopted
    | Assigned
    | Reassigned
    | WentLive
    | OfficeNoted
    | QuietHoursSet
    | OutreachStopped
    | OutreachAllowed
    | OutreachBounced
    | IntakeCompleted
    | Paused
    | Resumed
    | WentDormant
    | CandidateWithdrew
    | EngagementClosed
    | ContactMade
    | AttemptMade
    | CandidateWrote
    | CallRequested
    | RecruiterIntroduced
    | FacetLearnt
    | FacetRetired
    | ProfilePlayedBack
    | ProfileConfirmed
    | NoMatchYet
    | MatchDeclined
    | ApplicationRecorded
    | ApplicationLinked
    | ApplicationDeclined
    | CheckRecorded
    | JobProposed
    | ProposalAnswered
    | RightToRepresentGranted
    | RightToRepresentRevoked
    | Submitted
    | ClientAnswered
    | TalkedWithClient
    | OwnershipConflictOpened
    | ConflictEvidenceAdded
    | OwnershipConflictResolved
    | InterviewRequested
    | InterviewScheduled
    | InterviewMoved
    | InterviewCancelled
    | InterviewHeld
    | InterviewMissed
    | NoShowExplained
    | InterviewResultRecorded
    | FeedbackPassedOn
    | OfferExtended
    | OfferRevised
    | CounterOfferNoted
    | OfferAccepted
    | OfferDeclined
    | OfferWithdrawn
    | SubmissionLeftOpen
    | SubmissionKept
    | PositionHeld
    | PositionResumed
    | PositionOwnerChanged
    | PositionFilled
    | PlacementTermsRecorded
    | StartMoved
    | PlacementStarted
    | ContractExtended
    | PlacementConverted
    | ConcernRaised
    | PlacementEnded
    | GuaranteeInvoked
    | CommandRefused
    | GateBypassed
    | MessageRefused
    | EventAnnulled
    | ObligationOpened
    | ObligationMoved
    | ObligationModeChanged
    | ObligationMet
    | ObligationBreached
    | ObligationExcused
    | ExcuseGranted
    | ObligationDropped
    | RungReached
    | EscalationRaised
    | EscalationAcknowledged
    | EscalationSettled
    | OutreachRequested
    | OutreachSent
    | OutreachFailed
    | OutreachWithheld,
    Field(discriminator="type"),
]

ANY_EVENT: TypeAdapter[Any] = TypeAdapter(AnyEvent)
