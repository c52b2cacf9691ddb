"""A connection is never left half open, whoever stops waiting for it."""

import asyncio
import contextlib
from itertools import product

import pytest

from events.log.connect import Connections, ConnectionsClosed, whole


class TestWhole:
    async def test_gives_back_the_result(self) -> None:
        undone: list[str] = []

        async def work() -> str:
            return "done"

        async def undo(result: str) -> None:
            undone.append(result)

        assert (await whole(work(), undo), undone) == ("done", [])

    @pytest.mark.parametrize("times", [1, 2])
    async def test_undoes_what_a_cancelled_caller_no_longer_wants(self, times: int) -> None:
        """The driver leaks a connection that is cancelled while it opens; a gather may cancel twice."""
        begun, gate = asyncio.Event(), asyncio.Event()
        undone: list[str] = []

        async def work() -> str:
            begun.set()
            await gate.wait()
            return "done"

        async def undo(result: str) -> None:
            undone.append(result)

        caller = asyncio.create_task(whole(work(), undo))
        await begun.wait()
        for _ in range(times):
            caller.cancel()
            await asyncio.sleep(0)
        gate.set()
        with pytest.raises(asyncio.CancelledError):
            await caller
        assert undone == ["done"]


@pytest.mark.postgres
class TestConnections:
    async def test_leave_nothing_open_when_cancelled(self, database: str) -> None:
        connections = Connections(database, role="rapport_app")

        async def borrow() -> None:
            async with connections.scoped("agency") as connection:
                await connection.fetchval("SELECT 1")

        for turns, more in product(range(30), range(4)):
            task = asyncio.create_task(borrow())
            for later in (turns, more):
                for _ in range(later):
                    await asyncio.sleep(0)
                task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        async with asyncio.timeout(30):
            await connections.close()

    async def test_see_one_agency_for_as_long_as_the_transaction_lasts(self, database: str) -> None:
        """Whatever the agency is called: its name is no part of a statement."""
        connections = Connections(database, role="rapport_app", size=1)
        asked = "SELECT current_setting('rapport.agency', true)"
        for agency in ("acme", "o'neill\\", "ü', true); SELECT ('"):
            async with connections.scoped(agency) as connection:
                assert await connection.fetchval(asked) == agency
            async with connections.borrow() as connection:
                assert await connection.fetchval(asked) == ""
        await connections.close()

    async def test_undo_what_fails_and_keep_what_does_not(self, database: str) -> None:
        connections = Connections(database, role="rapport_app", size=1)
        async with connections.borrow() as connection:
            await connection.execute("CREATE TEMP TABLE kept (number int)")
        for number, error in ((1, None), (2, ValueError), (3, None)):
            with contextlib.suppress(ValueError):
                async with connections.scoped("acme") as connection:
                    await connection.execute("INSERT INTO kept VALUES ($1)", number)
                    if error is not None:
                        raise error
        async with connections.borrow() as connection:
            found = await connection.fetch("SELECT number FROM kept ORDER BY number")
        assert [row["number"] for row in found] == [1, 3]
        await connections.close()

    async def test_stay_closed(self, database: str) -> None:
        connections = Connections(database, role="rapport_app")
        await connections.close()
        with pytest.raises(ConnectionsClosed):
            await connections.connect()
