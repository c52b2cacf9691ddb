"""The plain case of an append: written as a whole, or judged as if it had never been tried."""

from typing import Any

import asyncpg
import pytest

from events.envelope import AppendRequest, Claim, Stored
from events.log.keys import MemoryKeys
from events.log.plain import APPEND_ONWARD, Prepared, answers, onward_arguments, prepare
from events.log.port import Appended, Conflict, Fenced
from events.log.postgres import PostgresLog
from events.log.rows import stored_from_sealed
from events.log.sealing import seal_request
from events.log.verify import broken_at, head_is_sound

ONE, TWO, THREE = "engagement:e-1", "engagement:e-2", "engagement:e-3"


async def prepared(*requests: Any) -> list[Prepared]:
    """Seal requests and lay them out."""
    return [prepare(await seal_request(each, MemoryKeys())) for each in requests]


def invented(request: AppendRequest) -> AppendRequest:
    """Give a request's event an origin that no type lets through."""
    [group] = request.groups
    [draft] = group.drafts
    wrong = group.model_copy(update={"drafts": (draft.model_copy(update={"origin": "invented"}),)})
    return request.model_copy(update={"groups": (wrong,)})


class TestOnwardArguments:
    async def plain(self, *requests: Any) -> bool:
        return onward_arguments(await prepared(*requests)) is not None

    async def test_is_what_goes_on(self, make: Any) -> None:
        assert await self.plain(make.one(ONE, 1, "c"), make.one(TWO, 7, "c", 2))

    async def test_is_not_a_beginning(self, make: Any) -> None:
        assert not await self.plain(make.one(ONE, 1, "c"), make.one(TWO, 0, "c"))

    async def test_is_not_an_end(self, make: Any) -> None:
        assert not await self.plain(make.one(ONE, 1, "c", closes=True))

    async def test_is_not_an_import(self, make: Any) -> None:
        assert not await self.plain(make.one(ONE, 1, "c", origin="imported"))

    @pytest.mark.parametrize("what", ["claims", "releases"])
    async def test_is_not_a_claim(self, make: Any, what: str) -> None:
        assert not await self.plain(make.one(ONE, 1, "c", **{what: (Claim(kind="seat", key="k"),)}))

    async def test_is_not_without_any_event(self, make: Any) -> None:
        """No position is taken then, and the agency's head stays unlocked."""
        assert not await self.plain(make.one(ONE, 1, "c", 0))

    async def test_is_of_one_agency(self, make: Any, make_for: Any) -> None:
        assert not await self.plain(make.one(ONE, 1, "c"), make_for("another").one(ONE, 1, "c"))

    async def test_say_where_each_request_begins(self, make: Any) -> None:
        requests = make.one(ONE, 1, "c", 2), make.one(TWO, 1, "c", 0), make.one(THREE, 1, "c")
        arguments = onward_arguments(await prepared(*requests))
        assert arguments is not None
        assert [each[4] for each in arguments[1]] == [1, 3, 3]


class TestAnswers:
    async def test_deals_out_positions_and_hashes_in_order(self, make: Any) -> None:
        requests = [make.one(ONE, 1, "c", 2), make.one(TWO, 1, "c", 0), make.one(THREE, 1, "c")]
        batch = await prepared(*requests)
        dealt = answers(batch, {"position": 5, "recorded_at": None, "chain_hashes": [b"a", b"b", b"c"]})
        assert [each["position"] for each in dealt] == [5, 7, 7]
        assert [each["chain_hashes"] for each in dealt] == [[b"a", b"b"], [], [b"c"]]


@pytest.mark.postgres
class TestAppendOnward:
    async def test_gives_way_to_judgement(self, postgres_log: PostgresLog, make: Any, agency: str) -> None:
        """Good, known, stale and fenced in one call: each gets its own answer, and the good one is in."""
        log, four = postgres_log, "engagement:e-4"
        for stream in (ONE, TWO, THREE, four):
            await log.append_many([make.one(stream, 0, "first")])
        await log.open_writer(agency, four)
        await log.append_many([make.one(TWO, 1, "second")])
        requests = [
            make.one(ONE, 1, "second", 2),
            make.one(TWO, 1, "second"),
            make.one(THREE, 3, "second"),
            make.one(four, 1, "second"),
        ]
        assert onward_arguments(await prepared(*requests))
        results = await log.append_many(requests)
        assert [type(each) for each in results] == [Appended, Appended, Conflict, Fenced]
        stored = await log.read_all(agency)
        assert [event.position for event in stored] == [1, 2, 3, 4, 5, 6, 7]
        assert broken_at(await log.read_stream(agency, ONE)) is None

    async def test_chains_several_events_of_streams_in_any_order(
        self, postgres_log: PostgresLog, make: Any, agency: str
    ) -> None:
        single = "engagement:e-0"
        for stream in (ONE, TWO, THREE, single):
            await postgres_log.append_many([make.one(stream, 0, "first")])
        results = await postgres_log.append_many(
            [
                make.one(THREE, 1, "c", 2),
                make.one(ONE, 1, "c", 0),
                make.one(TWO, 1, "c", 3),
                make.one(single, 1, "c"),
            ]
        )
        events = [event for each in results if isinstance(each, Appended) for event in each.events]
        stored = await postgres_log.read_all(agency)
        assert sorted(events, key=lambda event: event.position) == stored[4:]
        assert len(events) == 6
        assert head_is_sound(stored, (await postgres_log.log_head(agency)).head_hash)
        for stream in (ONE, TWO, THREE, single):
            assert broken_at([event for event in stored if event.stream == stream]) is None

    @pytest.mark.parametrize(
        ("expected", "run_epoch", "command_id"),
        [(2, None, "new"), (1, 9, "new"), (1, None, "first")],
        ids=["stale", "fenced", "known"],
    )
    async def test_writes_all_or_nothing(
        self,
        postgres_log: PostgresLog,
        superuser: Any,
        make: Any,
        agency: str,
        expected: int,
        run_epoch: int | None,
        command_id: str,
    ) -> None:
        for stream in (ONE, TWO):
            await postgres_log.append_many([make.one(stream, 0, "first")])
        odd = make.request(TWO, expected, make.group(TWO, command_id), run_epoch=run_epoch)
        arguments = onward_arguments(await prepared(make.one(ONE, 1, "new"), odd))
        assert arguments is not None
        with pytest.raises(asyncpg.PostgresError):
            await superuser.fetch(APPEND_ONWARD, *arguments, True)
        assert (await postgres_log.log_head(agency)).position == 2
        assert await postgres_log.receipt(agency, ONE, "new") is None

    async def test_keeps_a_wrong_origin_out(
        self, postgres_log: PostgresLog, superuser: Any, make: Any, agency: str
    ) -> None:
        """The table has no constraint for it, which each append would make ready anew."""
        await postgres_log.append_many([make.one(ONE, 0, "first")])
        arguments = onward_arguments(await prepared(invented(make.one(ONE, 1, "new"))))
        assert arguments is not None
        with pytest.raises(asyncpg.NotNullViolationError, match="origin"):
            await superuser.fetch(APPEND_ONWARD, *arguments, True)
        assert (await postgres_log.log_head(agency)).position == 1

    async def test_still_takes_what_older_workers_send(
        self, postgres_log: PostgresLog, superuser: Any, make: Any, agency: str
    ) -> None:
        for stream in (ONE, TWO):
            await postgres_log.append_many([make.one(stream, 0, "first")])
        requests = make.one(TWO, 1, "new", 2), make.one(ONE, 1, "new")
        arguments = onward_arguments(await prepared(*requests))
        assert arguments is not None
        agency_, streams, *rest = arguments
        await superuser.fetch(
            "SELECT * FROM rapport.append_onward($1, $2, $3, $4)", agency_, streams[::-1], *rest
        )
        stored = await postgres_log.read_all(agency)
        assert [event.stream for event in stored] == [ONE, TWO, TWO, TWO, ONE]
        assert head_is_sound(stored, (await postgres_log.log_head(agency)).head_hash)


@pytest.mark.postgres
class TestAppendMany:
    async def test_keeps_a_wrong_origin_out(self, postgres_log: PostgresLog, make: Any, agency: str) -> None:
        with pytest.raises(asyncpg.CheckViolationError, match="business, engine or imported"):
            await postgres_log.append_many([invented(make.one(ONE, 0, "first"))])
        assert await postgres_log.read_all(agency) == []


class TestStoredOfASealedDraft:
    async def test_shares_nothing_that_a_copy_could_change(self, make: Any) -> None:
        """All of them have one set of the fields that were given: a copy's must be its own."""
        [sealed] = [await seal_request(make.one(ONE, 1, "c"), MemoryKeys())]
        stored = stored_from_sealed(
            sealed, sealed.events[0], 1, make.one(ONE, 1, "c").groups[0].drafts[0].decided_at, b""
        )
        copied = stored.model_copy(update={"foreign": 1})
        assert stored.model_fields_set == set(Stored.model_fields)
        assert copied.model_fields_set == {*Stored.model_fields, "foreign"}
