"""What a candidate reads: in plain words, in their own time, and nothing that is not theirs."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, get_args
from uuid import uuid4

import pytest

from events.kinds import Facet, Stage
from events.state import (
    Application,
    Engagement,
    Interview,
    Offer,
    OpenObligation,
    Placement,
    Proposal,
    Right,
    Submission,
    SubmissionStatus,
)
from gateway.pages import forms, texts
from gateway.pages.standing import Known, standing
from gateway.pages.times import at, end_of
from tests.gateway.pages.conftest import an_agency

if TYPE_CHECKING:
    from tests.gateway.pages.conftest import Agency, Browser

NOW: Final = datetime(2027, 1, 5, 12, tzinfo=UTC)
DAY: Final = timedelta(days=1)
KNOWN: Final = Known(
    people={"r-1": "Marie", "r-2": "Tom"}, jobs={"jo-1": "Ward nurse"}, rules={"keep-in-touch": "A talk."}
)


def promise(rule: str = "keep-in-touch", **more: Any) -> OpenObligation:
    given: dict[str, Any] = {
        "rule": rule,
        "subject": "engagement",
        "kind": "contact",
        "mode": "enforce",
        "owner_role": "candidate-owner",
        "awaits": "recruiter",
        "since": NOW - DAY,
        "due_at": NOW + DAY,
        "rungs": (),
        "numbered": 0,
        "opened_at": NOW - DAY,
    }
    return OpenObligation(**{**given, **more})


def person(**more: Any) -> Engagement:
    return Engagement(opened_at=NOW - DAY, candidate_owner="r-1", zone="Europe/Prague", **more)


def submitted(**more: Any) -> dict[str, Submission]:
    return {"s-1": replace(Submission("jo-1", None, "r-2"), **more)}


def owing(*promises: OpenObligation) -> dict[Any, OpenObligation]:
    return {uuid4(): each for each in promises}


class TestPromises:
    def test_are_told_with_who_and_by_when(self) -> None:
        [told] = standing(person(obligations=owing(promise())), KNOWN, NOW).promises
        assert (told.says, told.late) == ("A talk.", False)
        assert told.when == "Marie owes you this by Wednesday 6 January 2027, 13:00."

    def test_say_that_they_are_late(self) -> None:
        for each in (promise(due_at=NOW - DAY), promise(breached=True)):
            [told] = standing(person(obligations=owing(each)), KNOWN, NOW).promises
            assert told.late
            assert "we are sorry" in told.when

    def test_leave_out_what_is_only_tried_and_what_is_owed_to_a_client(self) -> None:
        others = owing(promise(mode="observe"), promise(owner_role="job-order-owner"))
        shown = standing(person(obligations=others), KNOWN, NOW)
        assert (shown.promises, shown.awaited) == ((), ())

    def test_name_whom_we_wait_for(self) -> None:
        chased = promise("chase", awaits="client", owner_role="job-order-owner", subject="submission:s-1")
        state = person(obligations=owing(chased, promise(awaits="candidate")), submissions=submitted())
        shown = standing(state, KNOWN, NOW)
        assert [each.when for each in shown.awaited] == [
            "From you, by Wednesday 6 January 2027, 13:00.",
            "From the client; Tom sees to it by Wednesday 6 January 2027, 13:00.",
        ]


class TestInterviews:
    def test_are_those_to_come_by_the_candidates_clock(self) -> None:
        meetings = {
            "i-1": Interview("s-1", "scheduled", NOW + 3 * DAY),
            "i-2": Interview("s-1", "scheduled", NOW + 2 * DAY),
            "i-3": Interview("s-1", "scheduled", NOW - DAY),
            "i-4": Interview("s-1", "cancelled", NOW + DAY),
            "i-5": Interview("s-1", "requested"),
        }
        shown = standing(person(interviews=meetings, submissions=submitted()), KNOWN, NOW)
        assert shown.interviews == (
            "Ward nurse: Thursday 7 January 2027, 13:00",
            "Ward nurse: Friday 8 January 2027, 13:00",
            texts.INTERVIEW_UNTIMED.format(job="Ward nurse"),
        )

    def test_follow_summer_time(self) -> None:
        assert at(datetime(2027, 7, 5, 12, tzinfo=UTC), "Europe/Prague") == "Monday 5 July 2027, 14:00"
        assert at(NOW, "Old/Zone") == "Tuesday 5 January 2027, 12:00"
        assert end_of("2027-07-05", "Europe/Prague") == datetime(2027, 7, 5, 22, tzinfo=UTC)


class TestJobs:
    def lines(self, **more: Any) -> tuple[str, ...]:
        [job] = standing(person(**more), KNOWN, NOW).jobs
        return job.lines

    def test_leave_a_no_to_the_person_who_owes_it(self) -> None:
        told = promise("tell", kind="answer", subject="submission:s-1")
        rejected = submitted(status="rejected", answer="no")
        assert self.lines(submissions=rejected, obligations=owing(told)) == (
            "The client has answered. Marie owes you a word about it by Wednesday 6 January 2027, 13:00.",
        )
        assert self.lines(submissions=rejected) == (texts.SUBMITTED["rejected"],)

    def test_tell_an_agreement_by_whether_it_stands(self) -> None:
        rights = {
            texts.AGREED: Right(None),
            texts.AGREED_UNTIL.format(until="Wednesday 6 January 2027"): Right(NOW + DAY),
            texts.AGREED_OVER.format(until="Monday 4 January 2027"): Right(NOW - DAY),
            texts.AGREED_REVOKED: Right(None, revoked=True),
        }
        for says, right in rights.items():
            assert self.lines(rights={"jo-1": right}) == (says,)
            wanted = person(rights={"jo-1": right}, proposals={"jo-1": Proposal(None, "yes")})
            assert forms.may_agree(wanted, "jo-1", NOW) is not forms.holds(right, NOW)

    def test_may_be_agreed_to_once_heard_of_and_not_refused(self) -> None:
        assert forms.may_agree(person(proposals={"jo-1": Proposal(None)}), "jo-1", NOW)
        assert forms.may_agree(person(applications={"a-1": Application("jo-1")}), "jo-1", NOW)
        assert not forms.may_agree(person(proposals={"jo-1": Proposal(None, "no")}), "jo-1", NOW)
        assert not forms.may_agree(person(), "jo-1", NOW)

    def test_tell_an_offer_until_it_is_answered(self) -> None:
        offer = Offer("s-1", starts_on=NOW + DAY, expires_at=NOW + 2 * DAY)
        assert self.lines(submissions=submitted(), offers={"of-1": offer})[1:] == (
            texts.OFFERED,
            texts.OFFER_TERMS,
            "You would start on Wednesday 6 January 2027.",
            "It stands until Thursday 7 January 2027, 13:00.",
        )
        gone = replace(offer, answer="withdrawn")
        assert self.lines(submissions=submitted(), offers={"of-1": gone})[1:] == (
            texts.OFFERED,
            texts.OFFER_ANSWERED["withdrawn"],
        )

    def test_say_when_a_placement_starts(self) -> None:
        placed = {"s-1": Placement(starts_on=NOW + DAY)}
        assert self.lines(submissions=submitted(status="placed"), placements=placed) == (
            texts.SUBMITTED["placed"],
            "You start on Wednesday 6 January 2027.",
        )


class TestStanding:
    def test_has_words_for_every_stage_and_state(self) -> None:
        assert set(texts.STAGES) == set(get_args(Stage))
        assert set(texts.FACETS) == set(get_args(Facet))
        assert set(texts.SUBMITTED) == set(get_args(SubmissionStatus))

    def test_of_a_closed_engagement_still_takes_words(self) -> None:
        shown = standing(person(closed=True, proposals={"jo-1": Proposal(None)}), KNOWN, NOW)
        given = [each.command for each in (*shown.ask, *shown.wishes, *shown.jobs[0].forms)]
        assert given == ["record-message", "request-call", "stop-outreach"]
        assert not shown.jobs[0].to_agree
        assert shown.lines[0] == texts.STAGES["closed"]


@pytest.mark.postgres
@pytest.mark.asyncio(loop_scope="module")
class TestThePage:
    async def test_names_people_and_jobs(self, agency: "Agency", browser: "Browser") -> None:
        job = f"jo-{agency.engagement}"
        await agency.opens_job(job, "Ward nurse")
        await agency.do("record-proposal", job_order_id=job)
        text = await browser.see()
        assert "Person r-1 answers for you here." in text
        assert "Ward nurse" in text
        assert texts.ZONE.format(zone="Europe/Prague") in text
        assert "client-9" not in text

    async def test_tells_a_promise_of_the_policy(self, agency: "Agency", browser: "Browser") -> None:
        await browser.send(await browser.form("/request-call"))
        text = await browser.see()
        assert "Who writes or asks to be called hears from a person within a day." in text
        assert "Person r-1 owes you this by" in text

    async def test_shows_no_word_written_about_them(self, agency: "Agency", browser: "Browser") -> None:
        """As the API has it: names, addresses and words take a code."""
        await agency.do("record-contact", channel="phone", note="seems tired of it all")
        await agency.do("record-facet", facet="goal", words="wants to lead")
        await agency.do("play-back-profile")
        await agency.do("record-proposal", job_order_id="jo-1", reason="it is near")
        await agency.do("record-submission", job_order_id="jo-1", submission_id="s-1")
        await agency.do("record-offer", submission_id="s-1", terms="30 an hour")
        text = await browser.see()
        for word in ("tired", "wants to lead", "it is near", "30 an hour", "Žofie", "zofie@"):
            assert word not in text
        assert texts.FACETS["goal"] in text

    async def test_shows_nothing_of_another_engagement(self, agency: "Agency", browser: "Browser") -> None:
        async with an_agency(agency.ground) as other:
            await other.opens(candidate_name="Quentin Quux", email="quux@example.com")
            job = f"jo-{other.engagement}"
            await other.opens_job(job, "Lighthouse keeper")
            await other.do("record-proposal", job_order_id=job, reason="likes the sea")
            await other.do("record-submission", job_order_id=job, submission_id="s-other")
            held = await browser.form("/me/held", "/me/held")
            code = await browser.code("/me/held")
            pages = [await browser.see(), (await browser.send(held, code=code)).text]
            for word in ("Quux", "quux@", "Lighthouse", "the sea", job, other.engagement, "s-other"):
                assert all(word not in each for each in pages)
            assert (await browser.http.get(f"/me/agree/{job}")).status_code == 404
            form = await browser.form("/record-message")
            form.action = "/me/do/withdraw"
            answer = await browser.send(form, submission_id="s-other")
            assert answer.status_code == 422
            assert "candidate-withdrew" not in [each.type for each in await other.events()]


@pytest.mark.postgres
@pytest.mark.asyncio(loop_scope="module")
class TestHeld:
    async def test_is_all_that_the_api_gives_with_a_code(self, agency: "Agency", browser: "Browser") -> None:
        await agency.do("record-contact", channel="phone", note="wants to lead\na ward")
        code = await browser.code("/me/held")
        for _ in range(2):
            answer = await browser.send(await browser.form("/me/held", "/me/held"), code=code)
            assert answer.status_code == 200
        for word in ("Žofie Nováková", "zofie@example.com", "wants to lead\na ward"):
            assert word in answer.text
        assert "sealed" not in answer.text

    async def test_needs_a_code(self, browser: "Browser") -> None:
        form = await browser.form("/me/held", "/me/held")
        for code, why in (("", "needed"), ("123456", "wrong"), ("x", "wrong")):
            answer = await browser.send(form, code=code)
            assert answer.status_code == 403
            assert texts.PROBLEMS[f"code-{why}"] in answer.text
            assert "zofie@" not in answer.text

    async def test_says_when_no_more_codes_are_sent(self, browser: "Browser") -> None:
        form = await browser.form("/me/code", "/me/held")
        answers = [await browser.send(form) for _ in range(6)]
        assert [each.status_code for each in answers] == [303] * 5 + [429]
        assert texts.PROBLEMS["too-many-codes"] in answers[-1].text
