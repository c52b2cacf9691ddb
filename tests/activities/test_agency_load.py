"""Loading an agency's people and policy."""

import pytest

from activities.agency_load import check_offices, load_agency
from activities.commands import CommandService
from events.agency import Entry, key_subject_of
from events.envelope import Actor
from events.errors import InvalidCommand
from events.log.keys import KeyDestroyed, MemoryKeys
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
        assert "Quux" not in text
        assert "example.test" not in text


class TestCheckOffices:
    PERSON = Entry(person_id="r-1", role="recruiter", office="zurick")
    TWO = Policy(name="own").model_copy(update={"calendars": (("zurich", None), ("lisbon", None))})

    def test_names_who_has_an_office_without_a_calendar(self) -> None:
        """What is owed there would be reckoned by another office's days, and nobody would see why."""
        with pytest.raises(InvalidCommand, match=r"'zurick' of 'r-1' .*; there are zurich, lisbon"):
            check_offices((self.PERSON,), self.TWO)

    def test_takes_what_the_policy_has_and_everything_where_it_has_none(self) -> None:
        check_offices((self.PERSON.model_copy(update={"office": "lisbon"}),), self.TWO)
        check_offices((self.PERSON.model_copy(update={"office": None}),), self.TWO)
        check_offices((self.PERSON,), Policy(name="plain"))


class TestAnErasedPerson:
    async def test_can_stay_without_a_name(
        self, service: CommandService, keys: MemoryKeys, people: tuple[Entry, ...]
    ) -> None:
        """Somebody erased may go on working here; only who they are is never written down again."""
        *others, gone = people[:3]
        await keys.destroy("a-1", key_subject_of(gone.person_id))
        bare = gone.model_copy(update={"name": None, "email": None})
        loaded = [
            await load_agency(service, "a-1", people=(*others, bare, people[3]), actor=OPERATOR)
            for _ in range(2)
        ]
        assert [each.people for each in loaded] == ["accepted", "nothing-to-do"]

    async def test_is_not_named_again(
        self, service: CommandService, keys: MemoryKeys, people: tuple[Entry, ...]
    ) -> None:
        await keys.destroy("a-1", key_subject_of("r-1"))
        with pytest.raises(KeyDestroyed, match="person:r-1"):
            await load_agency(service, "a-1", people=people, actor=OPERATOR)
