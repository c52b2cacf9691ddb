"""What every event log promises, asked of both adapters alike."""

import asyncio
import json
from contextlib import aclosing
from datetime import UTC, timedelta
from typing import Any
from uuid import UUID

import pytest

from events.envelope import Claim
from events.log.hashing import head_hash
from events.log.port import (
    Appended,
    CommandIdReused,
    Conflict,
    EventLog,
    Fenced,
    PolicyChanged,
    StreamClosed,
    Taken,
    WrongPhase,
)
from events.log.verify import broken_at

STREAM = "engagement:e-1"
OTHER = "engagement:e-2"
LEASE = timedelta(minutes=1)
SEAT = Claim(kind="live-submission", key="person-1|job-1")


async def append(log: EventLog, request: Any) -> Any:
    (result,) = await log.append_many([request])
    return result


class TestAppendMany:
    async def test_numbers_a_new_stream_from_one(self, log: EventLog, make: Any) -> None:
        result = await append(log, make.one(STREAM, 0, "c-1", 2))
        assert isinstance(result, Appended)
        assert (result.version, [event.version for event in result.events]) == (2, [1, 2])
        assert result.outcomes == {"c-1": "accepted"}

    async def test_returns_what_reading_returns(self, log: EventLog, make: Any, agency: str) -> None:
        result = await append(log, make.one(STREAM, 0, "c-1", 2, personal=("words",), words="hello"))
        assert await log.read_stream(agency, STREAM) == list(result.events)

    async def test_keeps_every_field_of_the_draft(self, log: EventLog, make: Any, agency: str) -> None:
        draft = make.draft(STREAM, "c-1", text="“Grüße”\n", deep={"b": [1, None], "a": True}).model_copy(
            update={
                "causation_id": UUID(int=7),
                "correlation_id": "corr",
                "policy_digest": "digest",
                "origin": "engine",
            }
        )
        group = make.group(STREAM, "c-1", 0).model_copy(update={"drafts": (draft,)})
        await append(log, make.request(STREAM, 0, group))
        (event,) = await log.read_stream(agency, STREAM)
        kept = draft.model_dump(exclude={"personal", "key_subject", "after_close"})
        assert {name: getattr(event, name) for name in kept if name != "actor"} | {
            "actor": event.actor.model_dump()
        } == kept
        assert (event.agency, event.stream, event.command_id) == (agency, STREAM, "c-1")
        assert event.recorded_at.tzinfo == UTC

    async def test_takes_several_groups_together(self, log: EventLog, make: Any, agency: str) -> None:
        groups = [make.group(STREAM, "c-1", 2), make.group(STREAM, "c-2", 0, outcome="nothing-to-do")]
        result = await append(log, make.request(STREAM, 0, *groups, make.group(STREAM, "c-3")))
        assert [event.command_id for event in result.events] == ["c-1", "c-1", "c-3"]
        assert result.outcomes == {"c-1": "accepted", "c-2": "nothing-to-do", "c-3": "accepted"}

    async def test_gives_positions_dense_in_the_agency(self, log: EventLog, make: Any, agency: str) -> None:
        await log.append_many([make.one(STREAM, 0, "c-1", 2), make.one(OTHER, 0, "c-1", 3)])
        await append(log, make.one(STREAM, 2, "c-2"))
        assert [event.position for event in await log.read_all(agency)] == [1, 2, 3, 4, 5, 6]

    async def test_answers_in_the_order_of_the_requests(self, log: EventLog, make: Any) -> None:
        results = await log.append_many(
            [make.one(OTHER, 0, "c-1"), make.one(STREAM, 4, "c-1"), make.one("engagement:a", 0, "c-1")]
        )
        assert [type(result) for result in results] == [Appended, Conflict, Appended]

    async def test_takes_two_requests_for_one_stream_in_order(
        self, log: EventLog, make: Any, agency: str
    ) -> None:
        results = await log.append_many([make.one(STREAM, 0, "c-1"), make.one(STREAM, 1, "c-2")])
        assert [type(result) for result in results] == [Appended, Appended]
        assert len(await log.read_stream(agency, STREAM)) == 2

    async def test_keeps_agencies_apart(self, log: EventLog, make: Any, make_for: Any, agency: str) -> None:
        neighbour = make_for(agency + "-b")
        await log.append_many([make.one(STREAM, 0, "c-1"), neighbour.one(STREAM, 0, "c-1")])
        assert [event.position for event in await log.read_all(neighbour.agency)] == [1]
        assert [event.agency for event in await log.read_stream(agency, STREAM)] == [agency]

    async def test_takes_nothing_at_all(self, log: EventLog) -> None:
        assert await log.append_many([]) == []

    async def test_refuses_a_command_twice_in_one_request(self, log: EventLog, make: Any) -> None:
        with pytest.raises(ValueError, match="twice"):
            await append(log, make.request(STREAM, 0, make.group(STREAM, "c-1"), make.group(STREAM, "c-1")))


class TestAStaleVersion:
    async def test_brings_the_missing_events_and_writes_nothing(
        self, log: EventLog, make: Any, agency: str
    ) -> None:
        await append(log, make.one(STREAM, 0, "c-1", 3))
        result = await append(log, make.one(STREAM, 1, "c-2"))
        assert result == Conflict(3, tuple(await log.read_stream(agency, STREAM, after=1)))
        assert await log.receipt(agency, STREAM, "c-2") is None

    async def test_of_the_future_brings_none(self, log: EventLog, make: Any) -> None:
        await append(log, make.one(STREAM, 0, "c-1"))
        assert await append(log, make.one(STREAM, 5, "c-2")) == Conflict(1, ())

    async def test_of_an_unknown_stream_makes_no_stream(self, log: EventLog, make: Any, agency: str) -> None:
        assert await append(log, make.one(STREAM, 2, "c-1")) == Conflict(0, ())
        assert await log.head(agency, STREAM) is None

    async def test_does_not_keep_others_out(self, log: EventLog, make: Any) -> None:
        await append(log, make.one(STREAM, 0, "c-1"))
        results = await log.append_many([make.one(STREAM, 0, "c-2"), make.one(OTHER, 0, "c-2")])
        assert [type(result) for result in results] == [Conflict, Appended]


class TestARetry:
    async def test_returns_the_stored_events(self, log: EventLog, make: Any, agency: str) -> None:
        request = make.one(STREAM, 0, "c-1", 2, personal=("words",), words="hello")
        first = await append(log, request)
        assert await append(log, request) == first
        assert len(await log.read_all(agency)) == 2

    async def test_is_known_after_the_stream_went_on(self, log: EventLog, make: Any) -> None:
        first = await append(log, make.one(STREAM, 0, "c-1", 2))
        await append(log, make.one(STREAM, 2, "c-2"))
        again = await append(log, make.one(STREAM, 0, "c-1", 2))
        assert (again.version, again.events) == (3, first.events)

    async def test_is_known_with_other_events_than_then(self, log: EventLog, make: Any) -> None:
        """The clock has moved when a lost activity runs again; what was stored counts."""
        first = await append(log, make.one(STREAM, 0, "c-1", 2))
        assert (await append(log, make.one(STREAM, 2, "c-1", 5))).events == first.events

    async def test_is_known_without_events(self, log: EventLog, make: Any) -> None:
        await append(log, make.one(STREAM, 0, "c-1", 0, outcome="nothing-to-do"))
        again = await append(log, make.one(STREAM, 0, "c-1", 0, outcome="accepted"))
        assert again == Appended(0, (), {"c-1": "nothing-to-do"})

    async def test_is_known_to_a_fenced_writer(self, log: EventLog, make: Any, agency: str) -> None:
        epoch = await log.open_writer(agency, STREAM)
        request = make.request(STREAM, 0, make.group(STREAM, "c-1"), run_epoch=epoch)
        first = await append(log, request)
        await log.open_writer(agency, STREAM)
        assert await append(log, request) == first

    async def test_regrouped_still_finds_all(self, log: EventLog, make: Any) -> None:
        one, two = make.group(STREAM, "c-1"), make.group(STREAM, "c-2", 2)
        first = await append(log, make.request(STREAM, 0, one))
        second = await append(log, make.request(STREAM, 1, two))
        together = await append(log, make.request(STREAM, 0, two, one))
        assert together.events == first.events + second.events

    async def test_with_a_new_command_is_a_conflict_that_names_the_known(
        self, log: EventLog, make: Any, agency: str
    ) -> None:
        """The new one was decided on events that do not exist."""
        first = await append(log, make.one(STREAM, 0, "c-1"))
        groups = make.group(STREAM, "c-1"), make.group(STREAM, "c-2")
        assert await append(log, make.request(STREAM, 0, *groups)) == Conflict(
            1, first.events, {"c-1": "accepted"}
        )
        assert await append(log, make.request(STREAM, 1, *groups)) == Conflict(1, (), {"c-1": "accepted"})
        assert len(await log.read_stream(agency, STREAM)) == 1

    async def test_with_another_content_is_a_reused_id(self, log: EventLog, make: Any) -> None:
        await append(log, make.one(STREAM, 0, "c-1", input="one"))
        assert await append(log, make.one(STREAM, 1, "c-1", input="two")) == CommandIdReused("c-1")

    async def test_of_a_claim_does_not_claim_again(self, log: EventLog, make: Any, agency: str) -> None:
        claiming = make.one(STREAM, 0, "c-1", claims=(SEAT,))
        await append(log, claiming)
        await append(log, make.one(STREAM, 1, "c-2", releases=(SEAT,)))
        await append(log, claiming)
        assert await log.reservation_holders(agency, SEAT.kind, "") == {}


class TestAReservation:
    async def test_is_held_by_one_stream(self, log: EventLog, make: Any, agency: str) -> None:
        await append(log, make.one(STREAM, 0, "c-1", claims=(SEAT,)))
        taken = await append(log, make.one(OTHER, 0, "c-2", claims=(SEAT,)))
        assert taken == Taken("c-2", SEAT.kind, SEAT.key, STREAM)
        assert await log.head(agency, OTHER) is None
        assert await log.reservation_holders(agency, SEAT.kind, "person-1|") == {SEAT.key: STREAM}

    async def test_goes_to_one_of_two_in_the_same_call(self, log: EventLog, make: Any) -> None:
        results = await log.append_many(
            [make.one(OTHER, 0, "c-1", claims=(SEAT,)), make.one(STREAM, 0, "c-1", claims=(SEAT,))]
        )
        assert sorted(type(result).__name__ for result in results) == ["Appended", "Taken"]

    async def test_can_be_claimed_again_by_its_holder(self, log: EventLog, make: Any) -> None:
        await append(log, make.one(STREAM, 0, "c-1", claims=(SEAT,)))
        assert isinstance(await append(log, make.one(STREAM, 1, "c-2", claims=(SEAT,))), Appended)

    async def test_is_free_after_its_release(self, log: EventLog, make: Any, agency: str) -> None:
        await append(log, make.one(STREAM, 0, "c-1", claims=(SEAT,)))
        await append(log, make.one(STREAM, 1, "c-2", 0, releases=(SEAT,)))
        await append(log, make.one(OTHER, 0, "c-3", claims=(SEAT,)))
        assert await log.reservation_holders(agency, SEAT.kind, "") == {SEAT.key: OTHER}

    async def test_is_not_released_by_another_stream(self, log: EventLog, make: Any, agency: str) -> None:
        await append(log, make.one(STREAM, 0, "c-1", claims=(SEAT,)))
        await append(log, make.one(OTHER, 0, "c-2", releases=(SEAT,)))
        assert await log.reservation_holders(agency, SEAT.kind, "") == {SEAT.key: STREAM}

    async def test_at_a_stale_version_is_not_made(self, log: EventLog, make: Any, agency: str) -> None:
        await append(log, make.one(STREAM, 0, "c-1"))
        assert isinstance(await append(log, make.one(STREAM, 0, "c-2", claims=(SEAT,))), Conflict)
        assert await log.reservation_holders(agency, SEAT.kind, "") == {}

    async def test_is_all_or_nothing_in_a_request(self, log: EventLog, make: Any, agency: str) -> None:
        spare = Claim(kind=SEAT.kind, key="person-1|job-2")
        await append(log, make.one(STREAM, 0, "c-1", claims=(SEAT,)))
        await append(log, make.one(OTHER, 0, "c-2", claims=(spare, SEAT)))
        assert await log.reservation_holders(agency, SEAT.kind, "") == {SEAT.key: STREAM}


class TestTheEpoch:
    async def test_fences_an_older_run(self, log: EventLog, make: Any, agency: str) -> None:
        old = await log.open_writer(agency, STREAM)
        new = await log.open_writer(agency, STREAM)
        group = make.group(STREAM, "c-1")
        assert (old, new) == (1, 2)
        assert await append(log, make.request(STREAM, 0, group, run_epoch=old)) == Fenced(2)
        assert isinstance(await append(log, make.request(STREAM, 0, group, run_epoch=new)), Appended)

    async def test_fences_a_writer_without_one(self, log: EventLog, make: Any, agency: str) -> None:
        await log.open_writer(agency, STREAM)
        assert await append(log, make.one(STREAM, 0, "c-1")) == Fenced(1)

    async def test_fences_before_a_stale_version_is_told(self, log: EventLog, make: Any, agency: str) -> None:
        await append(log, make.one(STREAM, 0, "c-1"))
        await log.open_writer(agency, STREAM)
        assert await append(log, make.one(STREAM, 0, "c-2")) == Fenced(1)

    async def test_leaves_events_alone(self, log: EventLog, make: Any, agency: str) -> None:
        await append(log, make.one(STREAM, 0, "c-1"))
        epoch = await log.open_writer(agency, STREAM)
        head = await log.head(agency, STREAM)
        assert head is not None
        assert (head.version, head.run_epoch, epoch) == (1, 1, 1)

    @pytest.mark.parametrize("begun", [False, True])
    async def test_comes_with_a_clock_that_stays(
        self, log: EventLog, make: Any, agency: str, begun: bool
    ) -> None:
        """Whoever starts the writer anew may not know by which clock its promises fall due."""
        if begun:
            await append(log, make.one(STREAM, 0, "c-1"))
        for clock in (None, '{"rate":7}', '{"rate":1}', None):
            await log.open_writer(agency, STREAM, clock)
        head = await log.head(agency, STREAM)
        assert head is not None
        assert (head.clock, head.run_epoch) == ('{"rate":7}', 4)


class TestWhatAClosedStreamOwes:
    async def test_is_what_nothing_has_answered(self, log: EventLog, make: Any, agency: str) -> None:
        async def say(stream: str, *events: tuple[str, str], closes: bool = True) -> None:
            drafts = tuple(
                make.draft(stream, "c-1", number, id=key).model_copy(update={"type": type})
                for number, (type, key) in enumerate(events)
            )
            group = make.group(stream, "c-1", len(drafts), closes=closes)
            await append(log, make.request(stream, 0, group.model_copy(update={"drafts": drafts})))

        await say("pupil:owes", ("asked", "q-1"), ("answered", "q-1"), ("asked", "q-2"), ("told", "q-2"))
        await say(
            "pupil:owes-nothing", ("asked", "q-1"), ("asked", "q-2"), ("left", "q-2"), ("answered", "q-1")
        )
        await say("pupil:says-nothing", ("noted", "q-1"))
        await say("pupil:open", ("asked", "q-1"), closes=False)

        owing = await log.closed_owing(agency, "asked", ("answered", "left"), "id")

        assert [each.stream for each in owing] == ["pupil:owes"]
        assert owing[0].phase == "closed"


class TestAClosedStream:
    async def test_takes_only_what_may_come_after(self, log: EventLog, make: Any, agency: str) -> None:
        await append(log, make.one(STREAM, 0, "c-1", closes=True))
        assert await append(log, make.one(STREAM, 1, "c-2")) == StreamClosed("c-2")
        assert isinstance(await append(log, make.one(STREAM, 1, "c-3", after_close=True)), Appended)
        head = await log.head(agency, STREAM)
        assert head is not None
        assert (head.phase, head.version) == ("closed", 2)

    async def test_still_keeps_receipts(self, log: EventLog, make: Any, agency: str) -> None:
        await append(log, make.one(STREAM, 0, "c-1", closes=True))
        assert isinstance(await append(log, make.one(STREAM, 1, "c-2", 0, outcome="refused")), Appended)
        receipt = await log.receipt(agency, STREAM, "c-2")
        assert receipt is not None
        assert (receipt.outcome, receipt.first, receipt.last) == ("refused", 2, 1)

    async def test_is_closed_within_the_request(self, log: EventLog, make: Any, agency: str) -> None:
        closing, after = make.group(STREAM, "c-1", closes=True), make.group(STREAM, "c-2")
        assert await append(log, make.request(STREAM, 0, closing, after)) == StreamClosed("c-2")
        assert await log.read_stream(agency, STREAM) == []

    async def test_tells_a_stale_writer_what_it_missed(self, log: EventLog, make: Any) -> None:
        await append(log, make.one(STREAM, 0, "c-1", closes=True))
        assert isinstance(await append(log, make.one(STREAM, 0, "c-2")), Conflict)

    async def test_knows_a_retry_of_the_closing(self, log: EventLog, make: Any) -> None:
        request = make.one(STREAM, 0, "c-1", closes=True)
        assert await append(log, request) == await append(log, request)


class TestAnImport:
    async def test_writes_imported_events_until_live(self, log: EventLog, make: Any, agency: str) -> None:
        await log.begin_import(agency, STREAM)
        await append(log, make.one(STREAM, 0, "c-1", origin="imported"))
        await append(log, make.one(STREAM, 1, "c-2", origin="engine"))
        await log.turn_live(agency, STREAM)
        await append(log, make.one(STREAM, 2, "c-3"))
        assert [event.origin for event in await log.read_stream(agency, STREAM)] == [
            "imported",
            "engine",
            "business",
        ]

    async def test_may_begin_twice(self, log: EventLog, agency: str) -> None:
        await log.begin_import(agency, STREAM)
        await log.begin_import(agency, STREAM)
        head = await log.head(agency, STREAM)
        assert head is not None
        assert head.phase == "importing"

    async def test_keeps_the_business_out(self, log: EventLog, make: Any, agency: str) -> None:
        await log.begin_import(agency, STREAM)
        with pytest.raises(WrongPhase, match="imported"):
            await append(log, make.one(STREAM, 0, "c-1"))
        with pytest.raises(WrongPhase, match="turn it live"):
            await log.open_writer(agency, STREAM)

    async def test_is_kept_out_of_a_live_stream(self, log: EventLog, make: Any, agency: str) -> None:
        await append(log, make.one(STREAM, 0, "c-1"))
        with pytest.raises(WrongPhase):
            await append(log, make.one(STREAM, 1, "c-2", origin="imported"))
        with pytest.raises(WrongPhase):
            await log.begin_import(agency, STREAM)

    async def test_refused_keeps_no_other_request_out(self, log: EventLog, make: Any, agency: str) -> None:
        with pytest.raises(WrongPhase):
            await log.append_many([make.one(STREAM, 0, "c-1", origin="imported"), make.one(OTHER, 0, "c-1")])
        assert await log.head(agency, STREAM) is None
        assert len(await log.read_stream(agency, OTHER)) == 1


class TestReading:
    async def test_pages_through_a_stream(self, log: EventLog, make: Any, agency: str) -> None:
        await append(log, make.one(STREAM, 0, "c-1", 5))
        page = await log.read_stream(agency, STREAM, after=1, limit=2)
        assert [event.version for event in page] == [2, 3]

    async def test_of_nothing_is_empty(self, log: EventLog, agency: str) -> None:
        assert await log.read_stream(agency, STREAM) == []
        assert await log.read_all(agency) == []
        assert (await log.log_head(agency)).position == 0

    async def test_finds_the_streams_that_say_something(self, log: EventLog, make: Any, agency: str) -> None:
        """Up to a position, so that reading again finds the same, whatever has come since."""
        await append(log, make.one(OTHER, 0, "c-1", 2, about="j-1"))
        await append(log, make.one(STREAM, 0, "c-2", about="j-1", personal=("words",), words="j-2"))
        await append(log, make.one("engagement:e-3", 0, "c-3", about="j-2"))
        await append(log, make.one("engagement:e-4", 0, "c-4", about="j-1"))
        assert await log.streams_saying(agency, "noted", "about", "j-1", before=5) == [STREAM, OTHER]
        assert await log.streams_saying(agency, "noted", "about", "j-1", before=3) == [OTHER]
        assert await log.streams_saying(agency, "noted", "words", "j-2", before=9) == []
        assert await log.streams_saying(agency, "other", "about", "j-1", before=9) == []

    async def test_gives_what_the_world_did_a_stream_at_a_time(
        self, log: EventLog, make: Any, agency: str
    ) -> None:
        """However many share the reading, each engagement comes once, whole but for the engine's events."""
        for number, stream in enumerate((OTHER, STREAM, "engagement:e-3", "job-order:j-1", "engagement:e-4")):
            await append(log, make.one(stream, 0, f"c-{number}", 2))
            await append(log, make.one(stream, 2, f"step-{number}", origin="engine"))
            await append(log, make.one(stream, 3, f"d-{number}"))
        for shares in (1, 2, 3):
            found: list[str] = []
            for share in range(shares):
                async with aclosing(log.worlds(agency, share=share, shares=shares)) as streams:
                    async for events in streams:
                        assert [each.version for each in events] == [1, 2, 4]
                        assert len({each.stream for each in events}) == 1
                        found.append(events[0].stream)
            assert sorted(found) == [STREAM, OTHER, "engagement:e-3", "engagement:e-4"]
        async with aclosing(log.worlds(f"{agency}-other")) as streams:
            assert [events async for events in streams] == []

    async def test_pages_through_all(self, log: EventLog, make: Any, agency: str) -> None:
        await append(log, make.one(STREAM, 0, "c-1", 5))
        assert [event.position for event in await log.read_all(agency, after=2, limit=2)] == [3, 4]

    async def test_picks_a_category(self, log: EventLog, make: Any, agency: str) -> None:
        order = "job-order:j-1"
        await log.append_many([make.one(STREAM, 0, "c-1"), make.one(order, 0, "c-1")])
        found = await log.read_all(agency, category="job-order")
        assert [event.stream for event in found] == [order]

    async def test_opens_personal_fields_only_when_asked(self, log: EventLog, make: Any, agency: str) -> None:
        await append(
            log, make.one(STREAM, 0, "c-1", personal=("words", "gone"), words=["hello", "é"], gone=None)
        )
        (closed,) = await log.read_stream(agency, STREAM)
        (opened,) = await log.read_stream(agency, STREAM, open_personal=True)
        assert closed.opened == {}
        assert opened.opened == {"words": '["hello","é"]'}
        assert "hello" not in opened.body
        assert json.loads(closed.body)["gone"] is None


class TestSubscribe:
    async def test_yields_the_past_then_the_future(self, log: EventLog, make: Any, agency: str) -> None:
        await append(log, make.one(STREAM, 0, "c-1", 2))
        seen: list[int] = []
        async with asyncio.timeout(10), aclosing(log.subscribe(agency)) as batches:
            async for batch in batches:
                seen += [event.position for event in batch]
                if len(seen) == 2:
                    await append(log, make.one(STREAM, 2, "c-2", 2))
                if len(seen) == 4:
                    break
        assert seen == [1, 2, 3, 4]

    async def test_resumes_after_a_position(self, log: EventLog, make: Any, agency: str) -> None:
        await append(log, make.one(STREAM, 0, "c-1", 3))
        async with asyncio.timeout(10), aclosing(log.subscribe(agency, after=2)) as batches:
            async for batch in batches:
                assert [event.position for event in batch] == [3]
                break

    async def test_follows_one_category(self, log: EventLog, make: Any, agency: str) -> None:
        order = "job-order:j-1"
        seen: list[str] = []
        await append(log, make.one(order, 0, "c-1"))
        async with asyncio.timeout(10), aclosing(log.subscribe(agency, category="job-order")) as batches:
            async for batch in batches:
                seen += [event.command_id for event in batch]
                if len(seen) == 2:
                    break
                await append(log, make.one(STREAM, 0, "c-x", 3))
                await append(log, make.one(order, 1, "c-2"))
        assert seen == ["c-1", "c-2"]


class TestTheSweep:
    async def test_finds_streams_ahead_of_their_writer(self, log: EventLog, make: Any, agency: str) -> None:
        await log.append_many(
            [make.one(STREAM, 0, "c-1", 2), make.one(OTHER, 0, "c-1"), make.one("job-order:j", 0, "c-1")]
        )
        assert [head.stream for head in await log.ahead(agency)] == [STREAM, OTHER]
        await log.acknowledge(agency, STREAM, 2)
        assert [head.stream for head in await log.ahead(agency)] == [OTHER]
        await append(log, make.one(OTHER, 1, "c-2"))
        assert [head.version for head in await log.ahead(agency)] == [2]

    async def test_leaves_a_stream_that_has_just_grown(self, log: EventLog, make: Any, agency: str) -> None:
        await append(log, make.one(STREAM, 0, "c-1"))
        assert await log.ahead(agency, quiet_for=timedelta(hours=1)) == []
        assert [head.stream for head in await log.ahead(agency, quiet_for=timedelta())] == [STREAM]

    async def test_lets_one_poke_a_version(self, log: EventLog, make: Any, agency: str) -> None:
        """Two sweeps may see the same row: one of them gets it, and the row says what became of it."""
        await append(log, make.one(STREAM, 0, "c-1"))
        [seen] = await log.ahead(agency)
        assert (seen.poked_version, seen.poked_at, seen.poked_run) == (0, None, None)
        assert await log.claim_poke(seen, lease=LEASE)
        assert not await log.claim_poke(seen, lease=LEASE)
        await log.mark_poked(agency, STREAM, 1, "run-1")
        [poked] = await log.ahead(agency)
        assert (poked.poked_version, poked.poked_run) == (1, "run-1")
        assert poked.poked_at is not None
        # Known from another run: that one's poke may be lost with it, so it can be made again.
        assert await log.claim_poke(poked, lease=LEASE)

    async def test_lets_a_claim_lapse_that_led_to_no_poke(
        self, log: EventLog, make: Any, agency: str
    ) -> None:
        """Whoever claimed it may have died before it poked."""
        await append(log, make.one(STREAM, 0, "c-1"))
        [seen] = await log.ahead(agency)
        assert await log.claim_poke(seen, lease=LEASE)
        [claimed] = await log.ahead(agency)
        assert (claimed.poked_version, claimed.poked_run) == (1, None)
        assert not await log.claim_poke(claimed, lease=LEASE)
        assert await log.claim_poke(claimed, lease=timedelta())

    async def test_learns_from_an_append_what_was_folded(self, log: EventLog, make: Any, agency: str) -> None:
        await append(log, make.one(STREAM, 0, "c-1", 2))
        await append(log, make.request(STREAM, 2, make.group(STREAM, "c-2"), acked=2))
        head = await log.head(agency, STREAM)
        assert head is not None
        assert (head.version, head.acked_version) == (3, 2)

    async def test_never_goes_back_or_beyond(self, log: EventLog, make: Any, agency: str) -> None:
        await append(log, make.one(STREAM, 0, "c-1", 2))
        for version in (2, 1, 99):
            await log.acknowledge(agency, STREAM, version)
            await log.mark_poked(agency, STREAM, version, "run-1")
        head = await log.head(agency, STREAM)
        assert head is not None
        assert (head.acked_version, head.poked_version) == (2, 2)

    async def test_pages_streams_by_name(self, log: EventLog, make: Any, agency: str) -> None:
        names = [f"engagement:{name}" for name in ("B", "a", "c")]
        await log.append_many([make.one(name, 0, "c-1") for name in reversed(names)])
        first = await log.streams(agency, limit=2)
        second = await log.streams(agency, after=first[-1].stream, limit=2)
        assert [head.stream for head in first + second] == names
        assert [head.stream for head in await log.ahead(agency, after=names[0], limit=1)] == [names[1]]
        assert await log.streams(agency, category="job-order") == []

    async def test_lists_the_agencies(self, log: EventLog, make: Any, agency: str) -> None:
        assert agency not in await log.agencies()
        await append(log, make.one(STREAM, 0, "c-1"))
        assert agency in await log.agencies()


class TestPolicies:
    async def test_come_back_as_saved(self, log: EventLog, agency: str) -> None:
        await log.save_policy(agency, "digest-1", "body")
        await log.save_policy(agency, "digest-1", "body")
        assert await log.load_policy(agency, "digest-1") == "body"
        assert await log.load_policy(agency, "digest-2") is None
        assert await log.load_policy(agency + "-b", "digest-1") is None

    async def test_never_change_under_a_digest(self, log: EventLog, agency: str) -> None:
        await log.save_policy(agency, "digest-1", "body")
        with pytest.raises(PolicyChanged):
            await log.save_policy(agency, "digest-1", "other")


class TestTheChain:
    async def test_verifies_stream_by_stream(self, log: EventLog, make: Any, agency: str) -> None:
        await append(log, make.one(STREAM, 0, "c-1", 2, personal=("words",), words="hello"))
        await log.append_many([make.one(STREAM, 2, "c-2"), make.one(OTHER, 0, "c-1", 2)])
        for stream in (STREAM, OTHER):
            events = await log.read_stream(agency, stream)
            assert broken_at(events, await log.ciphertexts(agency, stream)) is None

    async def test_leads_to_the_published_head(self, log: EventLog, make: Any, agency: str) -> None:
        await log.append_many([make.one(STREAM, 0, "c-1", 2), make.one(OTHER, 0, "c-1", 2)])
        await append(log, make.one(STREAM, 2, "c-2"))
        head = await log.log_head(agency)
        assert head.position == 5
        assert head.head_hash == head_hash(event.chain_hash for event in await log.read_all(agency))


class TestChainHashes:
    async def test_are_those_of_all_events_in_commit_order(self, log: EventLog, make: Any) -> None:
        """Evidence leads to an agency's head by them alone, without reading what belongs to others."""
        await log.append_many(
            [make.one("engagement:e-1", 0, "c-1", 2), make.one("engagement:e-2", 0, "c-1", 2)]
        )
        every = [event.chain_hash for event in await log.read_all(make.agency)]
        assert await log.chain_hashes(make.agency) == every
        assert await log.chain_hashes(make.agency, after=1, limit=2) == every[1:3]
        assert await log.chain_hashes("nobody") == []
