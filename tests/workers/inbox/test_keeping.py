"""What happens to messages over time: emptied, tried again, and told of where they do not get on."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from events.errors import WrongState
from events.integrations.nobodys import MOST
from workers.inbox.findings import held_up
from workers.inbox.purging import ONCE, WORTH_TRYING, purge

if TYPE_CHECKING:
    from tests.workers.inbox.desk import Office

pytestmark = pytest.mark.postgres


async def age(office: "Office", days: float) -> None:
    """This will let every message of the office have come so many days earlier."""
    await office.post.sql(
        "UPDATE rapport.inbox SET received_at = received_at - $2::interval WHERE agency = $1",
        office.post.agency,
        timedelta(days=days),
    )


class TestPurge:
    async def test_empties_what_asks_for_nothing_more_and_keeps_hash_and_reason(
        self, office: "Office"
    ) -> None:
        await office.comes("m-1", "wrote", 1, candidate="cand-1", id="w-1")
        await office.comes("m-2", "seen", 2)
        await office.comes("m-3", "wrote", 3, candidate="quux", id="w-1")
        await office.comes("m-4", "unheard-of", 4)
        async with office.pump():
            await office.settled()
        work = office.hand().work
        before = await office.post.sql(
            "SELECT message_id, body_hash FROM rapport.inbox WHERE agency = $1", office.post.agency
        )
        await age(office, 29)
        await purge(work)
        assert [each.purged_at for each in await office.messages()] == [None] * 4
        await age(office, 2)
        await purge(work, at_once=1)
        kept = await office.messages()
        assert [each.purged_at is not None for each in kept] == [True, True, True, False]
        assert [each.state for each in kept] == ["applied", "ignored", "unmatched", "waiting"]
        assert all(each.says for each in kept[1:])
        after = await office.post.sql(
            "SELECT message_id, body_hash FROM rapport.inbox WHERE agency = $1", office.post.agency
        )
        assert sorted(map(tuple, after)) == sorted(map(tuple, before))
        assert (await office.post.inbox.show(office.post.agency, kept[2].message_id))[1] is None

    async def test_leaves_a_message_that_is_known_when_it_comes_again(self, office: "Office") -> None:
        await office.comes("m-1", "wrote", candidate="cand-1", id="w-1")
        async with office.pump():
            await office.settled()
            await age(office, 31)
            await purge(office.hand().work)
            await office.comes("m-1", "wrote", candidate="cand-1", id="w-1")
            await office.settled()
        [kept] = await office.messages()
        assert (kept.state, kept.deliveries) == ("applied", 2)
        assert len(await office.desk.events("e-1", "candidate-wrote")) == 1

    async def test_leaves_nothing_to_try_again(self, office: "Office") -> None:
        await office.comes("m-1", "wrote", candidate="cand-9", id="w-1")
        async with office.pump():
            await office.settled()
        await age(office, 31)
        await purge(office.hand().work)
        [kept] = await office.messages()
        with pytest.raises(WrongState, match="its body is purged"):
            await office.post.inbox.retry(office.post.agency, kept.message_id)
        assert await office.post.inbox.retry(office.post.agency) == 0


class TestLookAgain:
    async def test_tries_what_did_not_fit_after_a_person_told_what_was_missing(
        self, office: "Office"
    ) -> None:
        await office.link("candidate", "cand-9", "e-9")
        await office.comes("m-1", "wrote", candidate="cand-9", id="w-1")
        async with office.pump():
            await office.settled()
            assert [each.needs for each in await office.messages()] == ["command"]
            await office.desk.person("e-9", "open-engagement", candidate_id="c-9", owner="r-1")
            await office.hand().work.look_again(WORTH_TRYING)
            await office.settled()
        assert [each.state for each in await office.messages()] == ["applied"]


class TestLookAtOld:
    async def settles(self, office: "Office") -> list[tuple[str, str | None]]:
        """This will let what waits become old, and give the state and reason of each."""
        async with office.pump():
            await office.settled()
            await age(office, 31)
            await office.hand().work.look_at_old(timedelta())
            await office.settled()
        return [(each.state, each.says) for each in await office.messages()]

    async def test_gives_up_what_no_rule_names_and_is_about_nobody(self, office: "Office") -> None:
        await office.comes("m-1", "unheard-of", 1, person={"id": "cand-9"})
        [(state, says)] = await self.settles(office)
        assert state == "ignored"
        assert says is not None
        assert says.startswith('the mapping of greenhouse says nothing about "unheard-of"')
        await purge(office.hand().work)
        assert (await office.messages())[0].purged_at is not None

    async def test_lets_wait_what_a_person_can_mend(self, office: "Office", desks: Any) -> None:
        """Somebody of ours is in it, wherever; a rule names it; nobody can read it."""
        scheduled, *others = desks.RULES
        picky = scheduled.model_copy(update={"events": ("picky",), "when": {"body.stage": ("known",)}})
        mended = desks.mapping(scheduled, *others, picky)
        await office.post.connections.set_mapping(office.post.agency, office.connection.id, mended)
        await office.comes("m-1", "unheard-of", 1, deep=[{"who": {"ref": "cand-1"}}])
        await office.comes("m-2", "picky", 2, stage="unknown")
        await office.comes("m-3", "malformed", 3)
        await office.comes("m-4", "unheard-of", 4, many=list(range(MOST + 1)))
        assert [state for state, _ in await self.settles(office)] == ["waiting"] * 4

    async def test_lets_wait_what_came_before_there_was_a_mapping(self, office: "Office") -> None:
        bare = await office.post.connection(provider="greenhouse", settings=office.connection.settings)
        await office.post.receive(bare, "m-1", event="unheard-of", body=b"{}")
        assert [state for state, _ in await self.settles(office)] == ["waiting"]

    async def test_gives_up_nothing_that_has_not_waited(self, office: "Office") -> None:
        """Whoever tries it again, or mends the mapping, is shown what is missing yet."""
        await office.comes("m-1", "unheard-of")
        await age(office, 31)
        async with office.pump():
            await office.settled()
            assert [each.state for each in await office.messages()] == ["waiting"]
            await office.post.inbox.retry(office.post.agency)
            await office.settled()
        assert [each.state for each in await office.messages()] == ["waiting"]

    async def test_looks_at_nothing_young_and_at_each_once_in_a_while(self, office: "Office") -> None:
        await office.comes("m-1", "unheard-of")
        async with office.pump():
            await office.settled()
        work = office.hand().work
        await age(office, 29)
        await work.look_at_old(timedelta())
        assert await office.is_settled()
        await age(office, 2)
        await work.look_at_old(ONCE)
        assert [each.state for each in await office.messages()] == ["waiting"]


class TestStuck:
    async def test_counts_what_waits_and_what_is_tried_again_and_again(self, office: "Office") -> None:
        inbox, agency = office.post.inbox, office.post.agency
        office.desk.away.add("e-1")
        await office.comes("m-1", "wrote", candidate="cand-1", id="w-1")
        await office.comes("m-2", "unheard-of", 1)
        await office.comes("m-3", "unheard-of", 2)

        async def tried() -> bool:
            return bool(office.desk.tries) and len(await office.messages("received")) == 1

        async with office.pump():
            await office.until(tried)
            await office.until(lambda: self.counted(office))
            waiting, late = await held_up(inbox, agency, timedelta())
        assert (waiting.kind, waiting.reason, waiting.stuck) == ("inbox", "waiting", True)
        assert "2 messages" in waiting.says
        assert late.reason == "received"
        assert late.attempt is not None
        assert late.attempt > 1
        assert [each.reason for each in await held_up(inbox, agency, timedelta(hours=1))] == ["waiting"]

    @staticmethod
    async def counted(office: "Office") -> bool:
        """This will tell whether a try in vain is in the table."""
        [kept] = await office.messages("received")
        return kept.attempts > 0

    async def test_names_what_is_about_nobody_of_ours_without_calling_it_stuck(
        self, office: "Office"
    ) -> None:
        await office.comes("m-1", "wrote", candidate="cand-of-nobody", id="w-1")
        async with office.pump():
            await office.settled()
        assert [each.state for each in await office.messages()] == ["unmatched"]
        [found] = await held_up(office.post.inbox, office.post.agency, timedelta())
        assert (found.reason, found.stuck) == ("unmatched", False)
        assert "1 message " in found.says
        assert "inbox list --state unmatched" in found.says
        assert "connection link" in found.says

    async def test_says_nothing_of_an_inbox_that_gets_on(self, office: "Office") -> None:
        await office.comes("m-1", "seen")
        async with office.pump():
            await office.settled()
        found: Any = await held_up(office.post.inbox, office.post.agency, timedelta())
        assert found == []
