"""A candidate's browser against the product's app, where the core decides as the workflow does."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from starlette.types import ASGIApp

from activities.agency_load import load_agency
from events.agency import Entry
from events.codec import decode
from events.envelope import Actor
from gateway.http.app import make_app
from tests.gateway.access.conftest import PEOPLE, Ground, app_of, ground_on
from tests.gateway.http.conftest import Engagements, InMemory, starter

EMAIL: Final = "zofie@example.com"


@dataclass
class Form:
    """A form as a browser has it."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._area: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take a form's parts."""
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(Form(given["action"]))
        elif tag == "input":
            self.found[-1].fields[given["name"]] = given.get("value", "")
        elif tag == "textarea":
            self._area = given["name"]
            self.found[-1].fields[self._area] = ""
        elif tag == "button" and "name" in given:
            self.found[-1].buttons.append((given["name"], given["value"]))

    def handle_endtag(self, tag: str) -> None:
        """Leave a text area."""
        if tag == "textarea":
            self._area = None

    def handle_data(self, data: str) -> None:
        """Take what stands in a text area."""
        if self._area is not None:
            self.found[-1].fields[self._area] += data


def forms_of(text: str) -> list[Form]:
    """Read the forms of a page."""
    parser = _Forms()
    parser.feed(text)
    return parser.found


@dataclass
class Browser:
    """A phone that has opened the link, or not yet."""

    http: httpx.AsyncClient
    ground: Ground

    async def arrive(self, link: str) -> httpx.Response:
        """Open a link."""
        return await self.http.get(f"/me/{link}")

    async def see(self, address: str = "/me") -> str:
        """Read a page."""
        answer = await self.http.get(address)
        assert answer.status_code == 200, answer.text
        return answer.text

    async def form(self, command: str, address: str = "/me", **holds: str) -> Form:
        """Find a command's form, or the one with these hidden values."""
        found = [
            each
            for each in forms_of(await self.see(address))
            if each.action.endswith(command) and holds.items() <= each.fields.items()
        ]
        assert found, f"there is no form of {command}"
        return found[0]

    async def send(self, form: Form, **values: str) -> httpx.Response:
        """Send a form as a browser does."""
        headers = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}
        return await self.http.post(form.action, data={**form.fields, **values}, headers=headers)

    async def code(self, address: str) -> str:
        """Have a code mailed from a page, and read it in the letter."""
        answer = await self.send(await self.form("/me/code", address))
        assert answer.status_code == 303, answer.text
        assert answer.headers["Location"] == f"{address}?done=code"
        found = re.search(r"\b\d{6}\b", self.ground.mailbox.letters[-1].text)
        assert found is not None
        return found[0]


@dataclass
class Agency:
    """What an agency has on record, and the ways to put it there."""

    ground: Ground
    http: httpx.AsyncClient
    key: str
    engagements: Engagements
    engagement: str

    async def do(self, name: str, **fields: Any) -> None:
        """Give a command as the recruiter."""
        path = f"/v1/engagements/{self.engagement}/commands/{name}"
        await self._post(path, fields)

    async def opens(self, **fields: Any) -> None:
        """Open the engagement of r-1."""
        body = {"engagement": self.engagement, "owner": "r-1", "email": EMAIL}
        await self._post("/v1/engagements", {**body, **fields})

    async def link(self) -> str:
        """Make a link to the engagement."""
        return await self.ground.link(self.engagement)

    async def opens_job(self, job: str, title: str) -> None:
        """Open a client's job."""
        path = f"/v1/job-orders/{job}/commands/open-job-order"
        await self._post(path, {"title": title, "owner": "r-2", "client_id": "client-9"})

    async def events(self) -> list[Any]:
        """Read what is on the log."""
        stream = f"engagement:{self.engagement}"
        log = self.ground.having.log
        return [
            decode(each) for each in await log.read_stream(self.ground.agency, stream, open_personal=True)
        ]

    async def _post(self, path: str, body: dict[str, Any]) -> None:
        answer = await self.http.post(path, json=body, headers={"Authorization": f"Bearer {self.key}"})
        assert answer.is_success, answer.text


@asynccontextmanager
async def a_client(
    ground: Ground,
    engagements: Engagements,
    base: str = "http://test",
    *,
    behind: Callable[[ASGIApp], ASGIApp] = lambda app: app,
    **changes: Any,
) -> AsyncIterator[httpx.AsyncClient]:
    """Make a client of the product's app, with an address of its own and doors that differ by *changes*.

    *behind* puts a proxy before the app.
    """
    app = app_of(replace(ground, kept=engagements))  # type: ignore[arg-type]
    doors = replace(app.state.doors, **changes)
    transport = httpx.ASGITransport(app=behind(make_app(doors)), client=(f"test-{uuid4().hex}", 1))
    async with httpx.AsyncClient(transport=transport, base_url=base) as client:
        yield client


@pytest.fixture(scope="session")
def pages_database(new_database: Callable[[], str]) -> str:
    """This will give the URL of a migrated database, shared by the run."""
    return new_database()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ground(pages_database: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ground]:
    """This will be an agency with people and a policy, for all of a module's tests."""
    async with ground_on(pages_database, tmp_path_factory.mktemp("ground")) as made:
        people = tuple(
            Entry.model_validate({**each, "name": f"Person {each['person_id']}"}) for each in PEOPLE
        )
        operator = Actor(kind="operator", id="test")
        await load_agency(made.having.service, made.agency, people=people, policy=starter(), actor=operator)
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def agency(ground: Ground) -> AsyncIterator[Agency]:
    """This will be that agency with an engagement of r-1, Person r-1, that no other test has."""
    async with an_agency(ground) as made:
        await made.opens(candidate_name="Žofie Nováková", zone="Europe/Prague")
        yield made


@asynccontextmanager
async def an_agency(ground: Ground) -> AsyncIterator[Agency]:
    """Put the core behind the agency's doors."""
    having = InMemory()
    having.log = ground.having.log  # type: ignore[assignment]
    decided = Engagements(having, ground.agency)
    async with a_client(ground, decided) as client:
        yield Agency(ground, client, await ground.key("recruiter"), decided, f"e-{uuid4().hex[:8]}")


@pytest_asyncio.fixture(loop_scope="module")
async def stranger(agency: Agency) -> AsyncIterator[Browser]:
    """This will be a browser that has opened nothing."""
    async with a_client(agency.ground, agency.engagements) as client:
        yield Browser(client, agency.ground)


@pytest_asyncio.fixture(loop_scope="module")
async def browser(agency: Agency, stranger: Browser) -> Browser:
    """This will be the browser of the candidate whose engagement it is."""
    answer = await stranger.arrive(await agency.link())
    assert answer.status_code == 303, answer.text
    return stranger


@pytest.fixture
def client_with(agency: Agency) -> Callable[..., Any]:
    """This will make clients of doors that differ, known to nobody yet."""

    def make(base: str = "http://test", **changes: Any) -> Any:
        return a_client(agency.ground, agency.engagements, base, **changes)

    return make
