"""Whom a connection lets us ask, and where never."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpcore
import pytest

from activities.asking.errors import CannotBeAsked, NotAnswered
from events.integrations.message import Message
from tests.workers.asking.stand_in import KEY, StandIn
from workers.asking.apis import ProviderApis
from workers.asking.transport import GuardedTransport, checked_base
from workers.delivering.addresses import AddressRefused, Rules
from workers.inbox.connections import Connection, ConnectionSettings, Secret

HINT = Message("event", datetime.now(UTC), {"data": {"opportunityId": "o-1"}})


def connection(base: str | None, *keys: str, provider: str = "lever") -> Connection:
    """Make a connection."""
    return Connection(
        agency="acme",
        id="c-1",
        provider=provider,
        name="Theirs",
        mapping=None,
        mapping_digest=None,
        api_base=base,
        settings=ConnectionSettings(),
        created_at=datetime.now(UTC),
        secrets=tuple(Secret("api", key) for key in keys),
    )


@pytest.fixture
async def apis() -> Any:
    """This will ask on this machine, too."""
    made = ProviderApis(allow_private=True)
    yield made
    await made.close()


class TestProviderApis:
    async def test_asks_with_the_connections_newest_key(self, apis: ProviderApis, stand_in: StandIn) -> None:
        stand_in.opportunities = {"o-1": {"id": "o-1"}}
        asked = connection(stand_in.base("lever"), KEY, "an-old-key")
        assert await apis.fetch(asked, "opportunity", HINT) == {"id": "o-1"}

    @pytest.mark.parametrize(
        ("lacking", "says"),
        [
            (connection(None, KEY), r"no API address; give it with .* set c-1 --api-base https://api.lever"),
            (connection("https://api.lever.co/v1"), r"no key of its API; give it with .*--api-key-file FILE"),
            (connection("https://api.lever.co/v1", "a\nb"), "the key of its API is none"),
            (connection("https://x", KEY, provider="standard-webhooks"), "nothing is known here of an API"),
            (connection("http://api.example.com", KEY), "must start with https"),
        ],
        ids=["address", "key", "sound key", "provider", "https"],
    )
    async def test_says_what_is_lacking(self, apis: ProviderApis, lacking: Connection, says: str) -> None:
        with pytest.raises(CannotBeAsked, match=says):
            await apis.fetch(lacking, "opportunity", HINT)

    async def test_asks_only_for_what_the_client_knows(self, apis: ProviderApis, stand_in: StandIn) -> None:
        with pytest.raises(CannotBeAsked, match="not asked for its scorecards"):
            await apis.fetch(connection(stand_in.base("lever"), KEY), "scorecards", HINT)

    async def test_goes_to_no_address_that_is_not_public(self, stand_in: StandIn) -> None:
        """A name may lead to this machine or to a cloud's own; it is looked at where it is connected to."""
        guarded = ProviderApis(allow_private=False)
        with pytest.raises(CannotBeAsked, match="must start with https"):
            await guarded.fetch(connection(stand_in.base("lever"), KEY), "opportunity", HINT)
        for host in ("127.0.0.1", "169.254.169.254", "[::1]", "10.0.0.1"):
            inside = connection(f"https://{host}/v1", KEY)
            with pytest.raises(CannotBeAsked, match="not public"):
                await guarded.fetch(inside, "opportunity", HINT)
        await guarded.close()
        assert stand_in.asked == []

    async def test_says_how_it_went(self, apis: ProviderApis, stand_in: StandIn) -> None:
        there = connection(stand_in.base("lever"), KEY)
        assert await apis.greet(there) == (True, "the API answers, and takes the key")
        wrong = replace(there, secrets=(Secret("api", "a-wrong-one"),))
        ok, says = await apis.greet(wrong)
        assert (ok, says) == (
            False,
            "the API is not to be asked: the provider refuses the key; give one that may read this",
        )
        nowhere = connection(stand_in.base("lever/v9"), KEY)
        assert "no such API at its address" in (await apis.greet(nowhere))[1]
        stand_in.away = True
        assert await apis.greet(there) == (False, "the API does not answer as it should: it answered 503")


class TestGuardedTransport:
    async def test_takes_a_name_without_an_address_for_an_outage(self) -> None:
        """A message must not wait for a person because a name server is away."""

        async def nobody(host: str, port: int) -> list[str]:
            raise OSError("no name server")

        transport = GuardedTransport(Rules(), nobody)
        with pytest.raises(httpcore.ConnectError):
            await transport._pool._network_backend.connect_tcp("api.example.com", 443)
        await transport.aclose()
        apis = ProviderApis(allow_private=False)
        with pytest.raises(NotAnswered, match="could not be reached"):
            await apis.fetch(connection("https://no-such-name.invalid", KEY), "opportunity", HINT)
        await apis.close()


class TestCheckedBase:
    @pytest.mark.parametrize("base", ["http://127.0.0.1:8", "http://localhost:8", "http://[::1]:8"])
    def test_lets_http_be_on_this_machine_where_that_is_allowed(self, base: str) -> None:
        assert checked_base(base, allow_private=True) == base
        with pytest.raises(AddressRefused):
            checked_base(base, allow_private=False)

    @pytest.mark.parametrize(
        "base", ["http://api.example.com", "http://10.0.0.1", "ftp://x", "https://me:x@y", "x"]
    )
    def test_refuses(self, base: str) -> None:
        with pytest.raises(AddressRefused):
            checked_base(base, allow_private=True)
