"""A mail server that the soak can question: it knows of each message how far its DATA came.

Once the final dot is in, the message counts as received, whatever becomes of the answer: so does a real one.
"""

import asyncio
import email
import random
import time
from dataclasses import dataclass
from typing import Any, Final, Literal

from aiosmtpd.smtp import SMTP, Envelope, Session

from workers.smtp_sink import LARGEST, LOOPBACK

LONGEST_DELAY: Final = 2.0  # seconds between the final dot and the answer to it

Fate = Literal["open", "cut", "answered", "ended"]


@dataclass
class Delivery:
    """One message that came in whole.  Times are of ``time.monotonic``.

    ``open``: the answer is not given yet; ``cut``: the line was lost before it; ``answered``: 250 was sent;
    ``ended``: the client has gone on, so it has read the answer.
    """

    message_id: str
    received: float
    fate: Fate = "open"
    over: float | None = None

    def becomes(self, fate: Fate) -> None:
        """Note what has become of it, and when."""
        self.fate, self.over = fate, time.monotonic()


class Mail:
    """The server; its deliveries are kept outside of every process that the soak kills."""

    def __init__(self, seed: int) -> None:
        self.host = LOOPBACK
        self.port = 0
        self.deliveries: list[Delivery] = []
        self.cut_within = 0
        self._random = random.Random(f"mail {seed}")
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen on any free port of loopback."""
        self._server = await asyncio.get_running_loop().create_server(self._protocol, self.host, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def handle_DATA(self, server: "_Conversation", _session: Session, envelope: Envelope) -> str:
        """Take a message, and take some time to say so."""
        head = email.message_from_bytes(envelope.original_content or b"")
        delivery = Delivery(str(head["Message-ID"]), time.monotonic())
        self.deliveries.append(delivery)
        server.delivery = delivery
        try:
            await asyncio.sleep(self._random.uniform(0, LONGEST_DELAY))
        except asyncio.CancelledError:
            delivery.becomes("cut")
            raise
        delivery.becomes("answered")
        return "250 kept"

    def _protocol(self) -> "_Conversation":
        return _Conversation(self)


class _Conversation(SMTP):
    """Notes what the client does after a message, or that the line is lost within one."""

    def __init__(self, mail: Mail) -> None:
        super().__init__(
            mail, hostname="localhost", ident="soak", data_size_limit=LARGEST, enable_SMTPUTF8=True
        )
        self.delivery: Delivery | None = None
        self._mail = mail

    async def smtp_DATA(self, arg: str) -> None:
        self.delivery = None
        try:
            await super().smtp_DATA(arg)
        except asyncio.CancelledError:
            if self.delivery is None:
                self._mail.cut_within += 1
            raise

    async def smtp_QUIT(self, arg: str) -> None:
        if self.delivery is not None:
            self.delivery.becomes("ended")
        await super().smtp_QUIT(arg)

    def connection_lost(self, error: Any) -> None:
        if self.delivery is not None and self.delivery.fate == "answered":
            # The answer was on its way; whether anybody read it is not known here.
            self.delivery.over = time.monotonic()
        super().connection_lost(error)
