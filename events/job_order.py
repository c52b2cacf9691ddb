"""A job order: a client's request to fill a job, told in one file: events, commands, fold, decisions.

The events are stored formats.  A report of what the client did is never refused for coming late; only what
contradicts the record is.
"""

from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar, Final, Literal, assert_never, get_args

from pydantic import Field

from events.catalogue import Event
from events.codec import registry_of
from events.commands import Command, Intent
from events.errors import InvalidCommand, UnknownReference, WrongState
from events.kinds import Code, Id, Moment
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


class JobOrderFilled(Event):
    """An opening is taken by a candidate of ours; without an engagement, every one by the client itself."""

    type: Literal["job-order-filled"] = "job-order-filled"
    engagement_id: Id | None = None
    submission_id: Id | None = None
    openings_left: int = Field(default=0, ge=0, description="0: the whole order is filled")


class JobOrderClosed(Event):
    """The client looks for nobody any more."""

    type: Literal["job-order-closed"] = "job-order-closed"
    reason: Code


class ClientContactChanged(Event):
    """Another person of the client answers for the job; no recruiter changes by it."""

    type: Literal["client-contact-changed"] = "client-contact-changed"
    contact: Id


AnyJobOrderEvent = Annotated[
    JobOrderOpened
    | IntakeStopped
    | SubmissionReceived
    | JobOrderFilled
    | JobOrderClosed
    | ClientContactChanged,
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


class FillJobOrder(Command):
    """Report that an opening is taken; naming nobody says that the client filled the job without us."""

    name: Literal["fill-job-order"] = "fill-job-order"
    engagement_id: Id | None = None
    submission_id: Id | None = None


class CloseJobOrder(Command):
    """Report that the client looks for nobody any more."""

    name: Literal["close-job-order"] = "close-job-order"
    reason: Code = "unspecified"


class ChangeClientContact(Command):
    """Report which person of the client answers for the job now."""

    name: Literal["change-client-contact"] = "change-client-contact"
    contact: Id


AnyJobOrderCommand = Annotated[
    OpenJobOrder | StopIntake | RecordSubmissionReceived | FillJobOrder | CloseJobOrder | ChangeClientContact,
    Field(discriminator="name"),
]
COMMANDS: Final[dict[str, type[Command]]] = {
    each.model_fields["name"].default: each for each in get_args(get_args(AnyJobOrderCommand)[0])
}

# -- state --------------------------------------------------------------------------------------

Phase = Literal["unopened", "open", "intake-stopped", "filled", "closed"]


@dataclass(frozen=True, slots=True)
class JobOrder:
    """What a job order is after its events; it holds nothing personal."""

    job_order_id: str = ""
    phase: Phase = "unopened"
    client_id: str | None = None
    contact: str | None = None
    owner: str | None = None
    openings: int = 0
    openings_left: int = 0
    received: dict[str, str] = field(default_factory=dict)
    """Every submission's engagement."""
    filled_by: tuple[tuple[str | None, str | None], ...] = ()
    """Engagement and submission of each fill, in order."""

    @property
    def alive(self) -> dict[str, str]:
        """Give the submissions that nobody was hired from, with their engagements: who is still waiting.

        A withdrawal or a client's no is known to the engagement, not here.
        """
        hired = {engagement for engagement, _ in self.filled_by if engagement is not None}
        filled = {submission for _, submission in self.filled_by if submission is not None}
        return {
            submission: engagement
            for submission, engagement in self.received.items()
            if submission not in filled and engagement not in hired
        }


def initial(job_order_id: str) -> JobOrder:
    """Give the state before the first event."""
    return JobOrder(job_order_id=job_order_id)


def evolve(state: JobOrder, event: AnyJobOrderEvent) -> JobOrder:
    """Fold one event in.  Never raises: the past is not open to objection."""
    match event:
        case JobOrderOpened():
            return replace(
                state,
                job_order_id=event.job_order_id,
                phase="open",
                client_id=event.client_id,
                contact=event.contact,
                owner=event.owner,
                openings=event.openings,
                openings_left=event.openings,
            )
        case IntakeStopped():
            return replace(state, phase="intake-stopped")
        case SubmissionReceived():
            return replace(state, received={**state.received, event.submission_id: event.engagement_id})
        case JobOrderFilled():
            return replace(
                state,
                phase="filled" if event.openings_left == 0 else state.phase,
                openings_left=event.openings_left,
                filled_by=(*state.filled_by, (event.engagement_id, event.submission_id)),
            )
        case JobOrderClosed():
            return replace(state, phase="closed")
        case ClientContactChanged():
            return replace(state, contact=event.contact)
        case _:
            assert_never(event)


# -- decisions ----------------------------------------------------------------------------------


def decide(command: AnyJobOrderCommand, state: JobOrder, at: Moment) -> list[AnyJobOrderEvent]:
    """Give the events that a command leads to; none when it says what is known already.

    :raises UnknownReference: the job order was never opened.
    :raises WrongState: the command contradicts what has happened.
    :raises InvalidCommand: its fields contradict each other, or the stream.
    """
    if isinstance(command, OpenJobOrder):
        return _open(command, state, at)
    if state.phase == "unopened":
        raise UnknownReference("job order", state.job_order_id, "open it first with open-job-order")
    match command:
        case StopIntake():
            return _stop_intake(state, at)
        case RecordSubmissionReceived():
            return _receive(command, state, at)
        case FillJobOrder():
            return _fill(command, state, at)
        case CloseJobOrder():
            return [] if state.phase == "closed" else [JobOrderClosed(at=at, reason=command.reason)]
        case ChangeClientContact():
            _must_run(state, "its contact cannot change")
            return (
                []
                if command.contact == state.contact
                else [ClientContactChanged(at=at, contact=command.contact)]
            )
        case _:
            assert_never(command)


def closes(event: AnyJobOrderEvent) -> bool:
    """Tell whether the stream takes only late reports from this event on."""
    return isinstance(event, JobOrderClosed)


def _open(command: OpenJobOrder, state: JobOrder, at: Moment) -> list[AnyJobOrderEvent]:
    if command.job_order_id != state.job_order_id:
        raise InvalidCommand(
            f"job_order_id '{command.job_order_id}' does not fit the stream job-order:{state.job_order_id}; "
            "give both the same id"
        )
    if state.phase == "unopened":
        return [JobOrderOpened(at=at, **{name: getattr(command, name) for name in _OPENING})]
    if (state.client_id, state.openings) == (command.client_id, command.openings):
        return []
    raise WrongState(f"job order '{state.job_order_id}' is open already, with other terms; use another id")


_OPENING: Final = ("job_order_id", "client_id", "contact", "title", "openings", "owner")


def _stop_intake(state: JobOrder, at: Moment) -> list[AnyJobOrderEvent]:
    _must_run(state, "it takes no candidates any more")
    if state.phase == "filled":
        raise WrongState(f"job order '{state.job_order_id}' is filled; it takes no candidates any more")
    return [] if state.phase == "intake-stopped" else [IntakeStopped(at=at)]


def _receive(command: RecordSubmissionReceived, state: JobOrder, at: Moment) -> list[AnyJobOrderEvent]:
    known = state.received.get(command.submission_id)
    if known is None:
        return [
            SubmissionReceived(
                at=at, engagement_id=command.engagement_id, submission_id=command.submission_id
            )
        ]
    if known == command.engagement_id:
        return []
    raise WrongState(
        f"submission '{command.submission_id}' belongs to engagement '{known}'; give it another id"
    )


def _fill(command: FillJobOrder, state: JobOrder, at: Moment) -> list[AnyJobOrderEvent]:
    _must_run(state, "it cannot be filled")
    if command.submission_id is not None and command.engagement_id is None:
        raise InvalidCommand("a submission_id needs its engagement_id; give both or neither")
    if (command.engagement_id, command.submission_id) in state.filled_by:
        return []
    if state.phase == "filled":
        if command.engagement_id is None:
            return []
        raise WrongState(f"job order '{state.job_order_id}' has no opening left; it is filled")
    left = state.openings_left - 1 if command.engagement_id is not None else 0
    return [
        JobOrderFilled(
            at=at,
            engagement_id=command.engagement_id,
            submission_id=command.submission_id,
            openings_left=left,
        )
    ]


def _must_run(state: JobOrder, so: str) -> None:
    if state.phase == "closed":
        raise WrongState(f"job order '{state.job_order_id}' is closed; {so}")
