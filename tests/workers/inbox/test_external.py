"""Who submits says the other system's id, and what came too early for it goes through."""

from typing import TYPE_CHECKING

import pytest

from events.errors import InvalidCommand
from workers.inbox.connections import UnknownConnection
from workers.inbox.external import External, check_external, learn_on_submit, submission_of, target_of
from workers.inbox.links import AlreadyLinked

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.workers.inbox.conftest import Post
    from tests.workers.inbox.desk import Office

pytestmark = pytest.mark.postgres


class TestLearnOnSubmit:
    async def test_lets_a_message_through_that_came_before(self, office: "Office") -> None:
        await office.comes(
            "m-1", "scheduled", application="app-9", interview="i-77", starts="2030-01-07T10:00:00Z"
        )
        external = External(connection=office.connection.id, id="app-9")
        async with office.pump():
            await office.settled()
            assert [each.state for each in await office.messages()] == ["unmatched"]
            await office.desk.person("e-1", "record-submission", job_order_id="j-9", submission_id="s-9")
            target = target_of(external, "e-1", "s-9", "j-9")
            assert (
                await learn_on_submit(office.post.links, office.post.agency, external, target, by="r-1") == 1
            )
            await office.settled()
        assert len(await office.desk.events("e-1", "interview-scheduled")) == 1

    async def test_names_the_submission_that_the_command_made(self, office: "Office") -> None:
        await office.desk.person("e-1", "record-submission", job_order_id="j-9")
        made = (await office.desk.events("e-1", "submitted"))[-1]
        named = submission_of(office.post.agency, "e-1", made.command_id, None)
        assert named in made.body


class TestCheckExternal:
    async def test_refuses_what_could_not_be_learnt(
        self, office: "Office", offices: "Callable[[], Post]"
    ) -> None:
        post = office.post
        foreign = await offices().connection()
        taken = External(connection=office.connection.id, id="app-1")
        for external, name, error in (
            (taken, "record-check", InvalidCommand),
            (taken, "submit", AlreadyLinked),
            (External(connection=foreign.id, id="app-9"), "submit", UnknownConnection),
        ):
            target = target_of(external, "e-2", "s-9", "j-9")
            with pytest.raises(error):
                await check_external(post.connections, post.links, post.agency, external, name, target)
        fits = External(connection=office.connection.id, id="app-9")
        target = target_of(fits, "e-2", "s-9", "j-9")
        await check_external(post.connections, post.links, post.agency, fits, "submit", target)
