"""An agency on servers of its own, whose Temporal can lose its data while a worker is at work.

Its clock is fast, so that promises come due within a test; nobody but the log knows that clock afterwards.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from activities.agency_load import load_agency
from activities.types import StreamCommand
from events.agency import Entry
from events.clock import ClockSpec, domain_now
from events.envelope import Actor, Stored
from events.log.migrate import migrate
from events.policy_file import load_policy
from workers.client import Engagements
from workers.embedded.stack import EmbeddedStack
from workers.serving import Serving, serving
from workers.settings import KeyEncryptionKey, Settings
from workers.smtp_sink import SmtpSink

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope, Session

AGENCY = "acme"
OPERATOR = Actor(kind="operator", id="test")
PATIENCE = 60.0
BEGINNING = datetime(2031, 3, 3, 9, tzinfo=UTC)
MINUTES_A_SECOND = 10
POLICY = """
name = "word-in-time"
[obligation.word-in-time]
says = "Everybody hears from a person in time."
because = "M: a test needs a promise."
kind = "contact"
subject = "engagement"
opens-on = ["engagement-opened"]
met-by = [{ event = "contact-made" }]
within = "60 days"
counts-from = "happened"
owner = "candidate-owner"
awaits = "recruiter"
mode = "enforce"
ladder = [
    { after = "0 minutes", do = "escalate", to = "owner", level = 1, template = "escalation" },
    { after = "10 minutes", do = "escalate", to = "team-lead", level = 2, template = "escalation" },
    { after = "20 minutes", do = "escalate", to = "director", level = 3, template = "escalation" },
]
"""
PEOPLE = (
    Entry(person_id="d-1", role="director", name="Director One", email="director@example.test"),
    Entry(person_id="t-1", role="team-lead", director="d-1", name="Lead One", email="lead@example.test"),
    Entry(person_id="r-1", role="recruiter", team_lead="t-1", name="One", email="one@example.test"),
    Entry(person_id="d-slow", role="director", name="Slow Director", email="slow-3@example.test"),
    Entry(
        person_id="t-slow", role="team-lead", director="d-slow", name="Slow Lead", email="slow-2@example.test"
    ),
    Entry(person_id="r-slow", role="recruiter", team_lead="t-slow", name="Slow", email="slow-1@example.test"),
)


class SlowSink(SmtpSink):
    """A mail server that takes the letters to a slow line of people and answers late."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.begun, self.may_answer = asyncio.Event(), asyncio.Event()

    async def handle_DATA(self, server: "SMTP", session: "Session", envelope: "Envelope") -> str:
        """Keep one message, and let its sender wait."""
        kept = await super().handle_DATA(server, session, envelope)
        if is_slow(envelope.rcpt_tos):
            self.begun.set()
            await self.may_answer.wait()
        return kept


@dataclass
class Office:
    """The agency, its worker and its servers."""

    stack: EmbeddedStack
    sink: SlowSink
    running: Serving
    clock: ClockSpec
    by: Engagements
    kept: Path = field(default=Path())

    def now(self) -> datetime:
        """Tell the time by the agency's clock."""
        return domain_now(self.clock, datetime.now(UTC))

    async def open(self, key: str, *, due: datetime, owner: str = "r-1") -> None:
        """Open an engagement whose promise falls due then."""
        given = {"candidate_id": f"c-{key}", "owner": owner, "at": (due - timedelta(days=60)).isoformat()}
        await self.by.command(key, "open-engagement", given)

    async def hold(self, name: str) -> None:
        """Hold all outreach, or release it."""
        order = StreamCommand(
            agency=AGENCY,
            stream=f"agency:{AGENCY}",
            command_id=uuid4().hex,
            name=name,
            data={"reason": "test", "by": "d-1"} if name == "hold-outreach" else {"by": "d-1"},
            actor=OPERATOR,
        )
        await self.running.having.service.give(order)

    async def events(self, key: str, *types: str) -> list[Stored]:
        """Read an engagement's events of some types."""
        stored = await self.running.having.log.read_stream(AGENCY, f"engagement:{key}")
        return [each for each in stored if not types or each.type in types]

    async def has(self, key: str, type: str, count: int = 1) -> None:
        """Wait until an engagement has so many events of a type."""

        async def so() -> bool:
            return len(await self.events(key, type)) >= count

        await until(so)

    async def passes(self, moment: datetime) -> None:
        """Wait until the agency's clock is past a moment."""

        async def so() -> bool:
            return self.now() > moment

        await until(so)

    async def all_acknowledged(self) -> None:
        """Let the log believe that every workflow has all: then no sweep starts any."""
        for head in await self.running.having.log.streams(AGENCY, category="engagement"):
            await self.running.having.log.acknowledge(AGENCY, head.stream, head.version)

    async def keep_temporal(self) -> None:
        """Take a copy of Temporal's data, as a backup does."""
        await self.stack.kill("temporal")
        self.kept = self.stack.data_dir / "kept"
        await asyncio.to_thread(shutil.copytree, self.stack.data_dir / "temporal", self.kept)
        await self.stack.restart("temporal")

    async def lose_temporal(self, *, to_kept: bool = False) -> None:
        """Let Temporal lose all its data, or go back to the copy; it does not run afterwards."""
        home = self.stack.data_dir / "temporal"
        await self.stack.kill("temporal")
        await asyncio.to_thread(shutil.rmtree, home)
        if to_kept:
            await asyncio.to_thread(shutil.copytree, self.kept, home)
        else:
            home.mkdir(mode=0o700)


def is_slow(recipients: Iterable[str]) -> bool:
    """Tell whether a letter goes to somebody whose mail server answers late."""
    return any(each.startswith("slow-") for each in recipients)


async def until(condition: Callable[[], Awaitable[Any]]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(PATIENCE):
        while not await condition():  # noqa: ASYNC110 (servers, asked again and again)
            await asyncio.sleep(0.1)


@asynccontextmanager
async def office(stack: EmbeddedStack) -> AsyncIterator[Office]:
    """This will be the agency, with a worker at work."""
    await migrate(stack.database_url)
    sink = SlowSink(stack.data_dir / "slow-mail")
    await sink.start()
    settings = Settings(
        data_dir=stack.data_dir,
        key_encryption_keys=(KeyEncryptionKey(id="test", secret=b"k" * 32),),
        outreach_digest_minutes=0,
    )
    clock = ClockSpec(origin=BEGINNING, started=datetime.now(UTC), rate=60.0 * MINUTES_A_SECOND)
    temporal = settings.temporal_connect(stack.temporal_address)
    smtp = (sink.host, sink.port)
    async with serving(settings, stack.database_url, temporal, smtp=smtp, settles_after=SETTLES) as running:
        await load_agency(
            running.having.service,
            AGENCY,
            people=PEOPLE,
            policy=load_policy(POLICY, where="the test's policy", on=BEGINNING.date()),
            actor=OPERATOR,
        )
        yield Office(stack, sink, running, clock, Engagements(running.client, AGENCY, clock=clock))
    await sink.stop()


SETTLES = timedelta(seconds=5)
