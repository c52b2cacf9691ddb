"""What goes to stdout: one JSON value with stable keys, or text for people, coloured on terminals only.

Never print to stdout elsewhere in the command line: a script reads it.
"""

import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID


def emit(value: Any) -> None:
    """Print one JSON value on one line."""
    print(written(value), flush=True)


def line(text: str = "", *, style: str | None = None) -> None:
    """Print one line; *style* shows on a terminal only."""
    if style is None or not sys.stdout.isatty():
        print(text, flush=True)
        return
    from rich.console import Console

    Console(highlight=False, soft_wrap=True).print(text, style=style, markup=False)


def table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, styles: Mapping[int, str] | None = None
) -> None:
    """Print rows in columns; *styles* maps row numbers to one.  A pipe gets whole lines."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    terminal = sys.stdout.isatty()
    console = Console(highlight=False, width=None if terminal else _width(columns, rows))
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        shown.add_column(column, overflow="fold")
    for number, row in enumerate(rows):
        shown.add_row(*(Text(cell) for cell in row), style=(styles or {}).get(number))
    if terminal:
        console.print(shown)
        return
    with console.capture() as captured:
        console.print(shown)
    print("\n".join(row.rstrip() for row in captured.get().splitlines()), flush=True)


def _width(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    from rich.cells import cell_len

    widest = [max([cell_len(head), *(cell_len(row[at]) for row in rows)]) for at, head in enumerate(columns)]
    return sum(widest) + 2 * len(columns) + 2


def written(data: Any) -> str:
    """Write plain data as JSON in one line."""
    return json.dumps(data, ensure_ascii=False, default=plain)


def plain(value: object) -> Any:
    """Write a time, an id or a dataclass as JSON has it."""
    if isinstance(value, datetime):
        from events.canonical import instant

        return instant(value)
    if isinstance(value, UUID):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
    raise TypeError(f"{type(value).__name__} is not plain data")
