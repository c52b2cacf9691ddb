"""What schemathesis loads beside its own: ids that are there, which no generator would guess.

Which one stands in for what was made up follows from what was made up, so that a seed repeats a run.
"""

import json
import os
from typing import Any, Final
from zlib import crc32

import schemathesis

THERE: Final = "RAPPORT_FUZZ_THERE"
"""The variable that holds the ids, by the name of the parameter, as JSON."""


@schemathesis.hook
def map_path_parameters(_: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """Put an id that is there in two of three places."""
    if not path_parameters:
        return path_parameters
    known: dict[str, list[str]] = json.loads(os.environ[THERE])
    return {name: _or_there(given, known.get(name, ())) for name, given in path_parameters.items()}


def _or_there(given: Any, known: Any) -> Any:
    number = crc32(repr(given).encode(errors="replace"))
    return known[number // 3 % len(known)] if known and number % 3 else given
