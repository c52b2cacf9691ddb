"""Evidence is read from a log that is verified on the way; what does not hold is never signed."""

import stat
from pathlib import Path
from typing import Any

import pytest

from events.envelope import Actor, AppendRequest, CommandGroup, Draft, event_id
from events.log.hashing import head_hash
from events.log.memory import MemoryLog
from workers import evidence
from workers.evidence import EvidenceError, gather, keep

AGENCY = "agency-1"
MINE = "engagement:e-1"


async def append(log: MemoryLog, stream: str, expected: int, count: int = 1) -> None:
    from datetime import UTC, datetime

    at = datetime(2026, 1, 5, tzinfo=UTC)
    drafts = tuple(
        Draft(
            event_id=event_id(AGENCY, stream, f"c-{expected}", each),
            type="candidate-wrote",
            schema_version=1,
            occurred_at=at,
            decided_at=at,
            origin="business",
            actor=Actor(kind="candidate", id="c-1"),
            source="test",
            body='{"channel":"email","message_id":"m-1","words":"please call"}',
            personal=("words",),
        )
        for each in range(count)
    )
    group = CommandGroup(command_id=f"c-{expected}", input="{}", outcome="accepted", drafts=drafts)
    await log.append_many([AppendRequest(agency=AGENCY, stream=stream, expected=expected, groups=(group,))])


@pytest.fixture
async def log() -> MemoryLog:
    """This will be a log with another's event before, between and after."""
    log = MemoryLog()
    for stream, expected in (
        ("job-order:j", 0),
        (MINE, 0),
        ("job-order:j", 1),
        (MINE, 1),
        ("job-order:j", 2),
    ):
        await append(log, stream, expected)
    return log


def tampered(log: MemoryLog, position: int, **changes: Any) -> None:
    events = log._log(AGENCY).events
    events[position - 1] = events[position - 1].model_copy(update=changes)


class TestGather:
    async def test_leads_from_the_first_event_to_the_head(self, log: MemoryLog) -> None:
        material = await gather(log, AGENCY, "e-1", personal=False)
        hashes = [event.chain_hash for event in await log.read_all(AGENCY)]
        (links,) = material.links
        assert (links.first, links.before) == (2, head_hash(hashes[:1]).hex())
        assert links.hashes == (None, hashes[2].hex(), None, hashes[4].hex())
        assert (material.head.version, material.head.position) == (2, 5)
        assert material.head.head_hash == head_hash(hashes).hex()

    async def test_lays_a_long_way_out_in_lines(
        self, log: MemoryLog, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("events.evidence.making.LINKS_A_LINE", 3)
        monkeypatch.setattr(evidence, "PAGE", 2)
        first, second = (await gather(log, AGENCY, "e-1", personal=False)).links
        assert (first.first, len(first.hashes), second.first, second.before) == (2, 3, 5, "")

    async def test_leaves_a_very_long_way_out_unless_asked(
        self, log: MemoryLog, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(evidence, "MOST_LINKS", 3)
        assert (await gather(log, AGENCY, "e-1", personal=False)).links == ()
        assert (await gather(log, AGENCY, "e-1", personal=False, links=True)).links != ()
        monkeypatch.setattr(evidence, "MOST_LINKS", 100)
        assert (await gather(log, AGENCY, "e-1", personal=False, links=False)).links == ()

    async def test_opens_what_is_asked_for_and_can_be_opened(self, log: MemoryLog) -> None:
        """Whoever was erased stays so, and the rest of the record is evidence still."""
        shut, opened = [await gather(log, AGENCY, "e-1", personal=each) for each in (False, True)]
        assert [dict(each.opened) for each in shut.events] == [{}, {}]
        assert [dict(each.opened) for each in opened.events] == [{"words": '"please call"'}] * 2
        await log._keys.destroy(AGENCY, MINE)
        erased = await gather(log, AGENCY, "e-1", personal=True)
        assert [dict(each.opened) for each in erased.events] == [{}, {}]

    async def test_refuses_what_does_not_hold(self, log: MemoryLog) -> None:
        mine = log._log(AGENCY).streams[MINE].events
        mine[0] = mine[0].model_copy(update={"source": "another"})
        with pytest.raises(EvidenceError, match="so nothing is signed: the content of version 1 is not"):
            await gather(log, AGENCY, "e-1", personal=False)

    async def test_refuses_an_agency_whose_log_does_not_lead_to_its_head(self, log: MemoryLog) -> None:
        tampered(log, 5, chain_hash=b"\x00" * 32)
        with pytest.raises(EvidenceError, match="does not lead to the hash of its head"):
            await gather(log, AGENCY, "e-1", personal=False)

    async def test_refuses_an_engagement_of_another_agency(self, log: MemoryLog) -> None:
        for agency, engagement in ((AGENCY, "e-9"), ("agency-2", "e-1")):
            with pytest.raises(EvidenceError, match="there is no engagement"):
                await gather(log, agency, engagement, personal=False)


class TestKeep:
    def test_writes_a_new_file_for_its_owner_only(self, tmp_path: Path) -> None:
        keep(tmp_path / "file", b"content")
        assert (tmp_path / "file").read_bytes() == b"content"
        assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600
        assert [each.name for each in tmp_path.iterdir()] == ["file"]

    def test_never_touches_a_name_that_is_taken(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("there")
        with pytest.raises(EvidenceError, match="is there already; give the name of a new file"):
            keep(tmp_path / "file", b"content")
        assert (tmp_path / "file").read_text() == "there"

    def test_says_where_it_cannot_write(self, tmp_path: Path) -> None:
        with pytest.raises(EvidenceError, match=r"cannot be written \(no such file or directory\)"):
            keep(tmp_path / "none" / "file", b"content")
