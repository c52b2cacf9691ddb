"""The projector: keeps every read table at the log's heels, for all agencies.

Any number may run.  One is at work, the others wait until it has been silent for the length of its lease.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import structlog

from events.log.connect import LOST, Connection, hang_up
from events.log.telling import CHANNEL
from events.projections import (
    board,
    caseload,
    contacts,
    findings,
    obligations,
    outreach,
    people,
    placements,
    search,
)
from events.projections.projection import Projection
from events.projections.store import Fenced, ProjectionStore
from workers.projecting import Projecting
from workers.rebuilding import Rebuild, RebuildError

# To add a projection: its module, its migration, and one line here.
PROJECTIONS: Final[tuple[Projection, ...]] = (
    board.PROJECTION,
    obligations.PROJECTION,
    caseload.PROJECTION,
    contacts.PROJECTION,
    findings.PROJECTION,
    outreach.PROJECTION,
    people.PROJECTION,
    placements.PROJECTION,
    search.PROJECTION,
)
LEASE: Final = timedelta(seconds=10)
POLL: Final = 1.0
GATHER: Final = 0.03
# A log so short is followed from its beginning; of a longer one a new projection is built beside.
FEW: Final = 2000
_log = structlog.get_logger(__name__)


class Projector:
    """Runs until it is cancelled."""

    def __init__(
        self,
        store: ProjectionStore,
        projections: Sequence[Projection] = PROJECTIONS,
        *,
        lease: timedelta = LEASE,
        poll: float = POLL,
    ) -> None:
        self._store, self._projections = store, projections
        self._lease, self._poll = lease, poll
        self._holder: UUID = uuid4()

    async def run(self) -> None:
        """Be at work whenever nobody else is."""
        while True:
            try:
                epoch = await self._store.take_over(self._holder, self._lease)
                if epoch is not None:
                    await self._at_work(epoch)
            except Fenced:
                _log.info("somebody else has written the read models; this projector looks again")
            except Exception as error:
                # Nothing is lost by it: whatever was not written is read again.
                _log.warning("projecting is interrupted", error=type(error).__name__)
            await asyncio.sleep(self._poll)

    async def _at_work(self, epoch: int) -> None:
        _log.info("the projector is at work", epoch=epoch)
        staying = asyncio.ensure_future(self._stay(epoch))
        working = asyncio.ensure_future(self._follow(epoch))
        try:
            await asyncio.wait({staying, working}, return_when=asyncio.FIRST_COMPLETED)
            for each in (staying, working):
                if each.done():
                    each.result()
        finally:
            staying.cancel()
            working.cancel()
            await asyncio.gather(staying, working, return_exceptions=True)
            with suppress(*LOST):
                await self._store.leave(epoch)

    async def _stay(self, epoch: int) -> None:
        while True:
            await asyncio.sleep(self._lease.total_seconds() / 4)
            await self._store.stay(epoch)

    async def _follow(self, epoch: int) -> None:
        """Follow the log, and beside it build what is not there yet or is of an older edition."""
        fit, stale = await self._sorted()
        building = asyncio.ensure_future(self._build(stale))
        following = asyncio.ensure_future(self._keep_up(Projecting(self._store, fit, epoch)))
        try:
            await asyncio.wait(
                {building, following} if stale else {following}, return_when=asyncio.FIRST_COMPLETED
            )
            for each in (building, following):
                if each.done():
                    each.result()
        finally:
            building.cancel()
            following.cancel()
            await asyncio.gather(building, following, return_exceptions=True)

    async def _sorted(self) -> tuple[list[Projection], list[Projection]]:
        """Tell the projections that can go on from where they stand from those to be built first."""
        found, heads = await self._store.checkpoints(), await self._store.source.heads()
        editions = {name: of[name].edition for of in found.values() for name in of}
        # Of a log that was restored to an earlier day, what came after that day must leave the tables.
        ahead = {
            name for agency, of in found.items() for name in of if of[name].position > heads.get(agency, 0)
        }
        short = sum(heads.values()) <= FEW
        fit, stale = [], []
        for each in self._projections:
            if editions.get(each.name, each.edition) > each.edition:
                _log.warning("a newer version of Rapport keeps a projection", projection=each.name)
            elif each.name in ahead:
                _log.warning("a projection holds more than the log", projection=each.name)
                stale.append(each)
            elif editions.get(each.name) == each.edition or (each.name not in editions and short):
                fit.append(each)
            else:
                stale.append(each)
        return fit, stale

    async def _build(self, stale: Sequence[Projection]) -> None:
        """What cannot be built now is tried again, and what is followed already goes on meanwhile."""
        while stale:
            names = [each.name for each in stale]
            _log.info("projections are being built", projections=names)
            try:
                done = await Rebuild(self._store, stale).run()
            except LOST:
                raise
            except Exception as error:
                says = str(error) if isinstance(error, RebuildError) else type(error).__name__
                _log.warning("projections could not be built", projections=names, says=says)
                await asyncio.sleep(self._lease.total_seconds())
                _, stale = await self._sorted()
                continue
            _log.info("projections are built", projections=names, events=done.events)
            break
        raise Fenced

    async def _keep_up(self, projecting: Projecting) -> None:
        wake = asyncio.Event()
        await projecting.load()
        listener = await self._listen(wake)
        try:
            while True:
                # Cleared before looking: what is committed meanwhile wakes us again.
                wake.clear()
                await projecting.retry()
                while agencies := projecting.behind(await self._store.source.heads()):
                    for agency in agencies:
                        await projecting.step(agency)
                if listener.is_closed():
                    raise ConnectionResetError("the notifications' connection is lost")
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._poll):
                        await wake.wait()
                await asyncio.sleep(GATHER)
        finally:
            await hang_up(listener)

    async def _listen(self, wake: asyncio.Event) -> Connection:
        def woken(*_: Any) -> None:
            wake.set()

        listener = await self._store.connections.connect()
        await listener.add_listener(CHANNEL, woken)
        listener.add_termination_listener(woken)
        return listener


@asynccontextmanager
async def projecting(database_url: str) -> AsyncIterator[None]:
    """This will keep a projector at work until it is left."""
    store = ProjectionStore(database_url)
    at_work = asyncio.ensure_future(Projector(store).run())
    try:
        yield
    finally:
        at_work.cancel()
        await asyncio.gather(at_work, return_exceptions=True)
        await store.close()
