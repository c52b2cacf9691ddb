"""What destroying a key means to a log, asked of both adapters alike."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from events import agency as agencies
from events.codec import decode, draft
from events.envelope import Actor, AppendRequest, CommandGroup, Stored, event_id
from events.log.keys import KeyDestroyed, KeyStore
from events.log.port import Appended, EventLog
from events.log.verify import broken_at
from events.personal import Erased

STREAM = "engagement:e-1"
OTHER = "engagement:e-2"
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


async def append(log: EventLog, request: Any) -> Any:
    (result,) = await log.append_many([request])
    return result


def joined(agency: str, stream: str, *people: str) -> AppendRequest:
    """This will be the request by which people join an agency."""
    drafts = tuple(
        draft(
            agencies.PersonJoined(
                at=NOON,
                person_id=each,
                role="recruiter",
                name=f"Name of {each}",
                email=f"{each}@example.test",
            ),
            event_id=event_id(agency, stream, "join", ordinal),
            decided_at=NOON,
            actor=Actor(kind="operator", id="o-1"),
            source="test",
        )
        for ordinal, each in enumerate(people)
    )
    group = CommandGroup(command_id="join", input="{}", outcome="accepted", drafts=drafts)
    return AppendRequest(agency=agency, stream=stream, expected=0, groups=(group,))


def folded(agency: str, events: Sequence[Stored]) -> agencies.Agency:
    """This will fold an agency's stream."""
    state = agencies.initial(agency)
    for each in events:
        state = agencies.evolve(state, decode(each, agencies.EVENTS))
    return state


class TestErasing:
    async def test_leaves_a_stream_that_reads_and_verifies(
        self, log: EventLog, keys: KeyStore, make: Any, agency: str
    ) -> None:
        await append(log, make.one(STREAM, 0, "c-1", 2, personal=("words",), words="hello"))
        before = await log.read_stream(agency, STREAM)
        await keys.destroy(agency, STREAM)
        assert await log.read_stream(agency, STREAM, open_personal=True) == before
        assert broken_at(before, await log.ciphertexts(agency, STREAM)) is None

    async def test_touches_no_other_person(
        self, log: EventLog, keys: KeyStore, make: Any, agency: str
    ) -> None:
        await log.append_many(
            [make.one(stream, 0, "c-1", personal=("words",), words="hello") for stream in (STREAM, OTHER)]
        )
        await keys.destroy(agency, STREAM)
        (event,) = await log.read_stream(agency, OTHER, open_personal=True)
        assert event.opened == {"words": '"hello"'}

    async def test_lets_nothing_new_be_sealed(
        self, log: EventLog, keys: KeyStore, make: Any, agency: str
    ) -> None:
        await append(log, make.one(STREAM, 0, "c-1", personal=("words",), words="hello"))
        await keys.destroy(agency, STREAM)
        with pytest.raises(KeyDestroyed):
            await append(log, make.one(STREAM, 1, "c-2", personal=("words",), words="again"))
        assert isinstance(await append(log, make.one(STREAM, 1, "c-3")), Appended)

    async def test_lets_bare_facts_be_recorded(
        self, log: EventLog, keys: KeyStore, make: Any, agency: str
    ) -> None:
        """What says nothing personal about the erased needs no key."""
        await append(log, make.one(STREAM, 0, "c-1", personal=("words",), words="hello"))
        await keys.destroy(agency, STREAM)
        assert isinstance(
            await append(log, make.one(STREAM, 1, "c-2", personal=("words",), words=None)), Appended
        )

    async def test_of_one_person_of_an_agency_leaves_the_others(
        self, log: EventLog, keys: KeyStore, agency: str
    ) -> None:
        stream = f"agency:{agency}"
        await append(log, joined(agency, stream, "r-1", "r-2"))
        whole = folded(agency, await log.read_stream(agency, stream))
        await keys.destroy(agency, agencies.key_subject_of("r-1"))
        closed = await log.read_stream(agency, stream)
        assert folded(agency, closed) == whole
        assert broken_at(closed, await log.ciphertexts(agency, stream)) is None
        people = folded(agency, await log.read_stream(agency, stream, open_personal=True)).people
        assert isinstance(people["r-1"].name, Erased)
        assert isinstance(people["r-1"].email, Erased)
        assert (people["r-2"].name, people["r-2"].email) == ("Name of r-2", "r-2@example.test")
