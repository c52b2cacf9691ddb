"""The activities by which a workflow reads and writes its stream."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.agency_load import load_agency
from activities.commands import CommandService
from activities.directory import Directory
from activities.errors import is_passing
from activities.recording import Recording
from activities.types import AppendReply, ConflictReply, LoadRequest, PolicyRequest
from events.catalogue import CandidateWrote
from events.codec import draft
from events.envelope import Actor, AppendRequest, Claim, CommandGroup, event_id
from events.log.memory import MemoryLog
from events.log.port import AppendResult, Fenced, StreamClosed, Taken
from events.policy import Policy

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
RECRUITER = Actor(kind="person", id="r-1")


def group(command_id: str, words: str = "please call me", claims: tuple[Claim, ...] = ()) -> CommandGroup:
    event = CandidateWrote(at=NOON, message_id=f"m-{command_id}", channel="email", words=words)
    drafted = draft(
        event,
        event_id=event_id("a-1", "engagement:e-1", command_id, 0),
        decided_at=NOON,
        actor=RECRUITER,
        source="test",
    )
    return CommandGroup(
        command_id=command_id, input=words, outcome="accepted", drafts=(drafted,), claims=claims
    )


def request(*groups: CommandGroup, expected: int = 0, stream: str = "engagement:e-1") -> AppendRequest:
    return AppendRequest(agency="a-1", stream=stream, expected=expected, groups=groups)


class Answering(MemoryLog):
    """A log that always gives the same answer."""

    def __init__(self, answer: AppendResult | Exception) -> None:
        super().__init__()
        self.answer = answer

    async def append_many(self, requests: Sequence[AppendRequest]) -> list[AppendResult]:
        if isinstance(self.answer, Exception):
            raise self.answer
        return [self.answer]


@pytest.fixture
def recording(log: MemoryLog, directory: Directory) -> Recording:
    return Recording(log, directory)


async def append(log: MemoryLog, wanted: AppendRequest) -> AppendReply:
    return await ActivityEnvironment().run(Recording(log, Directory(log)).append, wanted)


async def failure(answer: Exception) -> ApplicationError:
    with pytest.raises(ApplicationError) as caught:
        await append(Answering(answer), request(group("c-1")))
    return caught.value


class TestAppend:
    async def test_returns_what_is_stored(self, log: MemoryLog) -> None:
        reply = (await append(log, request(group("c-1")))).result
        assert reply.status == "appended"
        assert (reply.version, reply.outcomes) == (1, {"c-1": "accepted"})
        assert reply.events[0].type == "candidate-wrote"

    async def test_returns_the_same_when_repeated(self, log: MemoryLog) -> None:
        """A local activity runs again when its workflow task is lost."""
        first = await append(log, request(group("c-1")))
        assert await append(log, request(group("c-1"))) == first

    async def test_returns_what_a_stale_writer_misses(self, log: MemoryLog) -> None:
        await append(log, request(group("c-1")))
        reply = (await append(log, request(group("c-2")))).result
        assert isinstance(reply, ConflictReply)
        assert [event.version for event in reply.missing] == [1]

    async def test_tells_the_known_commands_of_a_mixed_request(self, log: MemoryLog) -> None:
        await append(log, request(group("c-1")))
        reply = (await append(log, request(group("c-1"), group("c-2")))).result
        assert isinstance(reply, ConflictReply)
        assert reply.known == {"c-1": "accepted"}

    async def test_tells_of_a_reused_command_id(self, log: MemoryLog) -> None:
        await append(log, request(group("c-1")))
        reply = (await append(log, request(group("c-1", words="other")))).result
        assert reply.status == "command-id-reused"

    @pytest.mark.parametrize(
        ("answer", "status"),
        [
            (Taken("c-1", "live-submission", "j-1:c-1", "engagement:e-2"), "taken"),
            (Fenced(3), "fenced"),
            (StreamClosed("c-1"), "stream-closed"),
        ],
    )
    async def test_passes_every_other_answer_on(self, answer: AppendResult, status: str) -> None:
        reply = await append(Answering(answer), request(group("c-1")))
        assert reply.result.status == status

    async def test_crosses_temporal(self, log: MemoryLog) -> None:
        reply = await append(log, request(group("c-1")))
        payloads = await pydantic_data_converter.encode([reply])
        [back] = await pydantic_data_converter.decode(payloads, [AppendReply])
        assert back == reply
        assert b"please call me" not in payloads[0].data


@dataclass
class PostgresLookalike(Exception):
    sqlstate: str


class TestFailures:
    async def test_of_the_connection_may_be_tried_again(self) -> None:
        error = await failure(ConnectionRefusedError("10.0.0.1 said no"))
        assert not error.non_retryable
        assert error.type == "ConnectionRefusedError"

    async def test_of_the_program_are_final(self) -> None:
        error = await failure(TypeError("'Quux Candidate' is no int"))
        assert error.non_retryable
        assert error.type == "TypeError"

    async def test_quote_nothing_of_what_was_raised(self) -> None:
        """A foreign error may quote a row, and a row may hold a person's words."""
        error = await failure(ValueError("bad value: Quux Candidate"))
        assert error.message.startswith("could not append to the log: ValueError in ")
        assert error.__cause__ is None
        assert error.__suppress_context__

    @pytest.mark.parametrize(
        ("state", "passes"),
        [("08006", True), ("40P01", True), ("57P01", True), ("42883", True), ("42501", False)],
    )
    def test_of_the_database_pass_by_their_class(self, state: str, passes: bool) -> None:
        """What 'rapport migrate' mends passes too: giving a message up for it would lose the message."""
        assert is_passing(PostgresLookalike(state)) is passes


class TestLoad:
    async def test_begins_a_run(self, recording: Recording, log: MemoryLog) -> None:
        await append(log, request(group("c-1")))
        wanted = LoadRequest(agency="a-1", stream="engagement:e-1", begin_run=True, acked=1)
        reply = await ActivityEnvironment().run(recording.load, wanted)
        assert (reply.version, reply.more, reply.run_epoch, reply.phase) == (1, False, 1, "live")
        head = await log.head("a-1", "engagement:e-1")
        assert head is not None
        assert head.acked_version == 1

    async def test_fences_the_run_before(self, recording: Recording, log: MemoryLog) -> None:
        wanted = LoadRequest(agency="a-1", stream="engagement:e-1", begin_run=True)
        await ActivityEnvironment().run(recording.load, wanted)
        later = await ActivityEnvironment().run(recording.load, wanted)
        assert later.run_epoch == 2

    async def test_of_an_empty_stream_is_empty(self, recording: Recording) -> None:
        reply = await ActivityEnvironment().run(
            recording.load, LoadRequest(agency="a-1", stream="engagement:e-9")
        )
        assert (reply.events, reply.version, reply.more, reply.run_epoch) == ((), 0, False, None)

    async def test_pages_so_that_no_payload_is_too_large(self, log: MemoryLog, directory: Directory) -> None:
        await append(log, request(*(group(f"c-{n:02}") for n in range(20))))
        recording = Recording(log, directory, page_bytes=4_000)
        seen: list[int] = []
        more = True
        while more:
            wanted = LoadRequest(agency="a-1", stream="engagement:e-1", after=seen[-1] if seen else 0)
            reply = await ActivityEnvironment().run(recording.load, wanted)
            assert len(reply.model_dump_json()) < 6_000
            seen += [event.version for event in reply.events]
            more = reply.more
        assert seen == list(range(1, 21))

    async def test_opens_nothing(self, recording: Recording, log: MemoryLog) -> None:
        await append(log, request(group("c-1")))
        reply = await ActivityEnvironment().run(
            recording.load, LoadRequest(agency="a-1", stream="engagement:e-1")
        )
        assert reply.events[0].opened == {}
        assert "sealed" in json.loads(reply.events[0].body)["words"]


class TestLoadPolicy:
    async def test_gives_the_current_one_without_a_digest(
        self, recording: Recording, service: CommandService
    ) -> None:
        policy = Policy(name="starter")
        await load_agency(service, "a-1", policy=policy, actor=RECRUITER)
        reply = await ActivityEnvironment().run(recording.load_policy, PolicyRequest(agency="a-1"))
        assert (reply.digest, reply.body) == (policy.digest(), policy.body())

    async def test_says_when_there_is_none(self, recording: Recording) -> None:
        with pytest.raises(ApplicationError, match="has adopted no policy yet") as caught:
            await ActivityEnvironment().run(recording.load_policy, PolicyRequest(agency="a-1"))
        assert caught.value.non_retryable
