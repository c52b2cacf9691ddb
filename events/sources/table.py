"""A table of candidates as CSV, and the mapping that says what its columns and its stage words mean.

An id of ours is derived from a column that holds no name and no address, whatever else the table lacks.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from io import StringIO
from typing import Any, Final, Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator

from events.kinds import Code, Id, RuleId
from events.sources.errors import SourceError
from events.sources.mapping import check_command, read_as
from events.zones import ZONES

When = Literal["opened_on", "applied_on", "stage_since", "last_contact"]
DATES: Final[tuple[When, ...]] = get_args(When)
References = Literal[
    "engagement", "candidate", "application", "job-order", "submission", "interview", "offer", "owner"
]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TableFile(_Data):
    """How the file is written."""

    delimiter: str = Field(default=",", min_length=1, max_length=1)
    encoding: str = "utf-8-sig"
    dates: tuple[str, ...] = Field(
        default=(), description="as strptime reads them, beside ISO 8601, which is always understood"
    )
    zone: str = "UTC"
    as_of: date | None = Field(
        default=None, description="when the table was made; stands for the dates of a row that has none"
    )

    @field_validator("zone")
    @classmethod
    def _exists(cls, zone: str) -> str:
        if zone not in ZONES:
            raise ValueError("this is no IANA time zone; write one like Europe/London")
        return zone


class Columns(_Data):
    """Which column says what; only *id* must be there."""

    id: str
    stage: str | None = None
    owner: str | None = None
    last_contact: str | None = None
    opened_on: str | None = None
    applied_on: str | None = None
    stage_since: str | None = None
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    zone: str | None = None
    job_order: str | None = None


class StageCommand(_Data):
    """One command that a stage word stands for; it happened at the first of these dates that is known."""

    do: Code
    fields: dict[str, Any] = Field(default_factory=dict)
    at: tuple[When, ...] = ("stage_since", "applied_on", "opened_on")
    assumes: str | None = None


class Stage(_Data):
    """What some words in the stage column mean, in whatever case they are written."""

    words: tuple[str, ...] = Field(min_length=1)
    commands: tuple[StageCommand, ...] = ()


class TableMapping(_Data):
    """A whole mapping of a table, validated."""

    format: Literal[1]
    name: Code
    source: Literal["csv"]
    observes: tuple[RuleId, ...]
    owner: Id | None = Field(default=None, description="who answers for a candidate whose row names nobody")
    people: dict[str, Id] = Field(default_factory=dict)
    job_orders: dict[str, Id] = Field(default_factory=dict)
    file: TableFile = TableFile()
    columns: Columns
    stage: tuple[Stage, ...] = ()

    def commands_of(self, word: str) -> tuple[StageCommand, ...] | None:
        """Look a stage word up; None: the mapping does not know it."""
        sought = word.casefold()
        return next(
            (each.commands for each in self.stage if sought in {one.casefold() for one in each.words}), None
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One row with the cells that the mapping names, blank ones left out; *line* is where it begins."""

    line: int
    cells: Mapping[str, str]
    broken: str | None = None


def read_table_mapping(text: str) -> TableMapping:
    """Read a mapping from TOML, or say in one sentence what is wrong with it.

    :raises SourceError: not TOML, a wrong shape, or a command, field or reference that does not exist.
    """
    mapping = read_as(TableMapping, text)
    if mapping.columns.id in (mapping.columns.email, mapping.columns.name, mapping.columns.phone):
        raise SourceError(
            "the mapping takes the id from a column with a name or an address; take one with a number, since "
            "an id stays in the record for ever"
        )
    words = [word.casefold() for stage in mapping.stage for word in stage.words]
    for word in words:
        if words.count(word) > 1:
            raise SourceError(f"the mapping explains the stage '{word}' twice; keep one of them")
    for stage in mapping.stage:
        for command in stage.commands:
            check_command(stage.words[0], "engagement", command.do, command.fields, get_args(References))
    return mapping


def read_rows(content: bytes, mapping: TableMapping) -> list[Row]:
    """Read a table whole.

    :raises SourceError: it is no such text, has no head, or not the columns that the mapping names.
    """
    try:
        text = content.decode(mapping.file.encoding)
    except (UnicodeDecodeError, LookupError):
        raise SourceError(
            f"the file is not {mapping.file.encoding} text; save it as UTF-8, or name its encoding"
        ) from None
    reader = csv.reader(StringIO(text, newline=""), delimiter=mapping.file.delimiter, strict=True)
    try:
        head = next(reader, None)
        if head is None:
            raise SourceError("the file is empty")
        return list(_rows(reader, _places(head, mapping.columns), len(head)))
    except csv.Error as error:
        raise SourceError(f"the file is no CSV at line {reader.line_num}: {error}") from None


def _places(head: list[str], columns: Columns) -> dict[str, int]:
    """Find the columns; the file's own words are not told: without a head they would be somebody's."""
    named = [name.strip() for name in head]
    places: dict[str, int] = {}
    for meaning, column in columns.model_dump(exclude_none=True).items():
        if named.count(column) != 1:
            problem = "no column" if column not in named else "two columns"
            raise SourceError(
                f"the file has {problem} '{column}' in its first line, which the mapping takes for "
                f"{meaning}; correct [columns], or the delimiter under [file]"
            )
        places[meaning] = named.index(column)
    return places


def _rows(reader: Any, places: Mapping[str, int], width: int) -> Iterator[Row]:
    line = reader.line_num + 1
    for cells in reader:
        if len(cells) == width:
            told = {meaning: cells[place].strip() for meaning, place in places.items()}
            yield Row(line, {meaning: cell for meaning, cell in told.items() if cell})
        elif cells:
            yield Row(line, {}, f"has {len(cells)} cells where the head has {width}")
        line = reader.line_num + 1


def moment_of(text: str, file: TableFile) -> datetime | None:
    """Read a date, or None if it is none; without an hour it is the day's beginning in the file's zone."""
    for form in (None, *file.dates):
        try:
            found = datetime.fromisoformat(text) if form is None else _read(text, form)
            return (found if found.tzinfo else found.replace(tzinfo=ZoneInfo(file.zone))).astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    return None


def _read(text: str, form: str) -> datetime:
    return datetime.strptime(text, form)  # noqa: DTZ007 (the file's zone is given to it above)
