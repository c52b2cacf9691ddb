"""What the database itself lets nobody see or do."""

from datetime import timedelta
from typing import TYPE_CHECKING

import asyncpg
import pytest

from events.log.connect import Connections

if TYPE_CHECKING:
    from tests.workers.delivering.conftest import Post, Receiver

pytestmark = pytest.mark.postgres
TABLES = ("subscriptions", "subscription_secrets", "deliveries")


@pytest.fixture
async def told(post: "Post", receiver: "Receiver") -> "Post":
    """This will be an agency with a row in every table."""
    receiver.status = 500
    await post.subscribe(receiver)
    await post.happens("e-1")
    await post.delivered()
    return post


class TestTables:
    @pytest.mark.parametrize("table", TABLES)
    async def test_show_an_agency_its_own_rows_only(self, told: "Post", table: str) -> None:
        connections = Connections(told.url, role="rapport_app", size=1)
        query = f"SELECT count(*) FROM rapport.{table}"
        async with connections.scoped(told.agency) as own:
            assert await own.fetchval(query) == 1
        async with connections.scoped("somebody-else") as other:
            assert await other.fetchval(query) == 0
        async with connections.borrow() as nobody:
            assert await nobody.fetchval(query) == 0
        await connections.close()

    @pytest.mark.parametrize("table", TABLES)
    async def test_let_nobody_touch_another_agencys_rows(self, told: "Post", table: str) -> None:
        connections = Connections(told.url, role="rapport_app", size=1)
        async with connections.scoped("somebody-else") as other:
            assert await other.execute(f"DELETE FROM rapport.{table}") == "DELETE 0"
            taken = f"UPDATE rapport.{table} SET agency = 'somebody-else'"
            assert await other.execute(taken) == "UPDATE 0"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with connections.scoped(told.agency) as own:
                await own.execute(f"UPDATE rapport.{table} SET agency = 'somebody-else'")
        await connections.close()

    @pytest.mark.parametrize("role", ["rapport_projector", "rapport_eraser"])
    @pytest.mark.parametrize("table", TABLES)
    async def test_are_nothing_to_the_other_roles(self, told: "Post", role: str, table: str) -> None:
        connections = Connections(told.url, role=role, size=1)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with connections.scoped(told.agency) as connection:
                await connection.fetchval(f"SELECT count(*) FROM rapport.{table}")
        await connections.close()

    async def test_hold_nothing_of_an_event_but_where_it_is(self, told: "Post") -> None:
        connection = await asyncpg.connect(told.url)
        rows = [row for table in TABLES for row in await connection.fetch(f"SELECT * FROM rapport.{table}")]
        await connection.close()
        assert "Leeds" not in repr(rows)
        assert "whsec_" not in repr(rows)


class TestForgetting:
    async def test_deletes_what_was_delivered_and_nothing_that_waits(
        self, post: "Post", receiver: "Receiver"
    ) -> None:
        of, _ = await post.subscribe(receiver)
        await post.happens("e-1")
        await post.delivered()
        receiver.status = 500
        await post.happens("e-2")
        await post.delivered()
        post.clock.forward(timedelta(seconds=1))
        assert await post.deliveries.forget(post.clock()) == 1
        assert (await post.standing(of)).pending == 1


class TestRoom:
    async def test_is_bounded_and_nothing_beyond_it_is_lost(
        self, post: "Post", receiver: "Receiver", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A receiver that is dead for days does not copy the log into its queue."""
        for module in ("deliveries", "attempts"):
            monkeypatch.setattr(f"workers.delivering.{module}.ROOM", 10)
        monkeypatch.setattr("workers.delivering.attempts.PAGE", 5)
        receiver.status = 500
        of, _ = await post.subscribe(receiver)
        await post.happens("e-1", 40)
        await post.delivered()
        standing = await post.standing(of)
        assert (standing.pending, standing.behind) == (10, 40)
        assert await post.deliveries.due(post.clock()) == []
        receiver.status = 204
        receiver.got.clear()
        await post.subscriptions.retry(post.agency, of.subscription_id, post.clock())
        await post.delivered()
        assert [got.number for got in receiver.got] == list(range(1, 41))
