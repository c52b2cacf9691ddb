"""Which reports an older one must not undo."""

from itertools import combinations
from typing import Any

import pytest

from events.integrations.aspects import Aspects, aspect, aspects
from events.integrations.reading import Wanted
from events.integrations.vocabulary import ENGAGEMENT_REPORTS, JOB_ORDER_REPORTS, fields_of
from events.state import Engagement, Interview, Offer

INTERVIEWS = {"i-1": Interview("s-1"), "i-2": Interview("s-1"), "i-9": Interview("s-9")}
RECORD = Engagement(interviews=INTERVIEWS, offers={"o-1": Offer("s-1")})


def told(name: str, **fields: Any) -> str | None:
    return aspect(Wanted("e-1", name, fields, None))


def of_job(name: str, **fields: Any) -> str | None:
    return aspect(Wanted(None, name, fields, None, job_order="jo-1"))


def of(name: str, state: Engagement = RECORD, **fields: Any) -> Aspects:
    return aspects(Wanted("e-1", name, fields, None), state)


def overtakes(newer: Aspects, older: Aspects) -> bool:
    return bool(newer.tells & older.yields)


def judged(interview: str, result: str, state: Engagement = RECORD) -> Aspects:
    return of("record-interview-result", state, interview_id=interview, result=result)


def answered(answer: str) -> Aspects:
    return of("record-client-answer", submission_id="s-1", answer=answer)


class TestAspects:
    @pytest.mark.parametrize("kindly", [answered("yes"), judged("i-2", "advance"), judged("i-2", "hold")])
    @pytest.mark.parametrize("no", [answered("no"), judged("i-1", "reject")])
    def test_let_no_old_no_end_what_the_client_wants_since(self, kindly: Aspects, no: Aspects) -> None:
        assert overtakes(kindly, no)

    def test_let_no_old_yes_revive_what_the_client_has_turned_down_since(self) -> None:
        assert overtakes(judged("i-1", "reject"), answered("yes"))
        took_back = {**INTERVIEWS, "i-2": Interview("s-1", result="reject")}
        mistaken = judged("i-2", "advance", Engagement(interviews=took_back))
        assert overtakes(answered("no"), mistaken)

    def test_leave_no_agreeing_fact_out(self) -> None:
        """What came of an interview is told once; a newer word of the client to the same end is no reason."""
        assert not overtakes(judged("i-1", "advance"), answered("yes"))
        assert not overtakes(judged("i-1", "reject"), answered("no"))
        assert not overtakes(judged("i-2", "reject"), judged("i-1", "advance"))
        assert not overtakes(answered("no"), judged("i-1", "advance"))

    def test_are_of_one_submission(self) -> None:
        assert not overtakes(judged("i-9", "advance"), answered("no"))
        assert not overtakes(judged("i-8", "advance"), answered("no"))

    def test_find_the_submission_in_the_same_message(self) -> None:
        made = Wanted(
            "e-1", "record-interview-scheduled", {"interview_id": "i-7", "submission_id": "s-1"}, None
        )
        result = Wanted("e-1", "record-interview-result", {"interview_id": "i-7", "result": "reject"}, None)
        assert overtakes(answered("yes"), aspects(result, RECORD, [made, result]))

    @pytest.mark.parametrize(
        "offered", [of("record-offer", submission_id="s-1"), of("accept-offer", offer_id="o-1")]
    )
    def test_take_an_offer_for_a_yes_that_nothing_older_ends(self, offered: Aspects) -> None:
        assert overtakes(offered, answered("no"))
        assert not overtakes(answered("no"), offered)

    def test_let_the_newest_wish_about_our_messages_stand(self) -> None:
        """An old START must not undo a STOP."""
        assert overtakes(of("stop-outreach"), of("allow-outreach"))

    def test_let_no_old_explanation_stand_for_a_later_no_show(self) -> None:
        missed, explained = (
            of(each, interview_id="i-1") for each in ("record-interview-missed", "explain-no-show")
        )
        assert overtakes(missed, explained)
        assert not overtakes(explained, missed)

    def test_let_no_old_proposal_take_an_answer_back(self) -> None:
        proposed, answer = (of(each, job_order_id="j-1") for each in ("record-proposal", "answer-proposal"))
        assert overtakes(answer, proposed)
        assert not overtakes(proposed, answer)

    def test_let_a_conversion_and_the_end_of_a_contract_contradict_each_other(self) -> None:
        converted, extended = (
            of(each, placement_id="s-1") for each in ("convert-placement", "extend-contract")
        )
        assert overtakes(converted, extended)
        assert overtakes(extended, converted)
        contract = of("record-placement-terms", placement_id="s-1", placement_kind="contract")
        assert overtakes(converted, contract)
        assert not overtakes(converted, of("record-placement-terms", placement_id="s-1", guarantee_days=90))

    def test_know_a_hire_that_is_given_back_by_its_engagement(self) -> None:
        filled, given_back = (
            aspects(Wanted(None, name, fields, None, job_order="jo-1"))
            for name, fields in (
                ("fill-job-order", {"engagement_id": "e-1", "submission_id": "s-1"}),
                ("reopen-job-order", {"engagement_id": "e-1"}),
            )
        )
        assert overtakes(given_back, filled)


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
