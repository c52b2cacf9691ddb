"""Each provider's client: what it fetches for a mapping, and what its poll tells."""

import json
from datetime import timedelta
from typing import Any

import pytest

from activities.asking.changes import Change
from activities.asking.errors import CannotBeAsked
from tests.workers.asking.conftest import NOON, Asking
from tests.workers.asking.stand_in import StandIn

LATER = (NOON + timedelta(minutes=1)).isoformat()
EARLIER = (NOON - timedelta(days=1)).isoformat()
MILLI = int(NOON.timestamp() * 1000)


def told(changes: list[Change]) -> list[tuple[str, Any]]:
    """Give the events with their bodies."""
    return [(each.received.event, json.loads(each.received.body)) for each in changes]


def meeting(id: int, application: int, scorecard: int | None = None, at: str = LATER) -> dict[str, Any]:
    """Make one of Harvest's scheduled interviews."""
    return {
        "id": id,
        "application_id": application,
        "start": {"date_time": "2026-01-06T09:00:00Z"},
        "end": {"date_time": "2026-01-06T10:00:00Z"},
        "status": "scheduled",
        "updated_at": at,
        "interviewers": [{"id": 1, "scorecard_id": scorecard}],
    }


def scorecard(id: int, application: int, at: str = LATER) -> dict[str, Any]:
    """Make one of Harvest's scorecards."""
    return {"id": id, "application_id": application, "updated_at": at, "overall_recommendation": "yes"}


class TestGreenhouse:
    async def test_joins_scorecards_to_their_interviews(self, stand_in: StandIn, asker: Asking) -> None:
        """A scorecard does not say which interview it is of; the interview does."""
        stand_in.applications = {"7": {"id": 7}}
        stand_in.meetings = [meeting(id, 7, id + 100) for id in (1, 2, 3)]
        stand_in.scorecards = [scorecard(103, 7), scorecard(999, 7), scorecard(5, 8)]
        found = await asker("greenhouse").fetch("scorecards", {"application_id": 7})
        assert [(each["id"], each["scheduled_interview"]["id"]) for each in found["items"]] == [
            (103, 3),
            (999, None),
        ]

    async def test_gives_all_pages_of_an_applications_interviews(
        self, stand_in: StandIn, asker: Asking
    ) -> None:
        stand_in.applications = {"7": {"id": 7}}
        stand_in.meetings = [meeting(id, 7) for id in range(5)]
        body = {"payload": {"application": {"id": 7}}}
        found = await asker("greenhouse").fetch("scheduled-interviews", body)
        assert [each["id"] for each in found["items"]] == list(range(5))

    async def test_marks_what_is_not_there(self, asker: Asking) -> None:
        there = asker("greenhouse")
        assert await there.fetch("scorecards", {"application_id": 7}) == {"items": [], "absent": True}
        assert await there.fetch("application", {"application_id": 7}) == {"absent": True}

    async def test_polls_what_changed_of_those_who_are_linked(self, stand_in: StandIn, asker: Asking) -> None:
        stage = {"id": 5, "name": "Onsite"}
        common = {"last_activity_at": LATER, "current_stage": stage}
        stand_in.applications = {
            "7": {"id": 7, "status": "active", **common},
            "8": {"id": 8, "status": "rejected", "rejected_at": "2026-01-05T12:00:30Z", **common},
            "9": {"id": 9, "status": "hired", **common},
            "10": {"id": 10, "status": "active", **common},
        }
        stand_in.offers = {"9": {"id": 77, "starts_at": "2026-02-01"}}
        stand_in.meetings = [meeting(1, 7), meeting(2, 10), meeting(3, 7, at=EARLIER)]
        stand_in.scorecards = [scorecard(4, 7), scorecard(5, 10)]
        found = await asker("greenhouse").changes(application={"7", "8", "9"})
        assert [each for each, _ in told(found)] == [
            "candidate_stage_change",
            "reject_candidate",
            "hire_candidate",
            "poll.scheduled-interviews",
            "poll.scorecards",
        ]
        bodies = [body for _, body in told(found)]
        assert bodies[0]["payload"]["application"]["current_stage"] == stage
        assert bodies[2]["payload"]["application"]["offer"]["id"] == 77
        assert bodies[4] == {"application_id": "7"}
        rejected = found[1].received.occurred_at
        assert rejected is not None
        assert rejected.second == 30

    async def test_polls_all_of_one_that_was_just_linked(self, stand_in: StandIn, asker: Asking) -> None:
        old = {"id": 7, "status": "active", "last_activity_at": EARLIER, "current_stage": {"id": 5}}
        stand_in.applications = {"7": old}
        assert await asker("greenhouse").changes(application={"7"}) == []
        found = await asker("greenhouse").changes(application={"7"}, fresh=frozenset({"7"}))
        events = [each for each, _ in told(found)]
        assert events == ["candidate_stage_change", "poll.scheduled-interviews", "poll.scorecards"]

    async def test_says_that_it_is_another_api(self, stand_in: StandIn, asker: Asking) -> None:
        stand_in.faults = [lambda: {"data": []}]
        with pytest.raises(CannotBeAsked, match="no Harvest API"):
            await asker("greenhouse").changes(application={"7"})


class TestLever:
    async def test_fetches_what_an_opportunity_truly_is(self, stand_in: StandIn, asker: Asking) -> None:
        stand_in.opportunities = {"o-1": {"id": "o-1", "stage": {"id": "st-1"}}}
        there = asker("lever")
        body = {"data": {"opportunityId": "o-1", "toStageId": "a lie", "interviewId": "i-1"}}
        assert (await there.fetch("opportunity", body))["stage"] == {"id": "st-1"}
        assert await there.fetch("interview", body) == {"absent": True}
        assert "expand=stage" in stand_in.asked[0]

    async def test_finds_the_score_of_a_feedback(self, stand_in: StandIn, asker: Asking) -> None:
        stand_in.opportunities = {"o-1": {"id": "o-1"}}
        fields = [{"type": "text", "value": "x"}, {"type": "score-system", "value": "4 - Strong Hire"}]
        stand_in.feedback = {"o-1": [{"id": f"f-{n}", "fields": fields} for n in range(3)]}
        found = await asker("lever").fetch("feedback", {"application_id": "o-1"})
        assert [each["score"] for each in found["items"]] == ["4 - Strong Hire"] * 3
        nobody = await asker("lever").fetch("feedback", {"application_id": "o-2"})
        assert nobody == {"items": [], "absent": True}

    async def test_polls_stages_hires_interviews_and_feedback(self, stand_in: StandIn, asker: Asking) -> None:
        archived = {"reason": "r-hired", "archivedAt": MILLI + 5}
        refused = {"reason": "r-no", "archivedAt": MILLI + 5}
        held = {"stage": {"id": "st-1"}, "updatedAt": MILLI + 10}
        stand_in.opportunities = {
            "o-1": {"id": "o-1", **held},
            "o-2": {"id": "o-2", "archived": archived, **held},
            "o-3": {"id": "o-3", "archived": refused, **held},
            "o-9": {"id": "o-9", **held},
        }
        stand_in.reasons = [{"id": "r-no", "type": "non-hired"}, {"id": "r-hired", "type": "hired"}]
        stand_in.interviews = {"o-1": [{"id": "i-1", "date": MILLI, "createdAt": MILLI}]}
        stand_in.feedback = {
            "o-1": [{"id": "f-1", "completedAt": MILLI + 1}, {"id": "f-2", "completedAt": None}]
        }
        found = told(await asker("lever").changes(application={"o-1", "o-2", "o-3"}))
        assert [each for each, _ in found] == [
            "candidateStageChange",
            "candidateHired",
            "candidateArchiveChange",
            "interviewUpdated",
            "poll.feedback",
        ]
        assert found[3][1]["data"] == {"opportunityId": "o-1", "interviewId": "i-1"}


class TestAshby:
    async def test_fetches_all_feedback_of_an_application(self, stand_in: StandIn, asker: Asking) -> None:
        stand_in.applications = {"a-1": {"id": "a-1"}}
        stand_in.feedback = {"a-1": [{"id": f"f-{n}", "applicationId": "a-1"} for n in range(5)]}
        found = await asker("ashby").fetch("feedback", {"application_id": "a-1"})
        assert [each["id"] for each in found["items"]] == [f"f-{n}" for n in range(5)]
        body = {"data": {"application": {"id": "a-2"}}}
        assert await asker("ashby").fetch("application", body) == {"absent": True}

    async def test_polls_each_that_is_linked(self, stand_in: StandIn, asker: Asking) -> None:
        stage = {"id": "st-1", "title": "Onsite"}
        stand_in.applications = {
            "a-1": {"id": "a-1", "status": "Active", "currentInterviewStage": stage, "updatedAt": LATER}
        }
        events = [{"id": "ev-1", "startTime": LATER, "endTime": LATER}]
        stand_in.schedules = [
            {"id": "s-1", "applicationId": "a-1", "status": "Scheduled", "interviewEvents": events}
        ]
        stand_in.feedback = {"a-1": [{"id": "f-1", "applicationId": "a-1", "submittedAt": LATER}]}
        found = told(await asker("ashby").changes(application={"a-1", "a-gone"}))
        assert [each for each, _ in found] == [
            "candidateStageChange",
            "interviewScheduleUpdate",
            "poll.feedback",
        ]
        assert found[1][1]["data"]["interviewSchedule"]["interviewEvents"] == events

    async def test_says_what_an_api_without_permission_says(self, stand_in: StandIn, asker: Asking) -> None:
        stand_in.faults = [lambda: {"success": False, "errors": ["missing_endpoint_permission"]}]
        with pytest.raises(CannotBeAsked, match="refuses the key"):
            await asker("ashby").changes(application={"a-1"})


class TestSmartRecruiters:
    async def test_follows_a_messages_link_on_its_own_host_only(
        self, stand_in: StandIn, asker: Asking
    ) -> None:
        stand_in.applications = {"a-1": {"id": "a-1", "status": "REJECTED"}}
        there, base = asker("smartrecruiters"), stand_in.base("smartrecruiters")
        for link in (f"{base}/applications/a-1", f'<{base}/applications/a-1>; rel="self"'):
            assert (await there.fetch("link", {}, link=link))["status"] == "REJECTED"
        assert await there.fetch("link", {}, link=f"{base}/applications/x") == {"absent": True}
        asked = len(stand_in.asked)
        with pytest.raises(CannotBeAsked, match="not followed"):
            await there.fetch("link", {}, link="https://evil.example/applications/a-1")
        with pytest.raises(CannotBeAsked, match="no link"):
            await there.fetch("link", {})
        assert len(stand_in.asked) == asked

    async def test_polls_as_thinly_as_its_webhook_tells(self, stand_in: StandIn, asker: Asking) -> None:
        stand_in.applications = {"a-1": {"id": "a-1", "status": "OFFERED", "candidateId": "c-1"}}
        [found] = await asker("smartrecruiters").changes(application={"a-1"})
        assert told([found]) == [("application.status.updated", {"candidate_id": "c-1"})]
        again = await asker("smartrecruiters").fetch("link", {}, **found.received.headers)
        assert again["status"] == "OFFERED"


class TestWorkable:
    async def test_polls_all_pages_of_what_changed(self, stand_in: StandIn, asker: Asking) -> None:
        stand_in.candidates = {
            f"c{n}": {"id": f"c{n}", "stage": "Interview", "disqualified": False, "updated_at": LATER}
            for n in range(5)
        }
        stand_in.candidates["c0"]["updated_at"] = EARLIER
        found = await asker("workable").changes(application={"c0", "c1", "c4"})
        assert [body["data"]["id"] for _, body in told(found)] == ["c1", "c4"]
        fresh = await asker("workable").changes(application={"c0"}, fresh=frozenset({"c0"}))
        assert [body["data"]["id"] for _, body in told(fresh)] == ["c0"]

    async def test_fetches_a_candidate_as_they_are_now(self, stand_in: StandIn, asker: Asking) -> None:
        stand_in.candidates = {"c1": {"id": "c1", "stage": "Offer"}}
        there = asker("workable")
        assert (await there.fetch("candidate", {"data": {"id": "c1"}}))["stage"] == "Offer"
        assert await there.fetch("candidate", {"data": {"id": "c2"}}) == {"absent": True}


class TestCalendly:
    EVENT = "https://api.calendly.com/scheduled_events/E1"

    def held(self, stand_in: StandIn, *invitees: dict[str, Any]) -> None:
        """Hold one event with invitees."""
        at = {"start_time": LATER, "end_time": LATER, "updated_at": LATER}
        stand_in.events = {"E1": {"uri": self.EVENT, **at}}
        stand_in.invitees = {"E1": list(invitees)}

    def invitee(self, number: int, **more: Any) -> dict[str, Any]:
        """Make an invitee."""
        uri = f"{self.EVENT}/invitees/I{number}"
        return {"uri": uri, "status": "active", "created_at": LATER, "tracking": {}, **more}

    async def test_polls_the_bookings_of_those_who_are_linked(self, stand_in: StandIn, asker: Asking) -> None:
        off = {"status": "canceled", "cancellation": {"created_at": LATER}}
        self.held(
            stand_in,
            self.invitee(1, tracking={"utm_content": "s-1"}),
            self.invitee(2),
            self.invitee(3, no_show={"created_at": LATER}),
            self.invitee(4, tracking={"utm_content": "s-1"}, **off),
        )
        theirs = {f"{self.EVENT}/invitees/I3"}
        found = told(await asker("calendly").changes(application={"s-1"}, interview=theirs))
        assert [(event, body["payload"]["uri"][-2:]) for event, body in found] == [
            ("invitee.created", "I1"),
            ("invitee.created", "I3"),
            ("invitee_no_show.created", "I3"),
            ("invitee.created", "I4"),
            ("invitee.canceled", "I4"),
        ]
        assert found[0][1]["payload"]["scheduled_event"]["start_time"] == LATER

    async def test_fetches_by_the_ends_of_its_addresses(self, stand_in: StandIn, asker: Asking) -> None:
        """Whatever host an address names, the connection's own is asked."""
        self.held(stand_in, self.invitee(1))
        there = asker("calendly")
        named = {"payload": {"uri": f"{self.EVENT}/invitees/I1", "event": self.EVENT}}
        assert (await there.fetch("invitee", named))["status"] == "active"
        assert (await there.fetch("event", named))["start_time"] == LATER
        with pytest.raises(CannotBeAsked, match="does not name"):
            await there.fetch("event", {"payload": {"event": "https://x/../users/me"}})
