"""What the ledger of effects promises, asked of both adapters alike."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from events.log.effects import Claim, EffectsLedger, MemoryEffects, UnknownAttempt

NEVER = timedelta(hours=1)
AT_ONCE = timedelta(0)


async def claim(ledger: EffectsLedger, agency: str, stale_after: timedelta = NEVER, **more: Any) -> Claim:
    return await ledger.claim(
        agency, "effect-1", "engagement:e-1", "email", "<m-1>", stale_after=stale_after, **more
    )


class TestClaim:
    async def test_lets_the_first_go(self, ledger: EffectsLedger, agency: str) -> None:
        assert await claim(ledger, agency) == Claim("go", 1, "claimed", "<m-1>")
        (row,) = await ledger.list(agency)
        assert (row.state, row.attempt, row.channel, row.finished_at) == ("claimed", 1, "email", None)

    async def test_keeps_a_second_waiting(self, ledger: EffectsLedger, agency: str) -> None:
        await claim(ledger, agency)
        assert (await claim(ledger, agency)).status == "busy"

    async def test_lets_one_of_many_go(self, ledger: EffectsLedger, agency: str) -> None:
        claims = await asyncio.gather(*(claim(ledger, agency) for _ in range(6)))
        assert sorted(each.status for each in claims) == ["busy"] * 5 + ["go"]

    @pytest.mark.parametrize("outcome", ["sent", "failed", "withheld"])
    async def test_tells_a_known_outcome(self, ledger: EffectsLedger, agency: str, outcome: Any) -> None:
        await claim(ledger, agency)
        assert await ledger.finish(agency, "effect-1", 1, outcome, "250") == outcome
        assert await claim(ledger, agency, AT_ONCE) == Claim("done", 1, outcome, "<m-1>", "250")

    async def test_goes_once_more_under_the_same_message_id(self, ledger: EffectsLedger, agency: str) -> None:
        """A crash inside the sending: nobody knows whether it left."""
        await claim(ledger, agency)
        again = await ledger.claim(
            agency, "effect-1", "engagement:e-1", "email", "<other>", stale_after=AT_ONCE
        )
        assert again == Claim("go", 2, "claimed", "<m-1>")
        assert [row.state for row in await ledger.list(agency)] == ["unknown", "claimed"]

    async def test_is_exhausted_after_the_last_attempt(self, ledger: EffectsLedger, agency: str) -> None:
        await claim(ledger, agency)
        await claim(ledger, agency, AT_ONCE)
        last = await claim(ledger, agency, AT_ONCE)
        assert (last.status, last.attempt, last.state) == ("exhausted", 2, "unknown")
        assert (await claim(ledger, agency, AT_ONCE)).status == "exhausted"

    async def test_goes_again_as_the_same_attempt_when_nothing_left(
        self, ledger: EffectsLedger, agency: str
    ) -> None:
        """A mail server that is down for an hour uses no attempt up."""
        for _ in range(3):
            assert await claim(ledger, agency) == Claim("go", 1, "claimed", "<m-1>")
            assert await ledger.finish(agency, "effect-1", 1, "released", "refused") == "released"

    async def test_keeps_agencies_apart(self, ledger: EffectsLedger, agency: str) -> None:
        await claim(ledger, agency)
        assert (await claim(ledger, agency + "-b")).status == "go"
        assert len(await ledger.list(agency)) == 1


class TestFinish:
    async def test_keeps_the_first_known_outcome(self, ledger: EffectsLedger, agency: str) -> None:
        await claim(ledger, agency)
        await ledger.finish(agency, "effect-1", 1, "sent")
        assert await ledger.finish(agency, "effect-1", 1, "failed") == "sent"

    async def test_settles_an_attempt_that_was_given_up(self, ledger: EffectsLedger, agency: str) -> None:
        """The slow attempt comes back late and knows: the next claim is told, not sent again."""
        await claim(ledger, agency)
        await claim(ledger, agency, AT_ONCE)
        assert await ledger.finish(agency, "effect-1", 1, "sent") == "sent"
        assert (await claim(ledger, agency, AT_ONCE)).status == "done"

    async def test_does_not_free_an_attempt_that_was_given_up(
        self, ledger: EffectsLedger, agency: str
    ) -> None:
        await claim(ledger, agency)
        await ledger.finish(agency, "effect-1", 1, "unknown", "timeout")
        assert await ledger.finish(agency, "effect-1", 1, "released") == "unknown"
        assert (await claim(ledger, agency)).attempt == 2

    async def test_of_what_nobody_claimed_is_a_mistake(self, ledger: EffectsLedger, agency: str) -> None:
        with pytest.raises(UnknownAttempt, match="never claimed"):
            await ledger.finish(agency, "effect-1", 1, "sent")


class TestList:
    async def test_filters_and_pages(self, ledger: EffectsLedger, agency: str) -> None:
        for effect, stream in (("a", "s-1"), ("b", "s-2"), ("c", "s-1")):
            await ledger.claim(agency, effect, stream, "email", "<m>", stale_after=NEVER)
        await ledger.finish(agency, "a", 1, "sent")
        first = await ledger.list(agency, limit=1)
        rest = await ledger.list(agency, after=(first[0].effect_id, first[0].attempt))
        assert [row.effect_id for row in first + rest] == ["a", "b", "c"]
        assert [row.effect_id for row in await ledger.list(agency, stream="s-1")] == ["a", "c"]
        assert [row.effect_id for row in await ledger.list(agency, states=["sent"])] == ["a"]


class TestLast:
    async def test_gives_the_last_attempt_at_each(self, ledger: EffectsLedger, agency: str) -> None:
        await claim(ledger, agency)
        await claim(ledger, agency, AT_ONCE)
        await claim(ledger, f"{agency}-other")
        found = await ledger.last(agency, ["effect-1", "effect-2"])
        assert {key: (row.agency, row.attempt) for key, row in found.items()} == {"effect-1": (agency, 2)}
        assert await ledger.last(agency, []) == {}


class TestAClaimGrowsStale:
    async def test_only_after_its_time(self) -> None:
        """The database uses its own clock; the twin's can be moved."""
        moments = iter([0, 299, 300])
        base = MemoryEffects()._clock()
        ledger = MemoryEffects(clock=lambda: base + timedelta(seconds=next(moments)))
        wait = timedelta(minutes=5)
        statuses = [(await claim(ledger, "agency", wait)).status for _ in range(3)]
        assert statuses == ["go", "busy", "go"]
