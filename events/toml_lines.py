"""Where in a TOML text each key and each list item stands, so that a complaint can name its line.

It reads only text that ``tomllib`` has accepted; what a text means is never decided here.
"""

import re
import tomllib
from bisect import bisect_right
from typing import Final

Path = tuple[str | int, ...]

_BLANK: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY: Final = re.compile(r"""[A-Za-z0-9_-]+|"(?:\\.|[^"\\\n])*"|'[^'\n]*'""")
_SCALAR: Final = re.compile(
    r'''"""(?:\\.|[^\\])*?""""{0,2}|\'\'\'.*?\'\'\'\'{0,2}|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|[^,\]}\n#]+''',
    re.DOTALL,
)


def locate(text: str) -> dict[Path, int]:
    """Give the line, counted from 1, of every table, key and list item of a valid TOML text.

    A path is the keys that lead there, with numbers from 0 for list items:
    ``("obligation", "keep-in-touch", "ladder", 2, "level")``.
    """
    return _Scanner(text).scan()


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._newlines = [place for place, letter in enumerate(text) if letter == "\n"]
        self._lines: dict[Path, int] = {}
        self._items: dict[Path, int] = {}

    def scan(self) -> dict[Path, int]:
        table: Path = ()
        self._skip()
        while self._at < len(self._text):
            if self._ahead("["):
                table = self._header()
            else:
                self._pair(table)
            self._skip()
        return self._lines

    def _header(self) -> Path:
        line = self._line()
        repeated = self._ahead("[[")
        self._at += 2 if repeated else 1
        path = self._keys((), line)
        if repeated:
            self._items[path] = self._items.get(path, -1) + 1
            path = (*path, self._items[path])
            self._lines[path] = line
        self._at += 2 if repeated else 1
        return path

    def _pair(self, table: Path) -> None:
        path = self._keys(table, self._line())
        self._at += 1  # the equals sign
        self._value(path)

    def _keys(self, path: Path, line: int) -> Path:
        while True:
            # A header that goes on below a repeated table means the last of its items.
            path = (*path, self._items[path]) if path in self._items else path
            path = (*path, self._key())
            self._lines.setdefault(path, line)
            if not self._ahead("."):
                return path
            self._at += 1

    def _key(self) -> str:
        self._skip()
        raw = self._match(_KEY)
        self._skip()
        return str(tomllib.loads(f"key = {raw}")["key"]) if raw[0] in "\"'" else raw

    def _value(self, path: Path) -> None:
        self._skip()
        if self._ahead("["):
            self._several(path, "]", numbered=True)
        elif self._ahead("{"):
            self._several(path, "}", numbered=False)
        else:
            self._match(_SCALAR)

    def _several(self, path: Path, end: str, *, numbered: bool) -> None:
        self._at += 1
        self._skip()
        number = 0
        while not self._ahead(end):
            if numbered:
                self._lines[(*path, number)] = self._line()
                self._value((*path, number))
                number += 1
            else:
                self._pair(path)
            self._skip()
            if self._ahead(","):
                self._at += 1
                self._skip()
        self._at += 1

    def _skip(self) -> None:
        self._match(_BLANK)

    def _match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if found is None:
            raise ValueError(f"line {self._line()} is no valid TOML; parse it with tomllib first")
        self._at = found.end()
        return found.group()

    def _ahead(self, token: str) -> bool:
        return self._text.startswith(token, self._at)

    def _line(self) -> int:
        return bisect_right(self._newlines, self._at - 1) + 1
