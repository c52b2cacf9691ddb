import io
import json
import re
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from functools import partial

import pytest

from gateway.cli import escaping, output

PLANTED = "a\x1b[31mRED\x1b]0;pwn\x07 \x9b1m \x7f \u202ebackwards\u2066 \x00\r end"
SHOWN = r"a\x1b[31mRED\x1b]0;pwn\x07 \x9b1m \x7f \u202ebackwards\u2066 \x00\r end"

STEERING = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
Sent = Callable[[Callable[[], None]], str]


class TestEscaped:
    def test_shows_what_would_steer_a_terminal(self) -> None:
        assert escaping.escaped(PLANTED) == SHOWN

    def test_keeps_lines_and_tabs_of_a_layout_only(self) -> None:
        assert escaping.escaped("a\n\tb") == r"a\n\tb"
        assert escaping.escaped("a\n\tb", layout=True) == "a\n\tb"

    def test_keeps_every_script(self) -> None:
        text = "Žofie 山田 עברית عربي \u200f🙂"
        assert escaping.escaped(text) == text


class TestEscapedJson:
    def test_says_the_same_as_before(self) -> None:
        told = output.written({"note": PLANTED})
        assert json.loads(told) == {"note": PLANTED}
        assert told.isprintable()


class Terminal(io.StringIO):
    """Keeps what a terminal is sent."""

    def isatty(self) -> bool:
        """Say so."""
        return True


class TestOnATerminal:
    @pytest.fixture
    def sent(self, monkeypatch: pytest.MonkeyPatch) -> Sent:
        """This will tell what a terminal is sent while something is printed."""
        monkeypatch.setenv("TERM", "xterm-256color")
        monkeypatch.setenv("COLUMNS", "200")
        monkeypatch.delenv("NO_COLOR", raising=False)

        def run(printing: Callable[[], None]) -> str:
            screen = Terminal()
            with redirect_stdout(screen), redirect_stderr(screen):
                printing()
            return screen.getvalue()

        return run

    def test_a_line_has_our_colours_and_nobody_elses(self, sent: Sent) -> None:
        assert sent(lambda: output.line(PLANTED, style="bold red")) == f"\x1b[1;31m{SHOWN}\x1b[0m\n"

    def test_a_line_is_one_line(self, sent: Sent) -> None:
        assert sent(lambda: output.line("a note\nthat forges a line")) == "a note\\nthat forges a line\n"

    def test_a_table_has_our_colours_and_nobody_elses(self, sent: Sent) -> None:
        told = sent(lambda: output.table(["A"], [[PLANTED]], styles={0: "red"}))
        assert SHOWN in told
        assert STEERING.search(re.sub(r"\x1b\[[\d;]*m", "", told)) is None
        assert "\x1b[31mRED" not in told

    def test_blocks_and_complaints_are_shown_so_too(self, sent: Sent) -> None:
        for printing in (output.complain, output.block):
            assert sent(partial(printing, PLANTED)) == f"{SHOWN}\n"

    def test_a_report_obeys_none_of_it(self, sent: Sent) -> None:
        """What rich leaves out by itself stays out."""
        told = sent(lambda: output.console().print(PLANTED, markup=False))
        assert told == SHOWN.replace(r"\x07", "").replace(r"\r", "") + "\n"
