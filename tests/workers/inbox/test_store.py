"""What a door keeps: once, sealed, and seen by its own agency only."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import asyncpg
import pytest

from events.errors import WrongState
from events.log.keys import KeyDestroyed
from workers.inbox.connections import subject
from workers.inbox.store import UnknownMessage

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.workers.inbox.conftest import Post

pytestmark = pytest.mark.postgres


class TestReceive:
    async def test_keeps_a_message_once_and_counts_its_deliveries(self, post: "Post") -> None:
        connection = await post.connection()
        assert await post.receive(connection, "d-1")
        assert not await post.receive(connection, "d-1")
        [kept] = await post.inbox.list(post.agency)
        assert (kept.state, kept.deliveries) == ("received", 2)

    async def test_keeps_one_row_of_deliveries_that_come_at_once(self, post: "Post") -> None:
        connection = await post.connection()
        fresh = await asyncio.gather(*(post.receive(connection, "d-1") for _ in range(20)))
        assert fresh.count(True) == 1
        [kept] = await post.inbox.list(post.agency)
        assert kept.deliveries == 20

    async def test_takes_the_same_key_of_two_connections_for_two_messages(self, post: "Post") -> None:
        for _ in range(2):
            assert await post.receive(await post.connection(), "d-1")
        assert len(await post.inbox.list(post.agency)) == 2

    async def test_opens_again_what_it_kept(self, post: "Post") -> None:
        connection = await post.connection()
        await post.receive(connection, "d-1", body='{"name": "Zoë"}'.encode(), link="https://x.test/1")
        [kept] = await post.inbox.list(post.agency)
        _, message = await post.inbox.show(post.agency, kept.message_id)
        assert message is not None
        assert (message.body, message.headers) == ({"name": "Zoë"}, {"link": "https://x.test/1"})

    async def test_takes_the_time_of_receipt_where_the_source_gives_none(self, post: "Post") -> None:
        await post.receive(await post.connection(), "d-1", at=None)
        [kept] = await post.inbox.list(post.agency)
        assert kept.occurred_at == kept.received_at

    async def test_takes_no_time_that_lies_ahead_of_the_receipt(self, post: "Post") -> None:
        """A clock that is wrong by a day must not put a STOP off until then."""
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        await post.receive(await post.connection(), "d-1", at=tomorrow)
        [kept] = await post.inbox.list(post.agency)
        assert tomorrow - timedelta(days=1, minutes=1) < kept.occurred_at <= kept.received_at

    async def test_keeps_an_event_name_that_no_list_could_show(self, post: "Post") -> None:
        await post.receive(await post.connection(), "d-1", event="a\x00b\n" + "x" * 500)
        [kept] = await post.inbox.list(post.agency)
        assert kept.event == "ab" + "x" * 198

    async def test_leaves_nothing_readable_in_the_table(self, post: "Post") -> None:
        """Not the body, nor the provider's key, which may be made of it."""
        await post.receive(await post.connection(), "quux-key", body=b'{"name": "Quux"}', link="quux-link")
        rows = await post.sql(
            "SELECT i::text AS row, sealed FROM rapport.inbox i WHERE agency = $1", post.agency
        )
        assert "quux" not in rows[0]["row"].lower()
        assert b"quux" not in rows[0]["sealed"].lower()

    async def test_shows_no_body_once_the_connections_key_is_destroyed(self, post: "Post") -> None:
        connection = await post.connection()
        await post.receive(connection, "d-1")
        await post.keys.destroy(post.agency, subject(connection.id))
        [kept] = await post.inbox.list(post.agency)
        assert (await post.inbox.show(post.agency, kept.message_id))[1] is None
        with pytest.raises(KeyDestroyed):
            await post.receive(connection, "d-2")


class TestWhoSeesIt:
    async def test_is_the_agency_alone(self, offices: "Callable[[], Post]") -> None:
        ours, theirs = offices(), offices()
        await ours.receive(await ours.connection(), "d-1")
        [kept] = await ours.inbox.list(ours.agency)
        assert await theirs.inbox.list(theirs.agency) == []
        with pytest.raises(UnknownMessage):
            await theirs.inbox.show(theirs.agency, kept.message_id)
        with pytest.raises(UnknownMessage):
            await theirs.inbox.discard(theirs.agency, kept.message_id, "none of ours", by="r-1")

    @pytest.mark.parametrize(
        "table",
        ["connections", "connection_secrets", "external_ids", "inbox", "inbox_aspects", "inbox_turns"],
    )
    async def test_is_nobody_without_an_agency_set(self, post: "Post", table: str) -> None:
        """Row-level security holds also where the code forgets to name the agency."""
        await post.receive(await post.connection(), "d-1")
        async with post.pool.borrow() as lent:
            assert await lent.fetchval(f"SELECT count(*) FROM rapport.{table}") == 0

    async def test_is_not_the_projector(self, post: "Post") -> None:
        async with post.pool.borrow() as lent, lent.transaction():
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await lent.execute("SET LOCAL ROLE rapport_projector; SELECT * FROM rapport.inbox")

    @pytest.mark.parametrize("verb", ["DELETE FROM", "TRUNCATE"])
    async def test_can_delete_no_message(self, post: "Post", verb: str) -> None:
        async with post.pool.borrow() as lent:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await lent.execute(f"{verb} rapport.inbox")


class TestAPerson:
    async def test_pages_through_the_list(self, post: "Post") -> None:
        connection = await post.connection()
        for each in range(5):
            await post.receive(connection, f"d-{each}", event=f"e-{each}")
        first = await post.inbox.list(post.agency, limit=3)
        rest = await post.inbox.list(post.agency, after=first[-1].message_id)
        assert [each.event for each in (*first, *rest)] == ["e-4", "e-3", "e-2", "e-1", "e-0"]

    async def test_discards_a_message_and_may_take_it_back(self, post: "Post") -> None:
        await post.receive(await post.connection(), "d-1")
        [kept] = await post.inbox.list(post.agency)
        await post.inbox.discard(post.agency, kept.message_id, "a test of theirs", by="r-1")
        [discarded] = await post.inbox.list(post.agency, states=["discarded"])
        assert discarded.says == "discarded by r-1: a test of theirs"
        with pytest.raises(WrongState, match="it is discarded"):
            await post.inbox.discard(post.agency, kept.message_id, "again", by="r-1")
        assert await post.inbox.retry(post.agency, kept.message_id) == 1
        assert [each.state for each in await post.inbox.list(post.agency)] == ["received"]

    async def test_hears_of_a_message_that_is_not_there(self, post: "Post") -> None:
        with pytest.raises(UnknownMessage):
            await post.inbox.retry(post.agency, uuid4())
