"""What a receipt remembers of a command: what was asked or told, not by whom nor through which door.

A stored format: the same command must give the same text for ever, also after it has grown a field with
a default; so defaults are left out, and a default is never changed.
"""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from events.canonical import canonical

# An engagement goes live once, so its stream knows this id at most once.
GO_LIVE_ID = "import:go-live"
# The engine's own command ids; no door takes one of them from outside.
ENGINE_IDS = ("step:", "effect:", "follow:", "import:")


def input_of(command: BaseModel, at: datetime | None) -> str:
    """Write a command's canonical input: its name, what it says, and when it happened if it says so."""
    name = type(command).model_fields["name"].default
    said = command.model_dump(exclude_defaults=True, exclude={"name"})
    return canonical({"name": name, "said": said} if at is None else {"name": name, "said": said, "at": at})


def input_of_step(obligation: UUID, rung: int) -> str:
    """Write the input of a step, which no command of the world resembles."""
    return canonical({"step": obligation, "rung": rung})
