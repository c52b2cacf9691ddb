"""Somebody's team is the one of that time, and small agencies go by team leads."""

from datetime import UTC, datetime, timedelta

from events.agency import PersonChanged, PersonJoined, PersonLeft
from events.catalogue import Event
from events.codec import draft
from events.envelope import Actor, Stored, derived_id
from events.teams import Teams

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def stored(*events: Event) -> list[Stored]:
    who = Actor(kind="operator", id="cli")
    return [
        Stored(
            position=number,
            agency="acme",
            stream="agency:acme",
            version=number,
            command_id=f"c-{number}",
            recorded_at=NOON,
            **draft(
                event, event_id=derived_id(str(number)), decided_at=event.at, actor=who, source="test"
            ).model_dump(exclude={"personal", "after_close", "key_subject"}),
        )
        for number, event in enumerate(events, 1)
    ]


class TestTeams:
    def test_follow_a_person_through_time(self) -> None:
        teams = Teams(
            stored(
                PersonJoined(at=NOON, person_id="r-1", role="recruiter", team="north"),
                PersonChanged(at=NOON + DAY, person_id="r-1", role="recruiter", team="south"),
                PersonLeft(at=NOON + 2 * DAY, person_id="r-1"),
            )
        )
        times = (NOON - DAY, NOON, NOON + DAY, NOON + 3 * DAY)
        assert [teams.of("r-1", at) for at in times] == ["north", "north", "south", "south"]

    def test_go_by_the_team_lead_where_there_are_none(self) -> None:
        joined = PersonJoined(at=NOON, person_id="r-1", role="recruiter", team_lead="t-1")
        teams = Teams(stored(joined))
        assert (teams.of("r-1", NOON), teams.of("nobody", NOON)) == ("t-1", None)
