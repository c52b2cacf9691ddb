"""Refused deliveries are counted, for their own agency."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from workers.inbox.refusals import Refusals

if TYPE_CHECKING:
    from tests.workers.inbox.conftest import Post

pytestmark = pytest.mark.postgres


class TestCount:
    async def test_is_seen_by_its_own_agency_only(self, offices: "Callable[[], Post]") -> None:
        """A count would tell others that somebody tries the door."""
        ours, theirs = offices(), offices()
        connection, quiet = await ours.connection(), await ours.connection()
        await theirs.connection()
        refusals = Refusals(ours.pool)
        for _ in range(3):
            await refusals.count(connection.id)
        counted = await refusals.of(ours.agency)
        assert {id: each.count for id, each in counted.items()} == {connection.id: 3}
        assert quiet.id not in counted
        assert await refusals.of(theirs.agency) == {}

    async def test_counts_nothing_for_nobody(self, post: "Post") -> None:
        await Refusals(post.pool).count("c-bm9ib2R5")
        assert await Refusals(post.pool).of(post.agency) == {}
