"""Lets many callers share one call: what queues while a call runs goes together in the next one.

Never two items of the same lane in one call: the second is judged by what the first has left behind.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

# Seconds of a call from which on it pays to wait for everybody.
_DEAR: Final = 0.002

T = TypeVar("T")
R = TypeVar("R")


class CombinerClosed(Exception):
    """The log is closed in this process; nothing was written."""


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[T, R]):
    item: T
    lane: Hashable
    weight: int
    answer: "asyncio.Future[R]"


class Combiner(Generic[T, R]):
    """Gathers items into calls of *perform*; a call that fails is repeated item by item.

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
    ) -> None:
        self._perform, self._lane, self._weight = perform, lane, weight
        self._max_items, self._max_weight = max_items, max_weight
        self._queue: deque[_Waiting[T, R]] = deque()
        self._drain: asyncio.Task[None] | None = None
        self._closed = False

    async def submit(self, item: T) -> R:
        """Wait until the item has gone in a call; a caller who stops waiting disturbs nobody.

        :raises CombinerClosed: the combiner is closed.
        """
        if self._closed:
            raise CombinerClosed("the log is closed in this process")
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(item, self._lane(item), self._weight(item), answer))
        if self._drain is None or self._drain.done():
            self._drain = asyncio.create_task(self._run())
        return await answer

    async def close(self) -> None:
        """Finish what is queued, and take nothing more."""
        self._closed = True
        if self._drain is not None:
            await self._drain

    async def _run(self) -> None:
        now = asyncio.get_running_loop().time
        most = (len(self._queue) + 1) // 2
        while batch := self._take(most):
            began = now()
            try:
                results = await self._perform([waiting.item for waiting in batch])
            except Exception as error:
                await self._singly(batch, error)
            else:
                for waiting, result in zip(batch, results, strict=True):
                    _answer(waiting, result)
            if now() - began > _DEAR:
                # Mostly the disk's time: whoever was just answered may come back and share the next one.
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                most = self._max_items
            else:
                # Mostly work: one half is worked for here while the other is worked for over there.
                most = (len(self._queue) + len(batch) + 1) // 2

    def _take(self, most: int) -> list[_Waiting[T, R]]:
        most = min(max(most, 1), self._max_items)
        batch: list[_Waiting[T, R]] = []
        later: list[_Waiting[T, R]] = []
        lanes: set[Hashable] = set()
        weight = 0
        while self._queue and len(batch) < most:
            waiting = self._queue.popleft()
            if waiting.answer.cancelled():
                continue
            if waiting.lane in lanes:
                later.append(waiting)
                continue
            if batch and weight + waiting.weight > self._max_weight:
                later.append(waiting)
                break
            lanes.add(waiting.lane)
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
