from typing import Any

import pytest

from gateway.cli import showing_stream


def change(field: str, kind: str, old: Any, new: Any) -> dict[str, Any]:
    """Make a change as ``show --diff`` finds it."""
    return {"field": field, "path": field.split("."), "change": kind, "old": old, "new": new}


class TestDifferences:
    @pytest.mark.parametrize(
        ("made", "told"),
        [
            (change("level", "changed", 0, 2), "  level: 0 → 2"),
            (change("dormant", "changed", True, False), "  dormant: yes → no"),
            (change("candidate_owner", "changed", None, "r-1"), "  candidate_owner: none → r-1"),
            (change("team", "changed", ["r-1", "r-2"], ["r-2", "r-3"]), "  team: -r-1, +r-3"),
            (change("team", "changed", ["r-1", "r-2"], ["r-2", "r-1"]), "  team: [r-1, r-2] → [r-2, r-1]"),
            (change("offers.o-1", "added", None, {"answer": None}), "+ offers.o-1: {answer: none}"),
            (change("owed.m-1", "removed", {"level": 1}, None), "- owed.m-1: {level: 1}"),
            (
                change("obligations.o", "added", None, {"rungs": [{"at": 1}, {"at": 2}]}),
                "+ obligations.o: {rungs: 2 of them}",
            ),
        ],
    )
    def test_tell_old_and_new(
        self, made: dict[str, Any], told: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        showing_stream.differences({"from": 1, "to": 4, "changes": [made]})

        assert capsys.readouterr().out.splitlines() == [
            "1 field differs between version 1 and version 4",
            told,
        ]

    def test_say_when_there_are_none(self, capsys: pytest.CaptureFixture[str]) -> None:
        showing_stream.differences({"from": 2, "to": 2, "changes": []})

        assert capsys.readouterr().out == "nothing differs between version 2 and version 2\n"
