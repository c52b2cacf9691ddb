"""Fetches the facts of a compliance report: from the read tables, or from the log itself.

The tables trail the log, so whoever reads them says how far; the log is right, and slower by the whole fold.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Protocol

from events.compliance import Fact, Period
from events.compliance_facts import COLUMNS, facts_from, facts_of, policy_asked
from events.log.port import EventLog
from events.policy import read_policy
from events.teams import Teams

PAGE: Final = 1000
PATIENCE: Final = timedelta(seconds=5)
# Which times of a row tell that it cannot be in the period; the report itself looks closer.
_SINCE: Final = {"obligations": "due_at", "contacts": "at", "findings": "at"}
_UNTIL: Final = {"obligations": "least(due_at, met_at, ended_at)", "contacts": "at", "findings": "at"}


class ComplianceError(Exception):
    """No report can be made; the message is one sentence that says why."""


class Tables(Protocol):
    """The read tables; see ``events.projections.reading.ReadModels``."""

    async def fetch(self, agency: str, query: str, *arguments: Any) -> list[dict[str, Any]]:
        """Read rows of an agency."""

    async def wait_for(
        self, agency: str, position: int, patience: timedelta, names: Sequence[str] | None = None
    ) -> Any:
        """Wait for tables to hold the log up to a position, and tell how far they have come."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the facts come from, and how far that reaches."""

    name: str
    position: int
    behind: int = 0
    lag_seconds: float = 0.0
    parked: int = 0


async def from_tables(
    tables: Tables, log: EventLog, agency: str, period: Period
) -> tuple[list[Fact], Source]:
    """Read the facts of a period out of the read tables; what was just written is waited for a moment.

    :raises ComplianceError: nobody has built them yet.
    """
    head = (await log.log_head(agency)).position
    standing = await tables.wait_for(agency, head, PATIENCE, list(COLUMNS))
    if standing.missing:
        raise ComplianceError(
            f"agency '{agency}' has no read tables yet; run 'rapport up' or 'rapport projector', "
            "or read the log with --from-log"
        )
    facts: list[Fact] = []
    rules: dict[str, Sequence[str]] = {}
    for table in COLUMNS:
        for row in await tables.fetch(agency, _query(table), agency, period.since, period.until):
            if table == "findings":
                await _learn(log, agency, policy_asked(row), rules)
            facts += facts_from(table, row["stream"], row, rules)
    parked = max(each.parked for each in standing.projections)
    return facts, Source("tables", standing.position, standing.behind, standing.lag_seconds, parked)


async def from_log(log: EventLog, agency: str) -> tuple[list[Fact], Source]:
    """Fold every engagement of an agency, one at a time.

    :raises ComplianceError: an engagement cannot be folded.
    """
    top = await log.log_head(agency)
    facts: list[Fact] = []
    rules: dict[str, Sequence[str]] = {}
    async for stream in _streams(log, agency):
        events = [each for each in await log.read_stream(agency, stream) if each.position <= top.position]
        for digest in {each.policy_digest for each in events}:
            await _learn(log, agency, digest, rules)
        try:
            facts += facts_of(events, rules) if events else ()
        except ValueError as error:
            raise ComplianceError(f"{error}; without --from-log its tables stay as they were") from None
    return facts, Source("log", top.position)


async def _learn(log: EventLog, agency: str, digest: str | None, rules: dict[str, Sequence[str]]) -> None:
    """Look up which promises a policy makes, unless that is known."""
    if digest is not None and digest not in rules:
        body = await log.load_policy(agency, digest)
        rules[digest] = [] if body is None else [each.id for each in read_policy(body).obligations]


async def teams_of(log: EventLog, agency: str) -> Teams:
    """Read who was in which team when."""
    return Teams(await log.read_stream(agency, f"agency:{agency}"))


def _query(table: str) -> str:
    return f"""
        SELECT stream, {", ".join(COLUMNS[table])} FROM rapport_read.{table}
        WHERE agency = $1 AND ($2::timestamptz IS NULL OR {_SINCE[table]} >= $2)
          AND ($3::timestamptz IS NULL OR {_UNTIL[table]} < $3)
    """


async def _streams(log: EventLog, agency: str) -> AsyncIterator[str]:
    after: str | None = None
    while page := await log.streams(agency, category="engagement", after=after, limit=PAGE):
        for each in page:
            yield each.stream
        after = page[-1].stream
