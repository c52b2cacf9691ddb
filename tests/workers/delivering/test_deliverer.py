"""What is told to whom, in which order, through receivers that fail and workers that die."""

import asyncio
import json
import os
import subprocess
import sys
from collections import defaultdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import asyncpg
import pytest
from cloudevents.core.formats.json import JSONFormat

from workers.delivering.finding import undelivered
from workers.delivering.schedule import ATTEMPTS, JITTER, SCHEDULE

if TYPE_CHECKING:
    from tests.workers.delivering.conftest import Got, Post, Receive, Receiver

pytestmark = pytest.mark.postgres
PROGRAM = Path(__file__).with_name("dying_program.py")
ROOT = Path(__file__).parents[3]
TAKEN, REFUSED = b"HTTP/1.1 204 So\r\n\r\n", b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"
LATER = timedelta(seconds=1)


def numbers(got: "list[Got]") -> dict[str, list[int]]:
    """List the versions that came, by engagement."""
    found: dict[str, list[int]] = defaultdict(list)
    for each in got:
        found[each.subject].append(each.number)
    return dict(found)


class TestDeliver:
    async def test_sends_what_the_library_verifies(self, post: "Post", receiver: "Receiver") -> None:
        of, secret = await post.subscribe(receiver)
        await post.happens("e-1", 2)
        await post.delivered()
        told = receiver.verified(secret)
        assert [each["streamversion"] for each in told] == [1, 2]
        for got in receiver.got:
            read = JSONFormat().read(None, got.body)
            assert read.get_type() == "rapport.contact-made"
            assert read.get_id() == got.headers["webhook-id"]
            assert got.headers["content-type"] == "application/cloudevents+json"
        assert (await post.standing(of)).behind == 0

    async def test_begins_after_what_was_there(self, post: "Post", receiver: "Receiver") -> None:
        await post.happens("e-1", 3)
        await post.subscribe(receiver)
        await post.happens("e-1")
        await post.delivered()
        assert numbers(receiver.got) == {"e-1": [4]}

    async def test_sends_only_the_types_asked_for(self, post: "Post", receiver: "Receiver") -> None:
        of, _ = await post.subscribe(receiver, types=["rapport.paused"])
        await post.happens("e-1", 3)
        await post.happens("e-1", type="paused")
        await post.happens("e-1", 3)
        await post.delivered()
        assert numbers(receiver.got) == {"e-1": [4]}
        assert (await post.standing(of)).settled == 7

    async def test_leaves_personal_fields_out(self, post: "Post", receiver: "Receiver") -> None:
        await post.subscribe(receiver)
        await post.happens("e-1")
        await post.delivered()
        assert receiver.got[0].event["data"] == {"by": "r-1", "channel": "phone"}

    async def test_tells_personal_fields_to_who_may_have_them(
        self, post: "Post", receiver: "Receiver"
    ) -> None:
        await post.subscribe(receiver, personal=True)
        await post.happens("e-1")
        await post.delivered()
        assert receiver.got[0].event["data"]["note"] == "she wants to move to Leeds"

    async def test_tells_nothing_of_who_was_erased_before_the_sending(
        self, post: "Post", receiver: "Receiver"
    ) -> None:
        await post.subscribe(receiver, personal=True)
        await post.happens("e-1")
        await post.keys.destroy(post.agency, "engagement:e-1")
        await post.delivered()
        assert receiver.got[0].event["data"] == {"by": "r-1", "channel": "phone"}

    async def test_tells_no_other_agency(self, post: "Post", receiver: "Receiver") -> None:
        await post.subscribe(receiver)
        mine, post.agency = post.agency, "agency-of-others"
        await post.happens("e-9")
        post.agency = mine
        await post.happens("e-1")
        await post.delivered()
        assert {each.event["source"] for each in receiver.got} == {f"/agencies/{mine}"}


class TestOrder:
    async def test_holds_within_an_engagement_through_failures(
        self, post: "Post", receiver: "Receiver"
    ) -> None:
        """Every third request fails: an engagement's later events wait, and nothing is missing."""
        asked = 0

        async def say(_: "Got") -> bytes:
            nonlocal asked
            asked += 1
            return REFUSED if asked % 3 == 0 else TAKEN

        receiver.say = say
        of, _ = await post.subscribe(receiver)
        for _ in range(4):
            for engagement in ("e-1", "e-2", "e-3"):
                await post.happens(engagement, 2)
        while (await post.standing(of)).behind:
            await post.delivered()
            post.clock.forward(timedelta(hours=1))
        for came in numbers(receiver.got).values():
            assert came == sorted(came)
            assert set(came) == set(range(1, 9))
        assert asked == len(receiver.got) > 24

    async def test_lets_other_engagements_go_on(self, post: "Post", receiver: "Receiver") -> None:
        async def say(got: "Got") -> bytes:
            return REFUSED if got.subject == "e-1" else TAKEN

        receiver.say = say
        of, _ = await post.subscribe(receiver)
        await post.happens("e-1", 3)
        await post.happens("e-2", 3)
        await post.delivered()
        assert numbers(receiver.got) == {"e-1": [1], "e-2": [1, 2, 3]}
        standing = await post.standing(of)
        assert (standing.pending, standing.settled) == (3, 0)


class TestDeadReceiver:
    async def test_delays_no_other(
        self, post: "Post", receive: "Receive", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One never answers; all that the others are to hear they hear while it does not."""
        monkeypatch.setattr(post.sender, "_answers_within", 3600.0)
        dead, living = await receive(), await receive()
        never = asyncio.Event()

        async def say(_: "Got") -> bytes:
            await never.wait()
            return TAKEN

        dead.say = say
        await post.subscribe(dead)
        of, _ = await post.subscribe(living)
        for number in range(20):
            await post.happens(f"e-{number}", 3)
        running = asyncio.create_task(post.deliverer().run())
        try:
            async with asyncio.timeout(30):
                while (await post.standing(of)).behind:  # noqa: ASYNC110 (the database is asked)
                    await asyncio.sleep(0.05)
        finally:
            never.set()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        assert len(living.got) == 60
        assert len(dead.got) <= 4

    async def test_is_tried_by_the_schedule_and_then_parked(self, post: "Post", receiver: "Receiver") -> None:
        receiver.status = 500
        of, _ = await post.subscribe(receiver)
        await post.happens("e-1", 2)
        for attempt, pause in enumerate(SCHEDULE[1:], 1):
            await post.delivered()
            assert len(receiver.got) == attempt
            post.clock.forward(pause - LATER)
            await post.delivered()
            assert len(receiver.got) == attempt, "it was tried before its time"
            post.clock.forward(pause * JITTER + LATER)
        await post.delivered()
        assert len({got.headers["webhook-id"] for got in receiver.got[:ATTEMPTS]}) == 1
        [parked] = await post.subscriptions.parked(post.agency, of.subscription_id)
        assert (parked.stream, parked.attempt, parked.says) == ("engagement:e-1", 10, "it answered 500")
        # The engagement's next event waits for that no longer.
        assert receiver.got[ATTEMPTS].number == 2

    async def test_gets_what_was_parked_when_somebody_asks(self, post: "Post", receiver: "Receiver") -> None:
        receiver.status = 500
        of, _ = await post.subscribe(receiver)
        await post.happens("e-1")
        for _ in SCHEDULE:
            await post.delivered()
            post.clock.forward(timedelta(hours=27))
        assert len(await post.subscriptions.parked(post.agency)) == 1
        receiver.status = 200
        await post.delivered()
        assert len(receiver.got) == ATTEMPTS
        assert await post.subscriptions.retry(post.agency, of.subscription_id, post.clock()) == 1
        await post.delivered()
        assert len(receiver.got) == ATTEMPTS + 1
        assert await post.subscriptions.parked(post.agency) == []

    async def test_that_answers_410_is_told_nothing_more(self, post: "Post", receiver: "Receiver") -> None:
        receiver.status = 410
        of, _ = await post.subscribe(receiver)
        await post.happens("e-1", 2)
        await post.delivered()
        post.clock.forward(timedelta(days=2))
        await post.delivered()
        assert len(receiver.got) == 1
        assert (await post.standing(of)).subscription.state == "gone"
        receiver.status = 204
        await post.subscriptions.turn(post.agency, of.subscription_id, "active", post.clock())
        await post.delivered()
        assert numbers(receiver.got) == {"e-1": [1, 1, 2]}

    @pytest.mark.parametrize("status", [429, 503])
    async def test_is_left_alone_for_as_long_as_it_asks(
        self, post: "Post", receiver: "Receiver", status: int
    ) -> None:
        async def say(_: "Got") -> bytes:
            return f"HTTP/1.1 {status} So\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n".encode()

        receiver.say = say
        await post.subscribe(receiver)
        await post.happens("e-1")
        await post.delivered()
        receiver.say = None
        await post.happens("e-2")
        post.clock.forward(timedelta(seconds=3500))
        await post.delivered()
        assert len(receiver.got) == 1
        post.clock.forward(timedelta(seconds=101))
        await post.delivered()
        assert [got.subject for got in receiver.got] == ["e-1", "e-1", "e-2"]

    async def test_is_not_followed_elsewhere(self, post: "Post", receive: "Receive") -> None:
        moved, elsewhere = await receive(), await receive()

        async def say(_: "Got") -> bytes:
            return f"HTTP/1.1 307 So\r\nLocation: {elsewhere.url}\r\nContent-Length: 0\r\n\r\n".encode()

        moved.say = say
        of, _ = await post.subscribe(moved)
        await post.happens("e-1")
        await post.delivered()
        assert elsewhere.got == []
        assert (await post.standing(of)).subscription.says == "it answered 307"


class TestSeveralWorkers:
    async def test_send_each_message_once_and_one_at_a_time_of_an_engagement(
        self, post: "Post", receiver: "Receiver"
    ) -> None:
        under_way: list[str] = []
        overlapping: list[str] = []

        async def say(got: "Got") -> bytes:
            if got.subject in under_way:
                overlapping.append(got.subject)
            under_way.append(got.subject)
            for _ in range(50):
                # The others have every chance to come before the answer.
                await asyncio.sleep(0)
            under_way.remove(got.subject)
            return TAKEN

        receiver.say = say
        await post.subscribe(receiver)
        for number in range(10):
            await post.happens(f"e-{number}", 5)
        await asyncio.gather(*(post.deliverer().once() for _ in range(3)))
        while len(receiver.got) < 50:
            await post.delivered()
        assert len(receiver.got) == 50
        assert overlapping == []
        assert all(came == [1, 2, 3, 4, 5] for came in numbers(receiver.got).values())


class TestKilledWorker:
    async def test_between_sending_and_noting_sends_again_under_the_same_id(
        self, post: "Post", receiver: "Receiver"
    ) -> None:
        of, secret = await post.subscribe(receiver)
        await post.happens("e-1", 2)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(PROGRAM),
            post.url,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
        )
        _, stderr = await process.communicate()
        assert process.returncode == 9, stderr.decode()
        assert len(receiver.got) == 1
        await post.delivered()
        assert len(receiver.got) == 1, "its claim has not lapsed yet"
        post.clock.forward(timedelta(seconds=90))
        await post.delivered()
        assert [got.number for got in receiver.got] == [1, 1, 2]
        first, second, _ = receiver.got
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        assert json.loads(first.body) == json.loads(second.body)
        assert (await post.standing(of)).behind == 0
        assert len(receiver.verified(secret)) == 3

    async def test_that_comes_back_late_changes_nothing(self, post: "Post", receiver: "Receiver") -> None:
        """What it was sending is somebody else's by now."""
        of, _ = await post.subscribe(receiver)
        await post.happens("e-1")
        await post.deliveries.take_in(of, await post.log.read_all(post.agency), post.clock())
        slow = await post.deliveries.claim(of, post.clock())
        assert slow is not None
        post.clock.forward(timedelta(seconds=90))
        other = await post.deliveries.claim(of, post.clock())
        assert other is not None
        answer = await post.sender.send(of.url, "m-1", "{}", ["whsec_AAAA"], post.clock())
        assert not await post.deliveries.settle(of, slow, answer, post.clock())
        assert await post.deliveries.settle(of, other, answer, post.clock())


class TestReplay:
    async def test_tells_everything_from_a_position_again(self, post: "Post", receiver: "Receiver") -> None:
        of, _ = await post.subscribe(receiver)
        await post.happens("e-1", 3)
        await post.happens("e-2", 2)
        await post.delivered()
        assert await post.subscriptions.replay(post.agency, of.subscription_id, 2, post.clock()) == 4
        assert (await post.standing(of)).behind == 4
        await post.delivered()
        assert numbers(receiver.got[5:]) == {"e-1": [2, 3], "e-2": [1, 2]}
        ids = [got.headers["webhook-id"] for got in receiver.got]
        assert set(ids[5:]) == set(ids[1:5])


class TestRotation:
    async def test_signs_with_both_until_the_old_one_expires(
        self, post: "Post", receiver: "Receiver"
    ) -> None:
        of, old = await post.subscribe(receiver)
        new = await post.subscriptions.rotate(
            post.agency, of.subscription_id, post.clock(), timedelta(minutes=2)
        )
        await post.happens("e-1")
        await post.delivered()
        assert len(receiver.got[0].headers["webhook-signature"].split(" ")) == 2
        assert receiver.verified(old)
        assert receiver.verified(new)
        post.clock.forward(timedelta(minutes=3))
        receiver.got.clear()
        await post.happens("e-1")
        await post.delivered()
        assert len(receiver.got[0].headers["webhook-signature"].split(" ")) == 1
        assert receiver.verified(new)

    async def test_keeps_no_secret_in_clear(self, post: "Post", receiver: "Receiver") -> None:
        _, secret = await post.subscribe(receiver)
        connection = await asyncpg.connect(post.url)
        rows = await connection.fetch("SELECT sealed FROM rapport.subscription_secrets")
        await connection.close()
        assert len(rows) == 1
        assert secret.encode() not in rows[0]["sealed"]


class TestTampered:
    async def test_event_is_parked_and_named(self, post: "Post", receiver: "Receiver") -> None:
        """A row that names an event the log does not hold stops nothing."""
        of, _ = await post.subscribe(receiver)
        await post.happens("e-1", 2)
        [first, second] = await post.log.read_all(post.agency)
        wrong = first.model_copy(update={"event_id": UUID(int=1)})
        await post.deliveries.take_in(of, [wrong, second], post.clock())
        await post.delivered()
        assert numbers(receiver.got) == {"e-1": [2]}
        [parked] = await post.subscriptions.parked(post.agency)
        assert parked.event_id == UUID(int=1)

    async def test_secret_is_a_failure_that_is_seen(self, post: "Post", receiver: "Receiver") -> None:
        """What cannot be signed is not tried in silence for ever: it goes by the schedule, and is shown."""
        of, _ = await post.subscribe(receiver)
        await post.happens("e-1")
        connection = await asyncpg.connect(post.url)
        await connection.execute(
            "UPDATE rapport.subscription_secrets SET sealed = sha256(sealed) WHERE agency = $1", post.agency
        )
        await connection.close()
        for _ in SCHEDULE:
            await post.delivered()
            [found] = await undelivered(post.subscriptions, post.agency)
            assert found.reason == "it cannot be made ready (InvalidTag)"
            post.clock.forward(timedelta(hours=27))
        assert len(await post.subscriptions.parked(post.agency, of.subscription_id)) == 1
        assert receiver.got == []
