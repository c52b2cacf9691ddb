"""What is made without checking is what checking would have made."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, get_args

import pytest
from pydantic import TypeAdapter

from events import catalogue as e
from events.catalogue import Event, Rung
from events.codec import body_of
from events.commands import RecordAttempt, RecordCheck
from events.making import filled, made, made_rung
from events.promises import Conclusion

if TYPE_CHECKING:
    from tests.events.specification import World

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
RUNG = TypeAdapter(Rung)
# What decisions make of commands that were checked.
DECIDED = (
    e.ApplicationLinked,
    e.ApplicationRecorded,
    e.Assigned,
    e.AttemptMade,
    e.CheckRecorded,
    e.ClientAnswered,
    e.ContactMade,
    e.GateBypassed,
    e.InterviewHeld,
    e.InterviewRequested,
    e.InterviewResultRecorded,
    e.Reassigned,
    e.Submitted,
    e.WentDormant,
)


class TestMade:
    @pytest.mark.parametrize("kind", [*get_args(Conclusion), *DECIDED], ids=lambda kind: kind.__name__)
    def test_equals_what_is_checked(self, world: "World", kind: type[Event]) -> None:
        """With all its fields and with only those it must have."""
        checked = world.event(kind.model_fields["type"].default)
        values = {name: getattr(checked, name) for name in kind.model_fields if name != "type"}
        assert made(kind, **values) == checked
        assert body_of(made(kind, **values)) == body_of(checked)
        assert made(kind, **values).model_dump_json() == checked.model_dump_json()
        needed = {name: values[name] for name, field in kind.model_fields.items() if field.is_required()}
        assert made(kind, **needed) == kind(**needed)
        assert hash(made(kind, **needed)) == hash(kind(**needed))


class TestFilled:
    def test_equals_what_is_checked(self) -> None:
        given = {"check": "screening", "outcome": "unknown", "about": ("a-1",)}
        pattern = RecordCheck.model_validate(given)
        checked = RecordCheck.model_validate({**given, "about": ("a-2", "s-2")})
        assert filled(pattern, {"about": ("a-2", "s-2")}) == checked
        assert filled(pattern, {"about": ("a-2", "s-2")}).model_dump_json() == checked.model_dump_json()
        assert filled(pattern, {}).model_fields_set == pattern.model_fields_set
        assert pattern.about == ("a-1",)
        assert isinstance(filled(RecordAttempt(by="r-1", channel="phone"), {"by": "r-2"}), RecordAttempt)


class TestMadeRung:
    def test_equals_what_is_checked(self) -> None:
        checked = Rung(number=2, at=NOON, do="escalate", level=1, to="team-lead", template="waits")
        assert made_rung(2, NOON, "escalate", 1, "team-lead", "waits") == checked
        assert made_rung(0, NOON, "breach", 0) == Rung(number=0, at=NOON, do="breach", level=0)
        assert RUNG.dump_json(made_rung(0, NOON, "breach", 0)) == RUNG.dump_json(
            Rung(number=0, at=NOON, do="breach", level=0)
        )
