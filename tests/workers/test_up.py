import asyncio
import os
import signal
from collections.abc import Iterator

import pytest

from workers.up import in_foreground


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    """This will put back how this process takes signals."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


class TestInForeground:
    async def test_gives_what_the_work_came_to(self) -> None:
        async def work() -> int:
            return 7

        assert await in_foreground(work()) == 7

    async def test_raises_what_the_work_raised(self) -> None:
        async def work() -> None:
            raise LookupError

        with pytest.raises(LookupError):
            await in_foreground(work())

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    async def test_lets_the_work_clean_up_on_a_signal(self, number: signal.Signals) -> None:
        cleaned: list[str] = []

        async def work() -> int:
            try:
                os.kill(os.getpid(), number)
                return await asyncio.Future()
            finally:
                # A second one must not leave the servers behind.
                os.kill(os.getpid(), number)
                await asyncio.sleep(0)
                cleaned.append("done")

        assert await in_foreground(work()) is None
        assert cleaned == ["done"]
