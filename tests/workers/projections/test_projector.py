"""Projectors side by side, paused, and before events that they cannot read."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import asyncpg
import pytest

from events.envelope import Actor, CommandGroup, Draft, event_id
from events.projections import board, contacts, obligations, store
from events.projections.reading import ReadModels
from events.projections.store import Fenced, ProjectionStore
from workers import rebuilding
from workers.projecting import Projecting
from workers.projector import PROJECTIONS, Projector

if TYPE_CHECKING:
    from tests.workers.projections.conftest import Chapters, Ground

pytestmark = pytest.mark.postgres
Until = Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]
NEVER = timedelta(days=1)
AT_ONCE = timedelta()
PROGRAM = """
import asyncio, sys
from datetime import timedelta
from events.projections.store import ProjectionStore
from workers.projector import Projector
asyncio.run(Projector(ProjectionStore(sys.argv[1]), lease=timedelta(seconds=1), poll=0.1).run())
"""


async def at_work(ground: "Ground", lease: timedelta = NEVER, **options: Any) -> Projecting:
    """Take over and begin."""
    epoch = await ground.store.take_over(uuid4(), lease)
    assert epoch is not None
    projecting = Projecting(ground.store, options.pop("projections", PROJECTIONS), epoch, **options)
    await projecting.load()
    return projecting


def from_the_future(stream: str) -> CommandGroup:
    """Make an event that this version does not know."""
    now = datetime(2026, 2, 1, tzinfo=UTC)
    draft = Draft(
        event_id=event_id("a-1", stream, "later", 0),
        type="from-the-future",
        schema_version=1,
        occurred_at=now,
        decided_at=now,
        origin="business",
        actor=Actor(kind="person", id="p-1"),
        source="test",
        body="{}",
    )
    return CommandGroup(command_id="later", input="{}", outcome="accepted", drafts=(draft,))


class TestTwoProjectors:
    async def test_the_later_fences_the_earlier(self, ground: "Ground", chapters: "Chapters") -> None:
        """One that was paused and wakes up writes nothing, though it has read and folded all."""
        await ground.append("a-1", "engagement:e-1", chapters(1))
        early = await at_work(ground, batch=20)
        await early.step("a-1")
        late = await at_work(ground, AT_ONCE, batch=10)
        await late.step("a-1")
        with pytest.raises(Fenced):
            await early.step("a-1")
        while await late.step("a-1"):
            pass
        await ground.agrees("a-1")

    async def test_only_one_is_at_work(self, ground: "Ground") -> None:
        assert await ground.store.take_over(uuid4(), NEVER) == 1
        assert await ground.store.take_over(uuid4(), NEVER) is None
        await ground.store.leave(1)
        assert await ground.store.take_over(uuid4(), NEVER) == 2

    async def test_one_that_stops_inside_a_transaction_is_cut_off(
        self, ground: "Ground", chapters: "Chapters", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its locks must not keep the other waiting for ever, and its rows are never seen."""
        patience = store.PATIENCE
        monkeypatch.setattr(store, "PATIENCE", timedelta(seconds=1))
        await ground.append("a-1", "engagement:e-1", chapters(1))
        early = await at_work(ground)
        paused, resume = asyncio.Event(), asyncio.Event()
        reach = store.Writing.reach

        async def pause(self: Any, *arguments: Any) -> None:
            await reach(self, *arguments)
            paused.set()
            await resume.wait()

        monkeypatch.setattr(store.Writing, "reach", pause)
        stopped = asyncio.create_task(early.step("a-1"))
        await paused.wait()
        monkeypatch.setattr(store.Writing, "reach", reach)
        monkeypatch.setattr(store, "PATIENCE", patience)
        late = await at_work(ground, AT_ONCE)
        while await late.step("a-1"):
            pass
        resume.set()
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            await stopped
        await ground.agrees("a-1")

    @pytest.mark.slow
    async def test_a_stopped_process_is_replaced(
        self, ground: "Ground", chapters: "Chapters", until: Until
    ) -> None:
        """Two run, the one at work is stopped in the middle and goes on later: nothing is applied twice."""
        groups = chapters(1)
        async with process(ground) as one, process(ground) as two:
            await until(lambda: holds(ground))
            await ground.append("a-1", "engagement:e-1", groups[:4])
            await until(lambda: caught_up(ground, "a-1"))
            # Whichever is at work: stopping both in turn lets the other take over each time.
            for number, each in enumerate((one, two, one, two), start=1):
                os.kill(each.pid, signal.SIGSTOP)
                await ground.append("a-1", "engagement:e-1", groups[4 * number : 4 * number + 4])
                await until(lambda: caught_up(ground, "a-1"))
                os.kill(each.pid, signal.SIGCONT)
            await ground.append("a-1", "engagement:e-1", groups[20:])
            await until(lambda: caught_up(ground, "a-1"))
        await ground.agrees("a-1")


@asynccontextmanager
async def process(ground: "Ground") -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a projector as a process of its own."""
    running = await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, ground.url)
    try:
        yield running
    finally:
        running.kill()
        await running.wait()


async def holds(ground: "Ground") -> bool:
    """Tell whether a projector is at work."""
    found = await ground.superuser.fetchval("SELECT holder IS NOT NULL FROM rapport_read.projector")
    return bool(found)


async def caught_up(ground: "Ground", agency: str) -> bool:
    """Tell whether every table has reached the end of the log."""
    head = (await ground.log.log_head(agency)).position
    query = "SELECT count(*) FROM rapport_read.checkpoints WHERE agency = $1 AND position = $2"
    return bool(await ground.superuser.fetchval(query, agency, head) == len(PROJECTIONS))


class TestAPoisonEvent:
    async def test_parks_its_stream_and_no_other(self, ground: "Ground", chapters: "Chapters") -> None:
        """It is told in a sentence; what came before it in its stream is shown, and all others go on."""
        await ground.append("a-1", "engagement:e-1", chapters(1)[:5])
        await ground.append("a-1", "engagement:e-1", [from_the_future("engagement:e-1")])
        await ground.append("a-1", "engagement:e-2", chapters(2))
        await ground.projected()
        models = ReadModels(ground.url)
        parked = await models.parked("a-1")
        assert {each.stream for each in parked} == {"engagement:e-1"}
        assert len(parked) == sum(each.category == "engagement" for each in PROJECTIONS)
        assert "'from-the-future'" in parked[0].says
        standing = await models.standing("a-1")
        assert (standing.behind, standing.lag_seconds) == (0, 0.0)
        await models.close()
        [shown] = await ground.superuser.fetch(
            "SELECT version FROM rapport_read.board WHERE stream LIKE '%e-1'"
        )
        assert shown["version"] == parked[0].version - 1
        for each in PROJECTIONS:
            rows = [row for row in await ground.rows(each, "a-1") if row[0] != "engagement:e-1"]
            assert rows == await ground.folded(each, "a-1", without=["engagement:e-1"])

    async def test_is_tried_again_when_asked(self, ground: "Ground", chapters: "Chapters") -> None:
        """After an upgrade the stream goes on as if nothing had been."""

        def stumble(account: Any, event: Any, told: Any, state: Any) -> None:
            if told.type == "contact-made":
                raise ZeroDivisionError
            contacts.PROJECTION.apply(account, event, told, state)

        wrong = replace(contacts.PROJECTION, apply=stumble)
        for seed in (1, 2):
            await ground.append("a-1", f"engagement:e-{seed}", chapters(seed))
        await ground.projected([board.PROJECTION, wrong])
        await ground.agrees("a-1", [board.PROJECTION])
        models = ReadModels(ground.url)
        parked = await models.parked("a-1")
        assert {each.projection for each in parked} == {"contacts"}
        assert "ZeroDivisionError" in parked[0].says

        assert await models.ask_retry("a-2", None, None) == 0
        assert await models.ask_retry("a-1", None, None) == len(parked)
        mended = await at_work(ground, projections=[board.PROJECTION, contacts.PROJECTION])
        await mended.retry()
        assert await models.parked("a-1") == []
        await models.close()
        await ground.agrees("a-1", [board.PROJECTION, contacts.PROJECTION])

    async def test_that_the_database_refuses_parks_alone(
        self, ground: "Ground", chapters: "Chapters"
    ) -> None:
        """A row that cannot be stored is a fault of ours, and stops nobody else."""

        def row(key: str, item: tuple[Any, ...]) -> tuple[Any, ...]:
            return (None if key == "e-1" else key, *item)

        wrong = replace(board.PROJECTION, row=row)
        for seed in (1, 2):
            await ground.append("a-1", f"engagement:e-{seed}", chapters(seed))
        await ground.projected([wrong])
        assert [row[0] for row in await ground.rows(wrong, "a-1")] == ["engagement:e-2"]
        models = ReadModels(ground.url)
        [parked] = await models.parked("a-1")
        assert parked.stream == "engagement:e-1"
        # Tried again to no avail it stays parked, and stops nobody else then either.
        assert await models.ask_retry("a-1", None, None) == 1
        again = await at_work(ground, projections=[wrong])
        await again.retry()
        [parked] = await models.parked("a-1")
        await models.close()
        assert (parked.stream, parked.retry) == ("engagement:e-1", False)


class TestProjector:
    async def test_keeps_up_and_says_so(self, ground: "Ground", chapters: "Chapters", until: Until) -> None:
        """Whoever has written waits for the position, and finds it there."""
        models = ReadModels(ground.url)
        kept = ProjectionStore(ground.url)
        running = asyncio.create_task(Projector(kept, poll=0.1).run())
        try:
            for number, group in enumerate(chapters(3)[:6]):
                await ground.append("a-1", "engagement:e-3", [group])
                head = (await ground.log.log_head("a-1")).position
                if number == 0:
                    await until(lambda: holds(ground))
                standing = await models.wait_for("a-1", head, timedelta(seconds=20))
                assert standing.position >= head
                await ground.agrees("a-1")
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        assert not (await models.standing("a-1")).at_work
        await kept.close()
        await models.close()

    async def test_builds_what_is_of_an_older_edition(
        self, ground: "Ground", chapters: "Chapters", until: Until
    ) -> None:
        """A new version's tables replace the old ones without anybody's asking."""
        await ground.append("a-1", "engagement:e-1", chapters(1))
        await ground.projected([board.PROJECTION, obligations.PROJECTION])
        newer = replace(board.PROJECTION, edition=2)
        kept = ProjectionStore(ground.url)
        running = asyncio.create_task(Projector(kept, [newer, obligations.PROJECTION], poll=0.05).run())

        async def built() -> bool:
            query = "SELECT edition FROM rapport_read.checkpoints WHERE projection = 'board'"
            return bool(await ground.superuser.fetchval(query) == 2)

        try:
            await until(built)
            await ground.append("a-1", "engagement:e-2", chapters(2))
            head = (await ground.log.log_head("a-1")).position

            async def there() -> bool:
                query = "SELECT min(position) FROM rapport_read.checkpoints WHERE agency = 'a-1'"
                return bool(await ground.superuser.fetchval(query) == head)

            await until(there)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await kept.close()
        await ground.agrees("a-1", [newer, obligations.PROJECTION])

    async def test_follows_the_rest_while_something_cannot_be_built(
        self, ground: "Ground", chapters: "Chapters", until: Until
    ) -> None:
        """As when somebody else's rebuild is under way: tables that are fit stay at the log's heels."""
        await ground.append("a-1", "engagement:e-1", chapters(1))
        await ground.projected([board.PROJECTION, obligations.PROJECTION])
        newer = replace(board.PROJECTION, edition=2)
        kept = ProjectionStore(ground.url)
        await ground.superuser.execute("SELECT pg_advisory_lock($1)", rebuilding._LOCK)
        lease = timedelta(seconds=1)
        projector = Projector(kept, [newer, obligations.PROJECTION], lease=lease, poll=0.05)
        running = asyncio.create_task(projector.run())
        query = "SELECT position, edition FROM rapport_read.checkpoints WHERE projection = $1"

        async def followed() -> bool:
            found = await ground.superuser.fetchrow(query, "obligations")
            return bool(found["position"] == head)

        async def built() -> bool:
            found = await ground.superuser.fetchrow(query, "board")
            return bool(found["edition"] == 2 and found["position"] == head)

        try:
            await until(lambda: holds(ground))
            epoch = await ground.superuser.fetchval("SELECT epoch FROM rapport_read.projector")
            await ground.append("a-1", "engagement:e-2", chapters(2))
            head = (await ground.log.log_head("a-1")).position
            await until(followed)
            assert await ground.superuser.fetchval("SELECT epoch FROM rapport_read.projector") == epoch
            await ground.superuser.execute("SELECT pg_advisory_unlock($1)", rebuilding._LOCK)
            await until(built)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await kept.close()
        await ground.agrees("a-1", [newer, obligations.PROJECTION])

    async def test_builds_anew_what_holds_more_than_the_log(
        self, ground: "Ground", chapters: "Chapters", until: Until
    ) -> None:
        """As after the log was put back to an earlier day: nothing later stays, nothing new is skipped."""
        groups = chapters(1)
        await ground.append("a-1", "engagement:e-1", groups[:5])
        early = await ground.log.log_head("a-1")
        before = await ground.log.head("a-1", "engagement:e-1")
        await ground.append("a-1", "engagement:e-1", groups[5:])
        await ground.projected()
        assert before is not None
        await ground.forget_after("a-1", "engagement:e-1", before, early)
        kept = ProjectionStore(ground.url)
        running = asyncio.create_task(Projector(kept, poll=0.05).run())
        try:
            await until(lambda: caught_up(ground, "a-1"))
            await ground.agrees("a-1")
            await ground.append("a-1", "engagement:e-1", groups[5:])
            await until(lambda: caught_up(ground, "a-1"))
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await kept.close()
        await ground.agrees("a-1")


class TestTheRegistry:
    async def test_has_a_table_for_each_projection(self, ground: "Ground") -> None:
        """Columns are those of the migrations, but for computed ones; an agency sees its own rows alone."""
        query = """
            SELECT column_name FROM information_schema.columns
            WHERE table_schema = 'rapport_read' AND table_name = $1 AND is_generated = 'NEVER'
        """
        secured = """
            SELECT c.relrowsecurity AND has_table_privilege('rapport_app', c.oid, 'SELECT')
               AND NOT has_table_privilege('rapport_app', c.oid, 'INSERT, UPDATE, DELETE')
            FROM pg_class c WHERE c.oid = ('rapport_read.' || $1)::regclass
        """
        for each in PROJECTIONS:
            columns = {row["column_name"] for row in await ground.superuser.fetch(query, each.name)}
            assert columns == {"agency", "stream", *each.columns}, each.name
            assert await ground.superuser.fetchval(secured, each.name), each.name

    def test_has_no_personal_column(self) -> None:
        """Ids, codes, times and the policy's words; no name, address or word that somebody said."""
        named = {column for each in PROJECTIONS for column in each.columns}
        assert not named & {"name", "email", "phone", "note", "words", "address", "content"}
