"""Reads the files of an import, or says in one sentence why one cannot be read."""

from pathlib import Path

from events.sources.errors import SourceError
from events.sources.table import TableMapping, read_table_mapping


def content_of_file(path: Path, what: str) -> bytes:
    """Read a file whole; *what* names it in the sentence.

    :raises SourceError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise SourceError(f"the {what} {path} cannot be read: {reason}") from None


def read_table_mapping_file(path: Path) -> TableMapping:
    """Read the mapping of a table from a file.

    :raises SourceError: it cannot be read, or is no such mapping.
    """
    try:
        return read_table_mapping(content_of_file(path, "mapping").decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise SourceError("the mapping is not UTF-8 text") from None
