"""The table of settings in the README, made from the settings themselves: ``--write`` it, or ``--check`` it.

A setting is told where it is defined; nobody edits the table.
"""

import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from workers.generated import README, keep
from workers.settings import variables


def table() -> str:
    """This will write the table in Markdown, a row for each variable."""
    return "".join(["| name | means |\n|---|---|\n", *_rows()])


def main(arguments: list[str], readme: Path = README) -> int:
    """Write the table into the README, or compare it; returns the exit code."""
    return keep("settings", "workers.settings_table", table(), arguments, readme)


def _rows() -> Iterator[str]:
    for name, field in variables().items():
        default = _default(field)
        yield f"| `{name}` | {field.description}{f' ({default})' if default else ''} |\n"


def _default(field: FieldInfo) -> str:
    value: Any = field.default
    if value is None or value is PydanticUndefined or value == () or field.default_factory is not None:
        return ""
    if isinstance(value, bool):
        return f"`{int(value)}`"
    return f"`{value.value if isinstance(value, Enum) else value}`"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
