"""Reading a table of a policy file key by key, noting every problem with its place and its remedy.

A reader never stops at the first problem: it answers None and notes, and the caller builds nothing.
"""

import json
from collections.abc import Callable, Collection, Mapping
from datetime import date, time
from difflib import get_close_matches
from typing import Any, Final

from events.durations import DurationError, parse_span
from events.policy import Span
from events.toml_lines import Path

# What to write where a key is missing.
_EXAMPLES: Final = {
    "name": 'name = "our-agency"',
    "says": 'says = "Everybody who applies hears from a person within 7 days."',
    "because": 'because = "S: where the rule comes from"',
    "remedy": 'remedy = "what to do so that it is allowed"',
    "kind": 'kind = "answer"',
    "subject": 'subject = "application"',
    "opens-on": 'opens-on = ["application-recorded"]',
    "met-by": 'met-by = [{ event = "contact-made" }]',
    "within": 'within = "7 days"',
    "guards": 'guards = ["submit"]',
    "event": 'event = "contact-made"',
    "after": 'after = "1 day"',
    "do": 'do = "escalate"',
    "to": 'to = "team-lead"',
    "template": 'template = "escalation"',
    "zone": 'zone = "Europe/London"',
    "hours": 'hours = "09:00-17:30"',
    "country": 'country = "GB"',
}
_FEW: Final = 8


class Problems:
    """What is wrong with one file, each problem one sentence with its place."""

    def __init__(
        self,
        where: str,
        lines: Mapping[Path, int],
        *,
        place: Callable[[Path], str] | None = None,
        examples: Mapping[str, str] | None = None,
    ) -> None:
        self._where = where
        self._lines = lines
        self._place = place or _place
        self.examples = _EXAMPLES if examples is None else examples
        self._found: list[tuple[int, str]] = []

    def __len__(self) -> int:
        return len(self._found)

    def add(self, path: Path, says: str) -> None:
        """Note a problem with what stands at a path, or with the table around it."""
        known = path
        while known and known not in self._lines:
            known = known[:-1]
        line = self._lines.get(known, 1)
        place = self._place(path)
        self._found.append((line, f"{self._where}, line {line}{place and ', ' + place}: {says}"))

    def sentences(self) -> list[str]:
        """List the sentences in the order of the file."""
        return [says for _, says in sorted(self._found, key=lambda each: each[0])]


class Table:
    """One table of the file; ask for its keys, then :meth:`close` it."""

    def __init__(self, data: Mapping[str, Any], path: Path, problems: Problems) -> None:
        self._data = data
        self._path = path
        self._problems = problems
        self._asked: list[str] = []
        self._missing: list[str] = []

    def text(self, key: str) -> str | None:
        """Read a text that must be there: one line, as it goes into mails and onto terminals."""
        value = self._get(key, required=True)
        if not isinstance(value, str) or not value.strip():
            self._wrong(key, value, "needs words in quotes")
        elif not value.isprintable():
            self.problem((key,), f'"{key}" holds a line break or a control character; write it on one line.')
        else:
            return value
        return None

    def has(self, key: str) -> bool:
        """Tell whether a key stands here at all."""
        self._asked.append(key)
        return key in self._data

    def optional_text(self, key: str, expected: str) -> str | None:
        """Read a text that may be missing; *expected* says what it is where something else stands there."""
        value = self._get(key)
        if value is None or isinstance(value, str):
            return value
        self._wrong(key, value, expected)
        return None

    def word(self, key: str, known: Collection[str], what: str = "", *, required: bool = False) -> str | None:
        """Read one word of a closed vocabulary: the name of *what*, or one of the key's own few."""
        value = self._get(key, required=required)
        if what or value is None or (isinstance(value, str) and value in known):
            return None if value is None else self.known((key,), value, known, what)
        if isinstance(value, str):
            self.problem((key,), f'"{key}" is never {quoted(value)}; {suggestion(value, known)}')
        else:
            self._wrong(key, value, "is one word in quotes")
        return None

    def words(self, key: str, known: Collection[str], what: str) -> tuple[str, ...] | None:
        """Read a list of words of a closed vocabulary, at least one."""
        items = self.items(key, required=True)
        words = [self.known((key, number), item, known, what) for number, item in enumerate(items)]
        return tuple(word for word in words if word is not None) or None

    def flag(self, key: str) -> bool | None:
        """Read true or false."""
        value = self._get(key)
        if isinstance(value, bool):
            return value
        self._wrong(key, value, "is true or false, without quotes")
        return None

    def number(self, key: str) -> int | None:
        """Read a whole number."""
        value = self._get(key)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        self._wrong(key, value, "is a whole number without quotes")
        return None

    def span(self, key: str, *, required: bool = False) -> Span | None:
        """Read a length of time."""
        value = self._get(key, required=required)
        if not isinstance(value, str):
            self._wrong(key, value, 'is a length of time in quotes, like "7 days"')
            return None
        try:
            return parse_span(value)
        except DurationError as wrong:
            self.problem((key,), f"{quoted(value)} is not understood; {wrong}")
            return None

    def items(self, key: str, *, required: bool = False) -> list[Any]:
        """Read a list; a required one must hold something."""
        value = self._get(key, required=required)
        if isinstance(value, list) and (value or not required):
            return value
        self._wrong(key, value, f"is a list in square brackets{' with something in it' * required}")
        return []

    def table(self, key: str) -> Mapping[str, Any]:
        """Read a table inside this one as plain data; none is an empty one."""
        value = self._get(key)
        if isinstance(value, dict):
            return value
        self._wrong(key, value, "is a table, like { key = value }")
        return {}

    def inner(self, path: Path, data: Mapping[str, Any]) -> "Table":
        """Read a table that is an item of a list in this one."""
        return Table(data, (*self._path, *path), self._problems)

    def known(self, path: Path, value: object, known: Collection[str], what: str) -> str | None:
        """Answer the value when it is one of the known words; else say which would be right."""
        if isinstance(value, str) and value in known:
            return value
        if isinstance(value, str):
            self.problem(path, f"there is no {what} {quoted(value)}; {suggestion(value, known)}")
        else:
            self.problem(
                path, f"{sort_of(value)} stands where the name of {article(what)} belongs, in quotes."
            )
        return None

    def problem(self, path: Path, says: str) -> None:
        """Note a problem with something inside this table."""
        self._problems.add((*self._path, *path), says)

    def close(self) -> None:
        """Note the keys that nobody asked for, and those that are missing and not just misspelt."""
        meant: set[str] = set()
        for key in self._data:
            if key not in self._asked:
                close = closest(key, [each for each in self._asked if each not in self._data])
                meant.update(close)
                self.problem(
                    (key,), f"there is no key {quoted(key)} here; {suggestion(key, close or self._asked)}"
                )
        for key in self._missing:
            if key not in meant:
                self.problem(
                    (), f'the key "{key}" is missing; write for example {self._problems.examples[key]} here.'
                )

    def _get(self, key: str, *, required: bool = False) -> Any:
        self._asked.append(key)
        if required and key not in self._data:
            self._missing.append(key)
        return self._data.get(key)

    def _wrong(self, key: str, value: object, expected: str) -> None:
        if value is not None:
            self.problem((key,), f'"{key}" {expected}, but here is {sort_of(value)}.')


def quoted(text: str) -> str:
    """Show a text from the file in quotes, on one line and not at length."""
    return json.dumps(_short(text), ensure_ascii=not text.isprintable())


def plain(text: str) -> str:
    """Show a text from the file as it is, unless it holds what a terminal would obey."""
    return _short(text) if text.isprintable() else quoted(text)


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"


def closest(word: str, known: Collection[str]) -> list[str]:
    """Find the known word that was probably meant, or none."""
    spelt = word[:60].strip().lower().replace("_", "-").replace(" ", "-")
    return get_close_matches(spelt, sorted(known), n=1, cutoff=0.65)


def suggestion(word: str, known: Collection[str]) -> str:
    """Say which known word was probably meant, or which there are to choose from."""
    if close := closest(word, known):
        return f'did you mean "{close[0]}"?'
    listed = ", ".join(f'"{each}"' for each in sorted(known)[:_FEW])
    return f"choose one of {listed}{' and others' * (len(known) > _FEW)}."


def sort_of(value: object) -> str:
    """Name what kind of thing a value of the file is."""
    match value:
        case bool():
            return f"the value {str(value).lower()}"
        case int() | float():
            return "a number"
        case str():
            return f"the text {quoted(value)}" if value.strip() else "an empty text"
        case list():
            return "a list" if value else "an empty list"
        case date() | time():
            return "a date or time"
        case _:
            return "a table"


def article(noun: str) -> str:
    """Put ``a`` or ``an`` before a noun."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _place(path: Path) -> str:
    # [obligation.keep-in-touch], ladder 3, level
    parts = [plain(str(each)) for each in path[:2]]
    if len(path) > 1:
        parts = [f"[{'.'.join(parts)}]"]
    for each in path[2:]:
        if isinstance(each, int):
            parts[-1] += f" {each + 1}"
        else:
            parts.append(plain(each))
    return ", ".join(parts)
