"""What goes to stdout and stderr: one JSON value with stable keys, or text for people, coloured on terminals.

Never print elsewhere: a script reads stdout, and what others wrote must not steer a terminal.
"""

import dataclasses
import json
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from gateway.cli.escaping import escaped, escaped_json

if TYPE_CHECKING:
    from rich.console import Console


def emit(value: Any) -> None:
    """Print one JSON value on one line."""
    print(written(value), flush=True)


async def emit_all(pages: AsyncIterator[Sequence[Any]]) -> None:
    """Print the items of all pages as one JSON array on one line, as they come."""
    before = "["
    async for page in pages:
        for each in page:
            print(before + written(each), end="")
            before = ", "
        sys.stdout.flush()
    print("[]" if before == "[" else "]", flush=True)


def line(text: str = "", *, style: str | None = None) -> None:
    """Print one line, whatever stands in it; *style* shows on a terminal only."""
    text = escaped(text)
    if style is None or not sys.stdout.isatty():
        print(text, flush=True)
        return
    console(soft_wrap=True).print(text, style=style, markup=False)


def block(text: str) -> None:
    """Print text that is laid out in several lines."""
    print(escaped(text, layout=True), flush=True)


def complain(text: str) -> None:
    """Tell people something beside the result, on stderr."""
    print(escaped(text, layout=True), file=sys.stderr)


def console(*, stderr: bool = False, soft_wrap: bool = False, width: int | None = None) -> "Console":
    """Give a console for reports and bars, which escapes as everything here does."""
    from gateway.cli.console import EscapingConsole

    return EscapingConsole(stderr=stderr, highlight=False, soft_wrap=soft_wrap, width=width)


class Sheet:
    """A table that is printed as its rows come; a pipe gets whole lines, in columns that only ever grow."""

    def __init__(self, columns: Sequence[str]) -> None:
        self.begun = False
        self._columns = columns
        self._widths = [0 for _ in columns]

    def add(self, rows: Sequence[Sequence[str]], *, styles: Mapping[int, str] | None = None) -> None:
        """Print some more rows; *styles* maps their numbers to one."""
        from rich.cells import cell_len
        from rich.table import Table
        from rich.text import Text

        rows = [[escaped(cell) for cell in row] for row in rows]
        for at, column in enumerate(self._columns):
            self._widths[at] = max(self._widths[at], cell_len(column), *(cell_len(row[at]) for row in rows))
        terminal = sys.stdout.isatty()
        # A terminal folds what is too wide anew for each page, so there each has its own head.
        shown = Table(box=None, pad_edge=False, header_style="bold", show_header=terminal or not self.begun)
        for column, width in zip(self._columns, self._widths, strict=True):
            shown.add_column(column, overflow="fold", min_width=None if terminal else width)
        for number, row in enumerate(rows):
            shown.add_row(*(Text(cell) for cell in row), style=(styles or {}).get(number))
        self.begun = True
        to = console(width=None if terminal else sum(self._widths) + 2 * len(self._columns) + 2)
        if terminal:
            to.print(shown)
            return
        with to.capture() as captured:
            to.print(shown)
        print("\n".join(row.rstrip() for row in captured.get().splitlines()), flush=True)


def table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, styles: Mapping[int, str] | None = None
) -> None:
    """Print rows in columns; *styles* maps row numbers to one.  A pipe gets whole lines."""
    Sheet(columns).add(rows, styles=styles)


def written(data: Any, *, indent: int | None = None) -> str:
    """Write plain data as JSON, in one line unless it is to be indented."""
    return escaped_json(json.dumps(data, ensure_ascii=False, default=plain, indent=indent))


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
