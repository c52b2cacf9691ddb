"""A table of candidates and its mapping become a plan: one engagement a candidate, told by their row.

A row is told whole or left aside with one sentence, which names its line and never what stands in it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

from events.canonical import canonical, instant
from events.envelope import Actor
from events.sources.errors import SourceError
from events.sources.interpreter import Step
from events.sources.plan import LeftAside, Plan
from events.sources.pseudonyms import Pseudonyms
from events.sources.references import Unknown
from events.sources.table import DATES, Row, StageCommand, TableMapping, moment_of

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_FIRST: Final = "the relationship begins with the first date of its row"
_PERSONAL: Final = {"name": "candidate_name", "email": "email", "phone": "phone", "zone": "zone"}
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class _Command:
    at: datetime
    name: str
    data: dict[str, Any]
    assumes: str | None = None


def plan_of_candidates(
    rows: Sequence[Row], mapping: TableMapping, pseudonyms: Pseudonyms, *, limit: int | None = None
) -> Plan:
    """Work out every command that a table stands for; *limit* takes the first so many candidates.

    :raises SourceError: a row names an owner whom nobody of the agency stands for.
    """
    if not rows:
        raise SourceError("the table holds no row but its head")
    plan = Plan(
        source=mapping.name,
        observes=mapping.observes,
        until=datetime.min.replace(tzinfo=UTC),
        read=len(rows),
        people=(),
    )
    planner = _Planner(mapping, pseudonyms)
    planner.check_owners(rows)
    chosen: set[str] = set()
    for row in rows:
        key = row.cells.get("id", "")
        if limit is not None and key and key not in chosen and len(chosen) >= limit:
            plan.beyond_limit += 1
            continue
        try:
            steps = planner.steps(row)
        except Unknown as unknown:
            plan.left_aside.append(LeftAside(row.line, str(unknown)))
            continue
        chosen.add(key)
        plan.steps += steps
        plan.until = max(plan.until, steps[-1].at)
        plan.applied["engagement"] += 1
    # Who has several rows is told in the order of time, as far as whole rows can be.
    first: dict[int, datetime] = {}
    for step in plan.steps:
        first.setdefault(step.place, step.at)
    plan.steps.sort(key=lambda step: (first[step.place], step.place))
    return plan


class _Planner:
    def __init__(self, mapping: TableMapping, pseudonyms: Pseudonyms) -> None:
        self._mapping, self._pseudonyms = mapping, pseudonyms
        self._itself = Actor(kind="integration", id=mapping.name)

    def check_owners(self, rows: Sequence[Row]) -> None:
        """Make sure that whoever is named as an owner is named by an id, or somebody stands for them."""
        lines = [row.line for row in rows if (name := row.cells.get("owner")) and not self._owner(name)]
        if lines:
            shown = ", ".join(str(line) for line in lines[:_SHOWN])
            raise SourceError(
                f"the table names owners by something that is no id (line {shown}"
                f"{', …' if len(lines) > _SHOWN else ''}); say under [people] who stands for whom"
            )

    def steps(self, row: Row) -> list[Step]:
        """Give a row's commands in the order of time.

        :raises Unknown: the row cannot be told, and why.
        """
        if row.broken is not None:
            raise Unknown(row.broken)
        key = row.cells.get("id")
        if key is None:
            raise Unknown(f"has nothing in the column '{self._mapping.columns.id}', which is its id")
        commands = sorted(self._commands(row, key), key=lambda each: each.at)
        stream = f"engagement:{self._pseudonyms.of('engagement', key)}"
        return [
            Step(
                at=each.at,
                place=row.line,
                stream=stream,
                name=each.name,
                data=each.data,
                # By what it says and not by its line: the same fact in a newer table is the same command.
                command_id=self._pseudonyms.of(
                    "command", key, each.name, instant(each.at), canonical(each.data)
                ),
                actor=self._itself,
                assumes=each.assumes,
            )
            for each in commands
        ]

    def _commands(self, row: Row, key: str) -> Iterator[_Command]:
        dates = self._dates(row)
        opened = min(dates.values())
        owner = self._owner(row.cells.get("owner")) or self._mapping.owner
        if owner is None:
            raise Unknown("names no owner; fill it in, or give the mapping an 'owner' for such rows")
        opening = {field: row.cells[column] for column, field in _PERSONAL.items() if column in row.cells}
        opening |= {"candidate_id": self._pseudonyms.of("candidate", key), "opened_from": self._mapping.name}
        yield _Command(opened, "open-engagement", opening, None if "opened_on" in dates else _FIRST)
        yield _Command(opened, "assign", {"owner": owner})
        if "last_contact" in dates:
            at = dates["last_contact"]
            # One talk, whoever answers for them by the time of a newer table.
            talk = self._pseudonyms.of("contact", key, instant(at))
            yield _Command(at, "record-contact", {"contact_id": talk, "by": owner, "channel": "unknown"})
        for command in self._stage(row):
            at = next((dates[each] for each in command.at if each in dates), opened)
            named = self._named(row, key, owner)
            data = {field: self._value(value, named) for field, value in command.fields.items()}
            told = {field: value for field, value in data.items() if value is not None}
            yield _Command(at, command.do, told, command.assumes)

    def _dates(self, row: Row) -> dict[str, datetime]:
        found: dict[str, datetime] = {}
        for each in DATES:
            if each in row.cells:
                moment = moment_of(row.cells[each], self._mapping.file)
                if moment is None:
                    column = getattr(self._mapping.columns, each)
                    raise Unknown(f"has no date in the column '{column}'; write it as [file] dates says")
                found[each] = moment
        if not found and self._mapping.file.as_of is not None:
            zone = ZoneInfo(self._mapping.file.zone)
            found["as_of"] = datetime.combine(self._mapping.file.as_of, time(), zone).astimezone(UTC)
        if not found:
            raise Unknown(
                "has no date at all; fill one in, or say under [file] as_of when the table was made"
            )
        return found

    def _stage(self, row: Row) -> Sequence[StageCommand]:
        word = row.cells.get("stage")
        if word is None:
            return ()
        found = self._mapping.commands_of(word)
        if found is None:
            column = self._mapping.columns.stage
            raise Unknown(f"has a word in the column '{column}' that no [[stage]] of the mapping explains")
        return found

    def _named(self, row: Row, key: str, owner: str) -> dict[str, str | None]:
        """Give what references stand for: a row has one application, and one of each thing in it."""
        job = row.cells.get("job_order")
        parts = (key, job or "")
        things = {
            each: self._pseudonyms.of(each, *parts) for each in ("application", "submission", "interview")
        }
        return {
            **things,
            "offer": self._pseudonyms.of("offer", *parts),
            "engagement": self._pseudonyms.of("engagement", key),
            "candidate": self._pseudonyms.of("candidate", key),
            "job-order": self._job_order(job),
            "owner": owner,
        }

    def _value(self, value: Any, named: dict[str, str | None]) -> Any:
        if isinstance(value, list):
            return [found for each in value if (found := self._value(each, named)) is not None]
        if not isinstance(value, str) or not value.startswith("$"):
            return value
        known = named[value[1:].removesuffix("?")]
        if known is None and not value.endswith("?"):
            raise Unknown(f"is in a stage that needs the {value[1:]}, and the row does not name it")
        return known

    def _owner(self, name: str | None) -> str | None:
        if name is None:
            return None
        return self._mapping.people.get(name) or (name if _ID.fullmatch(name) else None)

    def _job_order(self, name: str | None) -> str | None:
        if name is None:
            return None
        return self._mapping.job_orders.get(name) or self._pseudonyms.of("job-order", name)
