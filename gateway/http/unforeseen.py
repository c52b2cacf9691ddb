"""Ends a request that nobody foresaw: one sentence to the caller, class and place to the process log.

It lies inside the framework's own net, which would write an error's words, maybe personal, to the log.
"""

from uuid import uuid4

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.http.mistakes import problem_of
from gateway.http.problems import Problem, answer

_log = structlog.get_logger(__name__)


class Unforeseen:
    """Turns any error into a problem."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and answer where it fails."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watching(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watching)
        except Exception as error:
            problem = problem_of(error) or _unexpected(error)
            if started:
                # Half an answer is out: cut off, it is at least no whole one.
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                return
            await answer(problem)(scope, receive, send)


def _unexpected(error: Exception) -> Problem:
    incident = uuid4().hex[:12]
    _log.error("a request failed", incident=incident, exc_info=(type(error), error, error.__traceback__))
    says = f"something unexpected went wrong; the gateway's log has it as incident {incident}"
    return Problem(500, "unexpected", says, incident=incident)
