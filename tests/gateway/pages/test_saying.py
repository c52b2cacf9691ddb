"""Every form of the candidate's page, from the page to its event on the log."""

from typing import TYPE_CHECKING, Any, Final

import pytest
from temporalio.service import RPCError, RPCStatusCode

from gateway.pages import texts
from gateway.pages.sent import COMMANDS
from tests.gateway.pages.conftest import forms_of

if TYPE_CHECKING:
    from tests.gateway.pages.conftest import Agency, Browser

pytestmark = [pytest.mark.postgres, pytest.mark.asyncio(loop_scope="module")]
SOON: Final = "2030-05-06T08:00:00Z"
Setup = tuple[tuple[str, dict[str, Any]], ...]
PROPOSED: Final[Setup] = (("record-proposal", {"job_order_id": "jo-1", "reason": "it is near your home"}),)
EVIDENCE: Final = {"evidence": "candidate-confirmed", "evidence_ref": "mail-7"}
AGREED: Final[Setup] = (*PROPOSED, ("grant-right-to-represent", {"job_order_id": "jo-1", **EVIDENCE}))
SUBMITTED: Final[Setup] = (
    *AGREED,
    ("record-submission", {"job_order_id": "jo-1", "submission_id": "s-1"}),
)
OFFERED: Final[Setup] = (*SUBMITTED, ("record-offer", {"submission_id": "s-1", "offer_id": "of-1"}))
BESIDE: Final[Setup] = (
    *OFFERED,
    ("record-proposal", {"job_order_id": "jo-2"}),
    ("record-submission", {"job_order_id": "jo-2", "submission_id": "s-2"}),
    ("accept-offer", {"offer_id": "of-1"}),
)
UNDERSTOOD: Final[Setup] = (
    ("record-contact", {"channel": "phone"}),
    ("record-facet", {"facet": "goal", "facet_id": "f-1", "words": "wants to lead"}),
    ("play-back-profile", {}),
)
# What is on record before; the form; what the candidate fills in; the event, and what it says.
FORMS: Final[dict[str, tuple[Setup, str, dict[str, str], str, dict[str, Any]]]] = {
    "a message": (
        (),
        "record-message",
        {"words": "Is it far?\r\nI have no car."},
        "candidate-wrote",
        {"words": "Is it far?\nI have no car.", "channel": "portal"},
    ),
    "a call": ((), "request-call", {"words": ""}, "call-requested", {"words": None}),
    "a wanted job": (
        (),
        "record-application",
        {"job_order_id": "jo-7"},
        "application-recorded",
        {"job_order_id": "jo-7"},
    ),
    "the profile": (
        UNDERSTOOD,
        "confirm-profile",
        {},
        "profile-confirmed",
        {"facets": ("f-1",), "evidence": "candidate-confirmed"},
    ),
    "a yes": (
        PROPOSED,
        "answer-proposal",
        {"answer": "yes", "reason": "sounds good"},
        "proposal-answered",
        {"job_order_id": "jo-1", "answer": "yes", "reason": "sounds good"},
    ),
    "a no": (
        PROPOSED,
        "answer-proposal",
        {"answer": "no"},
        "proposal-answered",
        {"answer": "no", "reason": None},
    ),
    "taking back": (
        AGREED,
        "revoke-right-to-represent",
        {"reason": "too far"},
        "right-to-represent-revoked",
        {"job_order_id": "jo-1", "reason": "too far"},
    ),
    "leaving a job": (
        SUBMITTED,
        "withdraw",
        {"submission_id": "s-1"},
        "candidate-withdrew",
        {"scope": "submission", "submission_id": "s-1"},
    ),
    "leaving everything": (
        (),
        "withdraw",
        {"sure": "yes"},
        "candidate-withdrew",
        {"scope": "engagement"},
    ),
    "quiet hours": (
        (),
        "set-quiet-hours",
        {"from": "21:30", "to": "09:00", "zone": "Europe/Lisbon"},
        "quiet-hours-set",
        {"quiet_hours": "21:30-09:00", "zone": "Europe/Lisbon"},
    ),
    "usual quiet hours": (
        (("set-quiet-hours", {"quiet_hours": "22:00-08:00"}),),
        "set-quiet-hours",
        {"from": "", "to": ""},
        "quiet-hours-set",
        {"quiet_hours": None},
    ),
    "no messages": ((), "stop-outreach", {}, "outreach-stopped", {}),
    "messages again": ((("stop-outreach", {}),), "allow-outreach", {}, "outreach-allowed", {}),
    "accepting": (OFFERED, "accept-offer", {"sure": "yes"}, "offer-accepted", {"offer_id": "of-1"}),
    "declining": (
        OFFERED,
        "decline-offer",
        {"reason": "the pay"},
        "offer-declined",
        {"offer_id": "of-1", "reason": "the pay"},
    ),
    "keeping": (BESIDE, "settle-submission", {"choice": "keep"}, "submission-kept", {"submission_id": "s-2"}),
    "settling": (
        BESIDE,
        "settle-submission",
        {"choice": "withdraw"},
        "candidate-withdrew",
        {"submission_id": "s-2"},
    ),
    "a concern": (
        (*OFFERED, ("accept-offer", {"offer_id": "of-1"})),
        "raise-concern",
        {"words": "the night shifts"},
        "concern-raised",
        {"raised_by": "candidate", "words": "the night shifts"},
    ),
}
AGREE: Final = "/me/agree/jo-1"


class TestForms:
    async def test_are_there_for_all_that_a_candidate_may_say(self) -> None:
        tried = {each[1] for each in FORMS.values()} | {"grant-right-to-represent"}
        assert tried == set(COMMANDS) == set(texts.FORMS)

    @pytest.mark.parametrize("which", FORMS)
    async def test_lead_to_their_event(self, agency: "Agency", browser: "Browser", which: str) -> None:
        before, command, filled, event, says = FORMS[which]
        for name, fields in before:
            await agency.do(name, **fields)
        holds = {each: filled[each] for each in ("submission_id",) if each in filled}
        form = await browser.form(f"/{command}", **holds)
        if which == "leaving everything":
            assert "submission_id" not in form.fields
        seen = len(await agency.events())
        answer = await browser.send(form, **filled)
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/me?done={command}")
        added = (await agency.events())[seen:]
        [found] = [each for each in added if each.type == event]
        assert {name: getattr(found, name) for name in says} == says
        assert texts.FORMS[command].done in await browser.see(answer.headers["Location"])

    async def test_count_once_when_sent_twice(self, agency: "Agency", browser: "Browser") -> None:
        """A double click, or a page that is loaded again."""
        form = await browser.form("/record-message")
        for _ in range(2):
            assert (await browser.send(form, words="Is it far?")).status_code == 303
        assert [each.type for each in await agency.events()].count("candidate-wrote") == 1

    async def test_are_another_command_when_shown_again(self, agency: "Agency", browser: "Browser") -> None:
        for _ in range(2):
            await browser.send(await browser.form("/record-message"), words="Is it far?")
        assert [each.type for each in await agency.events()].count("candidate-wrote") == 2

    async def test_put_it_down_to_the_candidate(self, agency: "Agency", browser: "Browser") -> None:
        await browser.send(await browser.form("/request-call"))
        stored = await agency.ground.having.log.read_stream(
            agency.ground.agency, f"engagement:{agency.engagement}"
        )
        [wish] = [each for each in stored if each.type == "call-requested"]
        assert (wish.actor.kind, wish.actor.id) == ("candidate", agency.engagement)

    async def test_refuse_what_they_do_not_hold(self, agency: "Agency", browser: "Browser") -> None:
        form = await browser.form("/record-message")
        for stray in ("at", "by", "message_id", "channel", "external", "evidence_ref"):
            answer = await browser.send(form, words="x", **{stray: "r-2"})
            assert answer.status_code == 422
        assert "candidate-wrote" not in [each.type for each in await agency.events()]

    async def test_are_no_other_commands(self, browser: "Browser") -> None:
        form = await browser.form("/record-message")
        for name in ("record-contact", "reassign", "nothing"):
            form.action = f"/me/do/{name}"
            assert (await browser.send(form, words="x")).status_code == 404

    @pytest.mark.parametrize(
        ("command", "filled", "says"),
        [
            ("withdraw", {"sure": ""}, texts.PROBLEMS["not-sure"]),
            ("set-quiet-hours", {"from": "21:00"}, texts.PROBLEMS["half-hours"]),
            ("set-quiet-hours", {"zone": "Nowhere/Here"}, texts.STATUSES[422]),
            ("record-application", {"job_order_id": "<b>"}, texts.STATUSES[422]),
            ("record-message", {"command_id": "hook:1"}, texts.STATUSES[400]),
        ],
    )
    async def test_say_in_a_sentence_what_is_wrong(
        self, agency: "Agency", browser: "Browser", command: str, filled: dict[str, str], says: str
    ) -> None:
        seen = len(await agency.events())
        answer = await browser.send(await browser.form(f"/{command}"), **filled)
        assert answer.status_code in (400, 422)
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert f"<p>{says}</p>" in answer.text
        assert len(await agency.events()) == seen

    async def test_do_not_answer_for_what_has_changed(self, agency: "Agency", browser: "Browser") -> None:
        for name, fields in OFFERED:
            await agency.do(name, **fields)
        late = await browser.form("/decline-offer")
        await browser.send(await browser.form("/accept-offer"), sure="yes")
        answer = await browser.send(late)
        assert answer.status_code == 409
        assert f"<p>{texts.STATUSES[409]}</p>" in answer.text


class TestAgreeing:
    async def test_comes_after_reading_why_with_one_code(self, agency: "Agency", browser: "Browser") -> None:
        for name, fields in PROPOSED:
            await agency.do(name, **fields)
        assert "near your home" not in await browser.see()
        assert AGREE in await browser.see()
        code = await browser.code(AGREE)
        reading = await browser.send(await browser.form(AGREE, AGREE), code=f" {code[:3]} {code[3:]} ")
        assert reading.status_code == 200, reading.text
        assert "it is near your home" in reading.text
        [form] = forms_of(reading.text)
        form.fields |= {"until": "2030-03-31", "pay": "at least 30 an hour"}
        for _ in range(2):
            answer = await browser.send(form)
            assert answer.headers.get("Location") == "/me?done=grant-right-to-represent", answer.text
        [granted] = [each for each in await agency.events() if each.type == "right-to-represent-granted"]
        assert (granted.evidence, granted.evidence_ref[:5]) == ("candidate-confirmed", "code-")
        assert (granted.wording, granted.pay) == (texts.WORDING, "at least 30 an hour")
        # The whole of that day, in Prague.
        assert granted.expires_at.isoformat() == "2030-03-31T22:00:00+00:00"
        assert AGREE not in await browser.see()

    @pytest.mark.parametrize("spoilt", ["wrong", "spent", "over"])
    async def test_needs_a_code_that_serves(self, agency: "Agency", browser: "Browser", spoilt: str) -> None:
        for name, fields in PROPOSED:
            await agency.do(name, **fields)
        code = await browser.code(AGREE)
        if spoilt == "spent":
            held = await browser.form("/me/held", "/me/held")
            assert (await browser.send(held, code=code)).status_code == 200
        elif spoilt == "over":
            sql = "UPDATE rapport.one_time_codes SET expires_at = now() WHERE agency = $1"
            await agency.ground.sql(sql, agency.ground.agency)
        else:
            code = f"{(int(code) + 1) % 10**6:06}"
        form = await browser.form(AGREE, AGREE)
        answer = await browser.send(form, code=code)
        assert answer.status_code == 403
        assert texts.PROBLEMS["code-spent" if spoilt == "spent" else "code-wrong"] in answer.text
        assert "near your home" not in answer.text
        form.action = "/me/do/grant-right-to-represent"
        forced = await browser.send(form, code=code, job_order_id="jo-1", sure="yes")
        assert forced.status_code == 403
        assert "right-to-represent-granted" not in [each.type for each in await agency.events()]

    async def test_is_about_jobs_they_have_heard_of(self, agency: "Agency", browser: "Browser") -> None:
        await agency.opens_job("jo-3", "Another's job")
        answer = await browser.http.get("/me/agree/jo-3")
        assert answer.status_code == 404
        assert "Another" not in answer.text


class TestWhenTemporalIsAway:
    async def test_says_so_and_the_same_again_counts_once(
        self, agency: "Agency", browser: "Browser", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def away(_: str) -> None:
            raise RPCError("unavailable", RPCStatusCode.UNAVAILABLE, b"")

        form = await browser.form("/record-message")
        monkeypatch.setattr(agency.engagements, "before", away)
        answer = await browser.send(form, words='Is "it" <far>?\nReally')
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
        assert texts.AGAIN in answer.text
        monkeypatch.setattr(agency.engagements, "before", None)
        [again] = forms_of(answer.text)
        for _ in range(2):
            assert (await browser.send(again)).status_code == 303
        [wrote] = [each for each in await agency.events() if each.type == "candidate-wrote"]
        assert wrote.words == 'Is "it" <far>?\nReally'
        assert again.fields["command_id"] == form.fields["command_id"]
