"""The process that the soak kills: the product's own serving, on the story's clock.

It must not outlive the soak: end of file on stdin means that the soak is gone, however it went.
"""

import asyncio
import json
import os
import sys
import threading
from datetime import timedelta

from events.clock import ClockSpec
from workers.ending import end_process
from workers.logs import configure_logging
from workers.serving import serving
from workers.settings import load_settings
from workers.worker import stop_on_signals


def _end_with_the_soak() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


async def main(clock: ClockSpec, settles_after: timedelta) -> int:
    """Work until told to stop; 1 if a worker ended by itself."""
    stopping = asyncio.Event()
    stop_on_signals(stopping)
    settings = load_settings()
    configure_logging(settings.log_level, settings.log_format)
    assert settings.database_url is not None
    url = settings.database_url.get_secret_value()
    temporal = settings.temporal_connect()
    async with serving(settings, url, temporal, clock=clock, settles_after=settles_after) as at_work:
        stop: asyncio.Future[object] = asyncio.ensure_future(stopping.wait())
        await asyncio.wait((stop, at_work.failed), return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        return 1 if at_work.failed.done() else 0


if __name__ == "__main__":
    threading.Thread(target=_end_with_the_soak, daemon=True).start()
    told = json.loads(sys.argv[1])
    end_process(
        asyncio.run(
            main(ClockSpec.model_validate(told["clock"]), timedelta(seconds=told["settles_after"])),
        )
    )
