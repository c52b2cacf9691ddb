"""Stands before the candidate's pages: the cookie becomes what the API knows them by, problems become pages.

Whatever ends a request there, a rate, a time, an error, the browser gets a page with one sentence.
"""

import json
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.http.problems import MEDIA_TYPE
from gateway.pages import texts
from gateway.pages.cookie import bearing, is_page, token_of
from gateway.pages.rendering import CSP, render

_GONE: Final = ("content-type", "content-length", "www-authenticate")


class Pages:
    """Around the whole app; it touches nothing but the pages."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request through."""
        if scope["type"] != "http" or not is_page(scope["path"]):
            await self._app(scope, receive, send)
            return
        await self._app(bearing(scope, token_of(scope)), receive, _AsPage(send, self._prefix))


class _AsPage:
    def __init__(self, send: Send, prefix: str) -> None:
        self._send = send
        self._prefix = prefix
        self._problem: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["Content-Security-Policy"] = CSP
            if headers.get("content-type", "").startswith(MEDIA_TYPE):
                self._problem = message
                return
        elif self._problem is not None:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._page(self._problem)
            return
        await self._send(message)

    async def _page(self, start: Message) -> None:
        status, headers = start["status"], MutableHeaders(scope=start)
        title, says = texts.problem(status, json.loads(self._body)["code"])
        body = render("problem", self._prefix, title=title, says=says, back=status != 401).encode()
        for name in _GONE:
            del headers[name]
        headers["content-type"], headers["content-length"] = "text/html; charset=utf-8", str(len(body))
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})
