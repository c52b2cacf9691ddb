"""What Greenhouse's own sample bodies mean by the mapping that ships."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest

from events.integrations.message import Message
from events.integrations.reading import Ignored, KnownIds, Meaning, Means, Ours, Waits, Wanted, read

FOLDER = Path(__file__).parents[4] / "shared" / "data" / "greenhouse_webhooks"
SAMPLES = sorted(each.name for each in FOLDER.glob("*.json"))
ADA = Ours("e-1", "s-1", "jo-1")
Reads = Callable[..., Any]
Sample = Callable[[str], Any]


@pytest.fixture
def given(reads: Reads, sample: Sample) -> Reads:
    """This will read one of the samples, changed at dotted places."""

    def reading(name: str, ids: Any = None, *, examples: bool = False, **changes: Any) -> Any:
        whole = sample(f"greenhouse_webhooks/{name}.json")
        for path, value in changes.items():
            *way, last = path.split("__")
            inner = whole["payload"]
            for step in way:
                inner = inner[step]
            inner[last] = value
        return reads("greenhouse", whole["action"], whole, ids, examples=examples)

    return reading


def names(meaning: Any) -> list[str]:
    assert isinstance(meaning, Means), meaning
    return [each.name for each in meaning.commands]


class TestStages:
    STAGE = "candidate-events__candidate-stage-change"
    IDS: ClassVar = {("application", "265277"): ADA}

    def test_wait_by_name_until_somebody_says_what_they_mean(self, given: Reads) -> None:
        assert given(self.STAGE, self.IDS) == Waits(
            'the mapping of greenhouse has no rule for a "candidate_stage_change" whose '
            'body.payload.application.current_stage.name is "Assessment"; add one that says what it means.',
            "mapping",
        )

    def test_of_a_stranger_ask_for_nothing_but_a_link(self, given: Reads) -> None:
        assert given(self.STAGE) == Waits(
            "nobody has linked the application at body.payload.application.id; it may be none of ours.",
            "link",
            "application",
            "265277",
        )

    def test_mean_what_the_examples_say_once_uncommented(self, given: Reads) -> None:
        assert given(self.STAGE, self.IDS, examples=True) == Ignored("nothing is decided in this stage")
        onsite = given(self.STAGE, self.IDS, examples=True, application__current_stage__name="Onsite")
        assert onsite.commands == (
            Wanted(
                "e-1",
                "record-client-answer",
                {"submission_id": "s-1", "answer": "yes"},
                datetime(2015, 2, 9, 16, 38, 36, tzinfo=UTC),
            ),
        )


class TestRejections:
    NO = "candidate-events__candidate-prospect-rejected"
    IDS: ClassVar = {("application", "265293"): ADA}

    def test_are_the_clients_no_with_the_clients_words(self, given: Reads) -> None:
        assert given(self.NO, self.IDS).commands == (
            Wanted(
                "e-1",
                "record-client-answer",
                {"submission_id": "s-1", "answer": "no", "reason": "Too Junior"},
                datetime(2015, 2, 11, 15, 50, 41, tzinfo=UTC),
            ),
        )

    def test_are_the_candidates_own_where_greenhouse_says_so(self, given: Reads) -> None:
        meaning = given(self.NO, self.IDS, application__rejection_reason__type__name="They rejected us")
        assert names(meaning) == ["withdraw"]

    def test_need_no_reason(self, given: Reads) -> None:
        meaning = given(self.NO, self.IDS, application__rejection_reason=None)
        assert meaning.commands[0].fields == {"submission_id": "s-1", "answer": "no"}

    def test_taken_back_wait_for_a_person(self, given: Reads) -> None:
        meaning = given("candidate-events__candidate-prospect-unrejected", self.IDS)
        assert meaning == Waits(
            'the mapping of greenhouse says nothing about "unreject_candidate"; add a rule for it.', "mapping"
        )


class TestOffers:
    APPROVED = "application-events__offer-approved"
    IDS: ClassVar = {("application", "234556"): ADA}

    def test_accepted_are_recorded_and_accepted_at_their_own_times(self, given: Reads) -> None:
        offer, yes = given(self.APPROVED, self.IDS).commands
        assert (offer.name, offer.at) == ("record-offer", datetime(2013, 3, 22, tzinfo=UTC))
        assert (yes.name, yes.at) == ("accept-offer", datetime(2013, 3, 25, tzinfo=UTC))
        assert offer.fields["offer_id"] == yes.fields["offer_id"]
        assert yes.fields["starts_on"] == "2013-04-15T00:00:00.000000Z"

    def test_keep_their_id_through_every_message(self, given: Reads) -> None:
        ids = {
            given(each, self.IDS, offer_status="Accepted").commands[0].fields["offer_id"]
            for each in (
                self.APPROVED,
                "application-events__offer-created",
                "application-events__offer-updated",
            )
        }
        assert len(ids) == 1

    @pytest.mark.parametrize(
        ("status", "commands"),
        [
            ("Rejected", ["record-offer", "decline-offer"]),
            ("Created", ["record-offer", "revise-offer"]),
        ],
    )
    def test_mean_what_their_status_says(self, status: str, commands: list[str], given: Reads) -> None:
        assert names(given(self.APPROVED, self.IDS, offer_status=status)) == commands

    def test_that_nobody_was_sent_are_no_offers_yet(self, given: Reads) -> None:
        meaning = given(self.APPROVED, self.IDS, offer_status="Created", sent_on=None)
        assert meaning == Ignored("the candidate has not been sent this offer yet")

    def test_that_are_out_of_date_are_told_by_a_newer_version(self, given: Reads) -> None:
        meaning = given("application-events__offer-updated", self.IDS)
        assert meaning == Ignored("a newer version of this offer tells how it stands")

    def test_of_an_unknown_status_wait_and_name_it(self, given: Reads) -> None:
        meaning = given(self.APPROVED, self.IDS, offer_status="Signed")
        assert 'body.payload.offer_status is "Signed"' in meaning.says

    def test_deleted_are_taken_back(self, given: Reads) -> None:
        ids = {("application", "46194062"): ADA, ("offer", "506406"): Ours("e-1", "o-1")}
        assert names(given("application-events__offer-deleted", ids)) == ["withdraw-offer"]


class TestHires:
    HIRED = "candidate-events__candidate-hired"
    IDS: ClassVar = {("application", "46194062"): ADA}

    def test_are_an_offer_and_the_candidates_yes(self, given: Reads) -> None:
        meaning = given(self.HIRED, self.IDS)
        assert names(meaning) == ["record-offer", "accept-offer"]
        assert meaning.commands[1].fields["starts_on"] == "2015-01-23T00:00:00.000000Z"
        assert [(each.kind, each.external) for each in meaning.learns] == [("offer", "506409")]

    def test_add_nothing_to_what_the_offer_has_told(self, given: Reads) -> None:
        """Hired and accepted come as two messages, in either order."""
        hired = given(self.HIRED, self.IDS)
        accepted = given("application-events__offer-approved", self.IDS, id=506409, application_id=46194062)
        assert hired.commands[1].fields["offer_id"] == accepted.commands[1].fields["offer_id"]

    def test_without_an_offer_stand_for_it_themselves(self, given: Reads) -> None:
        meaning = given(self.HIRED, self.IDS, application__offer=None)
        assert names(meaning) == ["record-offer", "accept-offer"]
        assert [(each.kind, each.external) for each in meaning.learns] == [("offer", "46194062")]

    def test_undone_wait_because_three_things_could_be_meant(self, given: Reads) -> None:
        meaning = given("candidate-events__candidate-unhired", {("application", "265293"): ADA})
        assert meaning.needs == "mapping"


class TestInterviews:
    def test_deleted_are_cancelled(self, given: Reads) -> None:
        meaning = given(
            "interview-events__interview-deleted", {("interview", "31087450"): Ours("e-1", "i-1")}
        )
        assert names(meaning) == ["cancel-interview"]
        assert given("interview-events__interview-deleted").needs == "link"

    def test_are_scheduled_and_held_by_what_a_poll_finds(self, reads: Reads) -> None:
        ids = {("application", "5"): ADA, ("interview", "8"): Ours("e-1", "i-8")}
        times = {"start": {"date_time": "2026-03-09T10:00:00Z"}, "end": {"date_time": "2026-03-09T11:00:00Z"}}
        items = [
            {"id": 7, "status": "scheduled", "updated_at": "2026-03-01T08:00:00Z", **times},
            {"id": 8, "status": "awaiting_feedback", **times},
            {"id": 9, "status": "to_be_scheduled"},
        ]
        body, event = {"application_id": 5}, "poll.scheduled-interviews"
        meaning = reads("greenhouse", event, body, ids, fetched={"items": items})
        assert names(meaning) == ["record-interview-scheduled", "record-interview-held"]
        assert meaning.commands[1].at == datetime(2026, 3, 9, 11, tzinfo=UTC)
        assert reads("greenhouse", event, body, ids).fetch == "scheduled-interviews"

    def test_have_the_result_of_a_scorecard_once_the_agency_says_so(self, reads: Reads) -> None:
        ids = {("application", "5"): ADA, ("interview", "8"): Ours("e-1", "i-8")}
        card = {"submitted_at": "2026-03-09T12:00:00Z", "scheduled_interview": {"id": 8}}
        items = [
            {**card, "overall_recommendation": each}
            for each in ("strong_yes", "definitely_not", "no_decision")
        ]
        body, event = {"application_id": 5}, "poll.scorecards"
        meaning = reads("greenhouse", event, body, ids, fetched={"items": items}, examples=True)
        assert [each.fields["result"] for each in meaning.commands] == ["advance", "reject"]
        assert reads("greenhouse", event, body, ids, fetched={"items": items}).needs == "mapping"


class TestJobs:
    def test_closed_close_the_order(self, given: Reads) -> None:
        ids = {("job", "100445"): Ours(job_order="jo-1")}
        job = "job-events__job-updated"
        meaning = given(job, ids, job__status="closed", job__closed_at="2015-09-01T00:00:00Z")
        assert meaning.commands == (
            Wanted(None, "close-job-order", {}, datetime(2015, 9, 1, tzinfo=UTC), job_order="jo-1"),
        )
        assert isinstance(given(job, ids), Ignored)


@pytest.mark.skipif(not SAMPLES, reason="Greenhouse's sample bodies do not lie beside the project")
class TestEverySample:
    @pytest.mark.parametrize("name", SAMPLES)
    def test_is_read_or_ignored_or_waits_with_a_sentence_without_a_name(
        self, name: str, shipped: Callable[..., Any]
    ) -> None:
        body = json.loads((FOLDER / name).read_text(encoding="utf-8"))
        message = Message(body["action"], datetime(2026, 3, 2, tzinfo=UTC), body)
        meaning: Meaning = read(message, shipped("greenhouse"), KnownIds({}, lambda _: "0" * 16))
        assert isinstance(meaning, Ignored | Waits)
        says = meaning.reason if isinstance(meaning, Ignored) else meaning.says
        candidate = str(body).lower()
        assert "first_name" not in candidate or "giuseppe" not in says.lower()
        assert says
