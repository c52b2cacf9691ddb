"""Where in a message something stands: ``body.payload.jobs[0].id``, ``headers.link``, ``item.status``.

A path only reads; what it does not find is None, whatever the message looks like.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from events.integrations.message import Message
from events.integrations.rules import Condition, Conditions

ROOTS: Final = ("body", "headers", "fetched", "item")
_PATH: Final = re.compile(r"(?:body|headers|fetched|item)(?:\.[^.\[\]\s]+|\[[0-9]{1,4}\])*")
_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[([0-9]+)\]")
_LONGEST_ID: Final = 200
# The name of a stage or a status is the client's word and nobody's secret, unless it is an address.
_PUBLIC: Final = re.compile(r"stage|status|recommendation|action|type", re.IGNORECASE)
# What stands there may be somebody's own words; a code or an id is not.
_PERHAPS: Final = re.compile(r"reason|result|decision|verdict", re.IGNORECASE)
_CODE: Final = re.compile(r"[A-Za-z0-9._:-]+")
_LONGEST_SHOWN: Final = 60


@dataclass(frozen=True, slots=True)
class Source:
    """What paths read: a message, and the item of it that is looked at."""

    message: Message
    item: Any = None

    def find(self, path: str) -> Any:
        """Give what stands at a path; None: nothing, or an empty text."""
        root, steps = _steps(path)
        found: Any = self.item if root == "item" else getattr(self.message, root)
        for step in steps:
            if isinstance(step, int):
                found = found[step] if isinstance(found, list) and step < len(found) else None
            else:
                # Headers are any mapping; a body's objects are dicts.
                found = found.get(step) if hasattr(found, "get") else None
        return None if found == "" else found

    def fits(self, conditions: Conditions) -> bool:
        """Tell whether all conditions hold."""
        return all(meets(self.find(path), wanted) for path, wanted in conditions.items())

    def external(self, path: str) -> str | None:
        """Give the foreign id that stands at a path; None: nothing there can be one."""
        found = self.find(path)
        if isinstance(found, int) and not isinstance(found, bool) and abs(found) < 10**40:
            return str(found)
        usable = isinstance(found, str) and len(found) <= _LONGEST_ID and found.isprintable()
        return str(found) if usable else None


def is_path(text: str) -> bool:
    """Tell whether a text is a path."""
    return _PATH.fullmatch(text) is not None


def of_item(path: str) -> bool:
    """Tell whether a path reads the item that is looked at."""
    return _steps(path)[0] == "item"


def of_fetched(path: str) -> bool:
    """Tell whether a path reads what the provider's API said."""
    return _steps(path)[0] == "fetched"


def worded(value: Any) -> str | None:
    """Write what was found as the one text it is compared by; None: it is no single value."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return value
    if isinstance(value, int) and abs(value) >= 10**40:
        return None
    return str(value) if isinstance(value, int | float) else None


def shown(path: str, value: Any) -> str | None:
    """Show a value that cannot be personal, in quotes: the name of a stage or a status; else None."""
    text = worded(value)
    if text is None or len(text) > _LONGEST_SHOWN or not text.isprintable() or "@" in text:
        return None
    names = [str(step) for step in _steps(path)[1][-2:]]
    public = any(_PUBLIC.search(name) for name in names)
    coded = any(_PERHAPS.search(name) for name in names) and _CODE.fullmatch(text)
    return f'"{text}"' if public or coded else None


def meets(value: Any, condition: Condition) -> bool:
    """Tell whether a value is one of several, or there at all."""
    if isinstance(condition, bool):
        return (value is not None) is condition
    text = worded(value)
    return text is not None and text in {worded(each) for each in condition}


@lru_cache(maxsize=4096)
def _steps(path: str) -> tuple[str, tuple[str | int, ...]]:
    root = re.split(r"[.\[]", path, maxsplit=1)[0]
    steps = tuple(found[1] or int(found[2]) for found in _STEP.finditer(path, len(root)))
    return root, steps
