"""From a link to a cookie: what is kept, for how long, where it shows, and what does not open."""

from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest
import structlog

from gateway.access import credentials
from gateway.pages import texts

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.gateway.pages.conftest import Agency, Browser

pytestmark = [pytest.mark.postgres, pytest.mark.asyncio(loop_scope="module")]
COOKIE: Final = "rapport-me"


def cookie_of(answer: httpx.Response) -> Any:
    return SimpleCookie(answer.headers["set-cookie"])[COOKIE]


def secret_of(token: str) -> str:
    """Take the secret out of a link's token; it may hold underscores itself."""
    shown = credentials.read(token)
    assert shown is not None
    return shown.secret


async def made(agency: "Agency", client: httpx.AsyncClient, **body: Any) -> Any:
    path = f"/v1/engagements/{agency.engagement}/links"
    answer = await client.post(path, json=body, headers={"Authorization": f"Bearer {agency.key}"})
    assert answer.status_code == 201, answer.text
    return answer.json()


class TestALink:
    async def test_comes_with_its_address(self, agency: "Agency", client_with: "Callable[..., Any]") -> None:
        link = await made(agency, agency.http)
        assert link["url"] == f"/me/{link['token']}"
        async with client_with(public_url="https://jobs.example") as client:
            link = await made(agency, client)
            assert link["url"] == f"https://jobs.example/me/{link['token']}"

    async def test_becomes_a_cookie_and_leaves_the_address(
        self, agency: "Agency", stranger: "Browser"
    ) -> None:
        token = await agency.link()
        answer = await stranger.arrive(token)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/me")
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
        cookie = cookie_of(answer)
        assert cookie.value == token
        assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "strict", "/me")
        assert not cookie["secure"]
        page = await stranger.see()
        assert texts.STAGES["intake"] in page
        assert token not in page
        assert secret_of(token) not in page

    async def test_is_kept_no_longer_than_it_holds(self, agency: "Agency", stranger: "Browser") -> None:
        link = await made(agency, agency.http, days=3)
        age = int(cookie_of(await stranger.arrive(link["token"]))["max-age"])
        left = datetime.fromisoformat(link["expires_at"]) - datetime.now(UTC)
        assert timedelta(days=2, hours=23) < timedelta(seconds=age) <= left + timedelta(seconds=60)

    @pytest.mark.parametrize(
        ("base", "public"), [("https://test", None), ("http://test", "https://jobs.example")]
    )
    async def test_is_kept_for_https_alone_where_there_is(
        self, agency: "Agency", client_with: "Callable[..., Any]", base: str, public: str | None
    ) -> None:
        async with client_with(base, public_url=public) as client:
            answer = await client.get(f"/me/{await agency.link()}")
            assert cookie_of(answer)["secure"] is True

    async def test_means_nothing_under_the_api(self, agency: "Agency", browser: "Browser") -> None:
        """Or another site could give commands in somebody's name."""
        cookie = {"Cookie": f"{COOKIE}={browser.http.cookies[COOKIE]}"}
        assert (await browser.http.get("/me", headers=cookie)).status_code == 200
        answer = await browser.http.get(f"/v1/engagements/{agency.engagement}", headers=cookie)
        assert answer.status_code == 401

    async def test_is_in_no_log(self, agency: "Agency", stranger: "Browser") -> None:
        token = await agency.link()
        with structlog.testing.capture_logs() as lines:
            await stranger.arrive(token)
            await stranger.see()
            await stranger.send(await stranger.form("/record-message"), words="is it far")
            await stranger.http.get(f"/me/{token[:-3]}abc")
        told = str(lines)
        assert secret_of(token)[:-3] not in told
        assert "is it far" not in told
        routes = [each["route"] for each in lines if each["event"] == "request"]
        assert routes == ["/me/{token}", "/me", "/me", "/me/do/{name}", "/me/{token}"]
        credentials = {each["credential"] for each in lines if each.get("role") == "candidate"}
        assert credentials == {token.split("_")[1]}

    async def test_from_another_sites_page_gets_in_too(self, agency: "Agency", stranger: "Browser") -> None:
        """A browser does not send a strict cookie along with what another site began."""
        await stranger.arrive(await agency.link())
        kept = dict(stranger.http.cookies)
        stranger.http.cookies.clear()
        over = await stranger.http.get("/me", headers={"Sec-Fetch-Site": "cross-site"})
        assert over.status_code == 200
        assert 'http-equiv="refresh" content="0;url=/me?here=1"' in over.text
        stranger.http.cookies.update(kept)
        assert texts.STAGES["intake"] in await stranger.see("/me?here=1")
        stranger.http.cookies.clear()
        again = await stranger.http.get("/me?here=1", headers={"Sec-Fetch-Site": "cross-site"})
        assert again.status_code == 401


class TestALinkThatOpensNothing:
    async def opened(self, agency: "Agency", which: str) -> str:
        token = await agency.link()
        link_id, where = token.split("_")[1], "WHERE agency = $1 AND link_id = $2"
        match which:
            case "expired":
                sql = f"UPDATE rapport.candidate_links SET expires_at = now() {where}"
                await agency.ground.sql(sql, agency.ground.agency, link_id)
            case "revoked":
                links = agency.ground.access.links
                await links.revoke(agency.ground.agency, agency.engagement, link_id)
            case "tampered":
                token = token[:-4] + ("abcd" if not token.endswith("abcd") else "dcba")
            case "unknown":
                token = token.replace(link_id, "0" * 16)
            case "a key":
                token = await agency.ground.key("director")
            case "none":
                token = "rpl_"
        return token

    @pytest.mark.parametrize("which", ["expired", "revoked", "tampered", "unknown", "a key", "none"])
    async def test_is_told_alike(self, agency: "Agency", stranger: "Browser", which: str) -> None:
        token = await self.opened(agency, which)
        answer = await stranger.arrive(token)
        assert answer.status_code == 401
        assert "set-cookie" not in answer.headers
        assert "www-authenticate" not in answer.headers
        stranger.http.cookies.set(COOKIE, token, domain="test.local", path="/me")
        later = await stranger.http.get("/me")
        assert (later.status_code, later.text) == (401, answer.text)
        assert texts.NO_LINK in answer.text
        assert token not in answer.text

    async def test_opens_no_form_either(self, agency: "Agency", browser: "Browser") -> None:
        form = await browser.form("/record-message")
        token = browser.http.cookies[COOKIE]
        links = agency.ground.access.links
        await links.revoke(agency.ground.agency, agency.engagement, token.split("_")[1])
        # A gateway trusts for a second what it has accepted: another one does not know it.
        agency.ground.access.knowing._memory.found.clear()
        answer = await browser.send(form, words="x")
        assert answer.status_code == 401
        assert "candidate-wrote" not in [each.type for each in await agency.events()]

    async def test_counts_as_a_failed_attempt(self, agency: "Agency", stranger: "Browser") -> None:
        token = await self.opened(agency, "tampered")
        await stranger.arrive(token)
        failures = agency.ground.access.failures
        await failures.settled()
        assert await failures.of_credentials([token.split("_")[1]]) == [1]

    async def test_makes_whoever_keeps_trying_wait(self, agency: "Agency", stranger: "Browser") -> None:
        token = await self.opened(agency, "tampered")
        for _ in range(11):
            await stranger.arrive(token)
            await agency.ground.access.failures.settled()
        answer = await stranger.arrive(token)
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) > 0
        assert texts.PROBLEMS["too-many-requests"] in answer.text
        # Who has the right one is let in all the same.
        assert (await stranger.arrive(await agency.link())).status_code == 303
