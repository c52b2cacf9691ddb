"""That nothing of one agency can hang on another's connection, whatever a process with its role asks for."""

from typing import TYPE_CHECKING
from uuid import uuid4

import asyncpg
import pytest

if TYPE_CHECKING:
    from tests.workers.inbox.conftest import Post

pytestmark = pytest.mark.postgres
SECRET = """
    INSERT INTO rapport.connection_secrets (agency, connection_id, secret_id, kind, sealed)
    VALUES ($1, $2, $3, 'signing', 'x')
"""
MESSAGE = "SELECT rapport.receive_message($1, $2, $3, 'd', 'e', NULL, 'h', 's', '1 s')"


class TestAConnection:
    @pytest.mark.parametrize("query", [SECRET, MESSAGE])
    async def test_takes_nothing_that_another_agency_hangs_on_it(self, post: "Post", query: str) -> None:
        there = await post.connection()
        async with post.pool.scoped("another") as db:
            with pytest.raises(asyncpg.ForeignKeyViolationError):
                await db.execute(query, "another", there.id, uuid4())
        assert (await post.connections.get(post.agency, there.id)).id == there.id
