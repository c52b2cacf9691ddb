"""The state as it travels from one run to the next, instead of the whole stream.

A snapshot is only a shortcut: code of another edition loads the stream from its beginning.  Under replay it
still has to read one of an older edition, since what was loaded then is all that replay gets.
"""

import json
from collections.abc import Callable, Mapping
from typing import Final

from pydantic import ValidationError

from events.fold import EDITION
from events.state import STATE, Engagement
from workflows.types import Snapshot

OURS: Final = str(EDITION)


def _with_kinds(text: str) -> str:
    # Of a check its id alone was kept: it passes no gate.
    state = json.loads(text)
    unknown = {"kind": "", "outcome": "", "at": "1970-01-01T00:00:00Z"}
    return json.dumps({**state, "checks": dict.fromkeys(state["checks"], unknown)})


# Edition -> what gives its state, as JSON, the shape that it has now.
_RESHAPED: Final[Mapping[str, Callable[[str], str]]] = {"1": _with_kinds, "2": _with_kinds}


def take(state: Engagement, edition: str = OURS) -> Snapshot:
    """Write the state down, under the edition of the code that folded it."""
    return Snapshot(edition=edition, version=state.version, state=STATE.dump_json(state).decode())


def read(snapshot: Snapshot | None) -> Engagement:
    """Read the state back; an unreadable one counts as none."""
    if snapshot is None:
        return Engagement()
    reshaped = _RESHAPED.get(snapshot.edition)
    try:
        return STATE.validate_json(snapshot.state if reshaped is None else reshaped(snapshot.state))
    except ValidationError:
        return Engagement()


def loaded_from(snapshot: Snapshot | None) -> int:
    """Tell after which version the stream must be loaded."""
    usable = snapshot is not None and snapshot.edition == OURS and read(snapshot).version > 0
    return snapshot.version if usable and snapshot is not None else 0
