"""How a process of ours ends.

Every process that made a Temporal client must end here: the SDK sometimes aborts while the interpreter
takes itself down (sdk-python#300).
"""

import contextlib
import logging
import os
import sys
from typing import NoReturn


def end_process(code: int) -> NoReturn:
    """This will flush what was written and logged, then end at once: no finalizer, no ``atexit`` runs."""
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        # A reader that has gone (``rapport show | head``) must not turn a result into a failure.
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)
