"""Starts a workflow for every engagement that needs one and has none, as when Temporal's data is lost.

It folds nothing and writes nothing: a run loads from the log by itself, its clock with it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from events.log.port import EventLog, StreamHead
from workers.client import Engagements
from workers.poking import PATIENCE, Poking
from workers.unattended import AT_ONCE, closed_owing, engagement_of, engagements, open_run, running
from workflows.types import workflow_id

# The clocks of the database and of Temporal may differ by so much.
SKEW: Final = timedelta(minutes=1)
# Whoever does not answer one will not answer a thousand.
_AWAY: Final = frozenset({RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED})

Done = Literal["started", "running", "told"]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Failure:
    """An engagement that could not be seen to, and a sentence that says why."""

    engagement: str
    says: str


@dataclass(frozen=True, slots=True)
class Account:
    """What became of an agency's engagements: each is counted once.

    *told*: a workflow runs whose history does not show the log's last event, so it was told to look.
    """

    agency: str
    started: int
    running: int
    told: int
    closed: int
    importing: int
    failed: tuple[Failure, ...]


async def rehydrate_agency(
    log: EventLog, client: Client, agency: str, *, on_progress: Progress | None = None
) -> Account:
    """This will see to all engagements of an agency; safe to repeat, and to do twice at once."""
    # Who closes after this has a workflow.
    owing = await closed_owing(log, agency)
    heads = [head async for head in engagements(log, agency)]
    live = [head for head in heads if head.phase == "live"]
    closed = {head.stream for head in heads if head.phase == "closed"} - {head.stream for head in owing}
    listed = await running(client, agency)
    done = await _Rehydrating(log, client, agency, listed).see_to([*live, *owing], on_progress)
    return _account(agency, done, len(closed), sum(head.phase == "importing" for head in heads))


async def rehydrate_engagement(log: EventLog, client: Client, head: StreamHead) -> Account:
    """This will see to one engagement."""
    agency = head.agency
    if head.phase == "importing":
        return _account(agency, [], 0, 1)
    owing = await closed_owing(log, agency) if head.phase == "closed" else []
    if head.phase == "closed" and head.stream not in {each.stream for each in owing}:
        return _account(agency, [], 1, 0)
    return _account(agency, await _Rehydrating(log, client, agency, ()).see_to([head], None), 0, 0)


def _account(agency: str, done: Sequence[Done | Failure], closed: int, importing: int) -> Account:
    return Account(
        agency,
        started=done.count("started"),
        running=done.count("running"),
        told=done.count("told"),
        closed=closed,
        importing=importing,
        failed=tuple(each for each in done if isinstance(each, Failure)),
    )


class _Rehydrating:
    """One agency's; *listed* are those of whom Temporal says that they run."""

    def __init__(self, log: EventLog, client: Client, agency: str, listed: Collection[str]) -> None:
        self._log = log
        self._client = client
        self._agency = agency
        self._listed = listed
        self._engagements = Engagements(client, agency, patience=PATIENCE)
        self._away: str | None = None

    async def see_to(self, heads: Sequence[StreamHead], on_progress: Progress | None) -> list[Done | Failure]:
        gate, count = asyncio.Semaphore(AT_ONCE), 0

        async def one(head: StreamHead) -> Done | Failure:
            nonlocal count
            async with gate:
                done = await self._try(engagement_of(head), lambda: self._visit(head))
            count += 1
            if on_progress is not None:
                on_progress(count, len(heads))
            return done

        return await asyncio.gather(*map(one, heads))

    async def _try(self, key: str, visit: Callable[[], Awaitable[Done]]) -> Done | Failure:
        if self._away is not None:
            return Failure(key, self._away)
        try:
            return await visit()
        except RPCError as error:
            # Only the kind: what a server says may hold anything.
            if error.status in _AWAY:
                self._away = f"Temporal does not answer ({error.status.name}); run this again when it does"
                return Failure(key, self._away)
            return Failure(key, f"Temporal did not take it ({error.status.name}); run this again")
        except Exception as error:
            return Failure(key, f"it could not be seen to ({type(error).__name__}); run this again")

    async def _visit(self, head: StreamHead) -> Done:
        key = engagement_of(head)
        if key not in self._listed and await self._engagements.start(key):
            return "started"
        run = await open_run(self._client, workflow_id(self._agency, key))
        if run is None:
            # The list was late, or it has ended since.
            return "started" if await self._engagements.start(key) else "running"
        [last] = await self._log.read_stream(self._agency, head.stream, after=head.version - 1, limit=1)
        if run.start_time - last.recorded_at > SKEW:
            return "running"  # it began after the event, and a run begins by loading
        standing = await Poking(self._client).standing(self._agency, key, last.event_id)
        if standing is not None and standing.brought:
            return "running"
        # Temporal may stand at an earlier day than the log, and then no timer of it can be right.
        await self._engagements.leave_poke(key)
        return "told"
