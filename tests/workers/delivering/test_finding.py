"""What ``rapport stuck`` says of deliveries."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from workers.delivering.finding import undelivered
from workers.delivering.schedule import SCHEDULE

if TYPE_CHECKING:
    from tests.workers.delivering.conftest import Post, Receiver

pytestmark = pytest.mark.postgres


class TestUndelivered:
    async def test_finds_nothing_where_all_is_delivered(self, post: "Post", receiver: "Receiver") -> None:
        await post.subscribe(receiver)
        await post.happens("e-1")
        await post.delivered()
        assert await undelivered(post.subscriptions, post.agency) == []

    async def test_tells_what_waits_from_what_is_parked(self, post: "Post", receiver: "Receiver") -> None:
        receiver.status = 500
        of, _ = await post.subscribe(receiver)
        await post.happens("e-1")
        await post.delivered()
        [waits] = await undelivered(post.subscriptions, post.agency)
        assert (waits.kind, waits.name, waits.stuck) == ("delivery", of.subscription_id, False)
        assert waits.reason == "it answered 500"
        for _ in SCHEDULE:
            post.clock.forward(timedelta(hours=27))
            await post.delivered()
        [parked] = await undelivered(post.subscriptions, post.agency)
        assert (parked.kind, parked.name, parked.stuck) == ("delivery", "engagement:e-1", True)
        assert f"rapport subscription retry {of.subscription_id}" in parked.says
        assert receiver.url not in parked.says

    async def test_tells_who_is_gone(self, post: "Post", receiver: "Receiver") -> None:
        receiver.status = 410
        of, _ = await post.subscribe(receiver)
        await post.happens("e-1")
        await post.delivered()
        [gone] = await undelivered(post.subscriptions, post.agency)
        assert (gone.name, gone.stuck) == (of.subscription_id, True)

    async def test_says_nothing_of_another_agency(self, post: "Post", receiver: "Receiver") -> None:
        receiver.status = 410
        await post.subscribe(receiver)
        await post.happens("e-1")
        await post.delivered()
        assert await undelivered(post.subscriptions, "somebody-else") == []
