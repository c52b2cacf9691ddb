"""Lines of keys and list items, in everything that TOML allows."""

import tomllib
from typing import Any

import pytest

from events.toml_lines import Path, locate

EVERYTHING = """\
# a = "comment"
top = "x # no comment" # comment with [brackets]
"quoted.key" = 'literal \\'
dotted . "path" = 1979-05-27T07:32:00Z

[table]
list = [  # opens here
    "one, with ]",
    { a = "}", b.c = [1, 2] }, # an inline table
    [ "nested" ],
]
long = \"\"\"
[not.a.table]
quote: \"\"  \\\"\"\"
not = "a key\"\"\"\"
raw = '''
also = 'not a key' '''
after = 5

[[repeated]]
first = 1
[[repeated]]
second = 2
[repeated.sub]
third = 3
[ table . 'child' ]
last = true"""


class TestLocate:
    @pytest.mark.parametrize(
        ("path", "line"),
        [
            (("top",), 2),
            (("quoted.key",), 3),
            (("dotted", "path"), 4),
            (("table",), 6),
            (("table", "list"), 7),
            (("table", "list", 0), 8),
            (("table", "list", 1), 9),
            (("table", "list", 1, "a"), 9),
            (("table", "list", 1, "b", "c", 1), 9),
            (("table", "list", 2, 0), 10),
            (("table", "long"), 12),
            (("table", "raw"), 16),
            (("table", "after"), 18),
            (("repeated", 0, "first"), 21),
            (("repeated", 1), 22),
            (("repeated", 1, "second"), 23),
            (("repeated", 1, "sub", "third"), 25),
            (("table", "child", "last"), 27),
        ],
    )
    def test_finds(self, path: Path, line: int) -> None:
        assert locate(EVERYTHING)[path] == line

    def test_finds_every_key_that_the_parser_finds_and_no_other(self) -> None:
        assert set(locate(EVERYTHING)) == set(_paths(tomllib.loads(EVERYTHING), ()))

    def test_counts_the_lines_of_a_text_from_windows(self) -> None:
        assert locate("a = 1\r\n# note\r\nb = 2\r\n")[("b",)] == 3

    def test_finds_nothing_in_an_empty_text(self) -> None:
        assert locate("") == {}


def _paths(value: Any, path: Path) -> list[Path]:
    if isinstance(value, dict):
        inner: list[tuple[str | int, Any]] = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    else:
        inner = []
    here = [path] if path else []
    return here + [each for name, item in inner for each in _paths(item, (*path, name))]
