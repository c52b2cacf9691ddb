"""Who follows the log is told soon, and a crowd of appends tells once."""

import asyncio

from events.log.telling import Teller


class Ear:
    """Hears what is told without an append."""

    def __init__(self) -> None:
        self.heard = asyncio.Event()
        self.times = 0

    async def told(self) -> None:
        self.times += 1
        self.heard.set()


class TestTeller:
    async def test_lets_a_lone_append_tell(self) -> None:
        ear = Ear()
        teller = Teller(ear.told)
        assert teller.tells()
        await teller.close()
        assert ear.times == 0

    async def test_lets_one_of_many_tell_and_tells_of_the_others_afterwards(self) -> None:
        ear = Ear()
        teller = Teller(ear.told)
        assert [teller.tells() for _ in range(3)] == [True, False, False]
        teller.owe()
        teller.owe()
        async with asyncio.timeout(5):
            await ear.heard.wait()
        await teller.close()
        assert ear.times == 1

    async def test_owes_nothing_more_once_a_later_append_tells(self) -> None:
        ear = Ear()
        teller = Teller(ear.told, pause=0)
        teller.owe()
        assert teller.tells()
        await teller.close()
        assert ear.times == 0

    async def test_tells_what_it_owes_before_it_closes(self) -> None:
        ear = Ear()
        teller = Teller(ear.told)
        teller.owe()
        await teller.close()
        assert ear.times == 1
