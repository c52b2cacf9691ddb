"""A stack for callers without an event loop of their own, such as session-wide test fixtures."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from workers.embedded.stack import EmbeddedStack


@contextmanager
def in_thread(stack: EmbeddedStack) -> Iterator[EmbeddedStack]:
    """This will run *stack* on a thread with a loop of its own, from ``with`` to its end.

    Read its properties from any thread; call its coroutines on no other loop.

    :raises EmbeddedError: as the stack does.
    """
    started = threading.Event()
    loop = asyncio.new_event_loop()
    over = asyncio.Event()
    failures: list[BaseException] = []

    async def live() -> None:
        try:
            async with stack:
                started.set()
                await over.wait()
        except BaseException as error:
            failures.append(error)
        finally:
            started.set()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(live())

    thread = threading.Thread(target=run, name="embedded-stack", daemon=True)
    thread.start()
    started.wait()
    try:
        if failures:
            raise failures[0]
        yield stack
    finally:
        if thread.is_alive() and not failures:
            loop.call_soon_threadsafe(over.set)
        thread.join()
    if failures:
        raise failures[0]
