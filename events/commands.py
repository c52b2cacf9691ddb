"""Every command an engagement understands: an intent asks the engine, a report tells it.

A gate may refuse an intent and never a report: choose the kind by what the world has already done.
"""

from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from events.catalogue import RefundStep
from events.envelope import Actor
from events.kinds import (
    Channel,
    Claimant,
    ClientPurpose,
    Code,
    CommandId,
    ConflictOutcome,
    Digest,
    Direction,
    Evidence,
    Facet,
    GivenMoment,
    GivenReference,
    Id,
    Modes,
    Party,
    PlacementEnd,
    PlacementKind,
    Purpose,
    Remedy,
    RuleId,
    Sentiment,
    Verdict,
    WallHours,
    Words,
)
from events.personal import Personal

Kind = Literal["intent", "report"]


class Command(BaseModel):
    """A wish or a report, in the imperative."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ClassVar[Kind] = "report"


class Intent(Command):
    """Asks the engine to do or allow something; a gate may refuse it."""

    kind: ClassVar[Kind] = "intent"


class OpenEngagement(Command):
    """Take a person on.  The first command of every engagement."""

    name: Literal["open-engagement"] = "open-engagement"
    candidate_id: Id
    candidate_name: Personal[Words | None] = None
    email: Personal[Words | None] = None
    phone: Personal[Words | None] = None
    zone: str = "UTC"
    opened_from: Code = "direct"
    owner: Id | None = None
    team: tuple[Id, ...] = ()


class AdoptPolicy(Command):
    """Let another policy govern this engagement from now on; its body is known by its digest."""

    name: Literal["adopt-policy"] = "adopt-policy"
    digest: Digest
    policy_name: Code
    modes: Modes = Field(default="new", description="open: what is open takes its rule's mode too")


class Assign(Command):
    """Name the recruiter who answers for the candidate."""

    name: Literal["assign"] = "assign"
    owner: Id
    team: tuple[Id, ...] = ()


class Reassign(Command):
    """Hand the candidate over to another recruiter."""

    name: Literal["reassign"] = "reassign"
    owner: Id
    team: tuple[Id, ...] = ()
    reason: Code = "unspecified"
    handover: Personal[Words | None] = None


class GoLive(Command):
    """Take an imported engagement on: from here on promises are kept; only an import gives it."""

    name: Literal["go-live"] = "go-live"
    observes: tuple[RuleId, ...] | None = Field(
        default=None, description="the rules that the source of the past can show; all if not given"
    )


class NoteOffice(Command):
    """Report where a person of the agency works: what they owe from now on is reckoned by its calendar."""

    name: Literal["note-office"] = "note-office"
    person: Id
    office: Code


class SetQuietHours(Command):
    """Report when the candidate is not to be written to, by the wall clock of the zone they live by."""

    name: Literal["set-quiet-hours"] = "set-quiet-hours"
    quiet_hours: WallHours | None = Field(
        default=None, description="like 20:00-08:00; left out: the policy's hold again"
    )
    zone: str | None = Field(default=None, description="IANA zone; left out: as before")


class StopOutreach(Command):
    """Report that the candidate wants no automated message any more."""

    name: Literal["stop-outreach"] = "stop-outreach"
    evidence_ref: Id | None = None


class AllowOutreach(Command):
    """Report that the candidate takes automated messages again."""

    name: Literal["allow-outreach"] = "allow-outreach"
    evidence_ref: Id | None = None


class RecordBounce(Command):
    """Report that a message which had left came back."""

    name: Literal["record-bounce"] = "record-bounce"
    effect_id: UUID | None = None
    reason: Code


class CompleteIntake(Command):
    """Say that candidate and recruiter know each other; job-finding may begin."""

    name: Literal["complete-intake"] = "complete-intake"


class Pause(Intent):
    """Leave the candidate in peace until a date; a long pause needs somebody else's approval."""

    name: Literal["pause"] = "pause"
    until: GivenMoment
    reason: Personal[Words | None] = None
    approved_by: Id | None = Field(default=None, description="the lead who agrees to a long pause")


class RecordPause(Command):
    """Report that the candidate has been promised quiet until a date already."""

    name: Literal["record-pause"] = "record-pause"
    until: GivenMoment
    reason: Personal[Words | None] = None
    approved_by: Id | None = None


class Resume(Command):
    """End a pause or a dormancy."""

    name: Literal["resume"] = "resume"


class GoDormant(Command):
    """Put the engagement to sleep while nothing is alive."""

    name: Literal["go-dormant"] = "go-dormant"
    reason: Code


class Withdraw(Command):
    """The candidate leaves one submission (``submission_id``) or the whole search."""

    name: Literal["withdraw"] = "withdraw"
    submission_id: Id | None = None
    reason: Personal[Words | None] = None


class CloseEngagement(Command):
    """End the engagement for good."""

    name: Literal["close-engagement"] = "close-engagement"
    reason: Code


class RecordContact(Command):
    """Report that a person of the agency and the candidate exchanged words."""

    name: Literal["record-contact"] = "record-contact"
    contact_id: Id | None = None
    by: Id | None = Field(
        default=None, description="the person of the agency; the acting person if not given"
    )
    channel: Channel
    direction: Direction = "unknown"
    evidence: Evidence = "asserted"
    evidence_ref: Id | None = None
    purpose: Purpose = "talk"
    about: tuple[GivenReference, ...] = ()
    note: Personal[Words | None] = None
    also: tuple[Purpose, ...] = ()
    sentiment: Sentiment | None = None
    likes: Verdict | None = None


class RecordAttempt(Command):
    """Report that a person of the agency tried to reach the candidate, one way."""

    name: Literal["record-attempt"] = "record-attempt"
    attempt_id: Id | None = None
    by: Id | None = None
    channel: Channel
    about: tuple[GivenReference, ...] = ()
    note: Personal[Words | None] = None


class RecordMessage(Command):
    """Report that the candidate wrote."""

    name: Literal["record-message"] = "record-message"
    message_id: Id | None = None
    channel: Channel = "email"
    words: Personal[Words | None] = None


class RequestCall(Command):
    """Report that the candidate asks to be called."""

    name: Literal["request-call"] = "request-call"
    message_id: Id | None = None
    words: Personal[Words | None] = None


class IntroduceRecruiter(Command):
    """Report that the candidate learnt who answers for them; the present owner if nobody is named."""

    name: Literal["introduce-recruiter"] = "introduce-recruiter"
    recruiter: Id | None = None
    by: Id | None = None
    channel: Channel = "unknown"


class RecordFacet(Command):
    """Report something about the person from a conversation; the same id again replaces it."""

    name: Literal["record-facet"] = "record-facet"
    facet_id: Id | None = None
    facet: Facet
    contact_id: Id | None = Field(
        default=None, description="the conversation it comes from; the last one on record if not given"
    )
    expires_at: GivenMoment | None = None
    words: Personal[Words | None] = None


class RetireFacet(Command):
    """Report that something learnt about the person is true no longer."""

    name: Literal["retire-facet"] = "retire-facet"
    facet_id: Id
    reason: Code = "unspecified"


class PlayBackProfile(Command):
    """Report that a person told the candidate how they are understood; all facets if none is named."""

    name: Literal["play-back-profile"] = "play-back-profile"
    by: Id | None = None
    channel: Channel = "unknown"
    facets: tuple[Id, ...] = ()


class ConfirmProfile(Command):
    """Report that the candidate confirmed it; all that was played back if none is named."""

    name: Literal["confirm-profile"] = "confirm-profile"
    facets: tuple[Id, ...] = ()
    evidence: Evidence = "asserted"
    evidence_ref: Id | None = None


class RecordNoMatch(Command):
    """Report that nothing is good enough for this person yet, and why."""

    name: Literal["record-no-match"] = "record-no-match"
    no_match_id: Id | None = None
    by: Id | None = None
    expected_by: GivenMoment | None = None
    reason: Personal[Words | None] = None


class DeclineMatch(Command):
    """Report that a job is not put to the candidate, because it would not suit them well enough."""

    name: Literal["decline-match"] = "decline-match"
    job_order_id: Id
    by: Id | None = None
    fit: int | None = Field(default=None, ge=0, le=100)
    reason: Personal[Words | None] = None


class RecordApplication(Command):
    """Report the candidate's own interest in a job."""

    name: Literal["record-application"] = "record-application"
    application_id: Id
    job_order_id: Id | None = None


class LinkApplication(Command):
    """Report which job order an application is for."""

    name: Literal["link-application-to-job-order"] = "link-application-to-job-order"
    application_id: Id
    job_order_id: Id


class DeclineApplication(Command):
    """Report that an application goes no further."""

    name: Literal["decline-application"] = "decline-application"
    application_id: Id
    reason: Code = "unspecified"


class RecordCheck(Command):
    """Report a check and what came of it."""

    name: Literal["record-check"] = "record-check"
    check_id: Id | None = None
    check: Code
    outcome: Code
    evidence: Evidence = "asserted"
    consent: Literal["given", "unknown", "not-needed"] = "not-needed"
    about: tuple[GivenReference, ...] = ()
    expires_at: GivenMoment | None = Field(
        default=None, description="from then on it must be checked again, as a visa must"
    )


class ProposeJob(Intent):
    """Put a job to the candidate."""

    name: Literal["propose-job"] = "propose-job"
    job_order_id: Id
    by: Id | None = None
    job_order_owner: Id | None = None
    reason: Personal[Words | None] = None
    fit: int | None = Field(default=None, ge=0, le=100)
    override_by: Id | None = Field(default=None, description="who puts it forward below the floor")
    override_reason: Personal[Words | None] = None


class RecordProposal(Command):
    """Report that a job has been put to the candidate already."""

    name: Literal["record-proposal"] = "record-proposal"
    job_order_id: Id
    by: Id | None = None
    job_order_owner: Id | None = None
    reason: Personal[Words | None] = None
    fit: int | None = Field(default=None, ge=0, le=100)
    override_by: Id | None = Field(default=None, description="who puts it forward below the floor")
    override_reason: Personal[Words | None] = None


class AnswerProposal(Command):
    """Report the candidate's yes or no to a proposed job."""

    name: Literal["answer-proposal"] = "answer-proposal"
    job_order_id: Id
    answer: Literal["yes", "no"]
    reason: Personal[Words | None] = None


class GrantRightToRepresent(Command):
    """Record the candidate's agreement to one job: from the candidate, or with evidence."""

    name: Literal["grant-right-to-represent"] = "grant-right-to-represent"
    job_order_id: Id
    evidence: Evidence = "asserted"
    evidence_ref: Id | None = None
    expires_at: GivenMoment | None = None
    wording: Personal[Words | None] = None
    pay: Personal[Words | None] = None
    exclusive: bool = False


class RevokeRightToRepresent(Command):
    """Report that the candidate took the agreement back."""

    name: Literal["revoke-right-to-represent"] = "revoke-right-to-represent"
    job_order_id: Id
    reason: Personal[Words | None] = None


class Submit(Intent):
    """Present the candidate to the client of a job order."""

    name: Literal["submit"] = "submit"
    job_order_id: Id
    submission_id: Id | None = None
    application_id: Id | None = None
    by: Id | None = None
    job_order_owner: Id | None = None


class RecordSubmission(Command):
    """Report that the candidate has been presented already."""

    name: Literal["record-submission"] = "record-submission"
    job_order_id: Id
    submission_id: Id | None = None
    application_id: Id | None = None
    by: Id | None = None
    job_order_owner: Id | None = None


class RecordClientAnswer(Command):
    """Report the client's yes or no to a submission."""

    name: Literal["record-client-answer"] = "record-client-answer"
    submission_id: Id
    answer: Literal["yes", "no"]
    reason: Personal[Words | None] = None
    reason_code: Code = "unspecified"


class RecordClientTalk(Command):
    """Report that a person of the agency and the client exchanged words about the candidate."""

    name: Literal["record-client-talk"] = "record-client-talk"
    client_talk_id: Id | None = None
    by: Id | None = None
    channel: Channel = "unknown"
    purpose: ClientPurpose = "talk"
    submission_id: Id | None = None
    placement_id: Id | None = None
    excels: Verdict | None = None
    note: Personal[Words | None] = None


class OpenConflict(Command):
    """Report that somebody else claims this candidate on this job."""

    name: Literal["open-conflict"] = "open-conflict"
    conflict_id: Id | None = None
    job_order_id: Id
    submission_id: Id | None = None
    conflict: Literal["duplicate", "ownership"] = "duplicate"
    other: Claimant = "another-agency"
    details: Personal[Words | None] = None


class AddConflictEvidence(Command):
    """Report something that shows who was first."""

    name: Literal["add-conflict-evidence"] = "add-conflict-evidence"
    conflict_id: Id
    evidence: Code
    evidence_ref: Id
    dated: GivenMoment | None = None


class ResolveConflict(Command):
    """Report how a conflict ended."""

    name: Literal["resolve-conflict"] = "resolve-conflict"
    conflict_id: Id
    outcome: ConflictOutcome
    reason: Personal[Words | None] = None


class RequestInterview(Command):
    """Report that the client wants an interview; no time yet."""

    name: Literal["request-interview"] = "request-interview"
    submission_id: Id
    interview_id: Id | None = None


class ScheduleInterview(Intent):
    """Fix an interview's time with the candidate."""

    name: Literal["schedule-interview"] = "schedule-interview"
    submission_id: Id
    interview_id: Id | None = None
    starts_at: GivenMoment
    ends_at: GivenMoment | None = Field(default=None, description="one hour after the start if not given")
    place: Personal[Words | None] = None


class RecordInterviewScheduled(Command):
    """Report that an interview has been given a time elsewhere."""

    name: Literal["record-interview-scheduled"] = "record-interview-scheduled"
    submission_id: Id
    interview_id: Id | None = None
    starts_at: GivenMoment
    ends_at: GivenMoment | None = None
    place: Personal[Words | None] = None


class MoveInterview(Command):
    """Report an interview's new time."""

    name: Literal["move-interview"] = "move-interview"
    interview_id: Id
    starts_at: GivenMoment
    ends_at: GivenMoment | None = None
    moved_by: Literal["candidate", "client", "agency", "unknown"] = "unknown"
    reason: Personal[Words | None] = None


class CancelInterview(Command):
    """Report that an interview will not take place."""

    name: Literal["cancel-interview"] = "cancel-interview"
    interview_id: Id
    cancelled_by: Literal["candidate", "client", "agency", "unknown"] = "unknown"
    reason: Personal[Words | None] = None


class RecordInterviewHeld(Command):
    """Report that client and candidate met."""

    name: Literal["record-interview-held"] = "record-interview-held"
    interview_id: Id


class RecordInterviewMissed(Command):
    """Report that somebody did not come to an interview."""

    name: Literal["record-interview-missed"] = "record-interview-missed"
    interview_id: Id
    missed_by: Literal["candidate", "client", "unknown"] = "unknown"


class ExplainNoShow(Command):
    """Report why somebody did not come to an interview."""

    name: Literal["explain-no-show"] = "explain-no-show"
    interview_id: Id
    reason_code: Code = "unspecified"
    reason: Personal[Words | None] = None


class RecordInterviewResult(Command):
    """Report what the client made of an interview."""

    name: Literal["record-interview-result"] = "record-interview-result"
    interview_id: Id
    result: Literal["advance", "hold", "reject"]
    feedback: Personal[Words | None] = None


class PassOnFeedback(Command):
    """Report that a person told the candidate the client's decision."""

    name: Literal["pass-on-feedback"] = "pass-on-feedback"
    submission_id: Id
    interview_id: Id | None = None
    by: Id | None = None
    channel: Channel = "unknown"
    words: Personal[Words | None] = None


class RecordOffer(Command):
    """Report that the client made an offer and the candidate has it."""

    name: Literal["record-offer"] = "record-offer"
    submission_id: Id
    offer_id: Id | None = None
    terms: Personal[Words | None] = None
    placement_kind: PlacementKind = "unknown"
    starts_on: GivenMoment | None = None
    ends_on: GivenMoment | None = None
    expires_at: GivenMoment | None = None


class ReviseOffer(Command):
    """Report that the client changed the offer; what is not given stays as it was."""

    name: Literal["revise-offer"] = "revise-offer"
    offer_id: Id
    terms: Personal[Words | None] = None
    placement_kind: PlacementKind | None = None
    starts_on: GivenMoment | None = None
    ends_on: GivenMoment | None = None
    expires_at: GivenMoment | None = None


class NoteCounterOffer(Command):
    """Report that somebody else wants to keep or win the candidate."""

    name: Literal["note-counter-offer"] = "note-counter-offer"
    offer_id: Id
    made_by: Literal["present-employer", "another-client", "unknown"] = "unknown"
    words: Personal[Words | None] = None


class AcceptOffer(Command):
    """Report that the candidate accepted; what is not given is as the offer says."""

    name: Literal["accept-offer"] = "accept-offer"
    offer_id: Id
    starts_on: GivenMoment | None = None
    placement_kind: PlacementKind | None = None
    ends_on: GivenMoment | None = None


class DeclineOffer(Command):
    """Report that the candidate declined."""

    name: Literal["decline-offer"] = "decline-offer"
    offer_id: Id
    reason: Personal[Words | None] = None


class WithdrawOffer(Command):
    """Report that an offer stands no longer."""

    name: Literal["withdraw-offer"] = "withdraw-offer"
    offer_id: Id
    why: Literal["taken-back", "lapsed", "unknown"] = "unknown"
    reason: Personal[Words | None] = None


class SettleSubmission(Command):
    """Report what the candidate chose for a submission that was alive when they accepted another offer."""

    name: Literal["settle-submission"] = "settle-submission"
    submission_id: Id
    choice: Literal["withdraw", "keep"]
    reason: Personal[Words | None] = None


class RecordPlacementTerms(Command):
    """Report the client's terms for a placement; what is not given stays as it was."""

    name: Literal["record-placement-terms"] = "record-placement-terms"
    placement_id: Id = Field(description="the submission's id")
    placement_kind: PlacementKind = "unknown"
    guarantee_days: int | None = Field(default=None, ge=0, le=3650)
    remedy: Remedy | None = None
    refund_steps: tuple[RefundStep, ...] | None = None


class MoveStart(Command):
    """Report another first day, or the first one that is known."""

    name: Literal["move-start"] = "move-start"
    placement_id: Id
    starts_on: GivenMoment
    moved_by: Party = "unknown"
    reason: Personal[Words | None] = None


class ConfirmStart(Command):
    """Report that the placed person had their first paid day."""

    name: Literal["confirm-start"] = "confirm-start"
    placement_id: Id
    started_on: GivenMoment | None = Field(default=None, description="the agreed day if not given")


class ExtendContract(Command):
    """Report that a contract ends at another time."""

    name: Literal["extend-contract"] = "extend-contract"
    placement_id: Id
    ends_on: GivenMoment
    reason: Personal[Words | None] = None


class ConvertPlacement(Command):
    """Report that a temporary placement became a permanent one."""

    name: Literal["convert-placement"] = "convert-placement"
    placement_id: Id
    converted_on: GivenMoment | None = None


class RaiseConcern(Command):
    """Report that the placed person or the client is not happy."""

    name: Literal["raise-concern"] = "raise-concern"
    placement_id: Id
    raised_by: Party = "candidate"
    words: Personal[Words | None] = None


class EndPlacement(Command):
    """Report that a placement is over: reneged, no-start, fall-off or completed."""

    name: Literal["end-placement"] = "end-placement"
    placement_id: Id
    how: PlacementEnd
    ended_by: Party = "unknown"
    ended_on: GivenMoment | None = None
    reason_code: Code = "unspecified"
    reason: Personal[Words | None] = None


class InvokeGuarantee(Command):
    """Report that the client asks for what the guarantee promises; the agreed remedy if none is named."""

    name: Literal["invoke-guarantee"] = "invoke-guarantee"
    placement_id: Id
    remedy: Remedy | None = None


class RecordPositionHeld(Command):
    """Report that a job is on hold while a submission to it is alive."""

    name: Literal["record-position-held"] = "record-position-held"
    job_order_id: Id
    until: GivenMoment | None = None


class RecordPositionResumed(Command):
    """Report that a job that was on hold goes on."""

    name: Literal["record-position-resumed"] = "record-position-resumed"
    job_order_id: Id


class RecordPositionOwner(Command):
    """Report that somebody else answers for a client's job, wherever one of the previous ones did so here."""

    name: Literal["record-position-owner"] = "record-position-owner"
    job_order_id: Id
    owner: Id
    previous: tuple[Id, ...]


class RecordPositionFilled(Command):
    """Report that a job order is gone while a submission to it was still alive."""

    name: Literal["record-position-filled"] = "record-position-filled"
    job_order_id: Id
    how: Literal["filled", "closed"] = "filled"


class AnnulEvent(Command):
    """Declare an earlier event wrong: it no longer counts, and stays visible."""

    name: Literal["annul-event"] = "annul-event"
    event_id: UUID
    reason: Personal[Words | None] = None


class AcknowledgeEscalation(Command):
    """Take an escalation on, with a plan."""

    name: Literal["acknowledge-escalation"] = "acknowledge-escalation"
    escalation_id: UUID
    by: Id | None = None
    plan_by: GivenMoment | None = None
    plan: Personal[Words | None] = None


class ExcuseObligation(Command):
    """Say why a promise need not be kept, or a breach does not count; only who does not owe it may."""

    name: Literal["excuse-obligation"] = "excuse-obligation"
    obligation_id: UUID
    by: Id | None = None
    reason: Code
    words: Personal[Words | None] = None


class RecordOutreach(Command):
    """Tell what became of an owed message; only the engine's own activities send it."""

    name: Literal["record-outreach"] = "record-outreach"
    effect_id: UUID
    outcome: Literal["sent", "failed", "withheld"]
    person: Id | None = None
    attempt: int = 1
    message_id: str = ""
    reason: Code = "unspecified"
    says: str = ""


class RefuseMessage(Command):
    """Record that a message could not be applied; made by the engine, never accepted from outside."""

    name: Literal["refuse-message"] = "refuse-message"
    message: str
    reason: Code
    says: str


AnyCommand = Annotated[
    OpenEngagement
    | AdoptPolicy
    | Assign
    | Reassign
    | GoLive
    | NoteOffice
    | SetQuietHours
    | StopOutreach
    | AllowOutreach
    | RecordBounce
    | CompleteIntake
    | Pause
    | RecordPause
    | Resume
    | GoDormant
    | Withdraw
    | CloseEngagement
    | RecordContact
    | RecordAttempt
    | RecordMessage
    | RequestCall
    | IntroduceRecruiter
    | RecordFacet
    | RetireFacet
    | PlayBackProfile
    | ConfirmProfile
    | RecordNoMatch
    | DeclineMatch
    | RecordApplication
    | LinkApplication
    | DeclineApplication
    | RecordCheck
    | ProposeJob
    | RecordProposal
    | AnswerProposal
    | GrantRightToRepresent
    | RevokeRightToRepresent
    | Submit
    | RecordSubmission
    | RecordClientAnswer
    | RecordClientTalk
    | OpenConflict
    | AddConflictEvidence
    | ResolveConflict
    | RequestInterview
    | ScheduleInterview
    | RecordInterviewScheduled
    | MoveInterview
    | CancelInterview
    | RecordInterviewHeld
    | RecordInterviewMissed
    | ExplainNoShow
    | RecordInterviewResult
    | PassOnFeedback
    | RecordOffer
    | ReviseOffer
    | NoteCounterOffer
    | AcceptOffer
    | DeclineOffer
    | WithdrawOffer
    | SettleSubmission
    | RecordPlacementTerms
    | MoveStart
    | ConfirmStart
    | ExtendContract
    | ConvertPlacement
    | RaiseConcern
    | EndPlacement
    | InvokeGuarantee
    | RecordPositionHeld
    | RecordPositionResumed
    | RecordPositionOwner
    | RecordPositionFilled
    | AnnulEvent
    | AcknowledgeEscalation
    | ExcuseObligation
    | RecordOutreach
    | RefuseMessage,
    Field(discriminator="name"),
]

ANY_COMMAND: TypeAdapter[Any] = TypeAdapter(AnyCommand)

# Only the engine itself gives these; a door refuses them from anybody else.
INTERNAL = frozenset({"record-outreach", "refuse-message", "go-live"})


class Order(BaseModel):
    """A command with who gave it, when it happened, and why; what crosses every door."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    command_id: CommandId
    command: AnyCommand
    actor: Actor
    source: Code = "cli"
    at: GivenMoment | None = Field(default=None, description="when it happened; None: when it is decided")
    causation_id: UUID | None = None
    correlation_id: Id | None = None
    expected_version: int | None = Field(
        default=None, ge=0, description="the stream's version for which it is given; None: any"
    )
