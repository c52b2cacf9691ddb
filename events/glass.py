"""Breaking the glass: who may see nothing personal opens one engagement for a while, and it is on record.

The event itself is the permission: nothing opens that is not written down first.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final, Literal

from pydantic import Field

from events.catalogue import Event
from events.commands import Command
from events.kinds import Id, Moment, Words
from events.personal import Personal

OPEN_FOR: Final = timedelta(minutes=15)


class BreakGlassUsed(Event):
    """Somebody without a right to personal data opened one engagement's, for a reason, until a time."""

    type: Literal["break-glass-used"] = "break-glass-used"
    engagement: Id
    credential: Id = Field(description="the id of the key or token for which it opens")
    by: Id | None = Field(default=None, description="the person, where the credential is a person's")
    until: Moment
    reason: Personal[Words | None] = None


class BreakGlass(Command):
    """Open the personal fields of one engagement to one credential for fifteen minutes."""

    name: Literal["break-glass"] = "break-glass"
    engagement: Id
    credential: Id
    by: Id | None = None
    reason: Personal[Words | None] = None


# Until when an engagement is open to a credential, by both of their ids.
Glasses = Mapping[str, Moment]


def broken(glasses: Glasses, event: BreakGlassUsed) -> dict[str, Moment]:
    """Fold one in; what has closed by then is forgotten."""
    still = {each: until for each, until in glasses.items() if until > event.at}
    return {**still, glass_key(event.engagement, event.credential): event.until}


def break_glass(command: BreakGlass, glasses: Glasses, at: Moment) -> list[BreakGlassUsed]:
    """Open it, unless it is open to this credential already."""
    until = glasses.get(glass_key(command.engagement, command.credential))
    if until is not None and until > at:
        return []
    return [
        BreakGlassUsed(
            at=at,
            engagement=command.engagement,
            credential=command.credential,
            by=command.by,
            until=at + OPEN_FOR,
            reason=command.reason,
        )
    ]


def is_open(glasses: Glasses, engagement: str, credential: str, at: Moment) -> bool:
    """Tell whether an engagement is open to a credential at a moment."""
    until = glasses.get(glass_key(engagement, credential))
    return until is not None and until > at


def glass_key(engagement: str, credential: str) -> str:
    """Name what is open to whom."""
    # No id holds a slash.
    return f"{engagement}/{credential}"
