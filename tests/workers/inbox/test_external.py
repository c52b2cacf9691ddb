"""The other system's id that a person says with a command, and what becomes of it."""

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from events.commands import Order
from events.envelope import Actor
from events.errors import InvalidCommand, NotAllowed
from events.orders import parse_order
from workers.inbox.connections import AmbiguousConnection, UnknownConnection
from workers.inbox.external import External, check_external, learn_external, read_external
from workers.inbox.links import AlreadyLinked, Link, Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.workers.inbox.conftest import Post
    from tests.workers.inbox.desk import Office

WHO = Actor(kind="person", id="r-1")


def order_of(name: str, command_id: str | None = None, **fields: Any) -> Order:
    """Read a command as a door does."""
    return parse_order(name, fields, command_id=command_id or str(uuid4()), actor_default=WHO, source="test")


SUBMIT = {"job_order_id": "j-9", "submission_id": "s-9"}


@pytest.mark.postgres
class TestLearnExternal:
    async def test_lets_a_message_through_that_came_before(self, office: "Office") -> None:
        post = office.post
        await office.comes(
            "m-1", "scheduled", application="app-9", interview="i-77", starts="2030-01-07T10:00:00Z"
        )
        said = (External(connection=office.connection.id, id="app-9"),)
        order = order_of("record-submission", **SUBMIT)
        async with office.pump():
            await office.settled()
            assert [each.state for each in await office.messages()] == ["unmatched"]
            learning = await check_external(post.connections, post.links, post.agency, "e-1", order, said)
            await office.desk.person("e-1", "record-submission", **SUBMIT)
            [learnt] = await learn_external(post.links, post.agency, learning, by="person:r-1")
            assert (learnt.learnt, learnt.read_again) == (True, 1)
            await office.settled()
        assert len(await office.desk.events("e-1", "interview-scheduled")) == 1

    async def test_names_the_submission_that_the_command_makes(self, office: "Office") -> None:
        post, connection = office.post, office.connection.id
        await office.desk.person("e-1", "record-submission", job_order_id="j-9")
        made = (await office.desk.events("e-1", "submitted"))[-1]
        order = order_of("record-submission", made.command_id, job_order_id="j-9")
        said = (External(connection=connection, id="app-9"),)
        [learning] = await check_external(post.connections, post.links, post.agency, "e-1", order, said)
        assert learning.link.target.ours is not None
        assert learning.link.target.ours in made.body
        assert learning.link.target.job_order == "j-9"

    async def test_says_that_a_person_has_confirmed_something_else(self, office: "Office") -> None:
        post, connection = office.post, office.connection.id
        said = (External(connection=connection, id="app-9"),)
        learning = await check_external(
            post.connections, post.links, post.agency, "e-1", order_of("submit", **SUBMIT), said
        )
        other = [Link("application", "app-9", Target("e-2", "s-2", "j-2"))]
        await post.links.learn(post.agency, connection, other, by="person:r-2", how="confirmed")
        [learnt] = await learn_external(post.links, post.agency, learning, by="person:r-1")
        assert not learnt.learnt


@pytest.mark.postgres
class TestCheckExternal:
    async def test_refuses_what_could_not_be_learnt(
        self, office: "Office", offices: "Callable[[], Post]"
    ) -> None:
        post, connection = office.post, office.connection.id
        foreign = await offices().connection()
        order = order_of("submit", **SUBMIT)

        async def check(said: External, **more: Any) -> object:
            return await check_external(
                post.connections, post.links, post.agency, "e-2", order, (said,), **more
            )

        taken = External(connection=connection, id="app-1")
        with pytest.raises(AlreadyLinked):
            await check(taken)
        with pytest.raises(UnknownConnection):
            await check(External(connection=foreign.id, id="app-9"))
        with pytest.raises(NotAllowed):
            await check(External(connection=connection, id="app-9"), only="c-another")
        assert await check(External(connection=connection, id="app-9"), only=connection)
        assert await check(taken, done=True), "what was done is answered as it was"

    async def test_finds_a_connection_by_its_name_unless_two_have_it(self, office: "Office") -> None:
        post = office.post
        order = order_of("schedule-interview", submission_id="s-9", starts_at="2030-01-07T10:00:00Z")

        async def check(named: str) -> str:
            said = (External(connection=named, kind="interview", id="77"),)
            [found] = await check_external(post.connections, post.links, post.agency, "e-1", order, said)
            return found.connection_id

        first = await post.connections.add(post.agency, provider="lever", name="client-1")
        assert await check("client-1") == first.id
        second = await post.connections.add(post.agency, provider="lever", name="client-1")
        with pytest.raises(AmbiguousConnection):
            await check("client-1")
        await post.connections.disable(post.agency, first.id)
        assert await check("client-1") == second.id


class TestReadExternal:
    def test_takes_numbers_as_other_systems_write_them(self) -> None:
        [said] = read_external("submit", [{"connection": "client-1", "id": 265277}])
        assert (said.kind, said.id) == ("application", "265277")

    @pytest.mark.parametrize(
        ("name", "given", "says"),
        [
            ("record-check", [{"connection": "c", "id": "1"}], "makes nothing known"),
            ("submit", {"connection": "c", "id": "1"}, "must be a list"),
            ("submit", [], "must be a list"),
            ("submit", [{"connection": "c", "id": "1", "ours": "s-1"}], "must be an object"),
            ("submit", [{"connection": "c", "id": "Ada\n"}], "must be an object"),
            ("submit", [{"connection": "c", "id": True}], "must be an object"),
            ("submit", [{"connection": "\x00", "id": "1"}], "must be an object"),
            ("submit", [{"connection": "c", "id": "\ud800"}], "must be an object"),
            ("submit", [{"connection": "c", "id": "1", "kind": "interview"}], "application or candidate"),
            ("schedule-interview", [{"connection": "c", "id": "1"}], "must be interview"),
        ],
    )
    def test_tells_a_mistake_without_its_value(self, name: str, given: Any, says: str) -> None:
        with pytest.raises(InvalidCommand, match=says) as told:
            read_external(name, given)
        assert "Ada" not in str(told.value)
