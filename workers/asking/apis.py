"""Asks the API of a connection's provider, with the connection's own address and key.

The key is opened for one call and goes nowhere but into its header.
"""

from collections.abc import Mapping
from typing import Any

import httpx

from activities.asking.calling import Api, open_client
from activities.asking.changes import Provider
from activities.asking.errors import CannotBeAsked, NotAnswered, Unknown
from activities.asking.registry import APIS
from events.integrations.message import Message
from workers.asking.transport import GuardedTransport, checked_base
from workers.delivering.addresses import AddressRefused, Rules
from workers.inbox.connections import Connection


class ProviderApis:
    """An :class:`workers.inbox.understanding.Asking` for all providers; close it."""

    def __init__(self, *, allow_private: bool, apis: Mapping[str, Provider] = APIS) -> None:
        self._allow_private = allow_private
        self._apis = apis
        self._client: httpx.AsyncClient | None = None

    async def fetch(self, connection: Connection, what: str, message: Message) -> Any:
        """Ask what a message is only a hint of.

        :raises CannotBeAsked: somebody must mend something first.
        :raises NotAnswered: asking again later may help.
        """
        provider, api = self.open(connection)
        if what not in provider.things:
            raise CannotBeAsked(f"{connection.provider} is not asked for its {what}; correct the mapping")
        return await provider.fetch(api, what, message)

    async def greet(self, connection: Connection) -> tuple[bool, str]:
        """Ask something harmless; says in one sentence whether it was answered, and what came back."""
        try:
            provider, api = self.open(connection)
            await provider.greet(api)
        except (CannotBeAsked, AddressRefused) as error:
            return False, f"the API is not to be asked: {error}"
        except Unknown:
            return False, "there is no such API at its address; correct it with 'rapport connection set'"
        except NotAnswered as error:
            return False, f"the API does not answer as it should: {error}"
        return True, "the API answers, and takes the key"

    def open(self, connection: Connection) -> tuple[Provider, Api]:
        """Say who speaks to a connection's API, and through what.

        :raises CannotBeAsked: it has no address or no key, or nobody here speaks to such an API.
        """
        provider = self._apis.get(connection.provider)
        if provider is None:
            raise CannotBeAsked(f"nothing is known here of an API of {connection.provider}")
        set_ = f"'rapport connection set {connection.id}"
        if connection.api_base is None:
            raise CannotBeAsked(
                f"the connection has no API address; give it with {set_} --api-base {provider.usual_base}'"
            )
        keys = connection.valid("api")
        if not keys:
            raise CannotBeAsked(
                f"the connection has no key of its API; give it with {set_} --api-key-file FILE'"
            )
        if not (keys[0].isascii() and keys[0].isprintable()):
            raise CannotBeAsked(f"the key of its API is none; give another with {set_} --api-key-file FILE'")
        try:
            base = checked_base(connection.api_base, allow_private=self._allow_private)
        except AddressRefused as error:
            raise CannotBeAsked(f"the connection's API address is not asked: {error}") from None
        return provider, Api(self._opened(), base, provider.headers(keys[0]))

    async def close(self) -> None:
        """Close every connection."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _opened(self) -> httpx.AsyncClient:
        # Made when first asked for: most processes ask nobody.
        if self._client is None:
            rules = Rules(allow_http=True, allow_private=self._allow_private)
            self._client = open_client(GuardedTransport(rules))
        return self._client
