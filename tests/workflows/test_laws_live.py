"""Laws 1, 2, 5 and 9 on live workflows: a storm of messages, and a log that fails before and after it writes.

The storm is drawn from a seed, so that what it finds can be found again.
"""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue

from events.decider import prepare
from events.envelope import AppendRequest
from events.fold import fold
from events.log.port import Appended, AppendResult, EventLog
from events.orders import parse_order
from events.policy import read_policy
from workers.client import CommandFailed
from workflows.letters import SOURCE, STRANGER

if TYPE_CHECKING:
    from tests.workflows.conftest import Ground
    from workflows.types import CommandReply

pytestmark = pytest.mark.temporal

ENGAGEMENTS: Final = tuple(f"e-{number}" for number in range(5))
MESSAGES: Final = 150
# So many appends at most go well in a row, before and after they are written.
CALM: Final = 12
# A workflow takes ten updates at once by default; more are kept by their callers.
AT_ONCE: Final = 8


class Storm:
    """Makes the appends of a log fail, before or after they were written."""

    def __init__(self, log: EventLog, chance: random.Random) -> None:
        self._append, self._chance = log.append_many, chance
        self._calm = {"before": CALM, "after": CALM}
        self.failed: Counter[str] = Counter()

    async def append_many(self, requests: Sequence[AppendRequest]) -> list[AppendResult]:
        """Append, or fail, or both."""
        self._strike("before")
        results = await self._append(requests)
        self._strike("after")
        return results

    def _strike(self, when: str) -> None:
        if self._calm[when]:
            self._calm[when] -= 1
        else:
            self._calm[when] = self._chance.randint(0, CALM)
            self.failed[when] += 1
            raise ConnectionError("the log is away")


@dataclass(frozen=True)
class Message:
    """One message to one engagement; *fate* is ``decided``, or the mistake that it is."""

    engagement: str
    name: str
    data: dict[str, Any]
    command_id: str
    signalled: bool
    fate: str = "decided"


@dataclass
class Sender:
    """Draws messages, sends them, and keeps what was answered."""

    ground: "Ground"
    chance: random.Random
    numbers: "count[int]" = field(default_factory=count)
    sent: list[Message] = field(default_factory=list)
    earlier: list[Message] = field(default_factory=list)
    replies: "dict[tuple[str, str], list[CommandReply]]" = field(default_factory=dict)
    mistakes: list[tuple[Message, str]] = field(default_factory=list)

    def draw(self) -> Message:
        """Draw a message: a new one, one sent before, or one that reuses an id for something else."""
        kind = self.chance.random()
        signalled = self.chance.random() < 0.4
        again = [each for each in self.sent if each.fate == "decided"]
        if again and kind < 0.2:
            # By the same door or by the other one.
            return replace(self.chance.choice(again), signalled=signalled)
        # Of an earlier wave: else nobody could say which of the two was there first.
        used = [each for each in self.earlier if each.fate == "decided"]
        if used and kind < 0.27:
            old = self.chance.choice(used)
            data = {"check": "identity", "outcome": "reused"}
            return Message(
                old.engagement, "record-check", data, old.command_id, signalled, "command-id-reused"
            )
        name, data, fate = self._new()
        return Message(
            self.chance.choice(ENGAGEMENTS), name, data, f"m-{next(self.numbers)}", signalled, fate
        )

    def _new(self) -> tuple[str, dict[str, Any], str]:
        thing = f"x-{self.chance.randrange(4)}"
        return self.chance.choice(
            [
                ("record-contact", {"by": "r-1", "channel": "phone", "note": "words"}, "decided"),
                ("record-attempt", {"by": "r-1", "channel": "email"}, "decided"),
                ("record-message", {"message_id": thing}, "decided"),
                ("record-check", {"check": "references", "outcome": "good"}, "decided"),
                ("record-application", {"application_id": thing, "job_order_id": thing}, "decided"),
                ("complete-intake", {}, "decided"),
                ("propose-job", {"job_order_id": thing, "by": "r-1"}, "decided"),
                ("submit", {"job_order_id": thing, "by": "r-1"}, "decided"),
                ("record-submission", {"job_order_id": thing, "by": "r-1"}, "decided"),
                ("pause", {"until": "2099-01-01T00:00:00Z"}, "decided"),
                ("resume", {}, "decided"),
                ("record-offer", {"submission_id": "nobodys"}, "unknown-reference"),
                ("record-check", {"check": "references"}, "invalid-command"),
                ("record-chek", {"check": "references", "outcome": "good"}, "invalid-command"),
            ]
        )

    async def send(self, message: Message) -> None:
        """Send a message and keep its reply."""
        if message.signalled:
            content = json.dumps({**message.data, "command_id": message.command_id}).encode()
            raw = RawValue(Payload(metadata={"encoding": b"json/plain"}, data=content))
            await self.ground.handle(message.engagement).signal(message.name, raw)
            return
        try:
            reply = await self.ground.give(
                message.engagement, message.name, message.data, command_id=message.command_id
            )
        except CommandFailed as error:
            self.mistakes.append((message, error.code))
            return
        self.replies.setdefault((message.engagement, message.command_id), []).append(reply)

    async def send_all(self) -> None:
        """Send the storm: in waves, so that a message and its repetition meet in all ways."""
        gates = {each: asyncio.Semaphore(AT_ONCE) for each in ENGAGEMENTS}

        async def one(message: Message) -> None:
            async with gates[message.engagement]:
                await self.send(message)

        while len(self.sent) < MESSAGES:
            self.earlier = list(self.sent)
            wave = []
            for _ in range(self.chance.randint(5, 40)):
                wave.append(self.draw())
                self.sent.append(wave[-1])
            await asyncio.gather(*(one(each) for each in wave))


@pytest.mark.parametrize("seed", [1, 2])
class TestStorm:
    async def test_loses_nothing_and_doubles_nothing(self, ground: "Ground", seed: int) -> None:
        """Laws 1, 2 and 5, while every seventh append fails before its commit and every seventh after it."""
        chance = random.Random(seed)
        for each in ENGAGEMENTS:
            await ground.opened(each)
        # Dice of its own: how many appends a wave takes hangs on the machine, and what is sent must not.
        storm = Storm(ground.log, random.Random(seed))
        ground.log.append_many = storm.append_many  # type: ignore[method-assign]  # the worker holds this very log
        sender = Sender(ground, chance)
        await sender.send_all()
        assert storm.failed["before"] > 3, storm.failed
        assert storm.failed["after"] > 3, storm.failed
        for each in ENGAGEMENTS:
            await self._is_complete(ground, sender, each)
        for message, code in sender.mistakes:
            assert code == message.fate or (message.fate, code) == ("command-id-reused", "CommandIdReused")

    async def _is_complete(self, ground: "Ground", sender: Sender, engagement: str) -> None:
        mine = [each for each in sender.sent if each.engagement == engagement]
        decided = {each.command_id for each in mine if each.fate == "decided"}
        refused = Counter(each.fate for each in mine if each.signalled and each.fate != "decided")
        stream = f"engagement:{engagement}"

        async def receipts() -> bool:
            found = [await ground.log.receipt(ground.agency, stream, each) for each in decided]
            reasons = [event for event in await ground.events(engagement) if event.type == "message-refused"]
            return None not in found and len(reasons) >= sum(refused.values())

        await ground.until(receipts)
        await ground.engagements().poke(engagement)
        state = await ground.engagements().state(engagement)
        events = await ground.events(engagement)
        assert [event.version for event in events] == list(range(1, len(events) + 1))
        assert len({event.event_id for event in events}) == len(events)
        assert fold(events) == state
        # Refused, each of them once, and for its own reason.
        told = Counter(json.loads(each.body)["reason"] for each in events if each.type == "message-refused")
        assert told == refused
        # Nothing came of what was no proper command.
        known = {event.command_id for event in events if event.type != "message-refused"}
        assert known <= decided | {f"open-{engagement}"}
        for command_id in decided:
            found = [event.type for event in events if event.command_id == command_id]
            receipt = await ground.log.receipt(ground.agency, stream, command_id)
            assert receipt is not None
            assert receipt.last - receipt.first + 1 == len(found)
            for reply in sender.replies.get((engagement, command_id), []):
                assert (reply.outcome, list(reply.events)) == (receipt.outcome, found)


class TestLogAheadOfTheRun:
    async def test_is_folded_without_a_gap_when_a_later_command_comes_first(self, ground: "Ground") -> None:
        """Law 2: a known command brings back its own events, and what lies before them is fetched."""
        await ground.opened()
        commands = {
            "b-1": ("record-contact", {"by": "r-1", "channel": "phone"}),
            "b-2": ("record-check", {"check": "references", "outcome": "good"}),
            "b-3": ("complete-intake", {}),
        }
        await self._committed_unseen(ground, commands)
        for command_id in ("b-3", "b-1", "b-2"):
            reply = await ground.give("e-1", *commands[command_id], command_id=command_id)
            found = [event.type for event in await ground.events() if event.command_id == command_id]
            assert (reply.outcome, list(reply.events)) == ("accepted", found)
            assert await ground.engagements().state("e-1") == fold(await ground.events())

    async def _committed_unseen(
        self, ground: "Ground", commands: dict[str, tuple[str, dict[str, Any]]]
    ) -> None:
        """Commit commands as the run itself would have, had it lived to know of it."""
        state = await ground.engagements().state("e-1")
        head = await ground.log.head(ground.agency, "engagement:e-1")
        assert head is not None
        assert state.policy_digest is not None
        body = await ground.log.load_policy(ground.agency, state.policy_digest)
        assert body is not None
        groups = []
        for command_id, (name, data) in commands.items():
            order = parse_order(name, data, command_id=command_id, actor_default=STRANGER, source=SOURCE)
            assert state.decided_at is not None
            prepared = prepare(
                order,
                state,
                read_policy(body),
                state.decided_at,
                agency=ground.agency,
                engagement_id="e-1",
            )
            groups.append(prepared.group)
            state = prepared.state
        request = AppendRequest(
            agency=ground.agency,
            stream="engagement:e-1",
            expected=head.version,
            run_epoch=head.run_epoch,
            groups=tuple(groups),
        )
        [result] = await ground.log.append_many([request])
        assert isinstance(result, Appended)


class TestPoisonedEngagement:
    async def test_says_why_and_stops_nobody_else(self, ground: "Ground") -> None:
        """Law 9: its policy is gone from the log; the others go on, and nothing of it is silent."""
        for each in ("e-sick", "e-well"):
            await ground.opened(each)
        [starter] = [json.loads(each.body)["digest"] for each in await self._adopted(ground, "e-sick")]
        body = await ground.log.load_policy(ground.agency, starter)
        assert body is not None
        gone = "0" * 64
        await ground.log.save_policy(ground.agency, gone, body)
        adopt = {"digest": gone, "policy_name": "gone"}
        assert (await ground.give("e-sick", "adopt-policy", adopt)).outcome == "accepted"
        find = ground.log.load_policy

        async def lost(agency: str, digest: str) -> str | None:
            return None if digest == gone else await find(agency, digest)

        ground.log.load_policy = lost  # type: ignore[method-assign]  # a row that somebody deleted
        await ground.handle("e-sick").terminate("its next run has to fetch the policy")
        before = await ground.events("e-sick")
        check = {"check": "references", "outcome": "good"}
        for number in range(3):
            with pytest.raises(CommandFailed, match="policy") as failure:
                await ground.give("e-sick", "record-check", check, command_id=f"sick-{number}")
            assert failure.value.code == "UnknownPolicy"
            reply = await ground.give("e-well", "record-check", check, command_id=f"well-{number}")
            assert reply.outcome == "accepted"
        assert await ground.events("e-sick") == before
        assert (await ground.engagements().state("e-sick")).version == len(before)
        assert await ground.running("e-sick")
        ground.log.load_policy = find  # type: ignore[method-assign]  # and put back
        reply = await ground.give("e-sick", "record-check", check, command_id="sick-mended")
        assert reply.outcome == "accepted"

    async def _adopted(self, ground: "Ground", engagement: str) -> list[Any]:
        return [each for each in await ground.events(engagement) if each.type == "policy-adopted"]
