"""What a stored event looks like to others, and what of it they never see."""

import json
import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from cloudevents.core.formats.json import JSONFormat

from events.canonical import canonical
from events.cloudevents import cloud_event, known_types, short_type
from events.envelope import Actor, Stored

AT = datetime(2026, 1, 5, 12, 0, 0, 1, tzinfo=UTC)
SEALED = {"sealed": "a" * 64}


def stored(body: dict[str, Any], **more: Any) -> Stored:
    """Build a stored event."""
    return Stored(
        **{
            "position": 17,
            "event_id": UUID(int=7),
            "agency": "acme",
            "stream": "engagement:e-1",
            "version": 3,
            "type": "contact-made",
            "schema_version": 2,
            "command_id": "c-1",
            "causation_id": UUID(int=8),
            "correlation_id": None,
            "actor": Actor(kind="person", id="r-1"),
            "source": "test",
            "origin": "business",
            "policy_digest": None,
            "occurred_at": AT,
            "decided_at": AT,
            "recorded_at": AT,
            "body": canonical(body),
            **more,
        }
    )


class TestCloudEvent:
    def test_is_one_to_the_library(self) -> None:
        read = JSONFormat().read(None, json.dumps(cloud_event(stored({"channel": "phone"}))))
        assert read.get_specversion() == "1.0"
        assert read.get_id() == str(UUID(int=7))
        assert read.get_source() == "/agencies/acme"
        assert read.get_type() == "rapport.contact-made"
        assert read.get_subject() == "e-1"
        assert read.get_time() == AT
        assert read.get_datacontenttype() == "application/json"
        assert read.get_data() == {"channel": "phone"}
        assert read.get_extension("position") == 17
        assert read.get_extension("streamversion") == 3
        assert read.get_extension("origin") == "business"
        assert read.get_extension("causationid") == str(UUID(int=8))

    def test_names_its_attributes_as_the_specification_wants(self) -> None:
        assert all(re.fullmatch(r"[a-z0-9]{1,20}", name) for name in cloud_event(stored({})))

    def test_leaves_out_what_is_personal_and_its_hash(self) -> None:
        event = stored({"channel": "phone", "note": SEALED}, opened={"note": '"words"'})
        assert cloud_event(event)["data"] == {"channel": "phone"}

    def test_tells_what_was_opened_to_who_may_have_it(self) -> None:
        event = stored({"channel": "phone", "note": SEALED}, opened={"note": '"words"'})
        assert cloud_event(event, personal=True)["data"] == {"channel": "phone", "note": "words"}

    def test_leaves_out_what_was_erased_even_for_them(self) -> None:
        event = stored({"channel": "phone", "note": SEALED})
        assert cloud_event(event, personal=True)["data"] == {"channel": "phone"}

    def test_leaves_out_what_an_older_version_did_not_seal(self) -> None:
        """Whether a field is personal, the present model says."""
        event = stored({"channel": "phone", "note": "words in clear"})
        assert cloud_event(event)["data"] == {"channel": "phone"}

    def test_leaves_out_what_is_sealed_in_an_event_that_this_code_does_not_know(self) -> None:
        event = stored({"a": 1, "b": SEALED}, type="from-the-future")
        assert cloud_event(event)["data"] == {"a": 1}


class TestShortType:
    @pytest.mark.parametrize("name", ["contact-made", "rapport.contact-made"])
    def test_takes_both_ways_to_write_it(self, name: str) -> None:
        assert short_type(name) == "contact-made"

    def test_knows_the_events_of_every_kind_of_stream(self) -> None:
        assert {"contact-made", "job-order-opened", "person-joined"} <= known_types()

    def test_refuses_one_that_is_none(self) -> None:
        with pytest.raises(ValueError, match="no such event type"):
            short_type("rapport.nothing-at-all")
