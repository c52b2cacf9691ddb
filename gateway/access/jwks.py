"""Issuers' public keys, fetched once and kept; an unknown key's name asks again, at most once a minute.

What is fetched comes from where the agency said, over TLS, or from this machine itself.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

KEPT_FOR: Final = 3600.0
ASKED_AT_MOST_EVERY: Final = 60.0
PATIENCE: Final = 5.0
_LARGEST: Final = 256 * 1024
_DISCOVERY: Final = "/.well-known/openid-configuration"
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_log = structlog.get_logger(__name__)


class NoKeys(Exception):
    """The issuer's keys cannot be had, or none has this name."""


@dataclass(slots=True)
class _Kept:
    keys: KeySet | None = None
    fetched_at: float = float("-inf")
    asked_at: float = float("-inf")
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)


class KeySets:
    """The key sets of all issuers; one for a process."""

    def __init__(self, http: httpx.AsyncClient, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._http = http
        self._monotonic = monotonic
        self._kept: dict[tuple[str, str | None], _Kept] = {}

    async def holding(self, issuer: str, jwks_uri: str | None, kid: object) -> KeySet:
        """Give an issuer's keys, fetched anew where none of them has the name that is asked for.

        :raises NoKeys: there are none, or none of this name.
        """
        kept = self._kept.setdefault((issuer, jwks_uri), _Kept())
        if not self._serves(kept, kid):
            # One asks for all who wait.
            async with kept.asking:
                if not self._serves(kept, kid) and self._monotonic() - kept.asked_at >= ASKED_AT_MOST_EVERY:
                    kept.asked_at = self._monotonic()
                    await self._fetch(kept, issuer, jwks_uri)
        if kept.keys is None or not _names(kept.keys, kid):
            raise NoKeys
        return kept.keys

    def _serves(self, kept: _Kept, kid: object) -> bool:
        fresh = self._monotonic() - kept.fetched_at < KEPT_FOR
        return fresh and kept.keys is not None and _names(kept.keys, kid)

    async def _fetch(self, kept: _Kept, issuer: str, jwks_uri: str | None) -> None:
        """Renew the keys; while the issuer does not answer, those that are known go on serving."""
        try:
            address = jwks_uri
            if address is None:
                found = await self._get(issuer.rstrip("/") + _DISCOVERY)
                if found.get("issuer") != issuer:
                    raise NoKeys
                address = str(found["jwks_uri"])
                # An issuer elsewhere sends nobody to this machine's own ports.
                if _is_local(address) and not _is_local(issuer):
                    raise NoKeys
            keys = KeySet.import_key_set(await self._get(address))  # type: ignore[arg-type]
            # A secret key among public ones would let whoever reads the list sign.
            if any(key.key_type == "oct" for key in keys):
                raise NoKeys
        except (
            httpx.HTTPError,
            httpx.InvalidURL,
            JoseError,
            NoKeys,
            ValueError,
            KeyError,
            TypeError,
        ) as error:
            _log.warning("an issuer's keys could not be fetched", error=type(error).__name__)
            return
        kept.keys, kept.fetched_at = keys, self._monotonic()

    async def _get(self, address: str) -> dict[str, Any]:
        if not is_safe(address):
            raise NoKeys
        async with self._http.stream("GET", address, timeout=PATIENCE, follow_redirects=False) as response:
            response.raise_for_status()
            content = b""
            async for part in response.aiter_bytes():
                content += part
                if len(content) > _LARGEST:
                    raise NoKeys
        found = httpx.Response(200, content=content).json()
        if not isinstance(found, dict):
            raise NoKeys
        return found


def _is_local(address: str) -> bool:
    return urlsplit(address).hostname in _LOCAL


def is_safe(address: str) -> bool:
    """Tell whether keys may be fetched from an address: over TLS, or from this machine itself."""
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOCAL)


def _names(keys: KeySet, kid: object) -> bool:
    if kid is None:
        return len(keys.keys) == 1
    return any(key.kid == kid for key in keys)
