"""Stored events decode for ever: a golden file for every version of every event there has been."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from events import agency, job_order
from events.canonical import canonical, parse_instant
from events.catalogue import Event
from events.codec import ENGAGEMENT_EVENTS, UPCASTERS, UnknownEvent, body_of, decode
from events.envelope import ENGINE, Stored
from events.personal import Erased, personal_fields

GOLDEN = Path(__file__).parent / "golden"
REGISTRY: dict[str, type[Event]] = {**ENGAGEMENT_EVENTS, **job_order.EVENTS, **agency.EVENTS}
FILES = sorted(GOLDEN.glob("*.json"))


def read(path: Path) -> dict[str, Any]:
    """Read a golden file."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def kept(golden: dict[str, Any], **changes: Any) -> Stored:
    """Store what a golden file holds."""
    fields = {
        "position": 1,
        "event_id": UUID(int=1),
        "agency": "agency-1",
        "stream": "engagement:e-1",
        "version": 1,
        "type": golden["type"],
        "schema_version": golden["schema_version"],
        "command_id": "command-1",
        "causation_id": None,
        "correlation_id": None,
        "actor": ENGINE,
        "source": "test",
        "origin": "business",
        "policy_digest": None,
        "occurred_at": parse_instant(golden["occurred_at"]),
        "decided_at": parse_instant(golden["occurred_at"]),
        "recorded_at": datetime(2030, 1, 1, tzinfo=UTC),
        "body": golden["body"],
    }
    return Stored.model_validate({**fields, **changes})


class TestGolden:
    @pytest.mark.parametrize("kind", sorted(REGISTRY))
    def test_holds_every_version_of_every_event(self, kind: str) -> None:
        """Missing: run ``python -m tests.events.add_golden``.  It never overwrites one, and nor may you."""
        for version in range(1, REGISTRY[kind].schema_version + 1):
            assert (GOLDEN / f"{kind}.v{version}.json").exists()

    def test_holds_nothing_that_the_code_has_forgotten(self) -> None:
        assert {read(path)["type"] for path in FILES} == set(REGISTRY)

    @pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.stem))
    def test_decodes_and_is_written_again_to_the_byte(self, path: Path) -> None:
        golden = read(path)
        event = decode(kept(golden), REGISTRY)
        assert path.stem == f"{event.type}.v{golden['schema_version']}"
        assert canonical(json.loads(golden["body"])) == golden["body"]
        if golden["schema_version"] == event.schema_version:
            assert body_of(event) == golden["body"]

    def test_is_what_the_shared_examples_say(self, every_event: dict[str, Event]) -> None:
        """A changed example is another event than the stored one: add one, never change one."""
        for kind, event in every_event.items():
            golden = read(GOLDEN / f"{kind}.v{event.schema_version}.json")
            assert body_of(event) == golden["body"]

    def test_fills_in_every_personal_field_somewhere(self, every_event: dict[str, Event]) -> None:
        for event in every_event.values():
            fields = personal_fields(type(event))
            assert not fields or any(getattr(event, name) for name in fields)


class TestDecode:
    def test_leaves_erased_what_was_not_opened(self) -> None:
        golden = read(GOLDEN / "candidate-wrote.v1.json")
        body = canonical({**json.loads(golden["body"]), "words": {"sealed": "ab"}})
        assert decode(kept(golden, body=body)).words == Erased(sealed="ab")
        assert decode(kept(golden, body=body, opened={"words": '"Any news?"'})).words == "Any news?"

    def test_says_what_to_do_about_an_event_of_the_future(self) -> None:
        golden = read(GOLDEN / "candidate-wrote.v1.json")
        with pytest.raises(UnknownEvent, match="install a newer one"):
            decode(kept(golden, schema_version=99))
        with pytest.raises(UnknownEvent, match="candidate-sang"):
            decode(kept(golden, type="candidate-sang"))

    def test_raises_an_older_version_step_by_step(self, monkeypatch: pytest.MonkeyPatch) -> None:
        golden = read(GOLDEN / "candidate-wrote.v1.json")
        monkeypatch.setattr(ENGAGEMENT_EVENTS["candidate-wrote"], "schema_version", 3)
        monkeypatch.setitem(UPCASTERS, ("candidate-wrote", 1), lambda body: {**body, "channel": "sms"})
        monkeypatch.setitem(
            UPCASTERS, ("candidate-wrote", 2), lambda body: {**body, "message_id": body["channel"]}
        )
        assert decode(kept(golden)).message_id == "sms"

    def test_gives_the_time_of_the_envelope(self) -> None:
        golden = read(GOLDEN / "intake-completed.v1.json")
        assert decode(kept(golden)).at == parse_instant(golden["occurred_at"])
