"""Reads the file of an agency's people, teams and lines.

A mistake gets one sentence with its place, never the value that was wrong: it may be a name or an address.
"""

import json
import re
import tomllib
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from activities.addresses import is_address
from events.agency import Entry, check_people
from events.errors import InvalidCommand
from events.kinds import Code
from events.toml_lines import locate

_TABLE: Final = "people"
_TEAMS: Final = "team"
_KEYS: Final = {
    "id": "person_id",
    "role": "role",
    "team-lead": "team_lead",
    "director": "director",
    "name": "name",
    "email": "email",
    "team": "team",
    "office": "office",
}
_TEAM_KEYS: Final = ("lead", "director", "office")
_NEEDS: Final = {
    "id": "an id of letters, digits, dots, dashes and underscores, such as 'r-1'",
    "team-lead": "the id of a person in this file",
    "director": "the id of a person in this file",
    "role": "one of recruiter, team-lead, director and compliance",
    "name": "a text",
    "email": "an e-mail address",
    "team": "the name of a team of this file, such as 'north' for [team.north]",
    "office": "the name of one of the policy's calendars, such as 'zurich'",
    "lead": "the id of a person in this file",
}
Lines = dict[tuple[str | int, ...], int]
Tables = dict[str, dict[str, str]]


class AgencyFileError(Exception):
    """The file cannot be read as an agency's people; the message is one sentence."""


def read_people(path: Path) -> tuple[Entry, ...]:
    """Read a file of people and teams: TOML with ``[[people]]`` and ``[team.NAME]``, or JSON alike.

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
    unknown = sorted(set(data) - {_TABLE, _TEAMS})
    if unknown:
        raise AgencyFileError(
            f"{where}: '{unknown[0]}' means nothing here; write [[people]] and [team.NAME] tables only"
        )
    rows = data.get(_TABLE)
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise AgencyFileError(f"{where}: names nobody; write a [[people]] table for each person")
    teams = _teams(data.get(_TEAMS, {}), lines, where)
    people = tuple(_entry(row, teams, f"{where}, {_place(lines, number)}") for number, row in enumerate(rows))
    _must_be_people(teams, people, lines, where)
    try:
        check_people(people)
    except InvalidCommand as error:
        raise AgencyFileError(f"{where}: {error}") from None
    return people


def _read_toml(text: str, where: str) -> tuple[dict[str, Any], Lines]:
    try:
        return tomllib.loads(text), locate(text)
    except tomllib.TOMLDecodeError as error:
        # The parser's own words may quote the line; its place is enough to find the mistake.
        found = re.search(r"\(at ([^)]*)\)", str(error))
        place = found[1] if found else "an unknown place"
        raise AgencyFileError(f"{where}: is not valid TOML (at {place})") from None


def _read_json(text: str, where: str) -> tuple[dict[str, Any], Lines]:
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise AgencyFileError(f"{where}: is not valid JSON (at line {error.lineno})") from None
    if not isinstance(data, dict):
        raise AgencyFileError(f'{where}: must hold one object, {{"people": [...]}}')
    return data, {}


def _place(lines: Lines, number: int) -> str:
    line = lines.get((_TABLE, number))
    return f"line {line}" if line is not None else f"person {number + 1}"


def _teams(tables: Any, lines: Lines, where: str) -> Tables:
    """Read what each team gives its members."""
    if not isinstance(tables, dict) or not all(isinstance(each, dict) for each in tables.values()):
        raise AgencyFileError(f"{where}: a team is a table of its own; write [team.NAME]")
    for name, table in tables.items():
        place = _team_place(lines, where, name)
        if not _is_code(name):
            raise AgencyFileError(
                f"{place}: a team's name is of small letters, digits and dashes, e.g. north"
            )
        for key, value in table.items():
            if key not in _TEAM_KEYS:
                raise AgencyFileError(
                    f"{place}: '{key}' is no key of a team; there are {', '.join(_TEAM_KEYS)}"
                )
            if not isinstance(value, str) or (key == "office" and not _is_code(value)):
                raise AgencyFileError(f"{place}: '{key}' must be {_NEEDS[key]}")
    return tables


def _must_be_people(teams: Tables, people: tuple[Entry, ...], lines: Lines, where: str) -> None:
    known = {entry.person_id for entry in people}
    for name, table in teams.items():
        for key in ("lead", "director"):
            if key in table and table[key] not in known:
                place = _team_place(lines, where, name)
                raise AgencyFileError(f"{place}: '{key}' must be {_NEEDS[key]}{_near(table[key], known)}")


def _team_place(lines: Lines, where: str, name: str) -> str:
    line = lines.get((_TEAMS, name))
    return f"{where}, line {line}" if line is not None else f"{where}, team '{name}'"


def _near(given: str, known: Iterable[str]) -> str:
    near = get_close_matches(given, sorted(known), n=1)
    return f"; did you mean '{near[0]}'?" if near else ""


def _is_code(text: str) -> bool:
    try:
        TypeAdapter(Code).validate_python(text)
    except ValidationError:
        return False
    return True


def _entry(row: dict[str, Any], teams: Tables, where: str) -> Entry:
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
        return Entry(**{_KEYS[key]: value for key, value in _as_a_member(row, teams, where).items()})
    except ValidationError as error:
        field = str(error.errors()[0]["loc"][0])
        key = next(key for key, name in _KEYS.items() if name == field)
        raise AgencyFileError(f"{where}: '{key}' must be {_NEEDS[key]}") from None


def _as_a_member(row: dict[str, str], teams: Tables, where: str) -> dict[str, str]:
    """Fill in what a person has from their team; their own line and office win."""
    name = row.get("team")
    if name is None:
        return row
    if name not in teams:
        raise AgencyFileError(f"{where}: 'team' must be {_NEEDS['team']}{_near(name, teams)}")
    table = teams[name]
    given = {"team-lead": table.get("lead"), "director": table.get("director"), "office": table.get("office")}
    if row["role"] == "director":
        # Nobody is above them; they only belong to the team.
        given = {"office": table.get("office")}
    return {**{key: each for key, each in given.items() if each not in (None, row["id"])}, **row}
