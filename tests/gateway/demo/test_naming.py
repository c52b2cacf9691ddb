"""What a step's fields come to at their moment."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activities.agency_file import read_people
from events.fold import fold
from gateway.demo.dry import DryStage
from gateway.demo.naming import Unnamed, fields_at
from gateway.demo.scenario import PEOPLE
from workers.shipped import deploy_policy

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
PERSON = {"actor": {"kind": "person", "id": "r-1"}}


async def neglected(days: float) -> DryStage:
    """Take a candidate on, and let so many days pass."""
    stage = DryStage(deploy_policy("starter"))
    await stage.open(read_people(PEOPLE))
    await stage.give("e-1", "open-engagement", {"candidate_id": "c-1", "owner": "r-1", **PERSON}, "one")
    await stage.wait_for(stage.origin + timedelta(days=days))
    return stage


class TestFieldsAt:
    @pytest.mark.parametrize(
        ("given", "meant"),
        [
            ("+2 days", "2026-01-07T12:00:00.000000Z"),
            ("-90 minutes", "2026-01-05T10:30:00.000000Z"),
            ("+ no time", "+ no time"),
            ("- later", "- later"),
            ("$100", "$100"),
            (["+1 day", "s-1"], ["2026-01-06T12:00:00.000000Z", "s-1"]),
            (7, 7),
        ],
    )
    def test_counts_times_from_the_moment_and_leaves_words_alone(self, given: Any, meant: Any) -> None:
        assert fields_at({"field": given}, NOON, []) == {"field": meant}

    async def test_names_the_open_promise_and_its_highest_escalation(self) -> None:
        stage = await neglected(12)
        events = await stage.events("e-1")
        state = fold(events)
        found = fields_at(
            {
                "promise": "$obligation:keep-in-touch",
                "raised": "$escalation:keep-in-touch",
                "event": "$event:assigned",
            },
            NOON,
            events,
        )
        [promise] = [key for key, each in state.obligations.items() if each.rule == "keep-in-touch"]
        raised = {str(key): each.level for key, each in state.escalations.items()}
        assert found["promise"] == str(promise)
        assert raised[found["raised"]] == 3
        assert found["event"] == str(next(each.event_id for each in events if each.type == "assigned"))

    async def test_names_the_last_broken_promise_once_none_is_open(self) -> None:
        stage = await neglected(5)
        await stage.give("e-1", "introduce-recruiter", PERSON, "two")
        events = await stage.events("e-1")
        [broken] = fold(events).breaches
        assert fields_at({"it": "$obligation:introduce-recruiter"}, NOON, events) == {"it": str(broken)}

    @pytest.mark.parametrize("name", ["$obligation:debrief", "$escalation:debrief", "$event:paused"])
    async def test_says_what_is_not_there(self, name: str) -> None:
        events = await (await neglected(1)).events("e-1")
        with pytest.raises(Unnamed, match=name[1:]):
            fields_at({"it": name}, NOON, events)
