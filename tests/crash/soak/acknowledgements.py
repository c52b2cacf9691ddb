"""Every acknowledgement, written to a file of our own before the client goes on.

What stands here was promised to somebody: the log must have it, whatever was killed since.
"""

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel


class Acknowledgement(BaseModel):
    """What a client was told about one command."""

    agency: str
    stream: str
    command_id: str
    outcome: str
    version: int
    events: tuple[str, ...] | None = None


class Acknowledgements:
    """The file, a line for each."""

    def __init__(self, path: Path) -> None:
        self.count = 0
        self._path = path
        self._file = path.open("a", encoding="utf-8")

    def note(self, told: Acknowledgement) -> None:
        """Write one down."""
        self._file.write(told.model_dump_json() + "\n")
        self._file.flush()
        self.count += 1

    def close(self) -> None:
        """Write no more."""
        self._file.close()

    def __iter__(self) -> Iterator[Acknowledgement]:
        with self._path.open(encoding="utf-8") as file:
            for line in file:
                yield Acknowledgement.model_validate_json(line)
