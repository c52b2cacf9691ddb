"""Takes requests also where a proxy leaves on their paths what ``RAPPORT_PUBLIC_URL`` has before ours.

Within, no path has it; whatever makes an address for others puts it in front, by ``Doors.prefix``.
"""

from collections.abc import Collection
from urllib.parse import quote, unquote

from starlette.types import ASGIApp, Receive, Scope, Send


class Prefixed:
    """Around everything; *own* are the paths of ours, which a proxy's prefix may begin as."""

    def __init__(self, app: ASGIApp, prefix: str, own: Collection[str]) -> None:
        self._app = app
        self._prefix = unquote(prefix)
        # Then only a proxy that takes it off can work: with it on, a path could be meant either way.
        self._taken_off = not prefix or self._first(self._prefix) in {self._first(each) for each in own}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request through, without the prefix."""
        if scope["type"] == "http" and not self._taken_off:
            path: str = scope["path"]
            if path.startswith(f"{self._prefix}/"):
                path = path.removeprefix(self._prefix)
                scope = {**scope, "path": path, "raw_path": quote(path).encode()}
        await self._app(scope, receive, send)

    @staticmethod
    def _first(path: str) -> str:
        return path.split("/")[1]
