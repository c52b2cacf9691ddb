"""Serves the HTTP door with uvicorn until it is told to stop, and lets what is under way come to its end.

Signals are the process's own affair: uvicorn's handlers would end it before its doors are closed.
"""

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Final, TypeVar

import uvicorn
from fastapi import FastAPI

from gateway.cli.errors import Wrong

T = TypeVar("T")
HOST: Final = "127.0.0.1"
USUAL_PORT: Final = 8080
# Seconds for what is under way: a command's own patience is fifteen, and it may be sent again.
GRACE: Final = 10
BACKLOG: Final = 1024


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run on uvloop, where it is there."""
    return asyncio.Runner(loop_factory=_loop_factory()).run(work)


def listen(host: str, port: int | None, usual: int = USUAL_PORT) -> socket.socket:
    """Take a port: the one asked for, else the usual one, else any that is free.

    :raises Wrong: it cannot be had.
    """
    for each in (usual, 0) if port is None else (port,):
        try:
            return _bound(host, each)
        except OSError as error:
            why = (error.strerror or type(error).__name__).lower()
            if port is None and each != 0:
                continue
            raise Wrong(f"port {each} of {host} cannot be had ({why}); give another with --port") from None
    raise AssertionError("the last of them either is bound or raises")


def url_of(listening: socket.socket) -> str:
    """Give the address at which a socket is reached."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def serve(
    app: FastAPI,
    listening: socket.socket,
    stopping: asyncio.Event,
    begun: Callable[[], None],
    ending: Callable[[], None] = lambda: None,
    *,
    trusted_proxies: str = "",
) -> str | None:
    """Serve until *stopping*; returns a sentence where it ended by itself.

    *ending* is called before answers under way are waited for, so that endless ones come to an end.
    Nobody but *trusted_proxies* says whose address or scheme a request came with.
    """
    config = uvicorn.Config(
        app,
        http="httptools",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        lifespan="off",
        backlog=BACKLOG,
        timeout_graceful_shutdown=GRACE,
        proxy_headers=bool(trusted_proxies.strip()),
        # Given even where it is empty: else the library asks the environment.
        forwarded_allow_ips=trusted_proxies,
    )
    server = _Server(config, begun, ending)
    serving = asyncio.ensure_future(server.serve([listening]))
    stop = asyncio.ensure_future(stopping.wait())
    await asyncio.wait({serving, stop}, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    server.should_exit = True
    await serving
    return None if stopping.is_set() else "The HTTP gateway stopped by itself; its log says more."


async def until_orphaned(stopping: asyncio.Event) -> None:
    """Ask to stop when standard input ends, which whoever started us holds: also when they are killed."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    with os.fdopen(os.dup(sys.stdin.fileno()), "rb", buffering=0) as held:
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), held)
        try:
            while await reader.read(1024):
                pass
        finally:
            transport.close()
    stopping.set()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, begun: Callable[[], None], ending: Callable[[], None]) -> None:
        super().__init__(config)
        self._begun = begun
        self._ending = ending

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Say that it serves, as soon as it does."""
        await super().startup(sockets)
        self._begun()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let endless answers end, then wait for all."""
        self._ending()
        await super().shutdown(sockets)


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With its protocol named, asyncio's own loop sends small answers at once as well; else each takes 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
    except OSError:
        listening.close()
        raise
    return listening


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop
