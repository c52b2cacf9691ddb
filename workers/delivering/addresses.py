"""Which addresses a webhook may go to, and connections to just those.

The address that was checked is the one that is connected to: asking a second time is how rebinding works.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import urlsplit

import httpcore

from events.errors import CallerError

Resolve = Callable[[str, int], Awaitable[list[str]]]
LONGEST_URL: Final = 2000
# Clouds answer here for their own machines, though the address is a public one.
_METADATA: Final = frozenset({IPv4Address("168.63.129.16")})
# An IPv6 address of these holds an IPv4 address in its last or its third and fourth groups.
_NAT64: Final = IPv6Network("64:ff9b::/96")
_COMPATIBLE: Final = IPv6Network("::/96")
# What Python's table calls global in some versions and not in others.
_SPECIAL: Final = (
    IPv4Network("192.0.0.0/24"),
    IPv4Network("192.88.99.0/24"),
    IPv4Network("198.18.0.0/15"),
    IPv6Network("64:ff9b:1::/48"),
    IPv6Network("2001::/23"),
    IPv6Network("3fff::/20"),
    IPv6Network("5f00::/16"),
)


# Threads of its own: a name server that does not answer must not hold up whatever else needs a thread.
_resolvers: Final = ThreadPoolExecutor(64, thread_name_prefix="resolve")


class AddressRefused(CallerError):
    """A webhook may not go there.  One sentence, without the address."""

    code = "address-refused"


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings allow beyond public addresses by https."""

    allow_http: bool = False
    allow_private: bool = False


def is_public(text: str) -> bool:
    """This will tell whether an address is somebody's on the internet, in whatever dress it comes."""
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address):
        within = _inner(address)
        if within is not None:
            return is_public(str(within))
        if address.is_site_local or address in _COMPATIBLE:
            return False
    if any(address.version == net.version and address in net for net in _SPECIAL):
        return False
    return address.is_global and not address.is_multicast and address not in _METADATA


def _inner(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo and address.teredo[1])


def checked_url(url: str, rules: Rules) -> str:
    """This will return the URL of a receiver if it may be one, as far as its text says.

    :raises AddressRefused: it may not; the sentence says why.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise AddressRefused("the URL cannot be read; write it like https://example.org/hooks") from None
    if parts.scheme not in ("https", "http") or not host or port == 0:
        raise AddressRefused("the URL must start with https:// and name a host")
    if parts.scheme == "http" and not rules.allow_http:
        raise AddressRefused("the URL must start with https://, unless RAPPORT_WEBHOOKS_ALLOW_HTTP=1 is set")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise AddressRefused("the URL may hold no user, password or fragment")
    if len(url) > LONGEST_URL or not url.isascii() or any(each <= " " or each == "\x7f" for each in url):
        raise AddressRefused(f"the URL may have {LONGEST_URL} characters, all ASCII and none blank")
    return url


async def resolve(host: str, port: int) -> list[str]:
    """Ask the system for a host's addresses."""
    ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(_resolvers, ask)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


async def checked_addresses(host: str, port: int, rules: Rules, ask: Resolve = resolve) -> list[str]:
    """This will return the addresses of a host, every one of them allowed.

    :raises AddressRefused: the host has none, or one that is not public.
    """
    try:
        found = await ask(host, port)
    except (OSError, UnicodeError):
        found = []
    if not found:
        raise AddressRefused("the URL's host has no address")
    if not rules.allow_private and not all(map(is_public, found)):
        raise AddressRefused(
            "the URL's host has an address that is not public, "
            "which RAPPORT_WEBHOOKS_ALLOW_PRIVATE=1 would allow"
        )
    return found


async def check_receiver(url: str, rules: Rules, ask: Resolve = resolve) -> None:
    """This will look at a receiver's URL and at the addresses that its host has now.

    :raises AddressRefused: a webhook may not go there.
    """
    parts = urlsplit(checked_url(url, rules))
    port = parts.port or (443 if parts.scheme == "https" else 80)
    await checked_addresses(str(parts.hostname), port, rules, ask)


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Connects to checked addresses only; TLS and the Host header go on speaking of the name."""

    def __init__(
        self,
        rules: Rules,
        ask: Resolve = resolve,
        under: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self._rules, self._ask = rules, ask
        self._under = under or httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that answers."""
        addresses = await checked_addresses(host, port, self._rules, self._ask)
        for number, address in enumerate(addresses, 1):
            try:
                return await self._under.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if number == len(addresses):
                    raise
        raise AssertionError("there is at least one address")

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Refuse: a webhook goes over the network."""
        raise AddressRefused("a webhook goes over the network")

    async def sleep(self, seconds: float) -> None:
        """Pause between two tries of the pool."""
        await self._under.sleep(seconds)
