from datetime import UTC, datetime
from typing import Any, Literal, get_args, get_origin
from uuid import UUID

import pytest
from pydantic import BaseModel

from events import agency, catalogue, job_order
from events.codec import ENGAGEMENT_EVENTS
from events.personal import Erased, personal_fields
from gateway import words

NOON = datetime(2026, 2, 12, 12, tzinfo=UTC)
SOME_ID = UUID(int=7)
SEALED = Erased(sealed="c0ffee")


def example(model: type[BaseModel], personal: object) -> Any:
    """Make an instance with some value in every field, unvalidated."""
    secret = personal_fields(model)
    values = {
        name: personal if name in secret else _some(field.annotation)
        for name, field in model.model_fields.items()
        if name != "type"
    }
    built: Any = model.model_construct(_fields_set=None, **values)
    return built


def _some(annotation: Any) -> Any:
    if get_origin(annotation) is Literal:
        return get_args(annotation)[0]
    if get_origin(annotation) is tuple:
        return ()
    if annotation is not None and get_origin(annotation) is not None:
        return _some(get_args(annotation)[0])
    known = {datetime: NOON, UUID: SOME_ID, int: 2, bool: True, str: "x-1"}
    return known[annotation]


class TestSay:
    @pytest.mark.parametrize("model", ENGAGEMENT_EVENTS.values(), ids=list(ENGAGEMENT_EVENTS))
    def test_has_a_sentence_for_every_event(self, model: type[BaseModel]) -> None:
        sentence = words.say(example(model, "spoken words"))

        assert sentence[0].isupper() or sentence.startswith("x-1")
        assert "None" not in sentence

    @pytest.mark.parametrize("model", ENGAGEMENT_EVENTS.values(), ids=list(ENGAGEMENT_EVENTS))
    def test_says_what_is_gone_where_the_key_is(self, model: type[BaseModel]) -> None:
        """A shredded stream still reads."""
        sentence = words.say(example(model, SEALED))

        assert "c0ffee" not in sentence
        assert words.ERASED not in words.say(example(model, SEALED), erased="")

    def test_names_the_interview_and_its_time(self) -> None:
        event = catalogue.InterviewScheduled(
            at=NOON,
            interview_id="i-1",
            submission_id="s-1",
            starts_at=datetime(2026, 2, 12, 9, tzinfo=UTC),
            ends_at=datetime(2026, 2, 12, 10, tzinfo=UTC),
        )

        assert words.say(event) == "Interview i-1 for submission s-1 scheduled for 12 Feb 2026 09:00 UTC"

    def test_shows_opened_words_in_quotes(self) -> None:
        event = catalogue.CandidateWrote(at=NOON, message_id="m-1", channel="email", words="any news?")

        assert words.say(event) == "Candidate wrote by e-mail (message m-1): “any news?”"


class TestSayJobOrder:
    @pytest.mark.parametrize("model", job_order.EVENTS.values(), ids=list(job_order.EVENTS))
    def test_has_a_sentence_for_every_event(self, model: type[BaseModel]) -> None:
        assert words.say_job_order(example(model, "a title"))

    def test_tells_a_hold_and_what_it_is_for(self) -> None:
        held = job_order.JobOrderHeld(at=NOON, until=NOON, reason="budget")
        assert (
            words.say_job_order(held) == "The client put the job on hold until 12 Feb 2026 12:00 UTC (budget)"
        )

    def test_tells_whose_hire_came_to_nothing(self) -> None:
        ours = job_order.JobOrderReopened(at=NOON, engagement_id="e-1", openings_left=2, reason="fall-off")
        theirs = job_order.JobOrderReopened(at=NOON, openings_left=1)
        assert words.say_job_order(ours) == "The hire of engagement e-1 came to nothing (fall off): 2 to fill"
        assert words.say_job_order(theirs) == "What the client had filled itself came to nothing: 1 to fill"

    def test_tells_the_terms_with_their_steps(self) -> None:
        event = job_order.JobOrderTermsRecorded(
            at=NOON,
            kind="permanent",
            guarantee_days=90,
            remedy="refund",
            refund_steps=(
                catalogue.RefundStep(until_day=30, percent=100),
                catalogue.RefundStep(until_day=90, percent=50),
            ),
        )
        assert words.say_job_order(event) == (
            "Terms of every placement: permanent, guarantee 90 days, refund, "
            "100% until day 30, 50% until day 90"
        )


class TestSayAgency:
    @pytest.mark.parametrize("model", agency.EVENTS.values(), ids=list(agency.EVENTS))
    def test_has_a_sentence_for_every_event(self, model: type[BaseModel]) -> None:
        assert words.say_agency(example(model, "a name"))


class TestMoment:
    def test_is_in_utc_and_without_needless_seconds(self) -> None:
        assert words.moment(datetime.fromisoformat("2026-02-12T10:00:00+01:00")) == "12 Feb 2026 09:00 UTC"

    def test_shows_seconds_where_there_are_any(self) -> None:
        assert words.moment(datetime(2026, 2, 2, 9, 0, 5, tzinfo=UTC)) == "2 Feb 2026 09:00:05 UTC"


class TestSubject:
    def test_names_kind_and_id(self) -> None:
        assert words.subject("interview:i-1") == "interview i-1"

    def test_calls_the_engagement_itself_by_its_kind(self) -> None:
        assert words.subject("engagement") == "the engagement"
