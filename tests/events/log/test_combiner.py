"""Many callers, one call: fair, in order, and one caller's trouble is nobody else's."""

import asyncio
import random
import statistics
from collections.abc import Sequence

import pytest

from events.log.combiner import Combiner, CombinerClosed


class Calls:
    """Records the calls made, and holds them back until told."""

    def __init__(self, *, open: bool = True) -> None:
        self.made: list[list[str]] = []
        self.started = asyncio.Event()
        self.gate = asyncio.Event()
        if open:
            self.gate.set()

    async def perform(self, batch: Sequence[str]) -> list[str]:
        self.made.append(list(batch))
        self.started.set()
        await self.gate.wait()
        if "poison" in batch:
            raise LookupError("poison")
        return [item.upper() for item in batch]

    def combiner(self, **limits: int) -> Combiner[str, str]:
        return Combiner(self.perform, lane=lambda item: item[0], weight=len, **limits)


async def queued(calls: Calls, combiner: Combiner[str, str], *items: str) -> list["asyncio.Task[str]"]:
    """Start one call that waits, then queue items behind it: all others, if it is the only one at a time."""
    tasks = [asyncio.create_task(combiner.submit(item)) for item in ("first", *items)]
    await calls.started.wait()
    return tasks


class TestSubmit:
    async def test_answers_each_caller(self) -> None:
        combiner = Calls().combiner()
        assert await asyncio.gather(*map(combiner.submit, ("a", "b"))) == ["A", "B"]

    async def test_sends_together_what_waits_together(self) -> None:
        calls = Calls(open=False)
        tasks = await queued(calls, calls.combiner(max_items=2, max_calls=1), "a", "b", "c")
        calls.gate.set()
        await asyncio.gather(*tasks)
        assert calls.made == [["first", "a"], ["b", "c"]]

    @pytest.mark.parametrize(("takes", "together"), [(0.0, 4), (0.01, 8)], ids=["quick", "slow"])
    async def test_sends_half_of_those_who_come_back_and_all_if_it_is_slow(
        self, takes: float, together: int
    ) -> None:
        """Alone in every second call, one of eight would cost as much as the seven."""
        made: list[int] = []

        async def perform(batch: Sequence[str]) -> list[str]:
            made.append(len(batch))
            await asyncio.sleep(takes)
            return list(batch)

        combiner: Combiner[str, str] = Combiner(perform, lane=lambda item: item, weight=len)

        async def keep_on(name: str) -> None:
            for _ in range(10):
                await combiner.submit(name)

        await asyncio.gather(*map(keep_on, "abcdefgh"))
        assert statistics.mode(made) == together

    async def test_has_two_calls_under_way_of_half_each(self) -> None:
        """What one call does before it waits for the disk, it does while the other waits."""
        calls = Calls(open=False)
        tasks = await queued(calls, calls.combiner(), "a", "b", "c")
        await asyncio.sleep(0)
        assert calls.made == [["first", "a"], ["b", "c"]]
        calls.gate.set()
        await asyncio.gather(*tasks)

    async def test_starts_no_second_call_for_few(self) -> None:
        calls = Calls(open=False)
        combiner = calls.combiner()
        tasks = await queued(calls, combiner, "a", "b", "c", "d", "e")
        tasks.append(asyncio.create_task(combiner.submit("g")))
        await asyncio.sleep(0)
        assert calls.made == [["first", "a", "b"], ["c", "d", "e"]]
        calls.gate.set()
        assert len(await asyncio.gather(*tasks)) == 7
        assert calls.made[2:] == [["g"]]

    async def test_never_has_two_of_a_lane_under_way(self) -> None:
        calls = Calls(open=False)
        tasks = await queued(calls, calls.combiner(), "f2", "f3")
        await asyncio.sleep(0)
        assert calls.made == [["first"]]
        calls.gate.set()
        await asyncio.gather(*tasks)
        assert calls.made == [["first"], ["f2"], ["f3"]]

    async def test_leaves_nobody_behind(self) -> None:
        """Calls that end in any order, with lanes in each other's way: the last one to end goes on alone."""
        dice = random.Random(5)

        async def perform(batch: Sequence[str]) -> list[str]:
            for _ in range(dice.randint(0, 6)):
                await asyncio.sleep(0)
            return list(batch)

        combiner: Combiner[str, str] = Combiner(perform, lane=lambda item: item[0], weight=len)

        async def come_and_go(name: str) -> None:
            for _ in range(200):
                assert await combiner.submit(name) == name
                for _ in range(dice.randint(0, 9)):
                    await asyncio.sleep(0)

        async with asyncio.timeout(30):
            await asyncio.gather(*map(come_and_go, ("a1", "a2", "a3", "b1", "b2", "c", "d", "e")))

    async def test_never_sends_two_of_a_lane_together(self) -> None:
        calls = Calls(open=False)
        tasks = await queued(calls, calls.combiner(max_calls=1), "a1", "a2", "b1", "a3")
        calls.gate.set()
        await asyncio.gather(*tasks)
        for made in calls.made:
            assert len({item[0] for item in made}) == len(made)
        assert [item for made in calls.made for item in made if item[0] == "a"] == ["a1", "a2", "a3"]

    async def test_limits_the_weight_of_a_call(self) -> None:
        calls = Calls(open=False)
        tasks = await queued(calls, calls.combiner(max_weight=6, max_calls=1), "aaaa", "bbbb", "cc")
        calls.gate.set()
        await asyncio.gather(*tasks)
        assert calls.made == [["first"], ["aaaa"], ["bbbb", "cc"]]

    async def test_fails_only_who_is_to_blame(self) -> None:
        calls = Calls(open=False)
        tasks = await queued(calls, calls.combiner(), "a", "poison", "b")
        calls.gate.set()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [result for result in results if isinstance(result, str)] == ["FIRST", "A", "B"]
        assert [type(result) for result in results if not isinstance(result, str)] == [LookupError]

    async def test_goes_on_after_a_failure(self) -> None:
        combiner = Calls().combiner()
        with pytest.raises(LookupError):
            await combiner.submit("poison")
        assert await combiner.submit("a") == "A"

    async def test_forgets_a_caller_who_left_the_queue(self) -> None:
        calls = Calls(open=False)
        combiner = calls.combiner(max_items=1, max_calls=1)
        first, gone, last = await queued(calls, combiner, "gone", "last")
        gone.cancel()
        calls.gate.set()
        assert list(await asyncio.gather(first, last)) == ["FIRST", "LAST"]
        assert ["gone"] not in calls.made

    async def test_answers_the_others_when_a_caller_leaves_during_the_call(self) -> None:
        calls = Calls(open=False)
        first, other = await queued(calls, calls.combiner(), "other")
        first.cancel()
        calls.gate.set()
        assert await other == "OTHER"


class TestClose:
    async def test_finishes_what_is_queued_and_takes_no_more(self) -> None:
        calls = Calls(open=False)
        combiner = calls.combiner(max_items=1)
        tasks = await queued(calls, combiner, "a")
        closing = asyncio.create_task(combiner.close())
        calls.gate.set()
        await closing
        assert [task.result() for task in tasks] == ["FIRST", "A"]
        with pytest.raises(CombinerClosed):
            await combiner.submit("late")
