"""One call: how often, how long, how large, and where it never goes."""

import asyncio
import socket
from typing import Any

import httpx
import pytest
from starlette.responses import JSONResponse, Response

from activities.asking import calling
from activities.asking.calling import Api, again, segment
from activities.asking.errors import CannotBeAsked, NotAnswered, Unknown
from tests.workers.asking.conftest import Asking
from tests.workers.asking.stand_in import KEY, StandIn


def answers(status: int, **headers: str) -> Any:
    """Make a fault: another answer."""
    return lambda: Response(status_code=status, headers=headers)


class TestApi:
    async def test_tries_again_what_may_pass(self, stand_in: StandIn, asker: Asking) -> None:
        stand_in.faults = [answers(500), answers(429, **{"retry-after": "0"})]
        await asker("greenhouse").provider.greet(asker("greenhouse").api)
        assert len(stand_in.asked) == 3

    async def test_gives_up_after_three_tries(self, stand_in: StandIn, asker: Asking) -> None:
        stand_in.away = True
        with pytest.raises(NotAnswered, match="it answered 503"):
            await asker("greenhouse").api.get("/applications")
        assert len(stand_in.asked) == 3

    async def test_says_that_nobody_is_there(self, client: httpx.AsyncClient) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        with pytest.raises(NotAnswered, match="could not be reached"):
            await Api(client, f"http://127.0.0.1:{port}", {}).get("/x")

    @pytest.mark.parametrize("status", [401, 403])
    async def test_asks_nobody_twice_who_refuses_the_key(
        self, stand_in: StandIn, asker: Asking, status: int
    ) -> None:
        stand_in.faults = [answers(status)]
        with pytest.raises(CannotBeAsked, match="refuses the key") as caught:
            await asker("lever").api.get("/opportunities")
        assert len(stand_in.asked) == 1
        assert KEY not in str(caught.value)

    async def test_takes_a_wrong_key_nowhere(self, asker: Asking) -> None:
        for provider in ("ashby", "calendly", "greenhouse", "lever", "smartrecruiters", "workable"):
            there = asker(provider, "another-key")
            with pytest.raises(CannotBeAsked, match="refuses the key"):
                await there.provider.greet(there.api)
            right = asker(provider)
            await right.provider.greet(right.api)

    async def test_follows_no_redirect(self, stand_in: StandIn, asker: Asking) -> None:
        """A key would go along to wherever it leads."""
        stand_in.faults = [answers(302, location=f"{stand_in.url}/elsewhere")]
        with pytest.raises(CannotBeAsked, match="redirect"):
            await asker("greenhouse").api.get("/applications")
        assert len(stand_in.asked) == 1

    async def test_knows_what_is_gone_from_what_is_wrong(self, stand_in: StandIn, asker: Asking) -> None:
        with pytest.raises(Unknown):
            await asker("greenhouse").api.get("/nothing")
        stand_in.faults = [answers(422)]
        with pytest.raises(NotAnswered, match="422"):
            await asker("greenhouse").api.get("/applications")
        assert len(stand_in.asked) == 2

    async def test_reads_no_more_than_it_may(
        self, stand_in: StandIn, asker: Asking, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(calling, "LARGEST", 1024)
        stand_in.faults = [lambda: ["x" * 2000]]
        with pytest.raises(NotAnswered, match="larger"):
            await asker("greenhouse").api.get("/applications")

    async def test_waits_no_longer_than_it_may(
        self, stand_in: StandIn, asker: Asking, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(calling, "WHOLE", 0.05)
        never = asyncio.Event()
        stand_in.faults = [never.wait]
        with pytest.raises(NotAnswered, match="in time"):
            await asker("greenhouse").api.get("/applications")

    async def test_says_that_it_is_no_json(self, stand_in: StandIn, asker: Asking) -> None:
        stand_in.faults = [lambda: Response("<html>", media_type="text/html")]
        with pytest.raises(NotAnswered, match="no JSON"):
            await asker("greenhouse").api.get("/applications")

    async def test_keeps_no_cookie_for_another_connection(self, stand_in: StandIn, asker: Asking) -> None:
        seen: list[str | None] = []
        stand_in.faults = [lambda: JSONResponse([], headers={"set-cookie": "who=acme; path=/"})]
        there = asker("greenhouse")
        await there.api.get("/applications")
        there.api._client.event_hooks["request"].append(_noting(seen))
        await there.api.get("/applications")
        assert seen == [None]

    @pytest.mark.parametrize(
        "link",
        [
            "https://api.example.com/applications/1",
            "http://127.0.0.1:1/applications/1",
            "http://127.0.0.1@evil.example/x",
            "//evil.example/x",
            "/applications/1",
            "file:///etc/passwd",
            "http://[",
            None,
            7,
        ],
    )
    async def test_follows_no_link_to_another_host(self, stand_in: StandIn, asker: Asking, link: Any) -> None:
        with pytest.raises(CannotBeAsked, match="not followed"):
            await asker("greenhouse").api.follow(link)
        assert stand_in.asked == []

    async def test_follows_no_link_with_a_login_in_it(self, stand_in: StandIn, asker: Asking) -> None:
        link = stand_in.base("greenhouse").replace("http://", "http://me:secret@")
        with pytest.raises(CannotBeAsked, match="not followed"):
            await asker("greenhouse").api.follow(link)


class TestAgain:
    def test_waits_as_long_as_it_is_told_to_and_no_longer_than_it_may(self) -> None:
        assert again(NotAnswered("x", again=True, pause=7.0)) == 7.0
        assert again(NotAnswered("x", again=True)) is True
        assert again(NotAnswered("x", again=True, pause=3600.0)) is False
        assert again(NotAnswered("x")) is False
        assert again(ValueError()) is False


class TestSegment:
    def test_stays_one_step_of_a_path(self) -> None:
        assert segment("a/../b?c#d") == "a%2F..%2Fb%3Fc%23d"
        assert segment(7) == "7"

    @pytest.mark.parametrize("value", ["", "..", ".", None, True, [], "a\nb", "x" * 201])
    def test_is_no_id(self, value: Any) -> None:
        with pytest.raises(CannotBeAsked, match="does not name"):
            segment(value)


def _noting(seen: list[str | None]) -> Any:
    async def note(request: httpx.Request) -> None:
        seen.append(request.headers.get("cookie"))

    return note
