"""What foreign ids stand for: learnt or confirmed, never guessed, never readable in the table."""

from typing import TYPE_CHECKING

import pytest

from workers.inbox.links import AlreadyLinked, Link, Target

if TYPE_CHECKING:
    from tests.workers.inbox.conftest import Post

pytestmark = pytest.mark.postgres
OURS = Target("e-1", "s-1")


class TestLearn:
    async def test_lets_a_foreign_id_be_known(self, post: "Post") -> None:
        made = await post.connection()
        await post.links.learn(post.agency, made.id, [Link("application", "77", OURS)], by="r-1")
        asked = [("application", "77"), ("application", "78"), ("candidate", "77")]
        assert await post.links.known(post.agency, made.id, asked) == {("application", "77"): OURS}

    async def test_is_of_one_connection_only(self, post: "Post") -> None:
        made, other = await post.connection(), await post.connection()
        await post.links.learn(post.agency, made.id, [Link("application", "77", OURS)], by="r-1")
        assert await post.links.known(post.agency, other.id, [("application", "77")]) == {}

    async def test_refuses_to_make_an_id_stand_for_something_else(self, post: "Post") -> None:
        made = await post.connection()
        link = Link("application", "77", OURS)
        for _ in range(2):
            await post.links.learn(post.agency, made.id, [link], by="r-1")
        with pytest.raises(AlreadyLinked):
            await post.links.learn(
                post.agency, made.id, [Link("application", "77", Target("e-2", "s-2"))], by="r-1"
            )
        assert await post.links.known(post.agency, made.id, [("application", "77")]) == {
            ("application", "77"): OURS
        }

    async def test_gives_way_to_what_a_person_confirms(self, post: "Post") -> None:
        made = await post.connection()
        await post.links.learn(post.agency, made.id, [Link("candidate", "Zoë", OURS)], by="r-1")
        right = Target("e-2")
        await post.links.learn(
            post.agency, made.id, [Link("candidate", "Zoë", right)], by="r-2", how="confirmed"
        )
        [kept] = await post.links.list(post.agency, connection_id=made.id)
        assert (kept.external, kept.target, kept.how, kept.by) == ("Zoë", right, "confirmed", "r-2")

    async def test_leaves_no_foreign_id_readable(self, post: "Post") -> None:
        made = await post.connection()
        await post.links.learn(post.agency, made.id, [Link("candidate", "quux", OURS)], by="r-1")
        rows = await post.sql(
            "SELECT x::text AS row FROM rapport.external_ids x WHERE agency = $1", post.agency
        )
        assert "quux" not in rows[0]["row"]
        assert b"quux".hex() not in rows[0]["row"]
