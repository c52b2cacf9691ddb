"""What Lever, Ashby, Workable and SmartRecruiters tell, by the mappings that ship."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest

from events.integrations.reading import Ignored, Means, Ours, Waits

ADA = Ours("e-1", "s-1", "jo-1")
Reads = Callable[..., Any]


def names(meaning: Any) -> list[str]:
    assert isinstance(meaning, Means), meaning
    return [each.name for each in meaning.commands]


class TestLever:
    @pytest.fixture
    def given(self, reads: Reads) -> Reads:
        """This will read a message of Lever about an opportunity of ours."""

        def reading(event: str, fetched: Any = None, *, ours: bool = True, **more: Any) -> Any:
            data = {"opportunityId": "op", "toStageId": "st-2", "interviewId": "in"} | more.pop("data", {})
            ids = {("application", "op"): ADA, ("interview", "in"): Ours("e-1", "i-1")} if ours else {}
            return reads("lever", event, {"event": event, "data": data}, ids, fetched=fetched, **more)

        return reading

    @pytest.mark.parametrize(
        "event", ["candidateHired", "interviewCreated", "interviewUpdated", "interviewDeleted"]
    )
    def test_is_asked_because_it_does_not_sign_what_it_says(self, event: str, given: Reads) -> None:
        assert given(event).needs == "fetch"

    def test_is_never_asked_about_a_stranger(self, given: Reads) -> None:
        assert given("candidateHired", ours=False).needs == "link"

    def test_is_not_believed_when_its_own_answer_says_otherwise(self, given: Reads) -> None:
        """A forged message says hired; the opportunity is not archived."""
        assert given("candidateHired", {"archived": None}).needs == "mapping"
        assert given("interviewDeleted", {"id": "in"}).needs == "mapping"

    def test_tells_a_hire(self, given: Reads) -> None:
        meaning = given("candidateHired", {"archived": {"archivedAt": 1431454330072, "reason": "r"}})
        assert names(meaning) == ["record-offer", "accept-offer"]
        assert meaning.commands[1].at == datetime(2015, 5, 12, 18, 12, 10, 72000, tzinfo=UTC)

    def test_tells_an_interviews_time_and_its_end(self, given: Reads) -> None:
        on = given("interviewCreated", {"id": "in", "date": 1770627600000, "canceledAt": None})
        assert names(on) == ["record-interview-scheduled"]
        assert on.commands[0].fields["starts_at"] == "2026-02-09T09:00:00.000000Z"
        assert names(given("interviewUpdated", {"id": "in", "canceledAt": 1770627600000})) == [
            "cancel-interview"
        ]
        assert names(given("interviewDeleted", {})) == ["cancel-interview"]

    def test_waits_by_the_stages_id_until_somebody_says_what_it_means(self, given: Reads) -> None:
        assert 'body.data.toStageId is "st-2"' in given("candidateStageChange").says
        stage = {"stage": {"id": "7c2690d8-6308-4ed9-ae2a-cbfe7db26593"}}
        assert names(given("candidateStageChange", stage, examples=True)) == ["record-client-answer"]

    def test_has_no_news_in_an_application(self, given: Reads) -> None:
        assert isinstance(given("applicationCreated"), Ignored)


class TestAshby:
    SCHEDULE: ClassVar = {
        "id": "sch",
        "status": "Scheduled",
        "applicationId": "app",
        "interviewEvents": [
            {"id": "a", "startTime": "2026-03-09T10:00:00Z", "endTime": "2026-03-09T11:00:00Z"},
            {"id": "b", "startTime": "2026-03-09T11:00:00Z", "endTime": "2026-03-09T12:00:00Z"},
        ],
    }

    @pytest.fixture
    def given(self, reads: Reads) -> Reads:
        """This will read a message of Ashby about an application of ours."""

        def reading(action: str, ids: Any = None, **data: Any) -> Any:
            known = {("application", "app"): ADA, **(ids or {})}
            return reads("ashby", action, {"action": action, "data": data}, known)

        return reading

    def schedule(self, given: Reads, status: str, **changes: Any) -> Any:
        ids = {("interview", each): Ours("e-1", f"i-{each}") for each in "ab"}
        schedule = {**self.SCHEDULE, "status": status, **changes}
        return given("interviewScheduleUpdate", ids, interviewSchedule=schedule)

    def test_tells_every_interview_of_a_schedule(self, given: Reads) -> None:
        meaning = given("interviewScheduleUpdate", interviewSchedule=self.SCHEDULE)
        assert names(meaning) == ["record-interview-scheduled"] * 2
        assert [each.external for each in meaning.learns] == ["a", "b"]
        assert {each.fields["submission_id"] for each in meaning.commands} == {"s-1"}

    def test_tells_that_they_took_place_or_are_off(self, given: Reads) -> None:
        held = self.schedule(given, "WaitingOnFeedback")
        assert names(held) == ["record-interview-held"] * 2
        assert held.commands[1].at == datetime(2026, 3, 9, 12, tzinfo=UTC)
        assert names(self.schedule(given, "Cancelled")) == ["cancel-interview"] * 2

    def test_waits_where_what_is_off_is_not_named(self, given: Reads) -> None:
        assert self.schedule(given, "Cancelled", interviewEvents=[]).needs == "mapping"

    def test_waits_for_a_status_that_nobody_has_explained(self, given: Reads) -> None:
        assert 'body.data.interviewSchedule.status is "OnHold"' in self.schedule(given, "OnHold").says
        assert isinstance(self.schedule(given, "NeedsScheduling"), Ignored)

    def test_tells_a_hire_once_though_three_messages_do(self, given: Reads) -> None:
        application = {"id": "app", "status": "Hired", "currentInterviewStage": {"title": "Hired"}}
        assert names(given("candidateHire", application=application)) == ["record-offer", "accept-offer"]
        assert isinstance(given("candidateStageChange", application=application), Ignored)
        assert isinstance(given("applicationUpdate", application=application), Ignored)

    def test_tells_one_offer_by_the_hire_and_by_the_offer(self, given: Reads) -> None:
        offer = {"id": "of", "applicationId": "app", "offerStatus": "CandidateAccepted"}
        hired = given("candidateHire", application={"id": "app"}, offer=offer)
        accepted = given("offerUpdate", offer=offer)
        assert hired.commands[1].fields == accepted.commands[1].fields

    @pytest.mark.parametrize(
        ("status", "commands"),
        [
            ("WaitingOnCandidateResponse", ["record-offer", "revise-offer"]),
            ("CandidateRejected", ["record-offer", "decline-offer"]),
            ("OfferCancelled", ["withdraw-offer"]),
        ],
    )
    def test_tells_an_offer_by_its_status(self, status: str, commands: list[str], given: Reads) -> None:
        ids = {("offer", "of"): Ours("e-1", "o-1")}
        offer = {"id": "of", "applicationId": "app", "offerStatus": status}
        assert names(given("offerUpdate", ids, offer=offer)) == commands

    @pytest.mark.parametrize(
        ("reason", "command"),
        [("RejectedByOrg", "record-client-answer"), ("RejectedByCandidate", "withdraw")],
    )
    def test_tells_whose_no_it_is(self, reason: str, command: str, given: Reads) -> None:
        application = {
            "id": "app",
            "status": "Archived",
            "archiveReason": {"reasonType": reason, "text": "x"},
        }
        assert names(given("candidateStageChange", application=application)) == [command]

    def test_waits_by_name_for_a_stage_of_the_clients_own(self, given: Reads) -> None:
        application = {"id": "app", "status": "Active", "currentInterviewStage": {"title": "Pre-Screen"}}
        waits = given("candidateStageChange", application=application)
        assert 'body.data.application.currentInterviewStage.title is "Pre-Screen"' in waits.says


class TestWorkable:
    IDS: ClassVar = {("application", "ce4da98"): ADA}

    def moved(self, reads: Reads, *, examples: bool = False, **data: Any) -> Any:
        body = {"event_type": "candidate_moved", "data": {"id": "ce4da98", "firstname": "Ada", **data}}
        return reads("workable", "candidate_moved", body, self.IDS, examples=examples)

    def test_tells_a_no_as_a_move(self, reads: Reads) -> None:
        (wanted,) = self.moved(reads, stage="Interview", disqualified=True).commands
        assert wanted.fields == {"submission_id": "s-1", "answer": "no"}

    def test_waits_by_name_for_a_stage_of_the_clients_own(self, reads: Reads) -> None:
        assert self.moved(reads, stage="Interview", disqualified=False) == Waits(
            'the mapping of workable has no rule for a "candidate_moved" whose body.data.stage is '
            '"Interview" and body.data.disqualified is something else; add one that says what it means.',
            "mapping",
        )
        moved = self.moved(reads, stage="Hired", disqualified=False, examples=True)
        assert names(moved) == ["record-offer", "accept-offer"]


class TestSmartRecruiters:
    @pytest.fixture
    def given(self, reads: Reads) -> Reads:
        """This will read a status of an application of ours."""

        def reading(status: str | None, **fetched: Any) -> Any:
            ids = {("candidate", "cid"): Ours("e-1"), ("application", "app"): ADA}
            answer = None if status is None else {"id": "app", "status": status, **fetched}
            body = {"job_id": "jid", "candidate_id": "cid"}
            return reads("smartrecruiters", "application.status.updated", body, ids, fetched=answer)

        return reading

    def test_is_asked_because_its_messages_are_thin(self, given: Reads, reads: Reads) -> None:
        assert (given(None).needs, given(None).fetch) == ("fetch", "link")
        assert reads("smartrecruiters", "application.status.updated", {"candidate_id": "x"}).needs == "link"

    @pytest.mark.parametrize(
        ("status", "commands"),
        [
            ("REJECTED", ["record-client-answer"]),
            ("WITHDRAWN", ["withdraw"]),
            ("INTERVIEW", ["record-client-answer"]),
            ("OFFERED", ["record-offer"]),
            ("HIRED", ["record-offer", "accept-offer"]),
        ],
    )
    def test_tells_what_its_status_says(self, status: str, commands: list[str], given: Reads) -> None:
        assert names(given(status)) == commands

    def test_ignores_where_nothing_is_decided_and_waits_where_nobody_knows(self, given: Reads) -> None:
        assert isinstance(given("IN_REVIEW"), Ignored)
        assert 'fetched.status is "SHELVED"' in given("SHELVED").says


class TestVectors:
    def test_of_strangers_wait_or_are_ignored(self, reads: Reads, sample: Callable[[str], Any]) -> None:
        """Signed samples of every provider, about people whom nobody has linked."""
        names_of_events = ("action", "event", "event_type", "type")
        for vector in sample("webhook_vectors/vectors.json"):
            provider = vector["provider"].replace("standardwebhooks", "standard-webhooks")
            body = json.loads(vector["body"])
            event = next((body[each] for each in names_of_events if each in body), "application.created")
            meaning = reads(provider, event, body)
            assert isinstance(meaning, Ignored | Waits)
            assert "Ada" not in str(meaning)
