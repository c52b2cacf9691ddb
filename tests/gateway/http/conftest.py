"""The HTTP door over a log in memory, where the core decides as the workflow does, and who calls there."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from types import SimpleNamespace
from typing import Any, Final

import httpx
import pytest
from starlette.requests import Request

from activities.agency_load import load_agency
from activities.commands import CommandService
from activities.directory import Directory
from events.admission import must_be_at
from events.agency import Entry
from events.commands import Order
from events.decider import prepare
from events.envelope import Actor, AppendRequest
from events.errors import CallerError
from events.fold import fold
from events.log.memory import MemoryLog
from events.log.port import Appended, CommandIdReused, Taken
from events.policy import Policy
from gateway.access.who import Role, Who
from gateway.folds import Folds
from gateway.http.app import make_app
from gateway.http.doors import Doors
from gateway.http.problems import Problem, unknown
from workers.client import CommandFailed
from workers.inbox.connections import UnknownConnection
from workers.shipped import deploy_policy
from workflows.types import REUSED, CommandReply

AGENCY: Final = "acme"
PEOPLE: Final = (
    Entry(person_id="r-1", role="recruiter", team_lead="l-1", name="Recruiter One", team="north"),
    Entry(person_id="r-2", role="recruiter", team_lead="l-1", name="Recruiter Two", team="south"),
    Entry(person_id="l-1", role="team-lead", director="d-1", name="Lead One"),
    Entry(person_id="d-1", role="director", name="Director One"),
)
Give = Callable[[str, Order], Any]


@cache
def starter() -> Policy:
    """Compile the policy once."""
    return deploy_policy("starter")


class NoTables:
    """Read models that nobody has built."""

    async def fetch(self, *_: object) -> list[dict[str, Any]]:
        """Find nothing."""
        return []


@dataclass(frozen=True)
class Standing:
    """Tables that hold all there is."""

    position: int
    missing: tuple[str, ...] = ()
    at_work: bool = True
    behind: int = 0
    lag_seconds: float = 0.0
    projections: tuple[Any, ...] = (SimpleNamespace(parked=0),)


class EmptyTables(NoTables):
    """Read models in which nobody is found."""

    async def wait_for(self, _agency: str, position: int, *_: object) -> Standing:
        """Say that all is there."""
        return Standing(position)


class NoConnections:
    """An agency that is connected to nobody."""

    async def named(self, *_: object) -> Any:
        """Find none."""
        raise UnknownConnection


@dataclass
class InMemory:
    """What the door needs of a process, without servers."""

    log: MemoryLog = field(default_factory=MemoryLog)
    read_models: Any = field(default_factory=NoTables)
    connections: Any = field(default_factory=NoConnections)
    links: Any = None

    def __post_init__(self) -> None:
        self.service = CommandService(self.log)
        self.directory = Directory(self.log, fresh_for=0)
        self.policy = starter()

    async def load(self) -> None:
        """Bring in the agency."""
        who = Actor(kind="operator", id="o-1")
        await load_agency(self.service, AGENCY, people=PEOPLE, policy=self.policy, actor=who)


@dataclass
class Engagements:
    """An agency's engagements, decided by the core; *before* is done ahead of every command."""

    having: InMemory
    agency: str
    before: Callable[[str], Any] | None = None

    async def command(self, engagement_id: str, order: Order, /) -> CommandReply:
        """Decide and record, as the workflow does."""
        if self.before is not None:
            await self.before(engagement_id)
        log, stream = self.having.log, f"engagement:{engagement_id}"
        state = fold(events) if (events := await log.read_stream(self.agency, stream)) else fold([])
        known = await log.receipt(self.agency, stream, order.command_id)
        try:
            if known is None:
                must_be_at(state.version, order.expected_version)
            prepared = prepare(
                order,
                state,
                self.having.policy,
                datetime.now(UTC),
                agency=self.agency,
                engagement_id=engagement_id,
            )
        except CallerError as error:
            raise CommandFailed(str(error), error.code) from None
        group = prepared.group
        request = AppendRequest(agency=self.agency, stream=stream, expected=state.version, groups=(group,))
        [result] = await log.append_many([request])
        if isinstance(result, CommandIdReused):
            raise CommandFailed("this id was used before with another content; take a new one", REUSED)
        if isinstance(result, Taken):
            raise CommandFailed("another engagement holds this already", "wrong-state")
        assert isinstance(result, Appended)
        refusal = next((each for each in prepared.events if each.type == "command-refused"), None)
        return CommandReply(
            command_id=order.command_id,
            outcome=result.outcomes[order.command_id],
            version=result.events[-1].version if result.events else result.version,
            refused_by=getattr(refusal, "gate", None),
            says=getattr(refusal, "says", None),
            remedy=getattr(refusal, "remedy", None),
            events=tuple(each.type for each in result.events),
        )


@dataclass(frozen=True)
class Target:
    """What somebody would do something to."""

    owner: str | None = None
    command: str | None = None


@dataclass
class Caller:
    """Who calls, and what their role may; a test changes either."""

    who: Who | None = field(
        default_factory=lambda: Who(agency=AGENCY, role="recruiter", credential="k-1", person_id="r-1")
    )
    may: Callable[[Who, str, Target], bool] = lambda _who, _action, _target: True

    def becomes(self, role: Role, **more: Any) -> None:
        """Be somebody else."""
        assert self.who is not None
        self.who = replace(self.who, role=role, **more)


@asynccontextmanager
async def calling(doors: Doors) -> AsyncIterator[httpx.AsyncClient]:
    """Call an application in this process."""
    transport = httpx.ASGITransport(app=make_app(doors))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


@dataclass
class ByCaller:
    """Permits as a test's caller has them."""

    caller: Caller
    having: Any

    async def known(self, _: Request) -> Who:
        """Say who calls."""
        if self.caller.who is None:
            raise Problem(401, "unauthenticated", "nobody is known")
        return self.caller.who

    def _must(self, who: Who, action: str, target: Target) -> None:
        if not self.caller.may(who, action, target):
            raise Problem(403, "not-allowed", "you may not do this here")

    async def _target(self, who: Who, engagement: str, command: str | None = None) -> Target:
        events = await self.having.log.read_stream(who.agency, f"engagement:{engagement}")
        if not events:
            raise unknown("engagement")
        return Target(fold(events).candidate_owner, command)

    async def see_engagement(self, _: Request, who: Who, engagement: str) -> bool:
        """Ask the caller."""
        target = await self._target(who, engagement)
        self._must(who, "read-engagement", target)
        return self.caller.may(who, "read-personal", target)

    async def see(self, _: Request, who: Who, what: str) -> bool:
        """Ask the caller."""
        self._must(who, f"read-{what}", Target())
        return self.caller.may(who, "read-personal", Target())

    async def reach(self, _: Request, who: Who) -> frozenset[str] | None:
        """Ask the caller about everybody who works there, and about one who does not."""
        people = [*(await self.having.directory.agency(who.agency)).people, "somebody-else"]
        found = frozenset(each for each in people if self.caller.may(who, "read-engagement", Target(each)))
        return None if len(found) == len(people) else found

    async def engagement_command(
        self, _: Request, who: Who, engagement: str, name: str, fields: Any, *, command_id: str
    ) -> dict[str, Any]:
        """Ask the caller."""
        opening = name == "open-engagement"
        target = Target(command=name) if opening else await self._target(who, engagement, name)
        self._must(who, "give-command", target)
        assert command_id
        return dict(fields)

    async def job_order_command(self, _: Request, who: Who, _job_order: str, name: str, _fields: Any) -> None:
        """Ask the caller."""
        self._must(who, "give-job-order-command", Target(command=name))

    async def agency_command(self, _: Request, who: Who, name: str, _fields: Any) -> None:
        """Ask the caller."""
        self._must(who, "give-agency-command", Target(command=name))


def doors_for(having: Any, engagements: Any, caller: Caller, **more: Any) -> Doors:
    """Make doors at which everybody is *caller*."""
    permits = ByCaller(caller, having)
    return Doors(having=having, engagements=engagements, folds=Folds(having.log), permits=permits, **more)


@pytest.fixture
def permits() -> type[ByCaller]:
    """This will be permits as a test's caller has them."""
    return ByCaller


@pytest.fixture(name="calling")
def _calling() -> Callable[[Doors], Any]:
    """This will call doors in this process."""
    return calling


@pytest.fixture
def caller() -> Caller:
    """This will be who calls."""
    return Caller()


@pytest.fixture
async def having() -> InMemory:
    """This will be an agency in memory."""
    made = InMemory()
    await made.load()
    return made


@pytest.fixture
async def http(having: InMemory, caller: Caller) -> AsyncIterator[httpx.AsyncClient]:
    """This will call the door of that agency."""
    async with calling(doors_for(having, lambda agency: Engagements(having, agency), caller)) as client:
        yield client


@pytest.fixture
def calls(having: InMemory, caller: Caller) -> Callable[..., Any]:
    """This will call doors whose engagements do something before every command."""

    def begin(*, before: Callable[[str], Any], **more: Any) -> Any:
        return calling(doors_for(having, lambda agency: Engagements(having, agency, before), caller, **more))

    return begin


@pytest.fixture
async def opened(http: httpx.AsyncClient) -> httpx.AsyncClient:
    """This will be the same, with engagement e-1 open for r-1."""
    body = {"engagement": "e-1", "candidate_id": "c-1", "candidate_name": "Ada Ønskeby", "owner": "r-1"}
    response = await http.post("/v1/engagements", json=body)
    assert response.status_code == 201, response.text
    return http


@pytest.fixture
def soon() -> timedelta:
    """This will be a patience that a test can wait for."""
    return timedelta(seconds=0.1)


@pytest.fixture(scope="module")
def doors_in_memory() -> Doors:
    """This will be the doors of an agency in memory, with engagement e-1 and job order jo-1."""
    having, caller = InMemory(read_models=EmptyTables()), Caller()
    caller.becomes("director", person_id="d-1")
    doors = doors_for(having, lambda agency: Engagements(having, agency), caller)

    async def begin() -> None:
        await having.load()
        async with calling(doors) as client:
            await client.post(
                "/v1/engagements", json={"engagement": "e-1", "candidate_id": "c-1", "owner": "r-1"}
            )
            await client.post("/v1/job-orders/jo-1/commands/open-job-order", json={"owner": "r-2"})

    asyncio.run(begin())
    return doors
