"""What can be wrong with evidence: which check found it, where it is, and one sentence about it.

A sentence repeats ids, codes and field names only, never a value: those that are no such thing show as '?'.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

Check = Literal[
    "whole", "untouched", "order", "content", "chain", "opened", "policies", "head", "signature", "key"
]
# What each of them means, in the order in which people read them.
CHECKS: Final[dict[Check, str]] = {
    "whole": "the file is all there, from its first line to its signature",
    "untouched": "every line is as the file's own list of its lines says",
    "order": "the events are all there, each once and in order",
    "content": "each event's content is what its hash was made from",
    "chain": "each event follows from the one before it",
    "opened": "each opened value belongs to the sealed value that the event names",
    "policies": "each policy is the text whose digest the events name, and none is missing",
    "head": "the events lead to the agency's head",
    "signature": "the signature fits everything before it",
    "key": "the signature was made with the key that is known",
}
_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/ ()-]{0,119}")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is not as it was made."""

    check: Check
    says: str
    version: int | None = None
    field: str | None = None


def shown(text: object) -> str:
    """Show an id or a code; what is neither may be a person's words, or worse for a terminal."""
    return text if isinstance(text, str) and _CODE.fullmatch(text) else "?"


def listed(names: Sequence[str], most: int = 3) -> str:
    """Name a few things, and count the rest."""
    told = [f"'{shown(each)}'" for each in names[:most]]
    if len(names) > most:
        told.append(f"{len(names) - most} more")
    return told[0] if len(told) == 1 else f"{', '.join(told[:-1])} and {told[-1]}"
