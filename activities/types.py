"""What crosses between workflows and activities: plain models, one in and one out per activity.

Workflow code imports this module: no driver, no clock, and a union only inside a model of its own.
"""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from events.clock import ClockSpec
from events.commands import RecordOutreach
from events.envelope import Actor, AppendRequest, Stored
from events.kinds import Code, GivenMoment, Id, Moment, Recipient, RuleId

__all__ = ["AppendRequest"]  # the input of the append activity, for whoever imports from here

# The task queue of outreach: a dead mail server must not hold up anything else.
OUTREACH_QUEUE = "rapport-outreach"


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


# -- recording ----------------------------------------------------------------------------------


class AppendedReply(_Data):
    """All groups are in the log; *events* are those stored for them, in version order."""

    status: Literal["appended"] = "appended"
    version: int
    events: tuple[Stored, ...]
    outcomes: dict[str, str]


class ConflictReply(_Data):
    """The stream is ahead, or some commands are known already; nothing was written.

    *missing* may stop short of *version* where it would be too large for one payload: load the rest.
    """

    status: Literal["conflict"] = "conflict"
    version: int
    missing: tuple[Stored, ...]
    known: dict[str, str] = Field(default_factory=dict, description="command ids to their stored outcomes")


class ReusedReply(_Data):
    """A command id came again with another content; nothing was written."""

    status: Literal["command-id-reused"] = "command-id-reused"
    command_id: str


class TakenReply(_Data):
    """Another stream holds what a group claims; nothing was written."""

    status: Literal["taken"] = "taken"
    command_id: str
    kind: str
    key: str
    holder: str


class FencedReply(_Data):
    """A newer run writes this stream; nothing was written."""

    status: Literal["fenced"] = "fenced"
    run_epoch: int


class StreamClosedReply(_Data):
    """The stream is closed and a group holds what a closed stream may not have; nothing was written."""

    status: Literal["stream-closed"] = "stream-closed"
    command_id: str


Reply = AppendedReply | ConflictReply | ReusedReply | TakenReply | FencedReply | StreamClosedReply


class AppendReply(_Data):
    """What the log said; wrapped, because a bare union costs forty times as much to decode."""

    result: Annotated[Reply, Field(discriminator="status")]


class LoadRequest(_Data):
    """Asks for one page of a stream."""

    agency: str
    stream: str
    after: int = 0
    begin_run: bool = Field(default=False, description="take a new run epoch first, fencing earlier runs")
    acked: int | None = Field(default=None, description="note that the writer has folded up to here")
    clock: ClockSpec | None = Field(
        default=None, description="the run's own, kept with the epoch where the stream has none yet"
    )


class LoadReply(_Data):
    """One page: while *more*, ask again after the last event, without beginning another run."""

    events: tuple[Stored, ...]
    version: int = Field(description="the stream's version in the log; 0 for a stream without events")
    more: bool
    run_epoch: int | None = Field(description="this run's epoch; None unless the request began one")
    phase: str = Field(description="importing, live or closed")
    clock: ClockSpec | None = Field(
        default=None, description="the one by which the stream's time goes; None: none was kept yet"
    )


class PolicyRequest(_Data):
    """Asks for a policy that the agency has adopted."""

    agency: str
    digest: str | None = Field(default=None, description="None: the one that the agency follows now")


class PolicyReply(_Data):
    """The canonical text of a policy; ``events.policy.read_policy`` reads it."""

    digest: str
    body: str


class OfficesRequest(_Data):
    """Asks where people of the agency work."""

    agency: str
    people: tuple[str, ...]


class OfficesReply(_Data):
    """Their offices; who has none, or is not known, is left out."""

    offices: dict[str, str]


# -- outreach -----------------------------------------------------------------------------------


class OutreachOrder(_Data):
    """One owed message, with all that its words need and nothing that names the candidate."""

    agency: str
    engagement_id: Id
    effect_id: UUID
    channel: Literal["email"] = "email"
    to: Recipient
    owner: Id | None = Field(default=None, description="who answers for what it is about")
    template: Code
    rule: RuleId | None = None
    says: str = Field(default="", description="the promise, in the policy's words")
    subject: str | None = None
    level: int = 0
    since: Moment | None = None
    due_at: Moment | None = None
    useful_until: Moment | None = None
    now: Moment = Field(description="domain time when the message was asked for")
    rate: float = Field(default=1.0, ge=0, description="domain seconds a second since; 0 for a stepped clock")


class OutreachOutcome(_Data):
    """What became of an owed message: ids and codes only, never a name or an address."""

    effect_id: UUID
    outcome: Literal["sent", "failed", "withheld"]
    person: Id | None = Field(default=None, description="who got it; None for the candidate or nobody")
    attempt: int = 1
    message_id: str = ""
    reason: Code = "unspecified"
    says: str = ""

    def command(self) -> RecordOutreach:
        """Give the report that brings this outcome into the engagement."""
        return RecordOutreach(**self.model_dump())


# -- sweeping -----------------------------------------------------------------------------------


class SweepReply(_Data):
    """What a sweep came to: how many engagements it found behind their log, by what it did about them."""

    acknowledged: int = Field(description="had all events in their history; noted without a poke")
    poked: int = Field(description="were told just now")
    waiting: int = Field(description="were told of this version before, and have not come to it")
    failed: int = Field(description="could not be reached; the worker's log says why")


# -- polling ------------------------------------------------------------------------------------


class PollReply(_Data):
    """What a tick of the polls came to."""

    polled: int = Field(description="connections whose provider was asked, and answered")
    failed: int = Field(description="connections that could not be; 'rapport stuck' says why")
    found: int = Field(description="messages that came into the inbox by it")


# -- commands to streams without a workflow -----------------------------------------------------


class StreamCommand(_Data):
    """A command to a job order's or an agency's stream, as it arrives from a door."""

    agency: str
    stream: str
    command_id: str = Field(min_length=1, max_length=200)
    name: str
    data: dict[str, Any] = Field(default_factory=dict, description="the command's own fields")
    actor: Actor
    source: Code = "cli"
    at: GivenMoment | None = Field(default=None, description="when it happened; None: when it is decided")
    decided_at: Moment | None = Field(default=None, description="the domain's time; None: the server's own")
    causation_id: UUID | None = None
    correlation_id: Id | None = None
    expected_version: int | None = Field(
        default=None, ge=0, description="the stream's version for which it is given; None: any"
    )


class CommandReply(_Data):
    """What a command came to: ``accepted`` or ``nothing-to-do``, and where the stream stands."""

    outcome: str
    version: int
