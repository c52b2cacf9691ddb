"""What is sent, what counts as an answer, and what is made of it."""

import asyncio
import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest
from standardwebhooks import Webhook

from workers.delivering.addresses import Rules
from workers.delivering.schedule import ATTEMPTS, JITTER, SCHEDULE, Answer, next_pause
from workers.delivering.secrets import new_secret
from workers.delivering.sending import Sender, signed

if TYPE_CHECKING:
    from tests.workers.delivering.conftest import Got, Receiver

NOW = datetime.now(UTC)
RULES = Rules(allow_http=True, allow_private=True)


class TestSigned:
    def test_is_what_the_specification_says(self) -> None:
        """Reckoned by hand: base64 of HMAC-SHA256 over id, timestamp and body."""
        secret = new_secret()
        headers = signed("m-1", NOW, '{"ä":1}', [secret])
        key = base64.b64decode(secret.removeprefix("whsec_"))
        text = f'm-1.{int(NOW.timestamp())}.{{"ä":1}}'.encode()
        expected = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{expected}"

    def test_holds_a_signature_by_each_secret(self) -> None:
        new, old = new_secret(), new_secret()
        headers = signed("m-1", datetime.now(UTC), "{}", [new, old])
        for secret in (new, old):
            assert Webhook(secret).verify("{}", headers) == {}

    def test_is_in_the_time_zone_of_nobody(self) -> None:
        elsewhere = NOW.astimezone()
        secret = new_secret()
        assert signed("m-1", elsewhere.astimezone(UTC), "{}", [secret]) == signed("m-1", NOW, "{}", [secret])


class TestSend:
    async def test_waits_no_longer_than_it_may(self, receiver: "Receiver") -> None:
        never = asyncio.Event()

        async def say(_: "Got") -> bytes:
            await never.wait()
            return b""

        receiver.say = say
        async with Sender(RULES, answers_within=0.2) as sender:
            answer = await sender.send(receiver.url, "m-1", "{}", [new_secret()], NOW)
        never.set()
        assert (answer.status, answer.says, answer.verdict) == (
            None,
            "no answer within 0.2 seconds",
            "again",
        )

    async def test_takes_the_status_for_the_answer_where_the_body_never_ends(
        self, receiver: "Receiver"
    ) -> None:
        async def say(_: "Got") -> bytes:
            return b"HTTP/1.1 200 So\r\nContent-Length: 100000\r\n\r\nwords"

        receiver.say = say
        async with Sender(RULES) as sender:
            answer = await sender.send(receiver.url, "m-1", "{}", [new_secret()], NOW)
        assert answer.verdict == "delivered"

    async def test_tells_nothing_of_a_body(self, receiver: "Receiver") -> None:
        async def say(_: "Got") -> bytes:
            return b"HTTP/1.1 500 Anna Smith\r\nContent-Length: 10\r\n\r\nAnna Smith"

        receiver.say = say
        async with Sender(RULES) as sender:
            answer = await sender.send(receiver.url, "m-1", "{}", [new_secret()], NOW)
        assert answer == Answer(500, "it answered 500")

    async def test_says_that_something_else_answers_there(self, receiver: "Receiver") -> None:
        async def say(_: "Got") -> bytes:
            return b"220 mail.example.org ESMTP\r\n"

        receiver.say = say
        async with Sender(RULES) as sender:
            answer = await sender.send(receiver.url, "m-1", "{}", [new_secret()], NOW)
        assert answer == Answer(None, "what answers there does not speak HTTP as it should")


# Fixed, because a test is called by it.
THEN = datetime(2026, 1, 5, 12, tzinfo=UTC)


class TestAnswer:
    @pytest.mark.parametrize(
        ("status", "verdict"),
        [
            (200, "delivered"),
            (202, "delivered"),
            (204, "delivered"),
            (301, "again"),
            (400, "again"),
            (404, "again"),
            (410, "gone"),
            (429, "again"),
            (500, "again"),
            (None, "again"),
        ],
    )
    def test_means(self, status: int | None, verdict: str) -> None:
        assert Answer(status, "").verdict == verdict

    @pytest.mark.parametrize(
        ("status", "header", "seconds"),
        [
            (429, "120", 120),
            (503, "120", 120),
            (500, "120", 0),
            (429, None, 0),
            (429, "-5", 0),
            (429, "soon", 0),
            (429, "9999999999", 86_400),
            (503, format_datetime(THEN + timedelta(minutes=10), usegmt=True), 600),
            (503, format_datetime(THEN - timedelta(minutes=10), usegmt=True), 0),
        ],
    )
    def test_asks_for_a_pause(self, status: int, header: str | None, seconds: int) -> None:
        asked = Answer(status, "", header).pause_asked(THEN)
        assert asked == timedelta(seconds=seconds)


class TestNextPause:
    def test_follows_the_specification(self) -> None:
        pauses = [next_pause(number, 0.0) for number in range(1, ATTEMPTS)]
        assert pauses == list(SCHEDULE[1:])
        assert sum(SCHEDULE, timedelta()) == timedelta(hours=75, minutes=35, seconds=5)

    def test_ends(self) -> None:
        assert next_pause(ATTEMPTS) is None

    def test_is_longer_by_chance_and_never_shorter(self) -> None:
        tried = [next_pause(4) for _ in range(50)]
        assert len(set(tried)) > 1
        assert all(each is not None and SCHEDULE[4] <= each <= SCHEDULE[4] * (1 + JITTER) for each in tried)
