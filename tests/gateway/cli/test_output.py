import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
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


class TestSheet:
    def test_has_one_head_in_a_pipe_and_columns_that_only_grow(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        sheet = output.Sheet(["A", "B"])
        for rows in ([["1234", "x"]], [["5", "y"]], [["123456", "z"], ["7", "w"]]):
            sheet.add(rows)

        assert capsys.readouterr().out.splitlines() == [
            "A     B",
            "1234  x",
            "5     y",
            "123456  z",
            "7       w",
        ]


class TestEmitAll:
    @pytest.mark.parametrize("pages", [[], [[]], [[1]], [[1, 2], [], [{"a": "é\u001b"}]]])
    async def test_prints_what_the_whole_would_be(
        self, pages: list[list[Any]], capsys: pytest.CaptureFixture[str]
    ) -> None:
        async def come() -> AsyncIterator[list[Any]]:
            for page in pages:
                yield page

        output.emit([item for page in pages for item in page])
        whole = capsys.readouterr().out
        await output.emit_all(come())
        assert capsys.readouterr().out == whole

    async def test_prints_nothing_where_nothing_can_be_read(self, capsys: pytest.CaptureFixture[str]) -> None:
        async def fails() -> AsyncIterator[list[Any]]:
            for _ in range(2):
                raise ConnectionError
            yield []

        with pytest.raises(ConnectionError):
            await output.emit_all(fails())
        assert capsys.readouterr().out == ""


class TestLine:
    def test_is_plain_in_a_pipe(self, capsys: pytest.CaptureFixture[str]) -> None:
        output.line("done", style="bold red")

        assert capsys.readouterr().out == "done\n"
