"""Links, codes, and what a candidate may say and see with them."""

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from activities.channels.port import NotSent, OutcomeUnknown, Refused
from events.envelope import Actor
from events.errors import InvalidCommand
from events.orders import COMMANDS
from events.receipts import input_of
from gateway.access.candidates import in_their_name
from gateway.access.roles import CANDIDATES
from gateway.access.who import Role
from gateway.http.examples import example_of

if TYPE_CHECKING:
    from tests.gateway.access.conftest import Ground

pytestmark = pytest.mark.postgres
GRANT = "/v1/engagements/e-c/commands/grant-right-to-represent"
JOB = {"job_order_id": "jo-1"}


def bearer(text: str, **more: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}", **more}


@pytest.fixture
async def link(ground: "Ground") -> str:
    """This will give a candidate's link to the engagement e-c."""
    await ground.engagement("e-c", email="zofie@example.com")
    return await ground.link("e-c")


async def code_of(ground: "Ground", http: httpx.AsyncClient, link: str) -> str:
    """Ask for a code, and read it in the letter."""
    answer = await http.post("/v1/codes", headers=bearer(link))
    assert answer.status_code == 202, answer.text
    found = re.search(r"\b\d{6}\b", ground.mailbox.letters[-1].text)
    assert found is not None
    return found[0]


def another(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


class TestLinks:
    async def test_are_made_by_those_who_work_on_it(self, ground: "Ground", http: httpx.AsyncClient) -> None:
        await ground.engagement("e-1")
        key = await ground.key("recruiter")
        made = await http.post("/v1/engagements/e-1/links", json={"days": 3}, headers=bearer(key))
        assert made.status_code == 201
        found = await http.get("/who", headers=bearer(made.json()["token"]))
        assert found.json()["actor"] == {"kind": "candidate", "id": "e-1"}
        listed = (await http.get("/v1/engagements/e-1/links", headers=bearer(key))).json()["items"]
        assert [(each["link_id"], each["made_by"]) for each in listed] == [(made.json()["link_id"], "r-1")]
        assert "token" not in listed[0]

    async def test_are_refused_to_others(self, ground: "Ground", http: httpx.AsyncClient, link: str) -> None:
        await ground.engagement("e-far", "r-3")
        for role in ("recruiter", "compliance", "operator", "auditor", "integration"):
            answer = await http.post(
                "/v1/engagements/e-far/links", json={}, headers=bearer(await ground.key(role))
            )
            assert answer.status_code == 403
        answer = await http.post("/v1/engagements/e-c/links", json={}, headers=bearer(link))
        assert answer.status_code == 403

    async def test_open_nothing_once_revoked(
        self, ground: "Ground", http: httpx.AsyncClient, link: str
    ) -> None:
        key = await ground.key("director")
        gone = await http.delete(f"/v1/engagements/e-c/links/{link.split('_')[1]}", headers=bearer(key))
        assert gone.json()["revoked_at"] is not None
        assert (await http.get("/who", headers=bearer(link))).status_code == 401
        missing = await http.delete(f"/v1/engagements/e-c/links/{'0' * 16}", headers=bearer(key))
        assert missing.status_code == 404


class TestCodes:
    async def test_go_to_the_address_on_record_alone(
        self, ground: "Ground", http: httpx.AsyncClient, link: str
    ) -> None:
        code = await code_of(ground, http, link)
        [letter] = ground.mailbox.letters
        assert letter.address == "zofie@example.com"
        assert code not in letter.subject
        # Held may be read again under the same code (TestHeld); whoever reads the letter knows.
        for body in (letter.text, letter.html):
            said = " ".join(body.split())
            assert (
                "holds for 10 minutes and serves one thing: to agree to one job, or to see what we hold"
                in said
            )
            assert "as often as you like while it holds" in said

    async def test_are_kept_as_a_keyed_hash(
        self, ground: "Ground", http: httpx.AsyncClient, link: str
    ) -> None:
        import hashlib

        code = await code_of(ground, http, link)
        [row] = await ground.sql("SELECT * FROM rapport.one_time_codes WHERE agency = $1", ground.agency)
        plain = {hashlib.sha256(text.encode()).digest() for text in (code, f"{row['code_id']}:{code}")}
        assert row["code_hash"] not in plain
        # Its times hold six digits of their own.
        assert code not in str([each for each in row.values() if not isinstance(each, datetime)])

    async def test_let_the_candidate_agree(
        self, ground: "Ground", http: httpx.AsyncClient, link: str
    ) -> None:
        refused = await http.post(GRANT, json=JOB, headers=bearer(link))
        assert (refused.status_code, refused.json()["code"]) == (403, "code-needed")
        code = await code_of(ground, http, link)
        agreed = await http.post(GRANT, json=JOB, headers=bearer(link, **{"Rapport-Code": code}))
        assert agreed.status_code == 200, agreed.text
        [(engagement, order)] = ground.kept.orders
        assert (engagement, order.actor) == ("e-c", Actor(kind="candidate", id="e-c"))
        assert order.command.evidence == "candidate-confirmed"
        assert re.fullmatch("code-[A-Za-z0-9]{16}", order.command.evidence_ref)

    async def test_serve_once_and_the_same_command_again(
        self, ground: "Ground", http: httpx.AsyncClient, link: str
    ) -> None:
        """The answer may have been lost; another agreement is another thing."""
        code = await code_of(ground, http, link)
        headers = bearer(link, **{"Rapport-Code": code, "Idempotency-Key": "grant-1"})
        first, again = [await http.post(GRANT, json=JOB, headers=headers) for _ in range(2)]
        assert (first.status_code, again.json()) == (200, first.json())
        (_, given), (_, repeated) = ground.kept.orders
        assert given == repeated
        other = {**headers, "Idempotency-Key": "grant-2"}
        refused = await http.post(GRANT, json=JOB, headers=other)
        assert (refused.status_code, refused.json()["code"]) == (403, "code-spent")
        assert (await http.get("/v1/engagements/e-c/held", headers=headers)).status_code == 403

    async def test_are_no_part_of_the_command(
        self, ground: "Ground", http: httpx.AsyncClient, link: str
    ) -> None:
        """Whoever never heard the answer says the same again with a new code: that is no other command."""
        former = await code_of(ground, http, link)
        named = {"Idempotency-Key": "grant-1"}
        first = await http.post(GRANT, json=JOB, headers=bearer(link, **named, **{"Rapport-Code": former}))
        while (code := await code_of(ground, http, link)) == former:
            continue
        for refused in (former, another(code)):
            headers = bearer(link, **named, **{"Rapport-Code": refused})
            assert (await http.post(GRANT, json=JOB, headers=headers)).status_code == 403
        again = await http.post(GRANT, json=JOB, headers=bearer(link, **named, **{"Rapport-Code": code}))
        assert (again.status_code, again.json()) == (200, first.json())
        (_, given), (_, repeated) = ground.kept.orders
        assert input_of(given.command, given.at) == input_of(repeated.command, repeated.at)
        other = bearer(link, **{"Idempotency-Key": "grant-2", "Rapport-Code": code})
        assert (await http.post(GRANT, json=JOB, headers=other)).status_code == 403

    async def test_die_with_the_fifth_mistake(
        self, ground: "Ground", http: httpx.AsyncClient, link: str
    ) -> None:
        code = await code_of(ground, http, link)
        told = []
        for shown in (*[another(code)] * 5, code, another(code), "short"):
            refused = await http.post(GRANT, json=JOB, headers=bearer(link, **{"Rapport-Code": shown}))
            assert refused.status_code == 403
            told.append(refused.json()["code"])
        assert told == ["code-wrong"] * 4 + ["code-locked"] * 4
        fresh = await code_of(ground, http, link)
        again = await http.post(GRANT, json=JOB, headers=bearer(link, **{"Rapport-Code": fresh}))
        assert again.status_code == 200

    async def test_say_alike_what_is_wrong_over_and_was_never_sent(
        self, ground: "Ground", http: httpx.AsyncClient, link: str
    ) -> None:
        """Whoever merely holds the link learns nothing of what is in the mail."""

        async def refused(code: str) -> dict[str, Any]:
            answer = await http.post(GRANT, json=JOB, headers=bearer(link, **{"Rapport-Code": code}))
            assert answer.status_code == 403
            told: dict[str, Any] = answer.json()
            return told

        never = await refused("000000")
        code = await code_of(ground, http, link)
        wrong = await refused(another(code))
        await ground.sql(
            "UPDATE rapport.one_time_codes SET expires_at = now() WHERE agency = $1", ground.agency
        )
        assert never == wrong == await refused(code) == await refused("short")
        assert never["code"] == "code-wrong"
        assert (await refused(""))["code"] == "code-needed"

    async def test_survive_four(self, ground: "Ground", http: httpx.AsyncClient, link: str) -> None:
        code = await code_of(ground, http, link)
        for shown in (*[another(code)] * 4, "short", code):
            last = await http.post(GRANT, json=JOB, headers=bearer(link, **{"Rapport-Code": shown}))
        assert last.status_code == 200

    async def test_hold_ten_minutes(self, ground: "Ground", http: httpx.AsyncClient, link: str) -> None:
        code = await code_of(ground, http, link)
        [row] = await ground.sql("SELECT * FROM rapport.one_time_codes WHERE agency = $1", ground.agency)
        assert row["expires_at"] - row["made_at"] <= timedelta(minutes=10, seconds=1)
        await ground.sql(
            "UPDATE rapport.one_time_codes SET expires_at = now() WHERE agency = $1", ground.agency
        )
        late = await http.post(GRANT, json=JOB, headers=bearer(link, **{"Rapport-Code": code}))
        assert late.status_code == 403

    async def test_replace_one_another(self, ground: "Ground", http: httpx.AsyncClient, link: str) -> None:
        former = await code_of(ground, http, link)
        while (code := await code_of(ground, http, link)) == former:
            continue
        for shown, status in ((former, 403), (code, 200)):
            answer = await http.post(GRANT, json=JOB, headers=bearer(link, **{"Rapport-Code": shown}))
            assert answer.status_code == status

    async def test_serve_no_other_link(self, ground: "Ground", http: httpx.AsyncClient, link: str) -> None:
        code = await code_of(ground, http, link)
        stolen = bearer(await ground.link("e-c"), **{"Rapport-Code": code})
        assert (await http.post(GRANT, json=JOB, headers=stolen)).status_code == 403

    async def test_are_twenty_a_day(self, ground: "Ground", http: httpx.AsyncClient, link: str) -> None:
        for _ in range(4):
            for _ in range(5):
                await code_of(ground, http, link)
            await ground.sql(
                "UPDATE rapport.one_time_codes SET made_at = made_at - interval '2 hours' WHERE agency = $1",
                ground.agency,
            )
        assert (await http.post("/v1/codes", headers=bearer(link))).status_code == 429

    async def test_are_five_an_hour(self, ground: "Ground", http: httpx.AsyncClient, link: str) -> None:
        for _ in range(5):
            await code_of(ground, http, link)
        sixth = await http.post("/v1/codes", headers=bearer(link))
        assert (sixth.status_code, sixth.headers["Retry-After"]) == (429, "600")
        assert len(ground.mailbox.letters) == 5
        await ground.sql(
            "UPDATE rapport.one_time_codes SET made_at = made_at - interval '2 hours' WHERE agency = $1",
            ground.agency,
        )
        assert (await http.post("/v1/codes", headers=bearer(link))).status_code == 202
        await ground.sql("UPDATE rapport.one_time_codes SET made_at = now() WHERE agency = $1", ground.agency)
        through_another = await http.post("/v1/codes", headers=bearer(await ground.link("e-c")))
        assert through_another.status_code == 429

    @pytest.mark.parametrize(
        ("fails", "status"),
        [(NotSent("away"), 503), (Refused("bad-address", "no"), 409), (OutcomeUnknown("?"), 202)],
    )
    async def test_say_what_became_of_the_letter(
        self, ground: "Ground", http: httpx.AsyncClient, link: str, fails: Exception, status: int
    ) -> None:
        ground.mailbox.fails = fails
        assert (await http.post("/v1/codes", headers=bearer(link))).status_code == status

    async def test_need_an_address(self, ground: "Ground", http: httpx.AsyncClient) -> None:
        await ground.engagement("e-mute")
        answer = await http.post("/v1/codes", headers=bearer(await ground.link("e-mute")))
        assert (answer.status_code, answer.json()["code"]) == (409, "no-address")

    async def test_wait_while_outreach_is_held(
        self, ground: "Ground", http: httpx.AsyncClient, link: str
    ) -> None:
        await ground.agency_command(ground.agency, "hold-outreach", reason="wrong-template")
        answer = await http.post("/v1/codes", headers=bearer(link))
        assert (answer.status_code, ground.mailbox.letters) == (503, [])

    async def test_are_for_candidates(self, ground: "Ground", http: httpx.AsyncClient) -> None:
        answer = await http.post("/v1/codes", headers=bearer(await ground.key("director")))
        assert answer.status_code == 403


class TestHeld:
    async def test_shows_the_candidate_everything_with_a_code(
        self, ground: "Ground", http: httpx.AsyncClient, link: str
    ) -> None:
        assert (await http.get("/v1/engagements/e-c/held", headers=bearer(link))).status_code == 403
        headers = bearer(link, **{"Rapport-Code": await code_of(ground, http, link)})
        for _ in range(2):
            held = (await http.get("/v1/engagements/e-c/held", headers=headers)).json()
            assert [each["type"] for each in held["events"]] == ["engagement-opened", "assigned"]
            assert held["events"][0]["fields"]["email"] == "zofie@example.com"

    async def test_is_for_directors_and_compliance_without(
        self, ground: "Ground", http: httpx.AsyncClient, link: str
    ) -> None:
        expected: dict[Role, int] = {"director": 200, "compliance": 200, "recruiter": 403, "auditor": 403}
        for role, status in expected.items():
            headers = bearer(await ground.key(role))
            assert (await http.get("/v1/engagements/e-c/held", headers=headers)).status_code == status

    async def test_shows_no_other_engagement(
        self, ground: "Ground", http: httpx.AsyncClient, link: str
    ) -> None:
        await ground.engagement("e-2", email="other@example.com")
        headers = bearer(link, **{"Rapport-Code": await code_of(ground, http, link)})
        assert (await http.get("/v1/engagements/e-2/held", headers=headers)).status_code == 404


class TestWhatACandidateSays:
    @pytest.mark.parametrize("name", sorted(CANDIDATES))
    async def test_goes_in_without_evidence_through_their_link(
        self, ground: "Ground", http: httpx.AsyncClient, link: str, name: str
    ) -> None:
        body = example_of(COMMANDS[name])
        answer = await http.post(f"/v1/engagements/e-c/commands/{name}", json=body, headers=bearer(link))
        assert answer.status_code == 200, answer.text
        [(_, order)] = ground.kept.orders
        assert order.actor.kind == "candidate"
        assert getattr(order.command, "evidence_ref", None) in (None, f"link-{link.split('_')[1]}")

    @pytest.mark.parametrize("name", ["record-contact", "submit", "reassign", "record-offer", "annul-event"])
    async def test_is_nothing_else(
        self, ground: "Ground", http: httpx.AsyncClient, link: str, name: str
    ) -> None:
        answer = await http.post(f"/v1/engagements/e-c/commands/{name}", json={}, headers=bearer(link))
        assert answer.status_code == 403
        assert ground.kept.orders == []

    @pytest.mark.parametrize("role", ["recruiter", "team-lead", "director", "integration"])
    async def test_needs_evidence_from_everybody_else(
        self, ground: "Ground", http: httpx.AsyncClient, link: str, role: Any
    ) -> None:
        words = await ground.connected("standard-webhooks")
        headers = bearer(await ground.key(role, **({"connection": words} if role == "integration" else {})))
        for nothing in ({}, {"evidence": "asserted", "evidence_ref": "m-1"}, {"evidence": "system"}):
            refused = await http.post(GRANT, json={**JOB, **nothing}, headers=headers)
            assert (refused.status_code, refused.json()["code"]) == (403, "needs-evidence")
        shown = {**JOB, "evidence": "candidate-confirmed", "evidence_ref": "m-1"}
        assert (await http.post(GRANT, json=shown, headers=headers)).status_code == 200
        [(_, order)] = ground.kept.orders
        assert order.command.evidence_ref == "m-1"

    async def test_is_not_passed_on_by_a_system_that_speaks_its_own_words(
        self, ground: "Ground", http: httpx.AsyncClient, link: str
    ) -> None:
        """A client's system knows of no agreement; a portal of the agency's may, and names us as we do."""
        connection = await ground.connected("greenhouse", "e-c")
        headers = bearer(await ground.key("integration", connection=connection))
        for shown in ({}, {"evidence": "candidate-confirmed", "evidence_ref": "m-1"}):
            refused = await http.post(GRANT, json={**JOB, **shown}, headers=headers)
            assert (refused.status_code, refused.json()["code"]) == (403, "not-allowed")
            assert "in our own words" in refused.json()["detail"]
        assert ground.kept.orders == []

    async def test_is_said_of_no_other_engagement(
        self, ground: "Ground", http: httpx.AsyncClient, link: str
    ) -> None:
        await ground.engagement("e-2")
        answer = await http.post("/v1/engagements/e-2/commands/request-call", json={}, headers=bearer(link))
        assert answer.status_code == 404


class TestInTheirName:
    def test_brings_its_own_evidence_and_no_other(self) -> None:
        fields = {"facets": ["f-1"], "evidence": "asserted", "evidence_ref": "made-up"}
        told = in_their_name("confirm-profile", fields, "link-1")
        assert told == {
            "facets": ["f-1"],
            "evidence": "candidate-confirmed",
            "evidence_ref": "link-1",
        }

    def test_is_the_candidates_own_concern(self) -> None:
        told = in_their_name("raise-concern", {"placement_id": "p-1", "raised_by": "client"}, "link-1")
        assert told == {"placement_id": "p-1", "raised_by": "candidate"}

    def test_comes_by_the_portal(self) -> None:
        assert in_their_name("record-message", {"words": "Hello"}, "link-1")["channel"] == "portal"

    @pytest.mark.parametrize("field", ["by", "at", "owner", "message_id"])
    def test_names_nobody_and_backdates_nothing(self, field: str) -> None:
        with pytest.raises(InvalidCommand, match=f"'{field}' is not a candidate's"):
            in_their_name("record-message", {field: "x"}, "link-1")
