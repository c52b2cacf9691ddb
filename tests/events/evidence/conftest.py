"""A log with two engagements, one that evidence is made of, and a forger who can recompute what they like."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from events.envelope import Actor, AppendRequest, CommandGroup, Draft, event_id
from events.evidence.lines import entry_of, line_of, manifest_of, record_of, written
from events.evidence.making import Told, make
from events.evidence.records import EventKept, Evidence, FindingTold, PromiseTold, Summary
from events.evidence.signing import SigningKey
from events.log.hashing import link, stored_hash
from events.log.memory import MemoryLog
from events.policy import Policy
from workers.evidence import gather

if TYPE_CHECKING:
    from tests.events.specification import Life, World

KEY = SigningKey(bytes(range(32)))
FORGER = SigningKey(bytes(32))
AGENCY = "agency-1"


@dataclass
class File:
    """Evidence in pieces: every line's fields but the signature's, which is made anew or left as it was."""

    lines: list[dict[str, Any]]
    signature: bytes

    @classmethod
    def of(cls, data: bytes) -> "File":
        """Take a file apart."""
        *lines, signature, end = data.split(b"\n")
        assert end == b""
        return cls([json.loads(each) for each in lines], signature)

    def place(self, record: str, number: int = 1) -> int:
        """Find where the *number*-th line of a kind stands."""
        return [place for place, each in enumerate(self.lines) if each["record"] == record][number - 1]

    def line(self, record: str, number: int = 1) -> dict[str, Any]:
        """Give the *number*-th line of a kind; an event's number is its version."""
        return self.lines[self.place(record, number)]

    def events(self) -> list[dict[str, Any]]:
        """Give the events as they stand."""
        return [each for each in self.lines if each["record"] == "event"]

    def body(self, version: int, **changes: Any) -> None:
        """Change fields of an event's body."""
        event = self.line("event", version)
        body = {**json.loads(event["body"]), **changes}
        event["body"] = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    def rehash(self) -> None:
        """Recompute contents and chain, as a forger would who knows the format."""
        first = record_of(self.line("evidence"))
        assert isinstance(first, Evidence)
        before = b""
        for place, each in enumerate(self.lines):
            if each["record"] != "event":
                continue
            kept = record_of(each)
            assert isinstance(kept, EventKept)
            content = stored_hash(kept.stored(first.agency, f"engagement:{first.engagement}"))
            before = link(before, content)
            self.lines[place] = {**each, "content_hash": content.hex(), "chain_hash": before.hex()}
        self.line("head")["chain_hash"] = before.hex()

    def rehead(self) -> None:
        """Recompute the agency's head from the links as they stand."""
        chain = {each["position"]: bytes.fromhex(each["chain_hash"]) for each in self.events()}
        links = [each for each in self.lines if each["record"] == "links"]
        reached = bytes.fromhex(links[0]["before"])
        for each in links:
            for position, foreign in enumerate(each["hashes"], each["first"]):
                reached = link(reached, bytes.fromhex(foreign) if foreign else chain[position])
        self.line("head")["head_hash"] = reached.hex()

    def relist(self) -> None:
        """Write the list of lines anew."""
        made = [record_of(each) for each in self.lines if each["record"] != "manifest"]
        old = {(each["record"], each["key"]): each["names"] for each in self.line("manifest")["lines"]}
        entries = tuple(
            entry_of(each, old.get((each.record, each.key), each.record)) for each in made if each is not None
        )
        self.lines[self.place("manifest")] = json.loads(line_of(manifest_of(entries)))

    def written(self, key: SigningKey | None = None) -> bytes:
        """Put it together again, signed with another key if one is given."""
        content = b"".join(written(each) + b"\n" for each in self.lines)
        return content + (self.signature if key is None else key.signature_line(content)) + b"\n"


@pytest.fixture(scope="session")
def story(world: "World", lives: ModuleType) -> "Life":
    """This will be a life with a story, a breach, escalations, and a second policy."""
    life = world.life()
    lives.live(life, list(lives.STORY))
    life.wait(life.journal[-1][0] + timedelta(days=12))
    return life


@pytest.fixture
async def log(story: "Life") -> MemoryLog:
    """This will be a log in which another engagement's events stand before, between and after the story's."""
    log, version, noise = MemoryLog(), 0, 0
    for number, each in enumerate(story.groups):
        if number % 3 == 0:
            noise = await _other(log, noise)
        await log.append_many([_request("engagement:e-1", version, each.group)])
        version += len(each.group.drafts)
    await _other(log, noise)
    await log.save_policy(AGENCY, story.policy.digest(), story.policy.body())
    return log


@pytest.fixture
def made(log: MemoryLog) -> Callable[..., Any]:
    """This will make evidence of the story; *personal* opens it, *links* leaves the way to the head out."""

    async def make_it(*, personal: bool = False, links: bool | None = None) -> bytes:
        material = await gather(log, AGENCY, "e-1", personal=personal, links=links)
        told = Told(
            events={each.version: f"Told {each.type}." for each in material.events},
            summary=Summary(says=("A story.",), promises={"kept": 1}),
            promises=[
                PromiseTold(
                    obligation_id="o-1",
                    rule="keep-in-touch",
                    subject="engagement",
                    says="Kept.",
                    opened_at="2026-01-05T09:00:00.000000Z",
                    due_at="2026-01-06T09:00:00.000000Z",
                    outcome="kept",
                    owner="recruiter-1",
                    met_at=None,
                    breached=False,
                    excused=None,
                    level=0,
                    events=(1, 2),
                )
            ],
            findings=[FindingTold(kind="gate-bypassed", version=3, says="Look.")],
        )
        return make(material, told, KEY, made_at=datetime(2026, 2, 1, tzinfo=UTC), made_by="rapport test")

    return make_it


@pytest.fixture
async def sealed(made: Callable[..., Any]) -> bytes:
    """This will be evidence without personal data."""
    data: bytes = await made()
    return data


@pytest.fixture
async def opened(made: Callable[..., Any]) -> bytes:
    """This will be evidence with personal data."""
    data: bytes = await made(personal=True)
    return data


@pytest.fixture
def forged(sealed: bytes) -> File:
    """This will be sealed evidence in a forger's hands."""
    return File.of(sealed)


@pytest.fixture
def other_policy() -> Policy:
    """This will be a policy that asks for nothing."""
    return Policy(name="nothing-asked")


async def _other(log: MemoryLog, version: int) -> int:
    at = datetime(2026, 1, 5, tzinfo=UTC)
    one = Draft(
        event_id=event_id(AGENCY, "engagement:e-2", f"c-{version}", 0),
        type="resumed",
        schema_version=1,
        occurred_at=at,
        decided_at=at,
        origin="business",
        actor=Actor(kind="person", id="r-1"),
        source="test",
        body="{}",
    )
    group = CommandGroup(command_id=f"c-{version}", input="{}", outcome="accepted", drafts=(one,))
    await log.append_many([_request("engagement:e-2", version, group)])
    return version + 1


def _request(stream: str, expected: int, group: CommandGroup) -> AppendRequest:
    return AppendRequest(agency=AGENCY, stream=stream, expected=expected, groups=(group,))
