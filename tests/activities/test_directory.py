"""Whom a role means, in an agency of one director, one team lead and two recruiters."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from activities.agency_load import load_agency
from activities.commands import CommandService
from activities.directory import KEPT_FOR, Directory
from events.agency import Entry, key_subject_of
from events.envelope import Actor, Stored
from events.log.keys import MemoryKeys
from events.log.memory import MemoryLog
from events.personal import Erased
from events.policy import Policy
from events.reaching import StaffRole

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
OPERATOR = Actor(kind="operator", id="o-1")


@pytest.mark.usefixtures("people")
class TestResolve:
    @pytest.mark.parametrize(
        ("role", "owner", "reaches"),
        [
            ("owner", "r-1", "r-1"),
            ("team-lead", "r-1", "t-1"),
            ("director", "r-1", "d-1"),
            ("owner", None, "t-1"),
            ("owner", "nobody", "t-1"),
            ("director", None, "d-1"),
            ("team-lead", "r-2", "d-1"),
        ],
    )
    async def test_falls_upward_where_a_line_is_missing(
        self, directory: Directory, role: StaffRole, owner: str | None, reaches: str
    ) -> None:
        person = await directory.resolve("a-1", role, owner, NOON)
        assert person is not None
        assert person.person_id == reaches

    async def test_climbs_the_line_of_who_left(
        self, directory: Directory, service: CommandService, people: tuple[Entry, ...]
    ) -> None:
        """A promise does not leave with the person who made it."""
        stayed = tuple(entry for entry in people if entry.person_id != "r-1")
        await load_agency(service, "a-1", people=stayed, actor=OPERATOR)
        person = await directory.resolve("a-1", "owner", "r-1", NOON)
        assert person is not None
        assert person.person_id == "t-1"

    async def test_prefers_any_team_lead_to_nobody(self, log: MemoryLog, service: CommandService) -> None:
        leads = tuple(Entry(person_id=each, role="team-lead") for each in ("t-8", "t-9"))
        await load_agency(service, "a-1", people=leads, actor=OPERATOR)
        person = await Directory(log).resolve("a-1", "director", None, NOON)
        assert person is not None
        assert person.person_id == "t-8"

    async def test_finds_nobody_in_an_unknown_agency(self, directory: Directory) -> None:
        assert await directory.resolve("a-2", "director", None, NOON) is None


@pytest.mark.usefixtures("people")
class TestPerson:
    async def test_is_opened(self, directory: Directory) -> None:
        person = await directory.person("a-1", "r-1")
        assert person is not None
        assert (person.name, person.email) == ("Recruiter Quux", "quux@example.test")

    async def test_hides_who_it_is_from_logs(self, directory: Directory) -> None:
        assert "Quux" not in repr(await directory.person("a-1", "r-1"))

    async def test_stays_in_the_line_when_its_name_is_erased(
        self, directory: Directory, keys: MemoryKeys
    ) -> None:
        await keys.destroy("a-1", key_subject_of("t-1"))
        person = await directory.team_lead("a-1", "r-1")
        assert person is not None
        assert person.person_id == "t-1"
        assert isinstance(person.email, Erased)

    async def test_of_a_line_is_told(self, directory: Directory) -> None:
        director = await directory.director("a-1", "r-1")
        assert director is not None
        assert director.person_id == "d-1"
        assert await directory.director("a-1", "nobody") is None


class TestFreshness:
    async def test_lasts_as_long_as_it_says(self, log: MemoryLog, service: CommandService) -> None:
        now = 0.0
        directory = Directory(log, fresh_for=5.0, monotonic=lambda: now)
        assert await directory.person("a-1", "r-9") is None
        joined = (Entry(person_id="r-9", role="recruiter"),)
        await load_agency(service, "a-1", people=joined, actor=OPERATOR)
        assert await directory.person("a-1", "r-9") is None
        now = 6.0
        assert await directory.person("a-1", "r-9") is not None

    async def test_ends_for_names_that_were_erased(
        self, log: MemoryLog, keys: MemoryKeys, people: tuple[Entry, ...]
    ) -> None:
        """Erasing is destroying a key: no process may go on knowing what it opened."""
        assert people
        now = 0.0
        directory = Directory(log, monotonic=lambda: now)
        assert await directory.person("a-1", "r-1") is not None
        await keys.destroy("a-1", key_subject_of("r-1"))
        now = KEPT_FOR
        person = await directory.person("a-1", "r-1")
        assert person is not None
        assert isinstance(person.name, Erased)

    async def test_is_the_same_for_all_who_ask_at_once(
        self, log: MemoryLog, service: CommandService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """They share a reading that begins after the last of them asked, and never one that began before."""
        directory, real, gate = Directory(log), MemoryLog.read_stream, asyncio.Event()
        read: list[str] = []

        async def slow(self: MemoryLog, agency: str, stream: str, **how: Any) -> list[Stored]:
            read.append(stream)
            found = await real(self, agency, stream, **how)
            await gate.wait()
            return found

        monkeypatch.setattr(MemoryLog, "read_stream", slow)
        first = asyncio.create_task(directory.agency("a-1"))
        while not read:  # noqa: ASYNC110 (one turn of the loop after another)
            await asyncio.sleep(0)
        monkeypatch.setattr(MemoryLog, "read_stream", real)
        joined = (Entry(person_id="r-9", role="recruiter"),)
        await load_agency(service, "a-1", people=joined, actor=OPERATOR)
        monkeypatch.setattr(MemoryLog, "read_stream", slow)
        others = [asyncio.create_task(directory.agency("a-1")) for _ in range(20)]
        gate.set()
        assert "r-9" not in (await first).people
        assert all("r-9" in each.people for each in await asyncio.gather(*others))
        assert len(read) == 2

    async def test_is_asked_again_after_a_reading_that_failed(
        self, log: MemoryLog, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        directory = Directory(log)

        async def broken(*_: object, **__: object) -> list[Stored]:
            raise ConnectionError

        with monkeypatch.context() as patched:
            patched.setattr(MemoryLog, "read_stream", broken)
            asked = [asyncio.create_task(directory.agency("a-1")) for _ in range(3)]
            answers = await asyncio.gather(*asked, return_exceptions=True)
            assert [type(each) for each in answers] == [ConnectionError] * 3
        assert (await directory.agency("a-1")).agency == "a-1"

    async def test_is_never_assumed_of_the_policy(self, log: MemoryLog, service: CommandService) -> None:
        """An engagement opened right after an adoption must follow the new policy."""
        directory = Directory(log, fresh_for=1000.0)
        assert await directory.policy_digest("a-1") is None
        policy = Policy(name="starter")
        await load_agency(service, "a-1", policy=policy, actor=OPERATOR)
        assert await directory.policy_digest("a-1") == policy.digest()
