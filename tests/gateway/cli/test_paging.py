"""Paging happens on terminals only, so these tests make one."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
from gateway.cli.output import line
from gateway.cli.paging import paged
with paged():
    for number in range(int(sys.argv[1])):
        line(f"row {number}", style="bold")
    for path in sys.argv[2:]:
        assert "row 0" in open(path).read()
        for number in range(int(sys.argv[1])):
            line(f"later {number}")
"""


def on_terminal(lines: int, pager: str | None, wait_for: Path | None = None) -> str:
    """Print some lines on a terminal of 24 rows, and as many after *wait_for* is read; gives what came."""
    main, beside = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name not in ("PAGER", "NO_COLOR")}
    environment |= {"TERM": "xterm", "LINES": "24", "COLUMNS": "80", "PYTHONPATH": os.getcwd()}
    if pager is not None:
        environment["PAGER"] = pager
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(lines), *([] if wait_for is None else [str(wait_for)])],
        stdin=beside,
        stdout=beside,
        env=environment,
    )
    os.close(beside)
    told = b""
    try:
        while chunk := os.read(main, 4096):
            told += chunk
    except OSError:
        pass  # how Linux says that nobody holds the other end any more
    finally:
        os.close(main)
    assert process.wait(20) == 0
    return told.decode()


@pytest.fixture
def pager(tmp_path: Path) -> str:
    """This will be a pager that says how many lines it got, with the first of them."""
    script = tmp_path / "pager"
    script.write_text('#!/bin/sh\nread first\necho "PAGED $(cat | wc -l) $first"\n')
    script.chmod(0o755)
    return str(script)


class TestPaged:
    def test_gives_long_text_to_the_users_pager_with_its_colours(self, pager: str) -> None:
        told = on_terminal(60, pager)

        assert "PAGED 59" in told.replace("  ", " ")
        assert "\x1b[1m" in told

    def test_prints_what_fits_on_the_screen(self, pager: str) -> None:
        told = on_terminal(5, pager)

        assert "PAGED" not in told
        assert "row 4" in told

    @pytest.mark.parametrize("pager", ["", "no-such-program --really"])
    def test_prints_all_where_there_is_no_pager(self, pager: str) -> None:
        assert "row 59" in on_terminal(60, pager)

    def test_loses_nothing_when_the_reader_leaves_early(self) -> None:
        assert "row 0" in on_terminal(20_000, "head -n 1")

    def test_shows_what_there_is_while_the_rest_is_made(self, tmp_path: Path) -> None:
        """The program goes on when the pager has shown its first line, and not before."""
        shown = tmp_path / "shown"
        os.mkfifo(shown)
        script = tmp_path / "pager"
        script.write_text(f'#!/bin/sh\nread first\necho "$first" > {shown}\necho "MORE $(cat | wc -l)"\n')
        script.chmod(0o755)

        told = on_terminal(60, str(script), wait_for=shown)

        assert "MORE 119" in told.replace("  ", " ")

    def test_leaves_a_pipe_alone(self, pager: str) -> None:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, "60"],
            env={**os.environ, "PAGER": pager, "PYTHONPATH": os.getcwd()},
            capture_output=True,
            text=True,
            check=True,
        )

        assert done.stdout.splitlines() == [f"row {number}" for number in range(60)]
