"""E-mail by SMTP, step by step, because only the step that failed tells whether a letter may have left.

Before DATA nothing has left; once DATA has begun, only an answer of the server's says so.
"""

import asyncio
import hashlib
import hmac
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from typing import Final, Literal

import aiosmtplib
from aiosmtplib.errors import SMTPException, SMTPResponseException

from activities.addresses import is_address
from activities.channels.port import Letter, NotSent, OutcomeUnknown, Refused

# 7-bit transfer: a server without 8BITMIME takes it too, and nothing on the way can break it.
_POLICY: Final = SMTP_POLICY.clone(cte_type="7bit")
_TOKEN_LENGTH: Final = 32
_POLITE: Final = 5.0


@dataclass(frozen=True, slots=True)
class MailSettings:
    """Where the mail server is, and in whose name we write."""

    host: str
    port: int
    sender: str
    domain: str = field(metadata={"about": "the right side of every Message-ID"})
    reply_domain: str
    reply_secret: bytes = field(repr=False)
    sender_name: str = "Rapport"
    security: Literal["none", "starttls", "tls"] = "none"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    patience: float = 60.0
    """Seconds that one letter may take."""


class Email:
    """The e-mail channel.

    :raises ValueError: the sender's address is malformed.
    """

    def __init__(self, settings: MailSettings) -> None:
        if not is_address(settings.sender):
            raise ValueError("the sender of outreach is no e-mail address; correct it in the settings")
        self._settings = settings
        self._leaving: set[asyncio.Task[None]] = set()

    def message_id(self, effect_id: str) -> str:
        """Derive the Message-ID of an effect."""
        return f"<{effect_id}@{self._settings.domain}>"

    def reply_to(self, agency: str, engagement_id: str) -> str:
        """Derive the Reply-To of an engagement; only the holder of the secret can tell whose it is."""
        token = reply_token(self._settings.reply_secret, agency, engagement_id)
        return f"reply+{token}@{self._settings.reply_domain}"

    async def send(self, letter: Letter, message_id: str) -> None:
        """Send a letter once."""
        if not is_address(letter.address):
            raise Refused("bad-address", "the e-mail address on record is not one that can be written to")
        try:
            content = self.compose(letter, message_id).as_bytes()
        except (ValueError, TypeError, LookupError, MessageError) as error:
            says = f"the letter cannot be written as an e-mail ({type(error).__name__})"
            raise Refused("not-writable", says) from None
        attempt = _Attempt(self._client(), self._settings.sender, letter.address, content)
        try:
            async with asyncio.timeout(self._settings.patience):
                await attempt.make()
        except (SMTPException, OSError) as error:
            raise attempt.judge(error) from None
        finally:
            # The letter's fate is known and waits to be recorded: saying goodbye must not delay that.
            task = asyncio.create_task(attempt.leave())
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    def compose(self, letter: Letter, message_id: str) -> EmailMessage:
        """Write a letter as a MIME message in text and HTML."""
        message = EmailMessage(policy=_POLICY)
        message["From"] = Address(_one_line(self._settings.sender_name), addr_spec=self._settings.sender)
        message["To"] = Address(_one_line(letter.name), addr_spec=letter.address)
        message["Subject"] = _one_line(letter.subject)
        message["Date"] = format_datetime(datetime.now(UTC))
        message["Message-ID"] = message_id
        if letter.reply_to is not None:
            message["Reply-To"] = letter.reply_to
            if letter.may_stop:
                # RFC 2369: a mail program shows it as a button.
                message["List-Unsubscribe"] = f"<mailto:{letter.reply_to}?subject=STOP>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text)
        message.add_alternative(letter.html, subtype="html")
        return message

    def _client(self) -> aiosmtplib.SMTP:
        settings = self._settings
        return aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            username=settings.username,
            password=settings.password,
            timeout=settings.patience / 2,
            use_tls=settings.security == "tls",
            start_tls=settings.security == "starttls",
            local_hostname=settings.domain,
        )


class _Attempt:
    """One conversation with the server, and how far it got."""

    def __init__(self, client: aiosmtplib.SMTP, sender: str, recipient: str, content: bytes) -> None:
        self._client = client
        self._sender = sender
        self._recipient = recipient
        self._content = content
        self._step: Literal["connect", "sender", "recipient", "content"] = "connect"

    async def make(self) -> None:
        await self._client.connect()
        self._step = "sender"
        await self._client.mail(self._sender)
        self._step = "recipient"
        await self._client.rcpt(self._recipient)
        self._step = "content"
        await self._client.data(self._content)

    def judge(self, error: Exception) -> NotSent | Refused | OutcomeUnknown:
        # The server's own words may quote the address, so only its code goes on.
        if isinstance(error, SMTPResponseException):
            if error.code >= 500 and self._step == "recipient":
                return Refused(
                    "recipient-refused", f"the mail server refused the recipient (code {error.code})"
                )
            if error.code >= 500 and self._step == "content":
                return Refused("message-refused", f"the mail server refused the message (code {error.code})")
            return NotSent(f"the mail server answered {error.code} to the step '{self._step}'")
        if self._step == "content":
            return OutcomeUnknown(f"the connection to the mail server was lost ({type(error).__name__})")
        return NotSent(f"the mail server could not be reached ({type(error).__name__})")

    async def leave(self) -> None:
        # Whatever happens here, the letter's fate is known already.
        try:
            with suppress(SMTPException, OSError):
                if self._client.is_connected:
                    await self._client.quit(timeout=_POLITE)
        finally:
            self._client.close()


def reply_token(secret: bytes, agency: str, engagement_id: str) -> str:
    """Derive the opaque token of an engagement's Reply-To."""
    parts = f"{len(agency)}:{agency}{engagement_id}"
    return hmac.new(secret, parts.encode(), hashlib.sha256).hexdigest()[:_TOKEN_LENGTH]


def _one_line(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
