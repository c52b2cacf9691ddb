"""What the pump asks of the database: turns, and ends that miss nothing that comes at the same moment."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from workers.inbox.links import Link, Target
from workers.inbox.work import Due, End, Work

if TYPE_CHECKING:
    from tests.workers.inbox.conftest import Post
    from tests.workers.inbox.desk import Office

pytestmark = pytest.mark.postgres
LEASE = timedelta(seconds=30)


@pytest.fixture
def work(post: "Post") -> Work:
    """This will be the pump's way to the inbox."""
    return Work(post.pool, post.links)


class TestATurn:
    async def test_is_one_holders_until_it_leaves(self, post: "Post", work: Work) -> None:
        one, other = uuid4(), uuid4()
        assert await work.take_turn(post.agency, one, LEASE)
        assert not await work.take_turn(post.agency, other, LEASE)
        assert await work.take_turn(post.agency, one, LEASE)
        await work.leave_turn(post.agency, other)
        assert not await work.take_turn(post.agency, other, LEASE)
        await work.leave_turn(post.agency, one)
        assert await work.take_turn(post.agency, other, LEASE)

    async def test_is_anybodys_when_its_lease_is_over(self, post: "Post", work: Work) -> None:
        assert await work.take_turn(post.agency, uuid4(), timedelta())
        assert await work.take_turn(post.agency, uuid4(), LEASE)

    async def test_is_asked_for_only_where_something_is_due(self, office: "Office") -> None:
        work, agency = office.hand().work, office.post.agency
        assert agency not in await work.due_agencies(LEASE)
        await office.comes("m-1", "seen")
        assert (await work.due_agencies(LEASE))[agency] == timedelta()
        holder = uuid4()
        await work.take_turn(agency, holder, LEASE)
        assert agency not in await work.due_agencies(LEASE)


class TestSettle:
    async def test_sees_a_link_that_is_learnt_at_the_same_moment(self, office: "Office", work: Work) -> None:
        """The message that teaches it is not committed yet: the one that lacks it waits for that."""
        post, link = office.post, Link("candidate", "cand-9", Target("e-1"))
        await office.comes("m-1", "wrote", candidate="cand-9", id="w-1")
        [due] = await work.due(post.agency, (), 10)
        end = End(
            "unmatched",
            "nobody knows",
            "link",
            frozenset({("candidate", "cand-9")}),
            office.connection.mapping_digest,
        )
        async with post.pool.scoped(post.agency) as lent:
            await post.links.learn_in(lent, post.agency, office.connection.id, [link], by="r-1")
            settling = asyncio.create_task(work.settle(due, (), end))
            await office.until(lambda: self.waits_for_a_lock(post))
        assert await settling == "received"
        assert [each.state for each in await office.messages()] == ["received"]

    async def test_sees_a_mapping_that_was_mended_meanwhile(
        self, office: "Office", work: Work, desks: object
    ) -> None:
        await office.comes("m-1", "unheard-of")
        [due] = await work.due(office.post.agency, (), 10)
        by = office.connection.mapping_digest
        await office.post.connections.set_mapping(office.post.agency, office.connection.id, None)
        end = End("waiting", "no rule", "mapping", mapping_digest=by)
        assert await work.settle(due, (), end) == "received"
        assert await work.settle(due, (), End("waiting", "no rule", "mapping")) == "waiting"

    async def test_of_what_was_applied_goes_before_a_persons_discarding(
        self, office: "Office", work: Work
    ) -> None:
        """What was given has happened, whoever set the message aside in the meantime."""
        due = await self.discarded(office, work)
        await work.settle(due, ("e-1",), End("applied"))
        assert [each.state for each in await office.messages()] == ["applied"]

    async def test_of_what_was_not_leaves_it_discarded(self, office: "Office", work: Work) -> None:
        due = await self.discarded(office, work)
        await work.settle(due, (), End("ignored", "nobody needs to know"))
        assert [each.state for each in await office.messages()] == ["discarded"]

    @staticmethod
    async def discarded(office: "Office", work: Work) -> Due:
        """This will be a message that is in hand, and that somebody discards."""
        await office.comes("m-1", "seen")
        [due] = await work.due(office.post.agency, (), 10)
        await office.post.inbox.discard(office.post.agency, due.message_id, "a test", by="r-1")
        return due

    @staticmethod
    async def waits_for_a_lock(post: "Post") -> bool:
        """This will tell whether somebody waits for somebody else's transaction."""
        return bool(await post.sql("SELECT FROM pg_locks WHERE NOT granted"))


class TestASealedBody:
    async def test_opens_in_no_other_messages_place(self, office: "Office") -> None:
        """A body that somebody moves to another row is nobody's message."""
        await office.comes("m-1", "wrote", candidate="cand-1", id="w-1")
        await office.comes("m-2", "wrote", 1, candidate="cand-2", id="w-2")
        await office.post.sql(
            "UPDATE rapport.inbox SET sealed = (SELECT sealed FROM rapport.inbox WHERE agency = $1 "
            "ORDER BY occurred_at LIMIT 1) WHERE agency = $1",
            office.post.agency,
        )
        async with office.pump():
            await office.settled()
        assert [each.state for each in await office.messages()] == ["applied", "ignored"]


class TestBegin:
    async def test_of_what_somebody_has_discarded_overtakes_nothing(
        self, office: "Office", work: Work
    ) -> None:
        due = await TestSettle.discarded(office, work)
        aspects = {"interview:e-1/i-7:time": due.occurred_at}
        assert not await work.begin(due, ("e-1",), b"plan", aspects)
        await office.comes("m-0", "seen", -1)
        [older] = await work.due(office.post.agency, (), 10)
        assert await work.outdated(older, dict.fromkeys(aspects, older.occurred_at)) == frozenset()


class TestABlockedMessage:
    async def test_stands_also_behind_what_is_due_by_now(self, office: "Office", work: Work) -> None:
        """An earlier one whose pause ends just as a later one gets its turn still goes first."""
        await office.comes("m-1", "wrote", 1, candidate="cand-1", id="w-1")
        await office.comes("m-2", "wrote", 2, candidate="cand-1", id="w-2")
        first, second = await work.due(office.post.agency, (), 10)
        assert await work.blocked_until(second, ("e-1",)) is None
        await work.postpone(first, ("e-1",), "tried in vain", longest=timedelta())
        assert await work.blocked_until(second, ("e-1",)) is not None
        assert await work.blocked_until(second, ("e-2",)) is None
        await work.settle(first, ("e-1",), End("applied"))
        assert await work.blocked_until(second, ("e-1",)) is None
