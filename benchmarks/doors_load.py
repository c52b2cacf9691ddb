"""The load on the HTTP door, from a process of its own: callers that ask, wait for the answer, and ask again.

It speaks HTTP/1.1 by itself, because a client library takes more of a core than the door it would measure.
"""

import asyncio
import base64
import hmac
import itertools
import json
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from benchmarks.giving import WORDS
from gateway.http.serving import run
from workers.ending import end_process

READS = ("", "/events", "/obligations", "list", "waiting")
COMMANDS: dict[str, dict[str, Any]] = {
    "record-contact": {"channel": "phone", "by": "r-1", "note": WORDS},
    "record-attempt": {"channel": "phone", "by": "r-1", "note": WORDS},
    "record-message": {"channel": "email", "words": WORDS},
}


@dataclass(frozen=True)
class Job:
    """One round: so many callers, for so long, who ask by these weights of a kind."""

    name: str
    port: int
    callers: int
    seconds: float
    mix: dict[str, float]
    engagements: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    """The first one gives the commands."""
    connection: str = ""
    secret: str = ""


@dataclass
class Told:
    """What a round came to; milliseconds by kind."""

    took: dict[str, list[float]] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    commands: list[tuple[str, str, str]] = field(default_factory=list)
    """The acknowledged ones: engagement, command id, name."""
    webhooks: list[tuple[str, str]] = field(default_factory=list)
    """The acknowledged ones: engagement, key."""
    seconds: float = 0.0
    cpu: float = 0.0


@dataclass(frozen=True)
class Asked:
    """One request, and what to note when it is acknowledged."""

    head: str
    body: bytes = b""
    acknowledged: Callable[[Told], None] = lambda _: None


class Caller:
    """One connection that is kept."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def ask(self, asked: Asked) -> tuple[int, bytes]:
        """This will send a request and read its answer whole."""
        self._writer.write(
            f"{asked.head}Host: 127.0.0.1\r\nContent-Length: {len(asked.body)}\r\n\r\n".encode() + asked.body
        )
        head = await self._reader.readuntil(b"\r\n\r\n")
        _, _, rest = head.lower().partition(b"\r\ncontent-length:")
        body = await self._reader.readexactly(int(rest.partition(b"\r\n")[0]))
        return int(head[9:12]), body

    async def __aenter__(self) -> "Caller":
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port, limit=2**22)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()


class Asking:
    """Makes the requests of a round."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._numbers = itertools.count()
        self._kinds = {"read": self._read, "command": self._command, "webhook": self._webhook}

    def of(self, kind: str) -> Asked:
        """This will make the next request of a kind."""
        return self._kinds.get(kind, self._bare)(next(self._numbers))

    def _read(self, number: int) -> Asked:
        job, what = self._job, READS[number % len(READS)]
        place = f"/v1/engagements/{self._nth(number // len(READS))}{what}"
        place = {"list": "/v1/engagements", "waiting": "/v1/waiting"}.get(what, place)
        token = job.tokens[number // 2 % len(job.tokens)]
        return Asked(f"GET {place} HTTP/1.1\r\nAuthorization: Bearer {token}\r\n")

    def _command(self, number: int) -> Asked:
        engagement, name = self._nth(number), list(COMMANDS)[number % len(COMMANDS)]
        command_id = f"{self._job.name}-{number}"
        head = (
            f"POST /v1/engagements/{engagement}/commands/{name} HTTP/1.1\r\n"
            "Content-Type: application/json\r\n"
            f"Authorization: Bearer {self._job.tokens[0]}\r\nIdempotency-Key: {command_id}\r\n"
        )
        body = json.dumps(COMMANDS[name]).encode()
        return Asked(head, body, lambda told: told.commands.append((engagement, command_id, name)))

    def _webhook(self, number: int) -> Asked:
        engagement, now = self._nth(number), datetime.now(UTC)
        key, stamp = f"msg_{self._job.name}-{number}", int(now.timestamp())
        told = {
            "type": "rapport.command.record-message",
            "timestamp": now.isoformat(),
            "subject": engagement,
            "data": COMMANDS["record-message"],
        }
        body = json.dumps(told).encode()
        secret = base64.b64decode(self._job.secret.removeprefix("whsec_"))
        digest = base64.b64encode(hmac.digest(secret, f"{key}.{stamp}.".encode() + body, "sha256")).decode()
        head = (
            f"POST /hooks/{self._job.connection} HTTP/1.1\r\nContent-Type: application/json\r\n"
            f"webhook-id: {key}\r\nwebhook-timestamp: {stamp}\r\nwebhook-signature: v1,{digest}\r\n"
        )
        return Asked(head, body, lambda told: told.webhooks.append((engagement, key)))

    def _bare(self, number: int) -> Asked:
        body = json.dumps(list(COMMANDS.values())[number % len(COMMANDS)]).encode()
        return Asked(f"POST /bare/{number % len(self._job.engagements)} HTTP/1.1\r\n", body)

    def _nth(self, number: int) -> str:
        return self._job.engagements[number % len(self._job.engagements)]


async def round_of(job: Job) -> Told:
    """This will let callers ask until the time is over, and wait for the last answers."""
    told, asking = Told(), Asking(job)
    began, cpu = time.perf_counter(), time.process_time()
    kinds, weights = list(job.mix), list(job.mix.values())

    def drawn(seed: int) -> Iterator[str]:
        chance = random.Random(f"{job.name} {seed}")
        while True:
            yield from chance.choices(kinds, weights, k=100)

    async def keep_on(number: int) -> None:
        async with Caller(job.port) as caller:
            for kind in drawn(number):
                asked_at = time.perf_counter()
                if asked_at > began + job.seconds:
                    return
                asked = asking.of(kind)
                status, body = await caller.ask(asked)
                told.took.setdefault(kind, []).append(1000 * (time.perf_counter() - asked_at))
                told.statuses[str(status)] = told.statuses.get(str(status), 0) + 1
                if status < 300:
                    asked.acknowledged(told)
                elif len(told.errors) < 5:
                    told.errors.append(f"{kind}: {status} {body[:300].decode(errors='replace')}")

    await asyncio.gather(*map(keep_on, range(job.callers)))
    told.seconds, told.cpu = time.perf_counter() - began, time.process_time() - cpu
    return told


async def main() -> None:
    """This will carry out a round for each line of standard input."""
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        told = await round_of(Job(**json.loads(line)))
        print(json.dumps(asdict(told)), flush=True)


if __name__ == "__main__":
    run(main())
    end_process(0)
