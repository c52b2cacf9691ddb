"""What digests promise, asked of both adapters alike."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from events.log import digests as module
from events.log.digests import Became, Digests, Place
from events.log.digests_memory import MemoryDigests
from events.log.effects import Claim, EffectsLedger, MemoryEffects

AT_ONCE = timedelta()
LONG = timedelta(hours=1)


async def join(
    digests: Digests, agency: str, effect: str, person: str = "t-1", window: timedelta = AT_ONCE
) -> Place | None:
    stream = f"engagement:{effect}"
    return await digests.join(
        agency, person, effect, stream, f"note {effect}", digest_id=f"digest-{effect}", window=window
    )


async def gathered(digests: Digests, agency: str, effects: Sequence[str] = ("a", "b", "c")) -> str:
    """Let effects wait together; returns their digest."""
    places = [await join(digests, agency, each) for each in effects]
    [one] = {each.digest_id for each in places if each is not None}
    return one


async def claim(digests: Digests, agency: str, digest: str, stale_after: timedelta = LONG) -> Claim:
    return await digests.claim(agency, digest, "email", "<m-1>", stale_after=stale_after)


async def rows(ledger: EffectsLedger, agency: str) -> list[tuple[str, int, str]]:
    return [(each.effect_id, each.attempt, each.state) for each in await ledger.list(agency)]


class TestJoin:
    async def test_gathers_what_one_person_must_hear(self, digests: Digests, agency: str) -> None:
        first = await join(digests, agency, "a", window=LONG)
        second = await join(digests, agency, "b", window=AT_ONCE)
        assert first is not None
        assert second is not None
        assert first.digest_id == second.digest_id == "digest-a"
        assert timedelta(minutes=59) < second.ripe_in <= LONG
        assert [(each.effect_id, each.person_id) for each in await digests.waiting(agency)] == [
            ("a", "t-1"),
            ("b", "t-1"),
        ]

    async def test_keeps_people_and_agencies_apart(self, digests: Digests, agency: str) -> None:
        places = [
            await join(digests, agency, "a"),
            await join(digests, agency, "b", "d-1"),
            await join(digests, agency + "-b", "c"),
        ]
        assert len({each.digest_id for each in places if each is not None}) == 3
        assert len(await digests.waiting(agency)) == 2

    async def test_gives_the_same_place_again(self, digests: Digests, agency: str) -> None:
        await join(digests, agency, "a", window=AT_ONCE)
        again = await join(digests, agency, "a", window=LONG)
        assert again == Place("digest-a", "t-1", AT_ONCE)

    async def test_opens_one_digest_for_many_who_come_at_once(self, digests: Digests, agency: str) -> None:
        places = await asyncio.gather(*(join(digests, agency, f"e-{number}") for number in range(6)))
        assert len({each.digest_id for each in places if each is not None}) == 1

    async def test_opens_another_once_the_first_is_taken(self, digests: Digests, agency: str) -> None:
        first = await gathered(digests, agency)
        await digests.take(agency, first, lease=LONG)
        late = await join(digests, agency, "late")
        assert late is not None
        assert late.digest_id != first

    async def test_opens_another_once_the_first_is_full(self, digests: Digests, agency: str) -> None:
        effects = [f"e-{number:03}" for number in range(module.LARGEST)]
        full = await gathered(digests, agency, effects)
        more = await join(digests, agency, "one-more")
        assert more is not None
        assert more.digest_id != full
        assert len(await digests.take(agency, full, lease=LONG) or ()) == module.LARGEST

    async def test_leaves_alone_what_was_tried_by_itself(
        self, digests: Digests, ledger: EffectsLedger, agency: str
    ) -> None:
        """It has a Message-ID of its own, under which it may have left."""
        await ledger.claim(agency, "a", "engagement:a", "email", "<own>", stale_after=LONG)
        assert await join(digests, agency, "a") is None

    async def test_moves_to_whoever_is_to_hear_now(self, digests: Digests, agency: str) -> None:
        await gathered(digests, agency, ("a", "b"))
        moved = await join(digests, agency, "a", "d-1")
        assert moved is not None
        assert (moved.person_id, moved.digest_id != "digest-a") == ("d-1", True)
        back = await join(digests, agency, "a", "t-1")
        assert back == Place("digest-a", "t-1", AT_ONCE)

    async def test_does_not_move_what_may_have_left(self, digests: Digests, agency: str) -> None:
        digest = await gathered(digests, agency)
        await digests.take(agency, digest, lease=AT_ONCE)
        await claim(digests, agency, digest)
        place = await join(digests, agency, "a", "d-1")
        assert place is not None
        assert (place.digest_id, place.person_id) == (digest, "t-1")


class TestTake:
    async def test_gives_everything_to_one(self, digests: Digests, agency: str) -> None:
        digest = await gathered(digests, agency)
        taken = await asyncio.gather(*(digests.take(agency, digest, lease=LONG) for _ in range(5)))
        [entries] = [each for each in taken if each is not None]
        assert [(each.effect_id, each.stream, each.note, each.doubtful) for each in entries] == [
            (each, f"engagement:{each}", f"note {each}", False) for each in ("a", "b", "c")
        ]

    async def test_waits_until_it_is_ripe(self, digests: Digests, agency: str) -> None:
        await join(digests, agency, "a", window=LONG)
        assert await digests.take(agency, "digest-a", lease=LONG) is None

    async def test_gives_it_again_when_the_lease_is_over(self, digests: Digests, agency: str) -> None:
        """A sender that was killed while it wrote the letter keeps nobody waiting for ever."""
        digest = await gathered(digests, agency)
        await digests.take(agency, digest, lease=AT_ONCE)
        assert len(await digests.take(agency, digest, lease=AT_ONCE) or ()) == 3

    async def test_says_what_may_have_left(self, digests: Digests, agency: str) -> None:
        digest = await gathered(digests, agency)
        await claim(digests, agency, digest)
        assert all(each.doubtful for each in await digests.take(agency, digest, lease=LONG) or ())

    async def test_of_none_gives_nothing(self, digests: Digests, agency: str) -> None:
        assert await digests.take(agency, "nowhere", lease=LONG) is None


class TestClaim:
    async def test_is_one_for_all(self, digests: Digests, ledger: EffectsLedger, agency: str) -> None:
        digest = await gathered(digests, agency)
        claims = await asyncio.gather(*(claim(digests, agency, digest) for _ in range(4)))
        assert sorted(each.status for each in claims) == ["busy", "busy", "busy", "go"]
        assert await rows(ledger, agency) == [(each, 1, "claimed") for each in ("a", "b", "c")]
        assert {each.message_id for each in await ledger.list(agency)} == {"<m-1>"}

    async def test_goes_once_more_as_a_whole(
        self, digests: Digests, ledger: EffectsLedger, agency: str
    ) -> None:
        """A crash inside the sending: nobody knows whether it left."""
        digest = await gathered(digests, agency)
        await claim(digests, agency, digest)
        again = await digests.claim(agency, digest, "email", "<other>", stale_after=AT_ONCE)
        assert again == Claim("go", 2, "claimed", "<m-1>")
        assert (await claim(digests, agency, digest, AT_ONCE)).status == "exhausted"

    async def test_takes_nothing_when_it_cannot_have_all(
        self, digests: Digests, ledger: EffectsLedger, agency: str
    ) -> None:
        digest = await gathered(digests, agency)
        await ledger.claim(agency, "b", "engagement:b", "email", "<own>", stale_after=LONG)
        assert (await claim(digests, agency, digest)).status == "busy"
        assert await rows(ledger, agency) == [("b", 1, "claimed")]

    async def test_goes_past_what_has_its_outcome(
        self, digests: Digests, ledger: EffectsLedger, agency: str
    ) -> None:
        digest = await gathered(digests, agency)
        await ledger.claim(agency, "b", "engagement:b", "email", "<own>", stale_after=LONG)
        await ledger.finish(agency, "b", 1, "failed")
        assert (await claim(digests, agency, digest)).status == "go"
        assert await rows(ledger, agency) == [("a", 1, "claimed"), ("b", 1, "failed"), ("c", 1, "claimed")]


class TestFinish:
    async def test_records_each_outcome_and_forgets_the_digest(
        self, digests: Digests, ledger: EffectsLedger, agency: str
    ) -> None:
        digest = await gathered(digests, agency)
        await digests.take(agency, digest, lease=LONG)
        await claim(digests, agency, digest)
        became = [Became("a", "sent", "{}"), Became("b", "withheld"), Became("c", "sent")]
        await digests.finish(agency, digest, 1, became, pause=AT_ONCE)
        assert await rows(ledger, agency) == [("a", 1, "sent"), ("b", 1, "withheld"), ("c", 1, "sent")]
        assert await digests.waiting(agency) == []
        assert await digests.take(agency, digest, lease=LONG) is None
        assert await join(digests, agency, "a") is None

    async def test_keeps_what_surely_did_not_leave(
        self, digests: Digests, ledger: EffectsLedger, agency: str
    ) -> None:
        """A mail server that is down for an hour uses no attempt up, and nobody asks it without a pause."""
        digest = await gathered(digests, agency)
        await digests.take(agency, digest, lease=LONG)
        await claim(digests, agency, digest)
        released = [Became(each, "released") for each in ("a", "b", "c")]
        await digests.finish(agency, digest, 1, released, pause=LONG)
        assert await digests.take(agency, digest, lease=LONG) is None
        await digests.finish(agency, digest, 1, [], pause=AT_ONCE)
        assert [each.doubtful for each in await digests.take(agency, digest, lease=LONG) or ()] == [False] * 3
        assert (await claim(digests, agency, digest)).attempt == 1


class TestLeave:
    async def test_takes_one_out_and_leaves_the_rest(self, digests: Digests, agency: str) -> None:
        digest = await gathered(digests, agency)
        await digests.leave(agency, "a")
        assert [each.effect_id for each in await digests.waiting(agency)] == ["b", "c"]
        assert [each.effect_id for each in await digests.take(agency, digest, lease=LONG) or ()] == ["b", "c"]


class TestADigestGrowsRipe:
    async def test_only_after_its_window(self) -> None:
        """The database uses its own clock; the twin's can be moved."""
        now = [datetime(2026, 1, 5, 12, tzinfo=UTC)]
        digests = MemoryDigests(MemoryEffects(), clock=lambda: now[0])
        await join(digests, "agency", "a", window=timedelta(minutes=15))
        now[0] += timedelta(minutes=14)
        place = await join(digests, "agency", "b")
        assert place == Place("digest-a", "t-1", timedelta(minutes=1))
        assert await digests.take("agency", "digest-a", lease=LONG) is None
        now[0] += timedelta(minutes=1)
        assert len(await digests.take("agency", "digest-a", lease=LONG) or ()) == 2
