"""What keeps other sites, hostile words and large bodies out of a candidate's page."""

import base64
import hashlib
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from gateway.http.rates import Rates
from gateway.pages import texts
from tests.gateway.pages.conftest import Browser
from workers.client import NotAnswered

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.gateway.pages.conftest import Agency

pytestmark = [pytest.mark.postgres, pytest.mark.asyncio(loop_scope="module")]
HOSTILE: Final = """<script>alert(1)</script>"'><img src=x onerror=alert(2)>{{ 7*7 }}"""
HTML: Final = "text/html; charset=utf-8"


class TestHeaders:
    async def test_let_nothing_run_load_or_frame(self, browser: "Browser") -> None:
        answer = await browser.http.get("/me")
        policy = answer.headers["Content-Security-Policy"]
        assert answer.headers.get_list("Content-Security-Policy") == [policy]
        style = re.search(r"<style>(.*?)</style>", answer.text, re.DOTALL)
        assert style is not None
        digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
        assert policy.split("; ") == [
            "default-src 'none'",
            f"style-src 'sha256-{digest}'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ]
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"

    @pytest.mark.parametrize("address", ["/me", "/me/held", "/me/agree/jo-1"])
    async def test_fit_what_the_pages_hold(self, agency: "Agency", browser: "Browser", address: str) -> None:
        await agency.do("record-proposal", job_order_id="jo-1")
        text = await browser.see(address)
        assert "<script" not in text
        assert not re.search(r"""\s(style|on\w+)=""", text)
        assert not re.search(r"""(src|href|action)="(?!/me)""", text)

    async def test_are_the_same_where_something_went_wrong(self, browser: "Browser") -> None:
        wrong = await browser.http.get("/me/agree/jo-9")
        assert (wrong.status_code, wrong.headers["content-type"]) == (404, HTML)
        assert "style-src 'sha256-" in wrong.headers["Content-Security-Policy"]


class TestAPost:
    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({"Sec-Fetch-Site": "cross-site", "Origin": "null"}, 403),
            ({"Sec-Fetch-Site": "same-site"}, 403),
            ({"Origin": "https://evil.example"}, 403),
            ({"Origin": "http://test.evil.example", "Sec-Fetch-Site": "same-origin"}, 403),
            ({"Origin": "https://test"}, 403),
            ({"Origin": "http://test", "Sec-Fetch-Site": "same-origin"}, 303),
            ({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, 303),
            ({"Origin": "https://jobs.example"}, 303),
            ({}, 303),
        ],
    )
    async def test_comes_from_our_own_page_or_is_refused(
        self, agency: "Agency", client_with: "Callable[..., Any]", headers: dict[str, str], status: int
    ) -> None:
        async with client_with(public_url="https://jobs.example/") as client:
            # Kept for https alone; sent along as a proxy's other side would.
            token = await agency.link()
            client.headers["Cookie"] = f"rapport-me={token}"
            form = await Browser(client, agency.ground).form("/record-message")
            answer = await client.post(form.action, data={**form.fields, "words": "x"}, headers=headers)
        assert answer.status_code == status, answer.text
        if status == 403:
            assert texts.PROBLEMS["from-elsewhere"] in answer.text
        wrote = [each.type for each in await agency.events()].count("candidate-wrote")
        assert wrote == (status == 303)

    @pytest.mark.parametrize("seal", ["", "0" * 32, "ü"])
    async def test_carries_the_seal_of_its_own_link(
        self, agency: "Agency", browser: "Browser", seal: str
    ) -> None:
        form = await browser.form("/record-message")
        answer = await browser.send(form, words="x", seal=seal)
        assert answer.status_code == 403
        assert "candidate-wrote" not in [each.type for each in await agency.events()]

    @pytest.mark.parametrize(
        ("kind", "content", "status"),
        [
            ("application/json", b"{}", 415),
            ("text/plain", b"words=x", 415),
            ("multipart/form-data; boundary=x", b"--x--", 415),
            ("application/x-www-form-urlencoded", b"\xff\xfe", 400),
            ("application/x-www-form-urlencoded", b"words=%ff%fe", 400),
            ("application/x-www-form-urlencoded", b"a=1&a=2", 400),
            ("application/x-www-form-urlencoded", b"&".join(b"a%d=1" % i for i in range(30)), 400),
            ("application/x-www-form-urlencoded", b"", 403),
            ("application/x-www-form-urlencoded", b"words=" + b"x" * 140_000, 413),
        ],
    )
    async def test_is_a_form_of_ours(
        self, browser: "Browser", kind: str, content: bytes, status: int
    ) -> None:
        answer = await browser.http.post(
            "/me/do/record-message", content=content, headers={"Content-Type": kind}
        )
        assert (answer.status_code, answer.headers["content-type"]) == (status, HTML)

    @pytest.mark.parametrize(
        ("method", "address", "status"),
        [
            ("POST", "/me", 405),
            ("DELETE", "/me/held", 405),
            ("GET", "/me/do/withdraw", 405),
            ("GET", "/me/a/b", 404),
        ],
    )
    async def test_and_nothing_else_ends_on_a_page_too(
        self, browser: "Browser", method: str, address: str, status: int
    ) -> None:
        answer = await browser.http.request(method, address)
        assert (answer.status_code, answer.headers["content-type"]) == (status, HTML)
        assert texts.STATUSES[status] in answer.text


@pytest.mark.usefixtures("same_minute")
class TestRates:
    async def test_count_by_the_link_as_for_the_api(
        self, agency: "Agency", client_with: "Callable[..., Any]"
    ) -> None:
        async with client_with(rates=Rates(per_credential=3, per_address=1000)) as client:
            token = await agency.link()
            await client.get(f"/me/{token}")
            answers = [await client.get("/me") for _ in range(4)]
            assert [each.status_code for each in answers] == [200, 200, 200, 429]
            assert answers[-1].headers["content-type"] == HTML
            assert int(answers[-1].headers["Retry-After"]) > 0
            assert "q=3" in answers[-1].headers["RateLimit-Policy"]
            other = {"Cookie": f"rapport-me={await agency.link()}"}
            client.cookies.clear()
            assert (await client.get("/me", headers=other)).status_code == 200


class TestWhatWentWrong:
    async def test_is_a_page_without_a_trace(
        self, browser: "Browser", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def broken(*_: Any) -> Any:
            raise RuntimeError("Žofie's secret")

        monkeypatch.setattr("gateway.pages.routes.known_of", broken)
        answer = await browser.http.get("/me")
        assert (answer.status_code, answer.headers["content-type"]) == (500, HTML)
        assert texts.STATUSES[500] in answer.text
        assert "secret" not in answer.text
        assert "Traceback" not in answer.text


class TestHostileWords:
    async def test_are_shown_as_they_are(self, agency: "Agency", browser: "Browser") -> None:
        job = f"jo-{agency.engagement}"
        await agency.opens_job(job, HOSTILE)
        await agency.do("record-proposal", job_order_id=job, reason=HOSTILE)
        await browser.send(await browser.form("/record-message"), words=HOSTILE)
        agree, held = f"/me/agree/{job}", "/me/held"
        pages = [await browser.see(), await browser.see(agree), await browser.see("/me?done=<script>")]
        for address in (agree, held):
            form = await browser.form(address, address)
            code = await browser.code(address)
            pages.append((await browser.send(form, code=code)).text)
        for text in pages:
            assert "<script" not in text
            assert "<img" not in text
        assert sum("&lt;script&gt;alert(1)&lt;/script&gt;" in each for each in pages) == 5
        assert all("{{ 7*7 }}" in each for each in pages if "&lt;script" in each)

    async def test_stay_in_their_field_when_sent_again(
        self, agency: "Agency", browser: "Browser", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def silent(_: str) -> None:
            raise NotAnswered("record", timedelta(seconds=1))

        form = await browser.form("/request-call")
        monkeypatch.setattr(agency.engagements, "before", silent)
        answer = await browser.send(form, words=HOSTILE)
        assert answer.status_code == 503
        assert "<script" not in answer.text
        assert "<img" not in answer.text
