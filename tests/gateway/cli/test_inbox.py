from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.cli import inbox, operating
from gateway.cli.errors import Wrong
from workers.finding import Finding


class TestState:
    @pytest.mark.parametrize(
        ("given", "meant"),
        [
            (["open"], ["waiting", "unmatched"]),
            (["open", "applied"], ["waiting", "unmatched", "applied"]),
            (["waiting"], ["waiting"]),
            (None, None),
        ],
    )
    def test_open_is_what_a_person_must_do_something_about(
        self, given: list[str] | None, meant: Sequence[str] | None
    ) -> None:
        assert inbox._states(given) == meant

    def test_names_those_there_are(self) -> None:
        with pytest.raises(Wrong, match="open: waiting and unmatched"):
            inbox._states(["lost"])


class TestStuck:
    @pytest.mark.parametrize(("name", "shown"), [("client-1", "client-1 (c-2-x)"), ("", "c-2-x")])
    def test_calls_a_connection_by_its_name(
        self, capsys: pytest.CaptureFixture[str], name: str, shown: str
    ) -> None:
        found = Finding("inbox", "connection:c-2-x", True, datetime.now(UTC), "waiting: 1 message")
        rows: list[Any] = operating._rows([found], {"c-2-x": name})
        operating._show_stuck({"stuck": 1, "findings": rows})
        assert f"stuck: connection:{shown}: waiting: 1 message" in capsys.readouterr().out
