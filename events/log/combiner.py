"""Lets many callers share one call: what queues while a call runs goes together in the next one.

Never two items of the same lane under way: the second is judged by what the first has left behind.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Final, Generic, NamedTuple, TypeVar

# Seconds of a call from which on it pays to wait for everybody.
_DEAR: Final = 0.002

T = TypeVar("T")
R = TypeVar("R")


class CombinerClosed(Exception):
    """The log is closed in this process; nothing was written."""


class _Waiting(NamedTuple, Generic[T, R]):
    item: T
    lane: Hashable
    weight: int
    answer: "asyncio.Future[R]"


class Combiner(Generic[T, R]):
    """Gathers items into calls of *perform*, two at once; a call that fails is repeated item by item.

    *perform* must be idempotent: after a failure nobody knows whether it took effect.
    """

    def __init__(
        self,
        perform: Callable[[Sequence[T]], Awaitable[Sequence[R]]],
        *,
        lane: Callable[[T], Hashable],
        weight: Callable[[T], int],
        max_items: int = 64,
        max_weight: int = 2000,
        max_calls: int = 2,
    ) -> None:
        self._perform, self._lane, self._weight = perform, lane, weight
        self._max_items, self._max_weight, self._max_calls = max_items, max_weight, max_calls
        self._queue: deque[_Waiting[T, R]] = deque()
        self._calls = 0
        self._lines: set[asyncio.Task[None]] = set()
        # Those of the items under way; one item each.
        self._lanes: set[Hashable] = set()
        self._crowd = 0
        self._dear = False
        self._closed = False

    async def submit(self, item: T) -> R:
        """Wait until the item has gone in a call; a caller who stops waiting disturbs nobody.

        :raises CombinerClosed: the combiner is closed.
        """
        if self._closed:
            raise CombinerClosed("the log is closed in this process")
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(item, self._lane(item), self._weight(item), answer))
        self._begin()
        return await answer

    async def close(self) -> None:
        """Finish what is queued, and take nothing more."""
        self._closed = True
        while self._lines:
            await asyncio.wait(self._lines)

    def _begin(self) -> None:
        if self._calls < self._max_calls and self._pays(self._calls):
            self._calls += 1
            line = asyncio.create_task(self._run())
            self._lines.add(line)
            line.add_done_callback(self._lines.discard)

    def _pays(self, others: int) -> bool:
        """Tell whether to call now: always if no other is under way, beside another if it is as large."""
        if not others:
            return bool(self._queue)
        return not self._dear and len(self._queue) >= self._half()

    def _half(self) -> int:
        return (max(self._crowd, len(self._queue) + len(self._lanes)) + 1) // 2

    async def _run(self) -> None:
        now = asyncio.get_running_loop().time
        while self._pays(self._calls - 1):
            began = now()
            if not (batch := self._take(self._max_items if self._dear else self._half())):
                break
            self._begin()
            try:
                results = await self._perform([waiting.item for waiting in batch])
                for waiting, result in zip(batch, results, strict=True):
                    _answer(waiting, result)
            except Exception as error:
                await self._singly(batch, error)
            self._crowd = max(len(self._queue) + len(self._lanes), self._crowd - 1)
            self._lanes.difference_update([waiting.lane for waiting in batch])
            self._dear = now() - began > _DEAR
            if self._dear:
                # Mostly the disk's time: whoever was just answered may come back and share the next one.
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            # Else mostly work: what waits is sent before they go on, and worked for over there meanwhile.
        # Not when the task is done, which the other line would learn too late to go on alone.
        self._calls -= 1

    def _take(self, most: int) -> list[_Waiting[T, R]]:
        most = min(max(most, 1), self._max_items)
        batch: list[_Waiting[T, R]] = []
        later: list[_Waiting[T, R]] = []
        weight = 0
        while self._queue and len(batch) < most:
            waiting = self._queue.popleft()
            if waiting.answer.cancelled():
                continue
            if waiting.lane in self._lanes:
                later.append(waiting)
                continue
            if batch and weight + waiting.weight > self._max_weight:
                later.append(waiting)
                break
            self._lanes.add(waiting.lane)
            weight += waiting.weight
            batch.append(waiting)
        self._queue.extendleft(reversed(later))
        return batch

    async def _singly(self, batch: list[_Waiting[T, R]], error: Exception) -> None:
        if len(batch) == 1:
            _fail(batch[0], error)
            return
        for waiting in batch:
            try:
                (result,) = await self._perform([waiting.item])
            except Exception as own_error:
                _fail(waiting, own_error)
            else:
                _answer(waiting, result)


def _answer(waiting: _Waiting[T, R], result: R) -> None:
    if not waiting.answer.done():
        waiting.answer.set_result(result)


def _fail(waiting: _Waiting[T, R], error: Exception) -> None:
    if not waiting.answer.done():
        waiting.answer.set_exception(error)
