"""Whose mail it is: only the reply address, the returned message and the address on record can tell."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest

from activities.agency_load import load_agency
from activities.channels.email import reply_token
from activities.commands import CommandService
from activities.directory import Directory
from events.agency import Entry
from events.catalogue import EngagementOpened, Event, OutreachRequested
from events.codec import draft
from events.envelope import Actor, AppendRequest, CommandGroup, event_id
from events.integrations.message import Message
from events.log.keys import MemoryKeys
from events.log.memory import MemoryLog
from workers.inbox.mail import WhoseMail

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
WHO = Actor(kind="operator", id="o-1")
SECRET = b"r" * 32
EFFECT = UUID("3f2504e0-4f89-41d3-9a0c-0305e82c3301")
CONNECTION = cast("Any", SimpleNamespace(agency="a-1"))


class Post:
    """An agency with engagements, and mails that are looked up."""

    def __init__(self) -> None:
        self.log = MemoryLog(MemoryKeys())
        self.now = 0.0
        self.directory = Directory(self.log, fresh_for=0.0)
        self.whose = WhoseMail(self.log, self.directory, SECRET, monotonic=lambda: self.now)

    async def tell(self, engagement: str, event: Event) -> None:
        """Write an event into an engagement's stream."""
        stream = f"engagement:{engagement}"
        found = await self.log.read_stream("a-1", stream)
        name = f"tell-{len(found)}"
        drafted = draft(
            event,
            event_id=event_id("a-1", stream, name, 0),
            decided_at=NOON,
            actor=WHO,
            source="test",
        )
        group = CommandGroup(command_id=name, input="{}", outcome="accepted", drafts=(drafted,))
        await self.log.append_many(
            [AppendRequest(agency="a-1", stream=stream, expected=len(found), groups=(group,))]
        )

    async def open(self, engagement: str, email: str | None) -> None:
        """Open an engagement."""
        opened = EngagementOpened(
            at=NOON, engagement_id=engagement, candidate_id=f"c-{engagement}", email=email
        )
        await self.tell(engagement, opened)

    async def facts(self, *engagements: str, sender: str = "one@example.test", **more: Any) -> Any:
        """Look up a mail to the reply addresses of engagements."""
        tokens = [reply_token(SECRET, "a-1", each) for each in engagements]
        body = {"tokens": tokens, "sender": sender, **more}
        return await self.whose.fetch(CONNECTION, "mail", Message("mail.received", NOON, body))


@pytest.fixture
async def post() -> Post:
    made = Post()
    await made.open("e-1", "One@example.test")
    await made.open("e-2", None)
    return made


class TestWhoseMail:
    async def test_is_the_candidates_by_the_address_on_record(self, post: Post) -> None:
        assert await post.facts("e-1") == {"engagement": "e-1", "writer": "candidate"}
        assert await post.facts("e-2") == {"engagement": "e-2", "writer": "stranger"}
        assert (await post.facts("e-1", sender=""))["writer"] == "stranger"

    async def test_is_nobodys_at_an_address_of_another_secret(self, post: Post) -> None:
        forged: Any = {"tokens": [reply_token(b"x" * 32, "a-1", "e-1")]}
        assert (await post.facts(**forged))["engagement"] is None

    async def test_is_not_another_agencys(self, post: Post) -> None:
        """The same engagement id of another agency has another token."""
        other: Any = {"tokens": [reply_token(SECRET, "a-2", "e-1")]}
        assert (await post.facts(**other))["engagement"] is None

    async def test_knows_engagements_that_are_new(self, post: Post) -> None:
        await post.facts("e-1")
        await post.open("e-3", "one@example.test")
        post.now += 5
        assert await post.facts("e-3") == {"engagement": "e-3", "writer": "candidate"}

    async def test_is_a_colleagues_by_the_agencys_people(self, post: Post) -> None:
        entry = Entry(person_id="r-1", role="recruiter", email="R@example.test")
        await load_agency(CommandService(post.log), "a-1", people=(entry,), actor=WHO)
        assert (await post.facts("e-1", sender="r@example.test"))["writer"] == "colleague"

    async def test_that_came_back_is_found_by_its_message(self, post: Post) -> None:
        asked = OutreachRequested(
            at=NOON, effect_id=EFFECT, channel="email", to="candidate", template="candidate-apology", level=0
        )
        await post.tell("e-2", asked)
        assert (await post.facts(effect_id=str(EFFECT)))["engagement"] == "e-2"
        assert (await post.facts(effect_id=str(UUID(int=9))))["engagement"] is None
