"""Subscriptions over HTTP: what each role may do with them, and nothing of another agency's."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI, Request
from standardwebhooks import Webhook
from starlette.responses import Response

from events.envelope import Actor, AppendRequest, CommandGroup, Draft, event_id
from events.log.keys import Keyring, development_kek
from events.log.keys_postgres import PostgresKeys
from events.log.port import Appended
from events.log.postgres import PostgresLog
from gateway.access.who import Who
from gateway.http.problems import Problem, answer
from gateway.http.routes.subscriptions import routes
from workers.delivering.addresses import Rules
from workers.delivering.desk import Desk
from workers.delivering.schedule import Answer
from workers.delivering.sending import Sender
from workers.delivering.subscriptions import Subscriptions

pytestmark = pytest.mark.postgres
URL = "https://127.0.0.1/hooks"
ACTS: dict[str, dict[str, Any] | None] = {
    "test": None,
    "rotate": {"keep_hours": 1},
    "replay": {"position": 1},
    "retry": None,
    "pause": None,
    "resume": None,
}


class Noting(Sender):
    """Remembers what it would send: what leaves and what comes back has tests of its own."""

    def __init__(self) -> None:
        super().__init__(Rules(allow_private=True))
        self.sent: list[tuple[str, str, str, list[str]]] = []

    async def send(self, url: str, message_id: str, body: str, secrets: Any, at: datetime) -> Answer:
        self.sent.append((url, message_id, body, list(secrets)))
        return Answer(204, "it answered 204")


@dataclass
class Doors:
    """The routes, and who stands before them."""

    client: httpx.AsyncClient
    sender: Noting
    log: PostgresLog
    agency: str = field(default_factory=lambda: f"agency-{uuid4().hex[:12]}")

    async def ask(
        self, method: str, path: str = "", *, role: str = "director", json: Any = None
    ) -> httpx.Response:
        """Ask as a role of the agency."""
        headers = {"x-agency": self.agency, "x-role": role}
        return await self.client.request(method, f"/v1/subscriptions{path}", headers=headers, json=json)

    async def added(self, **more: Any) -> tuple[str, str]:
        """Add one; returns its id and its secret."""
        made = await self.ask("POST", json={"url": URL, **more})
        assert made.status_code == 201, made.text
        return made.json()["subscription"], made.json()["secret"]

    async def happens(self) -> None:
        """Append one event."""
        stream, now = "engagement:e-1", datetime.now(UTC)
        draft = Draft(
            event_id=event_id(self.agency, stream, "c-1", 0),
            type="contact-made",
            schema_version=1,
            occurred_at=now,
            decided_at=now,
            origin="business",
            actor=Actor(kind="person", id="r-1"),
            source="test",
            body="{}",
        )
        group = CommandGroup(command_id="c-1", input="{}", outcome="accepted", drafts=(draft,))
        [done] = await self.log.append_many(
            [AppendRequest(agency=self.agency, stream=stream, expected=0, groups=(group,))]
        )
        assert isinstance(done, Appended)


async def known(request: Request) -> Who:
    """Know whoever says who they are."""
    role: Any = request.headers["x-role"]
    return Who(request.headers["x-agency"], role, "k-1", person_id="r-1")


@pytest.fixture(scope="module")
def database(new_database: Callable[[], str]) -> str:
    """This will give the URL of a migrated database."""
    return new_database()


@pytest.fixture
async def doors(database: str) -> AsyncIterator[Doors]:
    """This will be the routes over a database."""
    keys = PostgresKeys(database, Keyring([development_kek("test")]))
    subscriptions, sender = Subscriptions(database, keys), Noting()
    async with PostgresLog(database, keys) as log:
        app = FastAPI()
        app.include_router(routes(Desk(subscriptions, log, sender), known))

        @app.exception_handler(Problem)
        async def problem(_: Request, error: Problem) -> Response:
            return answer(error)

        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://rapport") as client:
            yield Doors(client, sender, log)
    await subscriptions.close()
    await keys.close()


class TestAdd:
    async def test_gives_the_secret_once(self, doors: Doors) -> None:
        which, secret = await doors.added(name="HR", types=["rapport.contact-made"])
        shown = await doors.ask("GET", f"/{which}")
        assert shown.json()["types"] == ["contact-made"]
        assert (shown.json()["state"], shown.json()["behind"]) == ("active", 0)
        for told in (shown, await doors.ask("GET")):
            assert secret not in told.text

    async def test_refuses_what_cannot_be_in_one_sentence(self, doors: Doors) -> None:
        for body in (
            {"url": "http://example.org/"},
            {"url": "https://me:words@example.org/"},
            {"url": URL, "types": ["nothing-at-all"]},
            {"url": URL, "name": "two\nlines"},
        ):
            refused = await doors.ask("POST", json=body)
            assert refused.status_code == 422
            assert refused.headers["content-type"] == "application/problem+json"
            assert "words" not in refused.text
            assert "\n" not in refused.json()["detail"]

    async def test_lets_only_a_director_send_personal_fields_out(self, doors: Doors) -> None:
        refused = await doors.ask("POST", role="operator", json={"url": URL, "personal": True})
        assert refused.status_code == 403
        which, _ = await doors.added(personal=True)
        assert (await doors.ask("GET", f"/{which}")).json()["personal"] is True


class TestNames:
    async def test_are_one_subscription_s_in_an_agency(self, doors: Doors) -> None:
        first, _ = await doors.added(name="HR system")
        again = await doors.ask("POST", json={"url": URL, "name": "HR system"})
        assert (again.status_code, again.json()["code"]) == (409, "name-taken")
        doors.agency, mine = f"{doors.agency}-2", doors.agency
        await doors.added(name="HR system")
        doors.agency = mine
        await doors.ask("DELETE", f"/{first}")
        await doors.added(name="HR system")
        for _ in range(2):
            await doors.added()

    async def test_are_given_once_to_many_at_once(self, doors: Doors) -> None:
        asked = [doors.ask("POST", json={"url": URL, "name": "HR"}) for _ in range(6)]
        found = [each.status_code for each in await asyncio.gather(*asked)]
        assert sorted(found) == [201, *[409] * 5]

    async def test_serve_as_the_id_does(self, doors: Doors) -> None:
        which, _ = await doors.added(name="HR system")
        assert (await doors.ask("GET", "/HR%20system")).json()["subscription"] == which
        for act, body in ACTS.items():
            done = await doors.ask("POST", f"/HR%20system/{act}", json=body)
            assert done.status_code in (200, 422), (act, done.text)
            assert done.json().get("subscription", which) == which
        assert (await doors.ask("GET", "/Other")).status_code == 404
        assert (await doors.ask("GET", "/%00")).status_code == 404
        assert (await doors.ask("DELETE", "/HR%20system")).status_code == 204
        assert (await doors.ask("GET", f"/{which}")).status_code == 404


class TestActs:
    async def test_do_what_they_say(self, doors: Doors) -> None:
        which, secret = await doors.added()
        await doors.happens()
        tested = await doors.ask("POST", f"/{which}/test")
        assert tested.json() == {"delivered": True, "status": 204, "says": "it answered 204"}
        [(url, message_id, body, secrets)] = doors.sender.sent
        assert (url, secrets) == (URL, [secret])
        assert message_id in body
        rotated = (await doors.ask("POST", f"/{which}/rotate", json={"keep_hours": 1})).json()["secret"]
        Webhook(rotated)
        await doors.ask("POST", f"/{which}/test")
        assert doors.sender.sent[-1][3] == [rotated, secret]
        replayed = await doors.ask("POST", f"/{which}/replay", json={"position": 1})
        assert replayed.json() == {"count": 1}
        beyond = await doors.ask("POST", f"/{which}/replay", json={"position": 2})
        assert beyond.status_code == 422
        assert (await doors.ask("POST", f"/{which}/retry")).json() == {"count": 0}
        assert (await doors.ask("POST", f"/{which}/pause")).json()["state"] == "paused"
        assert (await doors.ask("POST", f"/{which}/resume")).json()["state"] == "active"
        assert (await doors.ask("DELETE", f"/{which}")).status_code == 204
        assert (await doors.ask("GET")).json() == {"items": [], "next": None}

    async def test_know_nothing_of_another_agency(self, doors: Doors) -> None:
        which, _ = await doors.added()
        mine, doors.agency = doors.agency, "somebody-else"
        assert (await doors.ask("GET")).json() == {"items": [], "next": None}
        assert (await doors.ask("GET", f"/{which}")).status_code == 404
        for act, body in ACTS.items():
            refused = await doors.ask("POST", f"/{which}/{act}", json=body)
            assert (refused.status_code, refused.json()["code"]) == (404, "unknown-subscription")
        assert (await doors.ask("DELETE", f"/{which}")).status_code == 404
        assert doors.sender.sent == []
        doors.agency = mine
        assert (await doors.ask("GET", f"/{which}")).json()["state"] == "active"


class TestWhoMay:
    @pytest.mark.parametrize(
        ("role", "looks", "manages"),
        [
            ("director", True, True),
            ("operator", True, True),
            ("compliance", True, False),
            ("auditor", True, False),
            ("team-lead", False, False),
            ("recruiter", False, False),
            ("integration", False, False),
            ("candidate", False, False),
        ],
    )
    async def test_is_a_matter_of_the_role(self, doors: Doors, role: str, looks: bool, manages: bool) -> None:
        which, _ = await doors.added()
        await doors.happens()
        for path in ("", f"/{which}"):
            assert ((await doors.ask("GET", path, role=role)).status_code == 200) is looks
        asked = [
            ("POST", "", {"url": URL}),
            *(("POST", f"/{which}/{act}", body) for act, body in ACTS.items()),
        ]
        for method, path, body in (*asked, ("DELETE", f"/{which}", None)):
            done = await doors.ask(method, path, role=role, json=body)
            assert (done.status_code < 300) is manages, (method, path)
            assert manages or done.status_code == 403
            assert manages or " may not see to connections, their messages, or " in done.json()["detail"]
