"""Connections: found by their whole id, with secrets that only their key opens."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from workers.asking.polled import Polled
from workers.inbox.connections import ConnectionSettings, Secret, UnknownConnection, subject

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.workers.inbox.conftest import Post

pytestmark = pytest.mark.postgres


class TestFind:
    async def test_gives_a_connection_with_its_secrets_before_the_agency_is_known(self, post: "Post") -> None:
        settings = ConnectionSettings(keep_days=7)
        made = await post.connection(
            provider="greenhouse",
            mapping="format = 1",
            settings=settings,
            secrets_=[Secret("signing", "s-1")],
        )
        found = await post.connections.find(made.id)
        assert found == made
        assert (found.agency, found.provider, found.mapping) == (post.agency, "greenhouse", "format = 1")
        assert found.settings.keep_days == 7
        assert (found.valid("signing"), found.valid("api")) == (("s-1",), ())

    @pytest.mark.parametrize("wrong", ["", "c-", "c-nobody", "%"])
    async def test_finds_nothing_by_less_than_the_whole_id(self, post: "Post", wrong: str) -> None:
        await post.connection()
        assert await post.connections.find(wrong) is None

    async def test_shows_no_secret_in_a_text(self, post: "Post") -> None:
        made = await post.connection(secrets_=[Secret("signing", "quux")])
        assert "quux" not in repr(made)
        rows = await post.sql(
            "SELECT s::text AS row FROM rapport.connection_secrets s WHERE agency = $1", post.agency
        )
        assert "quux" not in rows[0]["row"]

    async def test_gives_no_secret_once_the_key_is_destroyed(self, post: "Post") -> None:
        made = await post.connection(secrets_=[Secret("signing", "s-1")])
        await post.keys.destroy(post.agency, subject(made.id))
        assert (await post.connections.get(post.agency, made.id)).secrets == ()


class TestRotate:
    async def test_leaves_both_secrets_valid_the_new_one_first(self, post: "Post") -> None:
        made = await post.connection(secrets_=[Secret("signing", "old"), Secret("api", "key")])
        await post.connections.rotate(post.agency, made.id, Secret("signing", "new"))
        found = await post.connections.get(post.agency, made.id)
        assert found.valid("signing") == ("new", "old")
        assert found.valid("api") == ("key",)

    async def test_lets_the_old_one_expire(self, post: "Post") -> None:
        made = await post.connection(secrets_=[Secret("signing", "old")])
        await post.connections.rotate(post.agency, made.id, Secret("signing", "new"), grace=timedelta())
        assert (await post.connections.get(post.agency, made.id)).valid("signing") == ("new",)


class TestWhoseItIs:
    async def test_is_the_agency_alone(self, offices: "Callable[[], Post]") -> None:
        ours, theirs = offices(), offices()
        made = await ours.connection()
        assert await theirs.connections.list(theirs.agency) == []
        for attempt in (
            theirs.connections.get(theirs.agency, made.id),
            theirs.connections.rotate(theirs.agency, made.id, Secret("signing", "mine")),
            theirs.connections.set_mapping(theirs.agency, made.id, "format = 1"),
            theirs.connections.disable(theirs.agency, made.id),
        ):
            with pytest.raises(UnknownConnection):
                await attempt

    async def test_says_when_it_last_heard_of_the_other_side(self, post: "Post") -> None:
        made = await post.connection()
        await post.receive(made, "d-1")
        await Polled(post.pool, post.keys).failed(made, "3 applications, nothing new")
        [listed] = await post.connections.list(post.agency)
        [kept] = await post.inbox.list(post.agency)
        assert listed.last_received_at == kept.received_at
        assert listed.last_polled_at is not None
        assert listed.last_poll_says == "3 applications, nothing new"

    async def test_is_disabled_and_enabled_again(self, post: "Post") -> None:
        made = await post.connection()
        await post.connections.disable(post.agency, made.id)
        assert (await post.connections.get(post.agency, made.id)).disabled_at is not None
        await post.connections.enable(post.agency, made.id)
        assert (await post.connections.get(post.agency, made.id)).disabled_at is None
