import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import pytest

from gateway.cli import output


@dataclass
class Point:
    """Something with fields."""

    x: int


class TestEmit:
    def test_prints_one_line_that_a_program_can_read(self, capsys: pytest.CaptureFixture[str]) -> None:
        output.emit(
            {
                "at": datetime.fromisoformat("2026-01-05T10:00:00+01:00"),
                "id": UUID(int=7),
                "point": Point(1),
                "name": "Žofie",
            }
        )

        told = capsys.readouterr().out
        assert told.count("\n") == 1
        assert "Žofie" in told
        assert json.loads(told) == {
            "at": "2026-01-05T09:00:00.000000Z",
            "id": "00000000-0000-0000-0000-000000000007",
            "point": {"x": 1},
            "name": "Žofie",
        }


class TestTable:
    def test_keeps_rows_whole_in_a_pipe(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A script that greps must find a row on one line, however long it is."""
        long = "word " * 60

        output.table(["A", "B"], [["1", long.strip()], ["2", "[bold]kept[/bold]"]], styles={0: "bold red"})

        lines = capsys.readouterr().out.splitlines()
        assert [line.split(maxsplit=1) for line in lines] == [
            ["A", "B"],
            ["1", long.strip()],
            ["2", "[bold]kept[/bold]"],
        ]
        assert all(line == line.rstrip() for line in lines)
        assert "\x1b" not in "".join(lines)


class TestLine:
    def test_is_plain_in_a_pipe(self, capsys: pytest.CaptureFixture[str]) -> None:
        output.line("done", style="bold red")

        assert capsys.readouterr().out == "done\n"
