"""What differs between two states, field by field, with the old and the new value.

Exactly the changed fields: every change named is one, and together they turn the old state into the new.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

Row = dict[str, Any]
_ABSENT: Final = object()


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Row]:
    """List the fields that differ, by their path.

    A list counts as one value.  An entry that came or went is one change, with all that it holds.
    """
    return [
        {
            "field": ".".join(path),
            "path": list(path),
            "change": "added" if before is _ABSENT else "removed" if after is _ABSENT else "changed",
            "old": None if before is _ABSENT else before,
            "new": None if after is _ABSENT else after,
        }
        for path, before, after in _walk((), old, new)
    ]


def _walk(path: tuple[str, ...], old: Any, new: Any) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in dict.fromkeys((*old, *new)):
            yield from _walk((*path, name), old.get(name, _ABSENT), new.get(name, _ABSENT))
    elif old != new:
        yield path, old, new
