"""A job order, a client's request to fill a job: every event of it, and every command to it.

Each event is a stored format: never rename a field or change its meaning; add an event and an upcaster
instead.  The fold is in ``job_order_state``, the decisions are in ``job_order_decisions``.
"""

from typing import Annotated, ClassVar, Final, Literal, get_args

from pydantic import Field

from events.catalogue import Event, RefundStep
from events.codec import registry_of
from events.commands import Command, Intent
from events.kinds import Code, GivenMoment, Id, Moment, PlacementKind, Remedy
from events.personal import Personal

# -- events -------------------------------------------------------------------------------------


class JobOrderOpened(Event):
    """A client asks the agency to fill a job."""

    type: Literal["job-order-opened"] = "job-order-opened"
    job_order_id: Id
    client_id: Id | None = None
    contact: Id | None = Field(default=None, description="the client's person to talk to; never a team lead")
    title: Personal[str | None] = None
    openings: int = Field(default=1, ge=1)
    owner: Id | None = Field(default=None, description="the recruiter who answers for the client's job")


class IntakeStopped(Event):
    """The client takes no new candidates; those already there stay alive."""

    type: Literal["intake-stopped"] = "intake-stopped"


class SubmissionReceived(Event):
    """A candidate was presented for this job."""

    type: Literal["submission-received"] = "submission-received"
    after_close: ClassVar[bool] = True
    engagement_id: Id
    submission_id: Id


class JobOrderHeld(Event):
    """The client decides nothing for now; those already there stay alive, and wait."""

    type: Literal["job-order-held"] = "job-order-held"
    until: Moment | None = Field(
        default=None, description="when the client means to go on; the hold lasts until the client does"
    )
    reason: Code = "unspecified"


class JobOrderResumed(Event):
    """The client decides again."""

    type: Literal["job-order-resumed"] = "job-order-resumed"


class OpeningsChanged(Event):
    """The client wants more people, or fewer."""

    type: Literal["openings-changed"] = "openings-changed"
    openings: int = Field(ge=1, description="in all, taken ones included")
    openings_left: int = Field(ge=0, description="0: the whole order is filled")


class JobOrderFilled(Event):
    """An opening is taken by a candidate of ours; without an engagement, every one by the client itself."""

    type: Literal["job-order-filled"] = "job-order-filled"
    engagement_id: Id | None = None
    submission_id: Id | None = None
    openings_left: int = Field(default=0, ge=0, description="0: the whole order is filled")


class JobOrderReopened(Event):
    """A hire came to nothing and its opening is free again; without an engagement, those the client took."""

    type: Literal["job-order-reopened"] = "job-order-reopened"
    engagement_id: Id | None = None
    submission_id: Id | None = None
    openings_left: int = Field(ge=1)
    reason: Code = "unspecified"


class JobOrderTermsRecorded(Event):
    """What the client and the agency agreed for every placement of this order; again: new terms."""

    type: Literal["job-order-terms-recorded"] = "job-order-terms-recorded"
    after_close: ClassVar[bool] = True
    kind: PlacementKind = "unknown"
    guarantee_days: int | None = Field(default=None, description="counted from the first paid day")
    remedy: Remedy = "none"
    refund_steps: tuple[RefundStep, ...] = ()


class JobOrderClosed(Event):
    """The client looks for nobody any more."""

    type: Literal["job-order-closed"] = "job-order-closed"
    reason: Code


class ClientContactChanged(Event):
    """Another person of the client answers for the job; no recruiter changes by it."""

    type: Literal["client-contact-changed"] = "client-contact-changed"
    contact: Id


class JobOrderOwnerChanged(Event):
    """Another recruiter answers for the client's job; those presented for it go with it."""

    type: Literal["job-order-owner-changed"] = "job-order-owner-changed"
    after_close: ClassVar[bool] = True
    owner: Id
    previous: Id | None = None
    reason: Code = "unspecified"


AnyJobOrderEvent = Annotated[
    JobOrderOpened
    | IntakeStopped
    | SubmissionReceived
    | JobOrderHeld
    | JobOrderResumed
    | OpeningsChanged
    | JobOrderFilled
    | JobOrderReopened
    | JobOrderTermsRecorded
    | JobOrderClosed
    | ClientContactChanged
    | JobOrderOwnerChanged,
    Field(discriminator="type"),
]
EVENTS: Final[dict[str, type[Event]]] = registry_of(AnyJobOrderEvent)

# -- commands -----------------------------------------------------------------------------------


class OpenJobOrder(Intent):
    """Take on a client's job.  The first command of every job order."""

    name: Literal["open-job-order"] = "open-job-order"
    job_order_id: Id
    client_id: Id | None = None
    contact: Id | None = None
    title: Personal[str | None] = None
    openings: int = Field(default=1, ge=1, le=1000)
    owner: Id | None = None


class StopIntake(Command):
    """Report that the client takes no new candidates."""

    name: Literal["stop-intake"] = "stop-intake"


class RecordSubmissionReceived(Command):
    """Report that a candidate has been presented for this job."""

    name: Literal["record-submission-received"] = "record-submission-received"
    engagement_id: Id
    submission_id: Id


class HoldJobOrder(Command):
    """Report that the client decides nothing for now; again with another date or reason: what holds now."""

    name: Literal["hold-job-order"] = "hold-job-order"
    until: GivenMoment | None = None
    reason: Code = "unspecified"


class ResumeJobOrder(Command):
    """Report that the client decides again."""

    name: Literal["resume-job-order"] = "resume-job-order"


class ChangeOpenings(Command):
    """Report how many people the client wants in all."""

    name: Literal["change-openings"] = "change-openings"
    openings: int = Field(ge=1, le=1000)


class FillJobOrder(Command):
    """Report that an opening is taken; naming nobody says that the client filled the job without us."""

    name: Literal["fill-job-order"] = "fill-job-order"
    engagement_id: Id | None = None
    submission_id: Id | None = None


class ReopenJobOrder(Command):
    """Report that a hire came to nothing; naming nobody says that the client's own did."""

    name: Literal["reopen-job-order"] = "reopen-job-order"
    engagement_id: Id | None = None
    submission_id: Id | None = None
    reason: Code = "unspecified"


class RecordJobOrderTerms(Command):
    """Report what the client agreed to for every placement of this order."""

    name: Literal["record-job-order-terms"] = "record-job-order-terms"
    placement_kind: PlacementKind = "unknown"
    guarantee_days: int | None = Field(default=None, ge=0, le=3650)
    remedy: Remedy = "none"
    refund_steps: tuple[RefundStep, ...] = Field(default=(), max_length=100)


class CloseJobOrder(Command):
    """Report that the client looks for nobody any more."""

    name: Literal["close-job-order"] = "close-job-order"
    reason: Code = "unspecified"


class ChangeClientContact(Command):
    """Report which person of the client answers for the job now."""

    name: Literal["change-client-contact"] = "change-client-contact"
    contact: Id


class ChangeJobOrderOwner(Command):
    """Hand the client's job over to another recruiter; of a closed one too, whose placements go on."""

    name: Literal["change-job-order-owner"] = "change-job-order-owner"
    owner: Id
    reason: Code = "unspecified"


AnyJobOrderCommand = Annotated[
    OpenJobOrder
    | StopIntake
    | RecordSubmissionReceived
    | HoldJobOrder
    | ResumeJobOrder
    | ChangeOpenings
    | FillJobOrder
    | ReopenJobOrder
    | RecordJobOrderTerms
    | CloseJobOrder
    | ChangeClientContact
    | ChangeJobOrderOwner,
    Field(discriminator="name"),
]
COMMANDS: Final[dict[str, type[Command]]] = {
    each.model_fields["name"].default: each for each in get_args(get_args(AnyJobOrderCommand)[0])
}
