"""The floor under the HTTP door: FastAPI and uvicorn, served as ours is, and one update for each request.

No credential, no check, no log line: import nothing of the gateway here but how it serves.
"""

import asyncio
import json
import os
import sys
from typing import Any

from fastapi import FastAPI, Request

from benchmarks.bare import BareUpdates
from gateway.http.serving import listen, run, serve, url_of
from workers.ending import end_process
from workers.settings import load_settings
from workers.wiring import adapters, connect
from workers.worker import stop_on_signals

# Where the bare workflows are found, as Ground.bare_id names them: a prefix for their numbers.
PREFIX = "BENCH_BARE_PREFIX"


async def main() -> None:
    """Serve until told to stop; the first line says where."""
    settings = load_settings()
    assert settings.database_url is not None
    stopping = asyncio.Event()
    stop_on_signals(stopping)
    prefix = os.environ[PREFIX]
    async with adapters(settings, settings.database_url.get_secret_value()) as having:
        client = await connect(settings.temporal_connect(), having.keys)
        app = FastAPI()

        @app.post("/bare/{number}")
        async def give(number: int, request: Request) -> dict[str, Any]:
            """Give one update with the body."""
            handle = client.get_workflow_handle(f"{prefix}{number}")
            content = (await request.body()).decode()
            return {"content": await handle.execute_update(BareUpdates.give, content)}

        listening = listen("127.0.0.1", 0)

        def begun() -> None:
            print(json.dumps({"url": url_of(listening)}), flush=True)

        await serve(app, listening, stopping, begun)


if __name__ == "__main__":
    run(main())
    sys.stdout.flush()
    end_process(0)
