"""Who is named at a door works here; a slip of the pen is told before anything is written."""

from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from pydantic.fields import FieldInfo

from activities.doors import PERSONS, check_people
from activities.streams import KINDS, parse
from events import commands as c
from events.agency import Agency, Entry
from events.commands import Command
from events.envelope import Actor
from events.errors import InvalidCommand
from events.orders import COMMANDS

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
AGENCY = Agency(
    agency="acme",
    people={each: Entry(person_id=each, role="recruiter") for each in ("r-1", "r-2", "q-7")},
    left={"r-3": Entry(person_id="r-3", role="recruiter")},
)
OPERATOR = Actor(kind="operator", id="cli")
# Ids of other things, and codes.
NOBODY = {
    "absence_id", "absence_kind", "about", "application_id", "attempt_id", "candidate_id", "check",
    "check_id", "client_id", "client_talk_id", "conflict_id", "contact", "contact_id", "engagement_id",
    "evidence", "evidence_ref", "facet_id", "facets", "interview_id", "job_order_id", "message_id",
    "no_match_id", "offer_id", "opened_from", "outcome", "placement_id", "policy_name", "reason",
    "reason_code", "reassignment_id", "submission_id", "message", "observes", "office",
    "quiet_hours", "credential", "digest", "engagement",
}  # fmt: skip


def of_people(**fields: Any) -> Command:
    name = fields.pop("name")
    return (
        parse("job-order:j-1", name, fields)
        if name in KINDS["job-order"].commands
        else _command(name, fields)
    )


def _command(name: str, fields: dict[str, Any]) -> Command:
    return COMMANDS[name].model_validate({"name": name, **fields})


def is_id_or_code(field: FieldInfo) -> bool:
    found = [field.metadata, *(getattr(each, "__metadata__", ()) for each in _parts(field.annotation))]
    return any(getattr(each, "pattern", None) for metadata in found for each in metadata)


def _parts(annotation: Any) -> list[Any]:
    return [annotation, *(part for each in get_args(annotation) for part in _parts(each))]


class TestCheckPeople:
    @pytest.mark.parametrize(
        ("fields", "says"),
        [
            (
                {"name": "record-contact", "channel": "phone", "by": "r-11"},
                "record-contact: 'by' names nobody",
            ),
            ({"name": "reassign", "owner": "r1"}, "reassign: 'owner' names nobody.*did you mean 'r-1'"),
            ({"name": "assign", "owner": "r-1", "team": ("r-1", "zz")}, "assign: 'team' names nobody"),
            ({"name": "pause", "until": NOON, "approved_by": "l-9"}, "pause: 'approved_by' names nobody"),
            ({"name": "introduce-recruiter", "recruiter": "Quux"}, "'recruiter' names nobody"),
            ({"name": "open-job-order", "job_order_id": "j-1", "owner": "r-9"}, "open-job-order: 'owner'"),
            ({"name": "reassign", "owner": "r-3"}, "'owner' names 'r-3', who has left"),
            ({"name": "submit", "job_order_id": "j-1", "by": "r-3"}, "'by' names 'r-3', who has left"),
            (
                {"name": "propose-job", "job_order_id": "j-1", "by": "r-1", "job_order_owner": "r-99"},
                "'job_order_owner' names nobody",
            ),
        ],
    )
    def test_says_who_is_meant(self, fields: dict[str, Any], says: str) -> None:
        with pytest.raises(InvalidCommand, match=says) as caught:
            check_people(of_people(**fields), OPERATOR, None, AGENCY)
        assert "Quux" not in str(caught.value)

    def test_asks_who_acts(self) -> None:
        with pytest.raises(InvalidCommand, match=r"resume: 'actor' names nobody .* did you mean 'q-7'"):
            check_people(c.Resume(), Actor(kind="person", id="q7"), None, AGENCY)

    def test_lets_a_report_of_the_past_name_who_has_left(self) -> None:
        talk = of_people(name="record-contact", channel="phone", by="r-3")
        check_people(talk, OPERATOR, None, AGENCY)
        check_people(of_people(name="assign", owner="r-3"), OPERATOR, NOON, AGENCY)

    def test_takes_every_name_where_nobody_is_loaded(self) -> None:
        """An agency that keeps its people elsewhere stays as it is."""
        check_people(of_people(name="assign", owner="zz"), Actor(kind="person", id="zz"), None, Agency())

    def test_knows_every_field_of_every_command_that_may_name_somebody(self) -> None:
        """A new command with an id must say here whether it is a person's."""
        every = [*COMMANDS.values(), *(each for kind in KINDS.values() for each in kind.commands.values())]
        ids = {name for each in every for name, field in each.model_fields.items() if is_id_or_code(field)}
        assert ids - PERSONS - NOBODY - {"person"} == set()
