"""Which reports an older one must not undo."""

from itertools import combinations
from typing import Any

import pytest

from events.integrations.aspects import aspect
from events.integrations.reading import Wanted
from events.integrations.vocabulary import ENGAGEMENT_REPORTS, JOB_ORDER_REPORTS, fields_of


def told(name: str, **fields: Any) -> str | None:
    return aspect(Wanted("e-1", name, fields, None))


def of_job(name: str, **fields: Any) -> str | None:
    return aspect(Wanted(None, name, fields, None, job_order="jo-1"))


class TestAspect:
    @pytest.mark.parametrize(
        "name",
        [
            "record-interview-scheduled",
            "move-interview",
            "cancel-interview",
            "record-interview-held",
            "record-interview-missed",
        ],
    )
    def test_is_one_for_whether_and_when_an_interview_takes_place(self, name: str) -> None:
        """An old "scheduled" must not revive what was cancelled since."""
        assert told(name, interview_id="i-1") == "interview:e-1/i-1:time"

    def test_tells_the_result_of_an_interview_from_its_time(self) -> None:
        assert told("record-interview-result", interview_id="i-1") == "interview:e-1/i-1:result"

    def test_tells_what_became_of_an_offer_from_what_it_says(self) -> None:
        """A revision that overtakes the candidate's yes must not hide it."""
        answers = {told(each, offer_id="o-1") for each in ("accept-offer", "decline-offer", "withdraw-offer")}
        assert answers == {"offer:e-1/o-1:answer"}
        assert told("revise-offer", offer_id="o-1") == "offer:e-1/o-1:terms"

    def test_knows_the_clients_answer(self) -> None:
        assert told("record-client-answer", submission_id="s-1") == "submission:e-1/s-1:answer"

    @pytest.mark.parametrize(
        "name",
        [
            "record-contact",
            "record-message",
            "record-attempt",
            "withdraw",
            "record-offer",
            "end-placement",
            "raise-concern",
            "close-engagement",
        ],
    )
    def test_has_none_for_a_fact(self, name: str) -> None:
        assert told(name, submission_id="s-1", placement_id="s-1", offer_id="o-1") is None

    def test_has_none_for_what_makes_a_thing_of_its_own(self) -> None:
        assert told("record-interview-scheduled", submission_id="s-1") is None

    def test_is_one_for_what_concerns_the_whole_engagement(self) -> None:
        assert told("record-pause") == told("resume") == told("go-dormant") == "engagement:e-1:posture"
        assert told("assign", owner="r-1") == "engagement:e-1:owner"

    def test_is_of_the_job_order_for_what_is_told_to_it(self) -> None:
        assert of_job("hold-job-order") == of_job("close-job-order") == "job-order:jo-1:state"
        assert of_job("fill-job-order", submission_id="s-1") == "job-order:jo-1:opening:s-1"
        assert of_job("fill-job-order") == of_job("reopen-job-order") == "job-order:jo-1:opening:"
        assert of_job("stop-intake") is None

    def test_never_confuses_two_things(self) -> None:
        """Ids hold neither slash nor colon, so a key says whose it is."""
        named = [
            told("record-interview-result", interview_id="i-1"),
            told("record-interview-result", interview_id="i-2"),
            aspect(Wanted("e-2", "record-interview-result", {"interview_id": "i-1"}, None)),
        ]
        assert all(one != other for one, other in combinations(named, 2))

    @pytest.mark.parametrize("name", sorted({*ENGAGEMENT_REPORTS, *JOB_ORDER_REPORTS}))
    def test_asks_only_for_fields_that_a_report_has(self, name: str) -> None:
        fields = {each: each for each in fields_of(name)}
        key = of_job(name, **fields) if name in JOB_ORDER_REPORTS else told(name, **fields)
        named = (part for part in (key or "").split("/")[1:] for part in [part.split(":")[0]])
        assert all(each in fields for each in named)
