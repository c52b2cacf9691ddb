"""Records on disk: what lets a log of any length pass through little memory.

A spool is private to one run and read back by the same interpreter: never a format, never kept.
"""

import marshal
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final

BATCH: Final = 256
_LENGTH: Final = 4

Record = tuple[Any, ...]


class Spool:
    """Appends records of plain values to a file; use it as ``with Spool(path) as spool``."""

    def __init__(self, path: Path, *, batch: int = BATCH) -> None:
        self._file = path.open("ab")
        self._batch = batch
        self._waiting: list[Record] = []

    def __enter__(self) -> "Spool":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def add(self, record: Record) -> None:
        """Append one record."""
        self._waiting.append(record)
        if len(self._waiting) >= self._batch:
            self._flush()

    def extend(self, records: Sequence[Record]) -> None:
        """Append many records."""
        for first in range(0, len(records), self._batch):
            self._waiting += records[first : first + self._batch]
            if len(self._waiting) >= self._batch:
                self._flush()

    def close(self) -> None:
        """Write what waits, and close the file."""
        self._flush()
        self._file.close()

    def _flush(self) -> None:
        if self._waiting:
            content = marshal.dumps(self._waiting)
            self._file.write(len(content).to_bytes(_LENGTH, "big") + content)
            self._waiting = []


def spooled(path: Path) -> Iterator[Record]:
    """Read a closed spool's records, in order; none where nothing was spooled."""
    if not path.exists():
        return
    with path.open("rb") as file:
        while head := file.read(_LENGTH):
            yield from marshal.loads(file.read(int.from_bytes(head, "big")))
