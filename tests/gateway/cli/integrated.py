"""A database of a module's own, commands given in process, and a gateway's door beside them."""

import asyncio
import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

import gateway
from gateway.cli import app
from gateway.http.app import make_app
from gateway.http.doors import Doors
from gateway.webhooks.door import Door
from tests.listening import listening_socket
from workers.settings import load_settings
from workers.wiring import adapters

ROOT = Path(gateway.__file__).parent.parent
KEK = f"k1:{base64.b64encode(b'k' * 32).decode()}"


@dataclass(frozen=True)
class Done:
    """What one command said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Give what it printed, read as JSON."""
        return json.loads(self.out)


@dataclass
class Office:
    """An agency's command line and its door."""

    capsys: Any
    url: str

    def rapport(self, *arguments: str) -> Done:
        """Run one command."""
        self.capsys.readouterr()
        code = app.run(arguments)
        told = self.capsys.readouterr()
        assert "Traceback" not in told.err
        return Done(code, told.out, told.err)


@contextmanager
def door_on(database_url: str) -> Iterator[str]:
    """Serve the hooks on a free port; gives the address.  The environment names keys and database."""
    listening = listening_socket()
    up = threading.Event()
    server: list[uvicorn.Server] = []

    async def serve() -> None:
        async with adapters(load_settings(), database_url) as having:
            nobody: Any = None
            door = Door(having.connections, having.inbox, having.refusals)
            api = make_app(Doors(having, nobody, nobody, hooks=door))
            config = uvicorn.Config(api, log_config=None, lifespan="off", ws="none")
            server.append(uvicorn.Server(config))
            serving = asyncio.create_task(server[0].serve(sockets=[listening]))
            up.set()  # connections queue at the socket until it is served
            await serving

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert up.wait(30)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server[0].should_exit = True
        thread.join(30)
