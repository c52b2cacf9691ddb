"""Who follows the log is told soon, and a crowd of appends tells once."""

import asyncio
from collections.abc import Callable

import asyncpg
import pytest

from events.log.connect import Connections, ConnectionsClosed
from events.log.telling import Teller, notify

NEVER = 3600.0


class Ear:
    """Hears what is told without an append; *hold* keeps it from being heard out."""

    def __init__(self) -> None:
        self.heard = asyncio.Event()
        self.hold = asyncio.Event()
        self.hold.set()
        self.times = 0

    async def told(self) -> None:
        self.times += 1
        self.heard.set()
        await self.hold.wait()


class TestTeller:
    async def test_lets_a_lone_append_tell(self) -> None:
        ear = Ear()
        teller = Teller(ear.told, pause=NEVER)
        turn = teller.begin()
        assert turn is not None
        teller.end(turn, told=True)
        await teller.close()
        assert ear.times == 0

    async def test_lets_one_of_many_tell(self) -> None:
        ear = Ear()
        teller = Teller(ear.told, pause=NEVER)
        assert [teller.begin() is not None for _ in range(3)] == [True, False, False]
        await teller.close()

    async def test_tells_of_the_others_afterwards_and_once(self) -> None:
        ear = Ear()
        teller = Teller(ear.told, pause=0.001)
        teller.end(None, told=True)
        teller.end(None, told=True)
        async with asyncio.timeout(30):
            await ear.heard.wait()
        await teller.close()
        assert ear.times == 1

    async def test_owes_nothing_more_once_a_later_append_has_told(self) -> None:
        ear = Ear()
        teller = Teller(ear.told, pause=NEVER)
        teller.end(None, told=True)
        teller.end(teller.begin(), told=True)
        await teller.close()
        assert ear.times == 0

    async def test_still_owes_what_came_while_the_other_told(self) -> None:
        ear = Ear()
        teller = Teller(ear.told, pause=NEVER)
        turn = teller.begin()
        teller.end(None, told=True)
        teller.end(turn, told=True)
        await teller.close()
        assert ear.times == 1

    async def test_takes_the_turn_of_one_that_failed_back(self) -> None:
        ear = Ear()
        teller = Teller(ear.told, pause=NEVER)
        teller.end(teller.begin(), told=False)
        assert teller.begin() is not None
        await teller.close()
        assert ear.times == 1

    async def test_waits_for_what_it_says_before_it_closes(self) -> None:
        ear = Ear()
        teller = Teller(ear.told, pause=0)
        ear.hold.clear()
        teller.end(None, told=True)
        async with asyncio.timeout(30):
            await ear.heard.wait()
        closing = asyncio.create_task(teller.close())
        await asyncio.sleep(0)
        assert not closing.done()
        ear.hold.set()
        await closing
        assert ear.times == 1


class Away(Connections):
    """A database that gives no connection."""

    def __init__(self, error: BaseException) -> None:
        super().__init__("postgresql://nowhere/none", role="nobody")
        self._error = error

    def _check(self) -> None:
        raise self._error


class TestNotify:
    @pytest.mark.parametrize(
        "error",
        [
            lambda: ConnectionRefusedError("gone"),
            lambda: asyncpg.TooManyConnectionsError("full"),
            lambda: asyncpg.ReadOnlySQLTransactionError("cannot execute NOTIFY during recovery"),
            lambda: ConnectionsClosed("closed"),
        ],
    )
    async def test_fails_without_a_word(self, error: Callable[[], BaseException]) -> None:
        """Nobody closes a log in vain for it: whoever follows looks by itself."""
        await notify(Away(error()))
