"""The names of the world's time zones, read once when the process starts.

Decisions run on the workflow's thread and may not read files: hence a constant.
"""

from importlib.resources import files
from typing import Final

ZONES: Final = frozenset((files("tzdata") / "zones").read_text(encoding="utf-8").split())
