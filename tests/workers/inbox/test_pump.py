"""What becomes of messages: each applied once, in order, or waiting with a sentence."""

import asyncio
import json
import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    from tests.workers.inbox.desk import Office

pytestmark = pytest.mark.postgres


def words(events: Any) -> list[str]:
    """This will list the messages' ids in the order of the record."""
    return [json.loads(each.body)["message_id"] for each in events]


class TestAMessage:
    async def test_is_applied_as_its_mapping_says(self, office: "Office") -> None:
        await office.comes("m-1", "wrote", candidate="cand-1", id="w-1", words="I am ill.")
        async with office.pump():
            await office.settled()
        [kept] = await office.messages()
        [event] = await office.desk.events("e-1", "candidate-wrote")
        assert kept.state == "applied"
        assert kept.engagements == ("e-1",)
        assert kept.outcome is not None
        assert kept.outcome["commands"][0]["command_id"] == event.command_id == f"hook:{kept.message_id}:0"
        assert (event.actor.kind, event.actor.id) == ("integration", office.connection.id)
        assert event.source == "greenhouse"
        assert event.occurred_at == kept.occurred_at

    async def test_is_ignored_with_its_reason(self, office: "Office") -> None:
        await office.comes("m-1", "seen")
        async with office.pump():
            await office.settled()
        [kept] = await office.messages()
        assert (kept.state, kept.says) == ("ignored", "nobody needs to know")

    async def test_matches_nobody_until_somebody_says_who_it_is(self, office: "Office") -> None:
        await office.comes("m-1", "wrote", candidate="cand-9", id="w-1")
        async with office.pump():
            await office.settled()
            [kept] = await office.messages()
            assert (kept.state, kept.needs) == ("unmatched", "link")
            await office.link("candidate", "cand-8", "e-1")
            assert [each.state for each in await office.messages()] == ["unmatched"]
            await office.link("candidate", "cand-9", "e-1")
            await office.settled()
        assert [each.state for each in await office.messages()] == ["applied"]
        assert len(await office.desk.events("e-1", "candidate-wrote")) == 1

    async def test_waits_for_a_mapping_and_goes_through_once_that_is_mended(
        self, office: "Office", desks: Any
    ) -> None:
        connections, agency = office.post.connections, office.post.agency
        await connections.set_mapping(agency, office.connection.id, desks.mapping(*desks.RULES[:1]))
        for number in (3, 1, 2):
            await office.comes(f"m-{number}", "wrote", number, candidate="cand-1", id=f"w-{number}")
        async with office.pump():
            await office.settled()
            kept = await office.messages()
            assert {(each.state, each.needs) for each in kept} == {("waiting", "mapping")}
            assert "wrote" in (kept[0].says or "")
            mended = desks.mapping(*desks.RULES)
            assert await connections.set_mapping(agency, office.connection.id, mended) == 3
            await office.settled()
        assert words(await office.desk.events("e-1", "candidate-wrote")) == ["w-1", "w-2", "w-3"]

    async def test_waits_while_its_command_does_not_fit_and_nothing_of_it_is_applied(
        self, office: "Office", desks: Any
    ) -> None:
        """Two engagements are meant, and the second is none: the first hears nothing either."""
        check = {"check": desks.Value(value="references"), "outcome": desks.Value(value="good")}
        to = [desks.Ref(kind="candidate", path=f"body.{each}") for each in ("one", "two")]
        both = desks.Rule(
            events=("both",),
            command=tuple(
                desks.RuleCommand(name="record-check", refs={"engagement": ref}, fields=check) for ref in to
            ),
        )
        await office.post.connections.set_mapping(
            office.post.agency, office.connection.id, desks.mapping(both)
        )
        await office.link("candidate", "cand-9", "e-9")
        await office.comes("m-1", "both", one="cand-1", two="cand-9")
        await office.comes("m-2", "both", 1, one="cand-1", two="cand-2")
        async with office.pump():
            await office.settled()
            waiting, applied = await office.messages()
            assert (waiting.state, waiting.needs) == ("waiting", "command")
            assert "no engagement 'e-9'" in (waiting.says or "")
            assert applied.state == "applied"
            assert len(await office.desk.events("e-1", "check-recorded")) == 1
            await office.desk.person("e-9", "open-engagement", candidate_id="c-9", owner="r-1")
            await office.post.inbox.retry(office.post.agency, waiting.message_id)
            await office.settled()
        assert [len(await office.desk.events(each, "check-recorded")) for each in ("e-1", "e-2", "e-9")] == [
            2,
            1,
            1,
        ]

    async def test_of_an_erased_person_is_ignored(self, office: "Office") -> None:
        await office.post.keys.destroy(office.post.agency, "engagement:e-1")
        await office.comes("m-1", "wrote", candidate="cand-1", id="w-1", words="Hello?")
        async with office.pump():
            await office.settled()
        [kept] = await office.messages()
        assert (kept.state, kept.says) == ("ignored", "the person whom it is about is erased")
        assert await office.desk.events("e-1", "candidate-wrote") == []

    async def test_may_be_discarded_before_it_is_applied(self, office: "Office") -> None:
        office.desk.away.add("e-1")
        await office.comes("m-1", "wrote", candidate="cand-1", id="w-1")
        await office.post.inbox.discard(
            office.post.agency, (await office.messages())[0].message_id, "a test", by="r-1"
        )
        await office.comes("m-2", "wrote", 1, candidate="cand-2", id="w-2")
        async with office.pump():
            await office.settled()
        assert [each.state for each in await office.messages()] == ["discarded", "applied"]


class TestOrder:
    async def test_is_the_sources_among_what_has_come(self, office: "Office") -> None:
        numbers = list(range(30))
        random.Random(7).shuffle(numbers)
        for number in numbers:
            await office.comes(f"m-{number}", "wrote", number, candidate="cand-1", id=f"w-{number}")
        async with office.pump():
            await office.settled()
        found = words(await office.desk.events("e-1", "candidate-wrote"))
        assert found == [f"w-{number}" for number in range(30)]

    async def test_lets_nothing_old_undo_what_is_newer(self, office: "Office") -> None:
        first = "2030-01-07T10:00:00Z"
        await office.comes("m-1", "scheduled", 1, application="app-1", interview="i-77", starts=first)
        await office.comes("m-3", "moved", 3, interview="i-77", starts="2030-01-09T10:00:00Z")
        async with office.pump():
            await office.settled()
            await office.comes("m-2", "moved", 2, interview="i-77", starts="2030-01-08T10:00:00Z")
            await office.settled()
        assert [each.state for each in await office.messages()] == ["applied", "superseded", "applied"]
        [moved] = await office.desk.events("e-1", "interview-moved")
        assert json.loads(moved.body)["starts_at"].startswith("2030-01-09")

    async def test_comes_right_where_the_later_message_came_first(self, office: "Office") -> None:
        """It names an interview of which nobody has heard: it waits, and goes on when that is known."""
        await office.comes("m-2", "moved", 2, interview="i-77", starts="2030-01-08T10:00:00Z")
        async with office.pump():
            await office.settled()
            assert [each.state for each in await office.messages()] == ["unmatched"]
            await office.comes(
                "m-1", "scheduled", 1, application="app-1", interview="i-77", starts="2030-01-07T10:00:00Z"
            )
            await office.until(lambda: office.desk.events("e-1", "interview-moved"))
            await office.settled()
        assert [each.state for each in await office.messages()] == ["applied", "applied"]

    async def test_holds_behind_a_message_that_is_tried_again_and_nobody_else(self, office: "Office") -> None:
        office.desk.away.add("e-1")
        for number in range(3):
            await office.comes(f"a-{number}", "wrote", number, candidate="cand-1", id=f"w-{number}")
            await office.comes(f"b-{number}", "wrote", number, candidate="cand-2", id=f"w-{number}")

        async def others_are_done() -> bool:
            return len(await office.messages("applied")) == 3

        async with office.pump():
            await office.until(others_are_done)
            await office.comes("a-3", "wrote", 3, candidate="cand-1", id="w-3")
            await office.until(lambda: self.tried_again(office))
            assert {command for about, command in office.desk.tries if about == "e-1"} == {
                f"hook:{(await office.messages('received'))[0].message_id}:0"
            }
            office.desk.away.clear()
            await office.settled()
        assert words(await office.desk.events("e-1", "candidate-wrote")) == ["w-0", "w-1", "w-2", "w-3"]

    async def test_is_the_sources_among_what_comes_while_nobody_is_there(self, office: "Office") -> None:
        """What was tried in vain is not begun, and so overtakes nothing."""
        office.desk.gone = True
        about: dict[str, Any] = {"application": "app-1", "interview": "i-77"}
        await office.comes("m-2", "scheduled", 2, starts="2030-01-08T10:00:00Z", **about)

        async def tried() -> bool:
            return bool((await office.messages())[-1].attempts)

        async with office.pump():
            await office.until(tried)
            await office.comes("m-1", "scheduled", 1, starts="2030-01-07T10:00:00Z", **about)
            office.desk.gone = False
            await office.settled()
        assert [each.state for each in await office.messages()] == ["applied", "applied"]
        [scheduled] = await office.desk.events("e-1", "interview-scheduled")
        [moved] = await office.desk.events("e-1", "interview-moved")
        assert json.loads(scheduled.body)["starts_at"].startswith("2030-01-07")
        assert json.loads(moved.body)["starts_at"].startswith("2030-01-08")

    @staticmethod
    async def tried_again(office: "Office") -> bool:
        """This will tell whether the first message of the one who is away has been tried a few times."""
        return len([about for about, _ in office.desk.tries if about == "e-1"]) > 2


class TestACrash:
    async def test_gives_the_same_commands_once(self, office: "Office") -> None:
        """The answer is lost after the record was written: the same id finds it there."""
        await office.comes("m-1", "wrote", candidate="cand-1", id="w-1")
        [kept] = await office.messages()
        office.desk.dies_after.add(f"hook:{kept.message_id}:0")
        async with office.pump():
            await office.settled()
        assert len(office.desk.tries) == 2
        assert len(await office.desk.events("e-1", "candidate-wrote")) == 1
        assert [each.state for each in await office.messages()] == ["applied"]

    async def test_goes_on_by_what_was_begun_whatever_the_mapping_says_by_then(
        self, office: "Office", desks: Any
    ) -> None:
        await office.comes("m-1", "wrote", candidate="cand-1", id="w-1")
        office.desk.away.add("e-1")
        async with office.pump():
            await office.until(lambda: self.begun(office))
        ignoring = desks.Rule(events=("wrote",), ignore="not any more")
        await office.post.connections.set_mapping(
            office.post.agency, office.connection.id, desks.mapping(ignoring)
        )
        office.desk.away.clear()
        async with office.pump():
            await office.settled()
        assert [each.state for each in await office.messages()] == ["applied"]

    @staticmethod
    async def begun(office: "Office") -> bool:
        """This will tell whether the message has been tried."""
        return bool(office.desk.tries)

    async def test_of_a_process_lets_another_take_its_turn(self, office: "Office") -> None:
        """The turn of one that died is over when its lease is."""
        held = office.hand().work
        assert await held.take_turn(office.post.agency, uuid4(), timedelta(seconds=0.5))
        await office.comes("m-1", "wrote", candidate="cand-1", id="w-1")
        async with office.pump():
            await office.settled()
        assert [each.state for each in await office.messages()] == ["applied"]


class TestTwoPumps:
    async def test_apply_each_message_once_in_order(self, office: "Office") -> None:
        numbers = list(range(40))
        random.Random(11).shuffle(numbers)
        async with office.pump(lease=30), office.pump(lease=30):
            await asyncio.gather(
                *(
                    office.comes(
                        f"m-{number}", "wrote", number, candidate=f"cand-{1 + number % 2}", id=f"w-{number}"
                    )
                    for number in [*numbers, *numbers]
                )
            )
            await office.settled()
        kept = await office.messages()
        assert {each.state for each in kept} == {"applied"}
        assert {each.deliveries for each in kept} == {2}
        told = [await office.desk.events(each, "candidate-wrote") for each in ("e-1", "e-2")]
        assert sorted(word for each in told for word in words(each)) == sorted(f"w-{n}" for n in range(40))
        assert len(office.desk.tries) == 40


class TestTwoAgencies:
    async def test_do_not_see_each_others_links(self, office: "Office", offices: Any, desks: Any) -> None:
        """The same foreign id in another agency's connection is nobody's here."""
        other = offices()
        theirs = await other.connection(
            provider="greenhouse",
            mapping=desks.mapping(*desks.RULES),
            settings=office.connection.settings,
        )
        await other.receive(theirs, "m-1", event="wrote", body=b'{"candidate": "cand-1", "id": "w-1"}')

        async def done() -> bool:
            return not await other.inbox.list(other.agency, states=["received"])

        async with office.pump():
            await office.until(done)
        [kept] = await other.inbox.list(other.agency)
        assert kept.state == "unmatched"
        assert await office.desk.events("e-1", "candidate-wrote") == []
