"""When a process looks for garbage: seldom while it starts, as usual once it serves.

What was imported stays for good: nobody has to look through it ever again.
"""

import gc


def while_starting() -> None:
    """Look seldom: among modules and models being made is none, and looking takes a sixth of a start."""
    gc.set_threshold(10_000, 20, 20)


def once_started() -> None:
    """Look as often as Python does by itself, but never at what is there by now."""
    gc.freeze()
    gc.set_threshold(700, 10, 10)
