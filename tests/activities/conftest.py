"""An agency on the in-memory log, and a mail server that does what a test tells it."""

import asyncio
import email
import email.policy
import importlib.util
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from activities.agency_load import load_agency
from activities.channels.email import Email, MailSettings
from activities.commands import CommandService
from activities.directory import Directory
from activities.types import OutreachOrder
from events.agency import Entry
from events.catalogue import EngagementOpened, Event
from events.codec import draft
from events.envelope import Actor, AppendRequest, CommandGroup, event_id
from events.log.digests_memory import MemoryDigests
from events.log.effects import MemoryEffects
from events.log.keys import MemoryKeys
from events.log.memory import MemoryLog

if TYPE_CHECKING:
    from tests.activities.digest_office import Office

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
OPERATOR = Actor(kind="operator", id="o-1")
PEOPLE = (
    Entry(person_id="d-1", role="director", name="Director One", email="director@example.test"),
    Entry(person_id="t-1", role="team-lead", director="d-1", name="Lead One", email="lead@example.test"),
    Entry(
        person_id="r-1", role="recruiter", team_lead="t-1", name="Recruiter Quux", email="quux@example.test"
    ),
    Entry(person_id="r-2", role="recruiter", director="d-1"),
)


class MailServer:
    """An SMTP server on loopback; it can be stopped, and told how to answer."""

    def __init__(self) -> None:
        self.port = 0
        self.received: list[EmailMessage] = []
        self.rcpt_answer = "250 OK"
        self.data_answer = "250 OK"
        self.hangs_up_after_data = False
        self.may_end = asyncio.Event()
        self.may_end.set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._protocol, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    def _protocol(self) -> SMTP:
        return SMTP(self, hostname="localhost")

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.rcpt_answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return self.rcpt_answer

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
        if self.data_answer.startswith("2"):
            content = envelope.original_content or b""
            message = email.message_from_bytes(content, policy=email.policy.default)
            assert isinstance(message, EmailMessage)
            self.received.append(message)
        if self.hangs_up_after_data:
            assert server.transport is not None
            server.transport.close()
        return self.data_answer

    async def handle_QUIT(self, _server: SMTP, _session: Session, _envelope: Envelope) -> str:
        await self.may_end.wait()
        return "221 Bye"


@pytest.fixture
async def mail_server() -> AsyncIterator[MailServer]:
    server = MailServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def channel(mail_server: MailServer) -> Email:
    return Email(
        MailSettings(
            host="127.0.0.1",
            port=mail_server.port,
            sender="rapport@example.test",
            domain="mail.example.test",
            reply_domain="reply.example.test",
            reply_secret=b"secret",
            patience=5.0,
        )
    )


@pytest.fixture
def keys() -> MemoryKeys:
    return MemoryKeys()


@pytest.fixture
def log(keys: MemoryKeys) -> MemoryLog:
    return MemoryLog(keys)


@pytest.fixture
def ledger() -> MemoryEffects:
    return MemoryEffects()


@pytest.fixture
def digests(ledger: MemoryEffects) -> MemoryDigests:
    return MemoryDigests(ledger)


@pytest.fixture
def service(log: MemoryLog) -> CommandService:
    return CommandService(log, now=lambda: NOON)


@pytest.fixture
def directory(log: MemoryLog) -> Directory:
    return Directory(log)


@pytest.fixture
async def people(service: CommandService) -> tuple[Entry, ...]:
    """The people of agency a-1, loaded: two recruiters, one without a team lead or an address."""
    await load_agency(service, "a-1", people=PEOPLE, actor=OPERATOR)
    return PEOPLE


OpenEngagement = Callable[..., Awaitable[None]]


@pytest.fixture
def open_engagement(log: MemoryLog) -> OpenEngagement:
    """Opens engagement e-1 of agency a-1."""

    async def open_(name: str | None = "Quux Candidate", address: str | None = "quux@example.test") -> None:
        opened = EngagementOpened(
            at=NOON, engagement_id="e-1", candidate_id="c-1", name=name, email=address, zone="Europe/Berlin"
        )
        event = draft(
            opened,
            event_id=event_id("a-1", "engagement:e-1", "open", 0),
            decided_at=NOON,
            actor=OPERATOR,
            source="test",
        )
        group = CommandGroup(command_id="open", input="{}", outcome="accepted", drafts=(event,))
        await log.append_many(
            [AppendRequest(agency="a-1", stream="engagement:e-1", expected=0, groups=(group,))]
        )

    return open_


@pytest.fixture
def tell(log: MemoryLog) -> Callable[[Event], Awaitable[UUID]]:
    """Writes an event into the stream of e-1, and gives its id."""

    async def tell_(event: Event) -> UUID:
        stream = "engagement:e-1"
        found = await log.read_stream("a-1", stream)
        command_id = f"tell-{len(found)}"
        identity = event_id("a-1", stream, command_id, 0)
        drafted = draft(event, event_id=identity, decided_at=NOON, actor=OPERATOR, source="test")
        group = CommandGroup(command_id=command_id, input="{}", outcome="accepted", drafts=(drafted,))
        await log.append_many(
            [AppendRequest(agency="a-1", stream=stream, expected=len(found), groups=(group,))]
        )
        return identity

    return tell_


@pytest.fixture
async def office(
    log: MemoryLog,
    directory: Directory,
    channel: Email,
    service: CommandService,
    people: tuple[Entry, ...],
) -> "Office":
    """An agency whose recruiter r-1 has a team lead t-1 and a director d-1, and whose clock a test moves."""
    assert people
    name = "digest_office"
    place = Path(__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(f"rapport_tests_{name}", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made: Office = module.Office(log, directory, channel, service)
    return made


@pytest.fixture
async def five(office: "Office") -> list[OutreachOrder]:
    """Messages to the lead about five engagements of one recruiter, broken in the same hour."""
    return [await office.opens(f"e-{number}") for number in range(5)]
