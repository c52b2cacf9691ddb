"""Where in a message something stands, and what of it may be shown."""

from datetime import UTC, datetime
from typing import Any

import pytest

from events.integrations.message import Message
from events.integrations.paths import Source, is_path, shown

BODY: dict[str, Any] = {"a": {"b": [{"c": 1}, {"c": ""}]}, "event-name": "x", "n": None, "t": True}
SOURCE = Source(Message("x", datetime(2026, 3, 2, tzinfo=UTC), BODY, {"link": "<u>"}, [7]), {"i": 5})


class TestFind:
    @pytest.mark.parametrize(
        ("path", "found"),
        [
            ("body.a.b[0].c", 1),
            ("body.a.b[1].c", None),
            ("body.a.b[2].c", None),
            ("body.a.b.c", None),
            ("body.a[0]", None),
            ("body.event-name", "x"),
            ("body.n", None),
            ("body.t.x", None),
            ("headers.link", "<u>"),
            ("fetched[0]", 7),
            ("item.i", 5),
            ("body.z.y.x", None),
        ],
    )
    def test_gives_what_stands_there_or_nothing(self, path: str, found: Any) -> None:
        assert SOURCE.find(path) == found

    def test_takes_a_text_or_a_whole_number_for_an_id(self) -> None:
        assert SOURCE.external("body.a.b[0].c") == "1"
        assert SOURCE.external("headers.link") == "<u>"
        assert SOURCE.external("body.t") is None
        assert SOURCE.external("body.a") is None


class TestIsPath:
    @pytest.mark.parametrize("text", ["body", "body.a", "headers.event-name", "item[0].a", "fetched.a[12].b"])
    def test_knows_one(self, text: str) -> None:
        assert is_path(text)

    @pytest.mark.parametrize(
        "text", ["", "payload.a", "body.", "body..a", "body.a[x]", "body.a b", "body[", "bodya"]
    )
    def test_knows_what_is_none(self, text: str) -> None:
        assert not is_path(text)


class TestShown:
    @pytest.mark.parametrize(
        ("path", "value", "text"),
        [
            ("body.stage", "Face to Face", '"Face to Face"'),
            ("body.current_stage.name", "Onsite", '"Onsite"'),
            ("body.status", 3, '"3"'),
            ("body.archived.reason", "63dd55b2-a99f", '"63dd55b2-a99f"'),
            ("body.archived.reason", "Ada was ill", None),
            ("body.name", "Ada", None),
            ("body.status", "ada@example.test", None),
            ("body.status", "x" * 61, None),
            ("body.status", "a\nb", None),
            ("body.status", {"a": 1}, None),
        ],
    )
    def test_shows_a_stage_or_a_status_and_nothing_personal(
        self, path: str, value: Any, text: str | None
    ) -> None:
        assert shown(path, value) == text
