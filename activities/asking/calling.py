"""One HTTP call to a provider's API, tried a few times: bounded in time, in size and in where it may go.

A key goes to the connection's own host and nowhere else: no redirect is followed, and a link that a
provider writes is followed only where it leads back to that host.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final
from urllib.parse import quote, urlsplit

import httpx
import stamina

from activities.asking.errors import CannotBeAsked, NotAnswered, Unknown
from events.errors import CallerError

# Seconds for each step of a call, and for the whole of one however slowly it drips.
TIMEOUT: Final = 10.0
WHOLE: Final = 30.0
LARGEST: Final = 8 * 1024 * 1024
TRIES: Final = 3
# Whoever is told to wait for longer than this comes back with the next try of the message, or the next poll.
LONGEST_PAUSE: Final = 30.0
MOST_PAGES: Final = 1000
_LONGEST_SEGMENT: Final = 200
_PORTS: Final = {"https": 443, "http": 80}
_REFUSED: Final = frozenset({401, 403})
_GONE: Final = frozenset({404, 410})
Query = Mapping[str, str | int]


class Answer:
    """What came back: its JSON, and where the next page is if the answer says so in a header."""

    def __init__(self, body: Any, next_page: str | None = None) -> None:
        self.body = body
        self.next_page = next_page


class Api:
    """One connection's API; *headers* prove who asks."""

    def __init__(self, client: httpx.AsyncClient, base: str, headers: Mapping[str, str]) -> None:
        self._client = client
        self._base = base.rstrip("/")
        self._headers = {"accept": "application/json", **headers}

    def at(self, path: str) -> str:
        """Write the whole address of a path."""
        return self._base + path

    async def get(self, path: str, query: Query | None = None) -> Any:
        """Ask for what is at a path below the base.

        :raises CannotBeAsked: nothing but a person's doing helps.
        :raises Unknown: there is no such thing.
        :raises NotAnswered: asking again later may help.
        """
        return (await self._tried("GET", self._base + path, query)).body

    async def post(self, path: str, content: Mapping[str, Any]) -> Any:
        """Ask by a POST, of an API whose questions are written so; it changes nothing there."""
        return (await self._tried("POST", self._base + path, None, content)).body

    async def follow(self, url: object) -> Any:
        """Ask for what a link leads to, on the base's own host only.

        :raises CannotBeAsked: it leads elsewhere; or as :meth:`get`.
        """
        return (await self._tried("GET", self.own(url), None)).body

    async def pages(self, path: str, query: Query) -> AsyncIterator[Any]:
        """Give the bodies of all pages that follow each other by the header ``Link``."""
        answer = await self._tried("GET", self._base + path, query)
        for _ in range(MOST_PAGES):
            yield answer.body
            if answer.next_page is None:
                return
            answer = await self._tried("GET", self.own(answer.next_page), None)
        raise NotAnswered("its list does not end")

    def own(self, url: object) -> str:
        """Check that a link leads to the base's own host.

        :raises CannotBeAsked: it does not, or is none.
        """
        text = url if isinstance(url, str) else ""
        try:
            there = urlsplit(text)
            ours = urlsplit(self._base)
            same = (there.scheme, there.hostname, there.port or _PORTS.get(there.scheme)) == (
                ours.scheme,
                ours.hostname,
                ours.port or _PORTS.get(ours.scheme),
            )
        except ValueError:
            same = False
        if not same or "@" in there.netloc or "\\" in text:
            raise CannotBeAsked(
                "the link to follow does not lead to the connection's own API address, so it is not followed"
            )
        return text

    async def _tried(
        self, method: str, url: str, query: Query | None, content: Mapping[str, Any] | None = None
    ) -> Answer:
        tries = stamina.retry_context(on=again, attempts=TRIES, timeout=2 * WHOLE, wait_initial=0.5)
        async for attempt in tries:
            with attempt:
                return await self._once(method, url, query, content)
        raise AssertionError("a try ends with an answer or an error")

    async def _once(
        self, method: str, url: str, query: Query | None, content: Mapping[str, Any] | None
    ) -> Answer:
        request = self._client.build_request(method, url, params=query, headers=self._headers, json=content)
        try:
            async with asyncio.timeout(WHOLE):
                response = await self._client.send(request, stream=True, follow_redirects=False)
                try:
                    return await _read(response)
                finally:
                    await response.aclose()
        except CallerError as error:
            raise CannotBeAsked(f"the connection's API address is not asked: {error}") from None
        except (TimeoutError, httpx.ReadTimeout, httpx.WriteTimeout, httpx.PoolTimeout):
            raise NotAnswered("it did not answer in time") from None
        except httpx.TransportError as error:
            raise NotAnswered(f"it could not be reached ({type(error).__name__})", again=True) from None


def open_client(transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """Make what a process's calls go through; no cookie, proxy or login of the machine's goes along."""
    nowhere = DefaultCookiePolicy(allowed_domains=[])
    return httpx.AsyncClient(
        transport=transport,
        timeout=TIMEOUT,
        follow_redirects=False,
        trust_env=False,
        cookies=CookieJar(nowhere),
        headers={"user-agent": "Rapport"},
    )


def again(error: Exception) -> bool | float:
    """Tell whether to try a call once more at once, and after how many seconds where the provider says so."""
    if not isinstance(error, NotAnswered) or not error.again:
        return False
    if error.pause is None:
        return True
    return error.pause if error.pause <= LONGEST_PAUSE else False


def segment(value: object) -> str:
    """Write a foreign id as one step of a path, which it can never leave.

    :raises CannotBeAsked: it is no id.
    """
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not text or text in (".", "..") or len(text) > _LONGEST_SEGMENT or not text.isprintable():
        raise CannotBeAsked("the message does not name what the provider is to be asked about")
    return quote(text, safe="")


def basic(key: str) -> dict[str, str]:
    """Give the header of a key that is a user name without a password."""
    return {"authorization": f"Basic {base64.b64encode(f'{key}:'.encode()).decode()}"}


def bearer(key: str) -> dict[str, str]:
    """Give the header of a token."""
    return {"authorization": f"Bearer {key}"}


async def _read(response: httpx.Response) -> Answer:
    status = response.status_code
    if status in _REFUSED:
        raise CannotBeAsked("the provider refuses the key; give one that may read this")
    if status in _GONE:
        raise Unknown
    if 300 <= status < 400:
        raise CannotBeAsked("the provider answers with a redirect, which is not followed; correct --api-base")
    if status == 429 or status >= 500:
        raise NotAnswered(f"it answered {status}", again=True, pause=_pause(response.headers))
    if status >= 400:
        raise NotAnswered(f"it answered {status}")
    content = bytearray()
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > LARGEST:
            raise NotAnswered(f"its answer is larger than {LARGEST // 1024 // 1024} MiB")
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        raise NotAnswered("its answer is no JSON; is this the API's address?") from None
    return Answer(body, response.links.get("next", {}).get("url"))


def _pause(headers: httpx.Headers) -> float | None:
    given = headers.get("retry-after", "").strip()
    if given.isascii() and given.isdigit() and len(given) < 10:
        return float(given)
    try:
        at = parsedate_to_datetime(given)
    except (ValueError, TypeError):
        return None
    return max(0.0, (at - datetime.now(UTC)).total_seconds()) if at.tzinfo is not None else None
