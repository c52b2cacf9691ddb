"""What crosses between an engagement's workflow and its callers, and from one of its runs to the next.

Every field has a default: a workflow that is started with nothing still loads all it needs from the log.
"""

from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from events.clock import ClockSpec
from events.commands import Order

ENGAGEMENTS_QUEUE: Final = "rapport-engagements"
WORKFLOW: Final = "Engagement"
SWEEP: Final = "Sweep"
# The schedule's id, and the beginning of the id of each workflow that it starts.
SWEEP_ID: Final = "rapport-sweep"
POLL: Final = "Poll"
POLLS_ID: Final = "rapport-polls"
POKE: Final = "poke"
STATE_QUERY: Final = "state"
OBLIGATIONS_QUERY: Final = "obligations"

# Metadata that the codec puts on a payload it hands to a workflow, and that no stranger can forge.
ENCRYPTED_MARK: Final = "rapport-encrypted"
DIGEST_MARK: Final = "rapport-digest"

# The type of the error that asks a caller to send the same command again, under the same id.
DRAINING: Final = "Draining"
# The type of the error that says that the id belongs to a command of another content.
REUSED: Final = "CommandIdReused"


def workflow_id(agency: str, engagement_id: str) -> str:
    """Name the workflow of an engagement."""
    return f"engagement:{agency}:{engagement_id}"


def parse_workflow_id(text: str) -> tuple[str, str] | None:
    """Read the agency and the engagement's id back, or None if this is no engagement's workflow."""
    kind, _, rest = text.partition(":")
    agency, _, engagement_id = rest.partition(":")
    return (agency, engagement_id) if kind == "engagement" and agency and engagement_id else None


class RunSettings(BaseModel):
    """How a run behaves; all its runs keep the settings of the first."""

    model_config = ConfigDict(frozen=True)

    roll_over_at: int = Field(
        default=800, description="history events after which a run makes place for the next"
    )
    batch: int = Field(default=64, description="commands that are decided and appended in one go")
    search_attributes: bool = Field(default=True, description="False for a server that does not know them")
    local_append_seconds: float = Field(default=8.0, description="then a normal activity takes over")


class Snapshot(BaseModel):
    """The state as one run left it; of use only to code of the same edition."""

    model_config = ConfigDict(frozen=True)

    edition: str
    version: int
    state: str = Field(description="the state as JSON, as events.state.STATE writes it")


class Letter(BaseModel):
    """One inbound message, read: an order to decide, and how it came."""

    model_config = ConfigDict(frozen=True)

    order: Order
    digest: str = Field(default="", description="the codec's keyed digest of the raw content")
    derived_id: str = Field(
        default="", description="under which its refusal is recorded; empty for an update"
    )


class EngagementInput(BaseModel):
    """The input of every run of an engagement's workflow."""

    model_config = ConfigDict(frozen=True)

    agency: str = Field(default="", description="empty: as the workflow id says")
    engagement_id: str = ""
    clock: ClockSpec = Field(
        default=ClockSpec(), description="of an engagement that is new; the log knows any other's"
    )
    snapshot: Snapshot | None = None
    inbox: tuple[Letter, ...] = Field(default=(), description="signals that the last run did not come to")
    signals: int = Field(default=0, description="how many signals this chain of runs has had")
    settings: RunSettings = RunSettings()


class CommandReply(BaseModel):
    """What a command came to: accepted, refused, nothing-to-do, message-refused or caught-up."""

    model_config = ConfigDict(frozen=True)

    command_id: str
    outcome: str
    version: int
    refused_by: str | None = None
    says: str | None = None
    remedy: str | None = None
    events: tuple[str, ...] = ()
    digest: str = Field(default="", description="keyed digest of the content this is the reply to")
