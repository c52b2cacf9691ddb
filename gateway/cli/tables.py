"""What the looking commands read from the read models: the same rows as ``reading`` folds from the log.

Where no projector keeps the tables at hand, the log is folded instead: slower, and right.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from gateway.cli import lists
from gateway.cli.output import complain

if TYPE_CHECKING:
    from events.projections.projection import Projection, Told
    from events.projections.reading import Standing
    from gateway.cli.connect import Session
    from gateway.cli.promises import Narrowed

Row = dict[str, Any]
# What was just written is there within a moment, as long as a projector is at work.
PATIENCE: Final = timedelta(seconds=5)
# Events whose folding takes more than a breath.
LONG: Final = 50_000


async def at_hand(session: "Session", agency: str, names: Sequence[str]) -> bool:
    """Tell whether to read the tables; where they are not as of now, stderr says of when."""
    read_models = session.having.read_models
    head = (await session.log.log_head(agency)).position
    standing = await read_models.wait_for(agency, head, PATIENCE, names)
    current = standing.position >= head
    if not current and (standing.missing or not standing.at_work):
        if head > LONG:
            _say(
                f"no projector is at work, so all {head} events are read; start one with 'rapport projector'"
            )
        return False
    _tell(standing, current)
    return True


def _tell(standing: "Standing", current: bool) -> None:
    if not current:
        _say(
            f"as of position {standing.position}: the read models are {standing.behind} events "
            f"({standing.lag_seconds:.0f} s) behind the log"
        )
    parked = sum(each.parked for each in standing.projections)
    if parked:
        _say(f"{parked} streams are parked, their rows of an earlier time; see 'rapport projections list'")


def _say(words: str) -> None:
    complain(f"rapport: {words}")


async def engagements(
    session: "Session", agency: str, *, stage: str | None = None, owner: str | None = None, level: int = 0
) -> AsyncIterator[list[Row]]:
    """Give the rows of ``list``, page by page, from the tables or from the log."""
    from events.projections.board import posture
    from gateway.cli import reading

    if not await at_hand(session, agency, ("board",)):
        rows = [reading.summary(state) for state in await reading.engagements(session.log, agency)]
        yield [
            row
            for row in rows
            if stage in (None, row["stage"]) and owner in (None, row["owner"]) and row["level"] >= level
        ]
        return
    listing = lists.engagements(agency, stage=stage, owner=owner, level=level)
    async for page in lists.pages(session.having, agency, listing):
        yield [
            {
                "engagement": row["engagement"],
                "candidate_id": row["candidate_id"],
                "stage": row["stage"],
                "posture": posture(
                    row["moves"], row["paused_until"], reading.present_after(row["decided_at"])
                ),
                "owner": row["owner"],
                "level": row["level"],
                "version": row["version"],
                "opened_at": row["opened_at"],
                "last_contact_at": row["last_contact_at"],
            }
            for row in page
        ]


async def waiting(session: "Session", agency: str, narrowed: "Narrowed") -> AsyncIterator[list[Row]]:
    """Give the rows of ``waiting``, the worst first, page by page, from the tables or from the log."""
    from gateway.cli import reading
    from gateway.cli.promises import Place, promises

    directory = session.having.directory
    if not await at_hand(session, agency, ("board", "obligations")):
        states = await reading.engagements(session.log, agency)
        yield [
            row
            for row in await reading.waiting(states, agency, directory)
            if narrowed.owner in (None, row["owner"]) and (row["overdue"] or not narrowed.overdue)
        ]
        return
    behind = None
    while page := await promises(session.having, agency, narrowed, behind=behind, limit=lists.PAGE):
        rows = await reading.lying_with(page, agency, directory)
        behind = Place(*reading.worst_first(rows[-1]))._replace(obligation_id=rows[-1]["obligation_id"])
        yield rows


async def folded(session: "Session", agency: str, projection: "Projection") -> list[Row]:
    """Give a projection's rows from the log itself, as they would stand in its table."""
    from events.projections.folding import fold_stream, rows_of
    from events.projections.projection import told_of

    streams: dict[str, list[Told]] = {}
    after = 0
    while page := await session.log.read_all(agency, after=after, category=projection.category):
        for stored in page:
            streams.setdefault(stored.stream, []).append(told_of(stored))
        after = page[-1].position
    return [
        {"stream": stream, **dict(zip(projection.columns, row, strict=True))}
        for stream, events in sorted(streams.items())
        for row in rows_of(fold_stream(events, [projection]), projection)
    ]


async def rows(session: "Session", agency: str, projection: "Projection") -> list[Row]:
    """Give a projection's rows, from its table where it is at hand, else from the log."""
    if not await at_hand(session, agency, (projection.name,)):
        return await folded(session, agency, projection)
    columns = ", ".join(("stream", *projection.columns))
    query = f"SELECT {columns} FROM rapport_read.{projection.name} WHERE agency = $1 ORDER BY stream"
    return await session.having.read_models.fetch(agency, query, agency)


async def terms(session: "Session", agency: str, term: str) -> list[Row]:
    """Give the words of ``search`` that begin with a term."""
    query = """
        SELECT stream, kind, term FROM rapport_read.search
        WHERE agency = $1 AND term >= $2 AND starts_with(term, $2)
    """
    return await session.having.read_models.fetch(agency, query, agency, term)


async def messages(session: "Session", agency: str, *, state: str | None = None) -> AsyncIterator[list[Row]]:
    """Give the rows of ``outbox``, the oldest first, page by page, from the tables or from the log."""
    from gateway.cli.messages import outbox, with_attempt

    ledger = session.having.ledger
    if not await at_hand(session, agency, ("outreach",)):
        rows = await outbox(session.log, ledger, agency)
        yield [row for row in rows if state in (None, row["state"])]
        return
    async for page in lists.pages(session.having, agency, lists.messages(agency, state=state)):
        attempts = await ledger.last(agency, [row["effect"] for row in page])
        yield [with_attempt(row, attempts) for row in page]
