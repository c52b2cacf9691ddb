"""Reads the file of an agency's people and lines.

A mistake gets one sentence with its place, never the value that was wrong: it may be a name or an address.
"""

import json
import re
import tomllib
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from activities.addresses import is_address
from events.agency import Entry, check_people
from events.errors import InvalidCommand
from events.toml_lines import locate

_TABLE: Final = "people"
_KEYS: Final = {
    "id": "person_id",
    "role": "role",
    "team-lead": "team_lead",
    "director": "director",
    "name": "name",
    "email": "email",
}
_NEEDS: Final = {
    "id": "an id of letters, digits, dots, dashes and underscores, such as 'r-1'",
    "team-lead": "the id of a person in this file",
    "director": "the id of a person in this file",
    "role": "one of recruiter, team-lead, director and compliance",
    "name": "a text",
    "email": "an e-mail address",
}


class AgencyFileError(Exception):
    """The file cannot be read as an agency's people; the message is one sentence."""


def read_people(path: Path) -> tuple[Entry, ...]:
    """Read a file of people: TOML with ``[[people]]`` tables, or JSON with a list ``people``.

    :raises AgencyFileError: with the file, the place and what would be right.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise AgencyFileError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise AgencyFileError(f"{path}: is not UTF-8 text") from None
    return parse_people(text, where=str(path), is_json=path.suffix == ".json")


def parse_people(text: str, *, where: str, is_json: bool = False) -> tuple[Entry, ...]:
    """Read the text of such a file; *where* names it in complaints.

    :raises AgencyFileError: as :func:`read_people` does.
    """
    data, lines = _read_json(text, where) if is_json else _read_toml(text, where)
    unknown = sorted(set(data) - {_TABLE})
    if unknown:
        raise AgencyFileError(f"{where}: '{unknown[0]}' means nothing here; write [[people]] tables only")
    rows = data.get(_TABLE)
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise AgencyFileError(f"{where}: names nobody; write a [[people]] table for each person")
    people = tuple(_entry(row, f"{where}, {_place(lines, number)}") for number, row in enumerate(rows))
    try:
        check_people(people)
    except InvalidCommand as error:
        raise AgencyFileError(f"{where}: {error}") from None
    return people


def _read_toml(text: str, where: str) -> tuple[dict[str, Any], dict[tuple[str | int, ...], int]]:
    try:
        return tomllib.loads(text), locate(text)
    except tomllib.TOMLDecodeError as error:
        # The parser's own words may quote the line; its place is enough to find the mistake.
        found = re.search(r"\(at ([^)]*)\)", str(error))
        place = found[1] if found else "an unknown place"
        raise AgencyFileError(f"{where}: is not valid TOML (at {place})") from None


def _read_json(text: str, where: str) -> tuple[dict[str, Any], dict[tuple[str | int, ...], int]]:
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise AgencyFileError(f"{where}: is not valid JSON (at line {error.lineno})") from None
    if not isinstance(data, dict):
        raise AgencyFileError(f'{where}: must hold one object, {{"people": [...]}}')
    return data, {}


def _place(lines: dict[tuple[str | int, ...], int], number: int) -> str:
    line = lines.get((_TABLE, number))
    return f"line {line}" if line is not None else f"person {number + 1}"


def _entry(row: dict[str, Any], where: str) -> Entry:
    unknown = sorted(set(row) - set(_KEYS))
    if unknown:
        raise AgencyFileError(f"{where}: '{unknown[0]}' is no key of a person; there are {', '.join(_KEYS)}")
    for needed in ("id", "role"):
        if needed not in row:
            raise AgencyFileError(f"{where}: '{needed}' is missing; write {_NEEDS[needed]}")
    for key, value in row.items():
        if not isinstance(value, str) or (key == "email" and not is_address(value)):
            raise AgencyFileError(f"{where}: '{key}' must be {_NEEDS[key]}")
    try:
        return Entry(**{_KEYS[key]: value for key, value in row.items()})
    except ValidationError as error:
        field = str(error.errors()[0]["loc"][0])
        key = next(key for key, name in _KEYS.items() if name == field)
        raise AgencyFileError(f"{where}: '{key}' must be {_NEEDS[key]}") from None
