"""Loading an agency's people and policy."""

from activities.agency_load import load_agency
from activities.commands import CommandService
from events.agency import Entry
from events.envelope import Actor
from events.log.memory import MemoryLog
from events.policy import Policy

OPERATOR = Actor(kind="operator", id="o-1")


class TestLoadAgency:
    async def test_records_people_and_policy(
        self, service: CommandService, log: MemoryLog, people: tuple[Entry, ...]
    ) -> None:
        policy = Policy(name="starter")
        loaded = await load_agency(service, "a-1", people=people, policy=policy, actor=OPERATOR)
        assert (loaded.people, loaded.policy) == ("nothing-to-do", "accepted")
        assert loaded.digest == policy.digest()
        types = [stored.type for stored in await log.read_stream("a-1", "agency:a-1")]
        assert types == ["person-joined"] * 4 + ["policy-adopted"]

    async def test_changes_nothing_the_second_time(
        self, service: CommandService, people: tuple[Entry, ...]
    ) -> None:
        loaded = await load_agency(service, "a-1", people=people, actor=OPERATOR)
        assert (loaded.version, loaded.people, loaded.policy) == (4, "nothing-to-do", "not-given")

    async def test_takes_another_file_after_one_that_said_nothing_new(
        self, service: CommandService, people: tuple[Entry, ...]
    ) -> None:
        await load_agency(service, "a-1", people=people, actor=OPERATOR)
        loaded = await load_agency(service, "a-1", people=people[:2], actor=OPERATOR)
        assert (loaded.version, loaded.people) == (6, "accepted")

    async def test_stores_no_name_in_clear(
        self, service: CommandService, log: MemoryLog, people: tuple[Entry, ...]
    ) -> None:
        stored = await log.read_stream("a-1", "agency:a-1")
        text = "".join(event.model_dump_json(exclude={"content_hash", "chain_hash"}) for event in stored)
        assert people
        assert "Rita" not in text
        assert "example.test" not in text
