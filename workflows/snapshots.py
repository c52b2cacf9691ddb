"""The state as it travels from one run to the next, instead of the whole stream.

A snapshot is only a shortcut: code of another edition loads the stream from its beginning.
"""

from typing import Final

from pydantic import ValidationError

from events.fold import EDITION
from events.state import STATE, Engagement
from workflows.types import Snapshot

OURS: Final = str(EDITION)


def take(state: Engagement, edition: str = OURS) -> Snapshot:
    """Write the state down, under the edition of the code that folded the oldest part of it."""
    return Snapshot(edition=edition, version=state.version, state=STATE.dump_json(state).decode())


def read(snapshot: Snapshot | None) -> Engagement:
    """Read the state back; an unreadable one counts as none."""
    if snapshot is None:
        return Engagement()
    try:
        return STATE.validate_json(snapshot.state)
    except ValidationError:
        return Engagement()


def loaded_from(snapshot: Snapshot | None) -> int:
    """Tell after which version the stream must be loaded."""
    usable = snapshot is not None and snapshot.edition == OURS and read(snapshot).version > 0
    return snapshot.version if usable and snapshot is not None else 0
