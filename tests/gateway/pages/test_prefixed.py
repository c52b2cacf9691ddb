"""A gateway under a path of somebody's site, behind a proxy that takes that path off or leaves it on."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any, Final

import pytest
import pytest_asyncio
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.pages import texts
from tests.gateway.pages.conftest import Browser, a_client
from workers.client import NotAnswered

if TYPE_CHECKING:
    import httpx

    from tests.gateway.pages.conftest import Agency

pytestmark = [pytest.mark.postgres, pytest.mark.asyncio(loop_scope="module")]
SITE: Final = "https://agency.example"


@dataclass(frozen=True)
class Proxy:
    """A site of which one path is ours; all else there is somebody else's."""

    prefix: str
    takes_off: bool

    def __call__(self, app: ASGIApp) -> ASGIApp:
        """Stand before the app."""

        async def passing(scope: Scope, receive: Receive, send: Send) -> None:
            path: str = scope["path"]
            if not path.startswith(f"{self.prefix}/"):
                await PlainTextResponse("the agency's own pages", 404)(scope, receive, send)
                return
            within = path.removeprefix(self.prefix) if self.takes_off else path
            await app({**scope, "path": within, "raw_path": within.encode()}, receive, send)

        return passing


PROXIES: Final = (
    Proxy("/rapport", takes_off=True),
    Proxy("/rapport", takes_off=False),
    Proxy("/our/rapport", takes_off=False),
    Proxy("/me", takes_off=True),
)


def client_behind(agency: "Agency", proxy: Proxy) -> AbstractAsyncContextManager["httpx.AsyncClient"]:
    url = f"{SITE}{proxy.prefix}"
    return a_client(agency.ground, agency.engagements, SITE, behind=proxy, public_url=url)


@pytest.fixture(params=PROXIES, ids=str)
def proxy(request: pytest.FixtureRequest) -> Proxy:
    """This will be a way in which a proxy may be set."""
    found: Proxy = request.param
    return found


@pytest.fixture
def me(proxy: Proxy) -> str:
    """This will be the path at which a browser finds the pages."""
    return f"{proxy.prefix}/me"


@pytest_asyncio.fixture(loop_scope="module")
async def browser(agency: "Agency", proxy: Proxy) -> AsyncIterator[Browser]:
    """This will be the candidate's browser, which opened the link that the API made."""
    async with client_behind(agency, proxy) as client:
        path = f"{proxy.prefix}/v1/engagements/{agency.engagement}/links"
        made = await client.post(path, json={}, headers={"Authorization": f"Bearer {agency.key}"})
        assert made.status_code == 201, made.text
        link = made.json()
        assert link["url"] == f"{SITE}{proxy.prefix}/me/{link['token']}"
        answer = await client.get(link["url"])
        assert (answer.status_code, answer.headers["Location"]) == (303, f"{proxy.prefix}/me")
        cookie = SimpleCookie(answer.headers["set-cookie"])["rapport-me"]
        assert (cookie["path"], cookie["secure"]) == (f"{proxy.prefix}/me", True)
        yield Browser(client, agency.ground)


def addresses(text: str) -> list[str]:
    return re.findall(r"""(?:src|href|action)="([^"]*)"|url=([^"]*)""", text)


class TestThePages:
    async def test_name_no_address_but_those_below_the_prefix(
        self, agency: "Agency", browser: Browser, me: str
    ) -> None:
        await agency.do("record-proposal", job_order_id="jo-1")
        wrong = await browser.http.get(f"{me}/agree/jo-9")
        moment = await browser.http.get(me, headers={"Cookie": "", "Sec-Fetch-Site": "cross-site"})
        assert (wrong.status_code, moment.status_code) == (404, 200)
        pages = [await browser.see(f"{me}{each}") for each in ("", "/held", "/agree/jo-1")]
        for text in (*pages, wrong.text, moment.text):
            found = ["".join(each) for each in addresses(text)]
            assert found
            assert [each for each in found if not re.match(rf"{me}(/|\?|$)", each)] == []
        assert f'href="{me}/agree/jo-1"' in pages[0]
        assert f'content="0;url={me}?here=1"' in moment.text

    async def test_take_forms_and_lead_back(self, agency: "Agency", browser: Browser, me: str) -> None:
        form = await browser.form("/record-message", me)
        headers = {"Origin": SITE, "Sec-Fetch-Site": "same-origin"}
        answer = await browser.http.post(form.action, data={**form.fields, "words": "x"}, headers=headers)
        assert (answer.status_code, answer.headers["Location"]) == (303, f"{me}?done=record-message")
        assert texts.FORMS["record-message"].done in await browser.see(answer.headers["Location"])
        assert "candidate-wrote" in [each.type for each in await agency.events()]

    async def test_take_no_form_from_another_site(self, browser: Browser, me: str) -> None:
        form = await browser.form("/record-message", me)
        answer = await browser.http.post(
            form.action, data={**form.fields, "words": "x"}, headers={"Origin": "https://evil.example"}
        )
        assert answer.status_code == 403
        assert f'href="{me}"' in answer.text

    async def test_mail_a_code_that_opens_what_is_held(self, browser: Browser, me: str) -> None:
        form = await browser.form("/held", f"{me}/held")
        code = await browser.code(f"{me}/held")
        answer = await browser.send(form, code=code)
        assert answer.status_code == 200
        assert texts.HELD_MORE in answer.text

    async def test_take_an_agreement(self, agency: "Agency", browser: Browser, me: str) -> None:
        await agency.do("record-proposal", job_order_id="jo-1")
        address = f"{me}/agree/jo-1"
        form = await browser.form("/agree/jo-1", address)
        code = await browser.code(address)
        assert f'action="{me}/do/grant-right-to-represent"' in (await browser.send(form, code=code)).text

    async def test_let_a_form_be_sent_again(
        self, agency: "Agency", browser: Browser, me: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def silent(_: str) -> None:
            raise NotAnswered("record", timedelta(seconds=1))

        form = await browser.form("/request-call", me)
        monkeypatch.setattr(agency.engagements, "before", silent)
        answer = await browser.send(form)
        assert answer.status_code == 503
        assert f'action="{me}/do/request-call"' in answer.text


class TestTheApi:
    async def test_says_where_an_engagement_is(self, agency: "Agency", proxy: Proxy) -> None:
        async with client_behind(agency, proxy) as client:
            key = {"Authorization": f"Bearer {agency.key}"}
            body = {"engagement": f"{agency.engagement}-two", "owner": "r-1", "email": "x@example.com"}
            opened = await client.post(f"{proxy.prefix}/v1/engagements", json=body, headers=key)
            assert opened.status_code == 201, opened.text
            there = opened.headers["Location"]
            assert there == f"{proxy.prefix}/v1/engagements/{agency.engagement}-two"
            assert (await client.get(there, headers=key)).status_code == 200

    async def test_names_its_server_in_its_description(self, agency: "Agency", proxy: Proxy) -> None:
        async with client_behind(agency, proxy) as client:
            told = (await client.get(f"{proxy.prefix}/openapi.json")).json()
        assert told["servers"] == [{"url": proxy.prefix}]


class TestWithoutAPrefix:
    async def test_a_path_is_left_as_it_is(self, agency: "Agency", client_with: "Callable[..., Any]") -> None:
        async with client_with(public_url="https://jobs.example") as client:
            assert (await client.get("/rapport/me")).status_code == 404
            assert "servers" not in (await client.get("/openapi.json")).json()
