"""A stand-in for the providers, clients of it, and the inbox's own offices."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import stamina

from activities.asking.calling import Api, open_client
from activities.asking.changes import Change, Since
from activities.asking.registry import APIS
from events.integrations.message import Message
from tests.workers.asking.stand_in import KEY, StandIn, serving
from tests.workers.inbox.conftest import database, desks, office, offices, post

__all__ = ["database", "desks", "office", "offices", "post"]

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _at_once() -> Iterator[None]:
    """This will try again without a pause."""
    with stamina.set_testing(True, attempts=3):
        yield


@pytest.fixture
async def stand_in() -> AsyncIterator[StandIn]:
    """This will be the providers' APIs."""
    async with serving() as held:
        yield held


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """This will be what calls go through."""
    async with open_client() as opened:
        yield opened


class Asker:
    """One provider's client at the stand-in."""

    def __init__(self, stand_in: StandIn, client: httpx.AsyncClient, provider: str, key: str = KEY) -> None:
        self.provider = APIS[provider]
        self.api = Api(client, stand_in.base(provider), self.provider.headers(key))

    async def fetch(self, what: str, body: Any, **headers: str) -> Any:
        """Ask what a message is a hint of."""
        return await self.provider.fetch(self.api, what, Message("event", NOON, body, headers))

    async def changes(
        self, since: datetime = NOON, fresh: frozenset[str] = frozenset(), **linked: set[str]
    ) -> list[Change]:
        """Poll."""
        known = {kind: frozenset(ids) for kind, ids in linked.items()}
        async with aclosing(self.provider.changes(self.api, Since(since, known, fresh))) as found:
            return [each async for each in found]


Asking = Callable[..., Asker]


@pytest.fixture
def asker(stand_in: StandIn, client: httpx.AsyncClient) -> Asking:
    """This will make a client of one provider."""
    return lambda provider, key=KEY: Asker(stand_in, client, provider, key)
