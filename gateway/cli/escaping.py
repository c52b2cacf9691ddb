"""Shows control characters instead of obeying them: what others wrote must not steer a terminal.

Escape text before it gets our own colours, never after.
"""

import re
from typing import Final

# C0, DEL, C1, what turns the direction of writing around, and halves of characters, which nothing can print.
_STEERING: Final = "\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_ANY: Final = re.compile(f"[{_STEERING}]")
_BUT_LAYOUT: Final = re.compile(rf"(?![\n\t])[{_STEERING}]")


def escaped(text: str, *, layout: bool = False) -> str:
    """This will write each as a backslash and its number; with *layout*, line feeds and tabs stay."""
    return (_BUT_LAYOUT if layout else _ANY).sub(_shown, text)


def escaped_json(text: str) -> str:
    """This will escape, as JSON has it, what JSON would let pass in its strings."""
    return _BUT_LAYOUT.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _shown(found: re.Match[str]) -> str:
    match found[0]:
        case "\n":
            return "\\n"
        case "\t":
            return "\\t"
        case "\r":
            return "\\r"
        case other:
            return f"\\x{ord(other):02x}" if ord(other) < 256 else f"\\u{ord(other):04x}"
