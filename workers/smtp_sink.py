"""An SMTP server on loopback that accepts every message and keeps it as a file.

It sends nothing on and must never listen anywhere but on loopback.
"""

import asyncio
import email
import email.policy
import os
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope, Session

LOOPBACK = "127.0.0.1"
LARGEST = 32 * 1024 * 1024


@dataclass(frozen=True)
class KeptMessage:
    """One message as it arrived, with the envelope it came in."""

    path: Path
    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage


class SmtpSink:
    """A sink on a directory; it can be stopped and started again, and goes on counting."""

    def __init__(self, directory: Path) -> None:
        self.host = LOOPBACK
        self.port = 0
        self.directory = directory
        self._server: asyncio.Server | None = None
        self._writing = asyncio.Lock()

    async def start(self, port: int = 0) -> None:
        """This will listen on *port*; 0 takes the port of the last start, or any free one."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._protocol, self.host, port or self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """This will stop listening; a client then finds the server dead."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def count(self) -> int:
        """This will return how many messages are kept."""
        return len(await asyncio.to_thread(self._paths))

    async def messages(self) -> list[KeptMessage]:
        """This will return all kept messages in the order of their arrival."""
        return await asyncio.to_thread(lambda: [_read(path) for path in self._paths()])

    async def handle_DATA(self, _server: "SMTP", _session: "Session", envelope: "Envelope") -> str:
        """This will keep one message before its sender is told that it was accepted."""
        async with self._writing:
            await asyncio.to_thread(self._keep, envelope)
        return "250 kept"

    def _protocol(self) -> "SMTP":
        # Not at the top: whoever runs no sink need not have it installed.
        from aiosmtpd.smtp import SMTP

        return SMTP(
            self, hostname="localhost", ident="rapport sink", data_size_limit=LARGEST, enable_SMTPUTF8=True
        )

    def _paths(self) -> list[Path]:
        return sorted(self.directory.glob("*.eml"))

    def _keep(self, envelope: "Envelope") -> None:
        kept = self._paths()
        number = int(kept[-1].stem) + 1 if kept else 1
        content = envelope.original_content or b""
        head = f"X-Envelope-From: {envelope.mail_from or ''}\r\n"
        head += f"X-Envelope-To: {', '.join(envelope.rcpt_tos)}\r\n"
        waiting = self.directory / f"{number:08d}.tmp"
        descriptor = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(head.encode() + content)
        waiting.rename(self.directory / f"{number:08d}.eml")


def _read(path: Path) -> KeptMessage:
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    sender = str(message.get("X-Envelope-From", ""))
    recipients = tuple(to.strip() for to in str(message.get("X-Envelope-To", "")).split(",") if to.strip())
    return KeptMessage(path, sender, recipients, message)
