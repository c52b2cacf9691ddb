"""Lets a long piece of work go by without the collector of cycles, which would look at all of it repeatedly.

Only for work that holds many small things and ties none of them in a cycle: these go when nobody holds them.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """This will leave cycles alone until the work is done; where nobody collected them, it stays so."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()
