"""How a provider's API is reached: at addresses that are checked when they are connected to.

A name that nobody can resolve is an outage that passes; an address that is forbidden stays forbidden.
"""

from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

import httpcore
import httpx

from workers.delivering.addresses import AddressRefused, GuardedBackend, Resolve, Rules, checked_url, resolve

_MOST: Final = 32


class GuardedTransport(httpx.AsyncHTTPTransport):
    """httpx's own transport over connections to checked addresses."""

    def __init__(self, rules: Rules, ask: Resolve = resolve) -> None:
        context = httpx.create_ssl_context(trust_env=False)
        super().__init__(verify=context, trust_env=False)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context,
            max_connections=_MOST,
            # Kept for the next page of a list, not for as long as an address may change hands.
            keepalive_expiry=5.0,
            network_backend=GuardedBackend(rules, _or_away(ask)),
        )


def checked_base(base: str, *, allow_private: bool) -> str:
    """This will return an API's address if it may be asked, as far as its text says.

    :raises AddressRefused: it may not; http is for this machine alone, and only where private is allowed.
    """
    checked_url(base, Rules(allow_http=True))
    if urlsplit(base).scheme != "https" and not (
        allow_private and _is_loopback(str(urlsplit(base).hostname))
    ):
        raise AddressRefused(
            "it must start with https://; http is for this machine, with RAPPORT_WEBHOOKS_ALLOW_PRIVATE=1"
        )
    return base


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _or_away(ask: Resolve) -> Resolve:
    async def found(host: str, port: int) -> list[str]:
        try:
            addresses = await ask(host, port)
        except (OSError, UnicodeError):
            addresses = []
        if not addresses:
            raise httpcore.ConnectError("the name has no address now")
        return addresses

    return found
