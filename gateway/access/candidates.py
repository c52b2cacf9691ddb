"""What a candidate says through their link: in their own name, with the link or a code as evidence.

A candidate names nobody of the agency and backdates nothing: whatever would do so is refused, not dropped.
"""

from collections.abc import Mapping
from typing import Any, Final

from activities.doors import PERSONS
from events.errors import InvalidCommand
from events.orders import COMMANDS

# Who a candidate is, where a command asks; fields that a candidate leaves to us.
_THEMSELVES: Final[Mapping[str, str]] = {"raised_by": "candidate"}
_USUALLY: Final[Mapping[str, str]] = {"channel": "portal"}
_NOT_THEIRS: Final = PERSONS | {"at", "message_id"}


def in_their_name(name: str, fields: Mapping[str, Any], evidence_ref: str) -> dict[str, Any]:
    """Give a candidate's command as it goes into the engagement; *evidence_ref* shows that it was them.

    :raises InvalidCommand: it names somebody of the agency, or a time.
    """
    for field in sorted(_NOT_THEIRS & fields.keys()):
        raise InvalidCommand(f"{name}: '{field}' is not a candidate's to say; leave it out")
    model = COMMANDS.get(name)
    known: set[str] = set(model.model_fields) if model is not None else set()
    own = {key: value for key, value in fields.items() if key not in ("evidence", "evidence_ref")}
    told = {**_USUALLY, **own, **_THEMSELVES}
    shown = {"evidence": "candidate-confirmed", "evidence_ref": evidence_ref}
    told |= {key: value for key, value in shown.items() if key in known}
    return {key: value for key, value in told.items() if key in known or key in own}
