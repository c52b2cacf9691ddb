"""E-mail that candidates send back, brought by whatever takes mail in: a mail provider or a mail server.

The body is the mail itself (``message/rfc822``), or JSON that holds it as ``raw`` or ``RawEmail``.

No standard says how such a request is signed.  It counts with the headers of Standard Webhooks, or with the
secret as a password (HTTP Basic, which mail providers put into the address, any user name) or as a bearer
token; those two sign nothing, so they are for TLS alone.
"""

import base64
import binascii
import hmac
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

from events.canonical import canonical
from events.integrations.mail import Mail, NoMail, read_mail
from events.integrations.mail_meaning import MAIL, as_body, event_of
from events.integrations.message import Received
from gateway.webhooks import signing
from gateway.webhooks.provider import Delivery, Handshake, Malformed, NotVerified
from gateway.webhooks.standard_webhooks import SIGNATURE, StandardWebhooks

_FIELDS: Final = ("raw", "RawEmail", "email")
_TEST: Final = "<rapport-test-"
_STANDARD: Final = StandardWebhooks()


class InboundMail:
    """The generic mail door."""

    name = MAIL
    acknowledges = 200
    setup = (
        "Let the mail provider post each mail to the address as message/rfc822, with the secret as the "
        "password of HTTP Basic; mail to reply+*@ the reply domain must reach it."
    )

    def new_secret(self) -> str | None:
        """Make a secret, as of Standard Webhooks."""
        return _STANDARD.new_secret()

    def complaint(self, secret: str) -> str | None:
        """Say why a secret cannot be one."""
        return _STANDARD.complaint(secret)

    def handshake(self, delivery: Delivery) -> Handshake | None:
        """Recognise none."""
        return None

    def verify(self, delivery: Delivery, secrets: Sequence[str], now: datetime, tolerance: timedelta) -> None:
        """Check the signature where there is one, else the secret that came along."""
        if signing.header(delivery.headers, SIGNATURE):
            _STANDARD.verify(delivery, secrets, now, tolerance)
            return
        given = _given(signing.header(delivery.headers, "authorization"))
        # Each is compared, so that it takes as long whichever fits.
        if not any([hmac.compare_digest(given, each.encode()) for each in secrets]):
            raise NotVerified("the mail comes neither signed nor with the connection's secret")

    def read(self, delivery: Delivery) -> Received | None:
        """Say what a mail is; what it says is kept, what it answers is not."""
        try:
            mail = read_mail(_raw(delivery))
        except NoMail as error:
            raise Malformed(str(error)) from None
        if mail.message_id.startswith(_TEST):
            return None
        body = canonical(as_body(mail)).encode()
        return Received(dedupe=_dedupe(mail, body), event=event_of(mail), occurred_at=mail.sent_at, body=body)

    def probe(self, secret: str, now: datetime) -> Delivery | None:
        """Make a mail of which nothing follows."""
        raw = (
            "From: rapport-test@localhost\r\nTo: reply+test@localhost\r\nAuto-Submitted: auto-generated\r\n"
            f"Date: {now.astimezone(UTC):%a, %d %b %Y %H:%M:%S +0000}\r\n"
            f"Message-ID: {_TEST}{int(now.timestamp())}@localhost>\r\n\r\nThis is a test.\r\n"
        )
        user = base64.b64encode(f"rapport:{secret}".encode()).decode()
        headers = {"authorization": f"Basic {user}", "content-type": "message/rfc822"}
        return Delivery(headers, raw.encode())


def _given(header: str) -> bytes:
    scheme, _, value = header.partition(" ")
    if scheme.casefold() == "bearer":
        return value.strip().encode()
    if scheme.casefold() != "basic":
        return b""
    try:
        return base64.b64decode(value.strip(), validate=True).partition(b":")[2]
    except (binascii.Error, ValueError):
        return b""


def _raw(delivery: Delivery) -> bytes:
    kind = signing.header(delivery.headers, "content-type").partition(";")[0].strip().casefold()
    if kind != "application/json":
        return delivery.body
    try:
        found = json.loads(delivery.body)
    except (ValueError, RecursionError):
        raise Malformed("the body is no JSON; send the mail as message/rfc822") from None
    text = next((found[name] for name in _FIELDS if name in found), None) if isinstance(found, dict) else None
    if not isinstance(text, str):
        raise Malformed(f"the JSON holds the mail under none of {', '.join(_FIELDS)}")
    if ":" not in text[:200]:
        return _decoded(text)
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise Malformed("the mail in the JSON holds half a character; send it as message/rfc822") from None


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=False)
    except (binascii.Error, ValueError):
        raise Malformed("the mail in the JSON is neither text nor base64") from None


def _dedupe(mail: Mail, body: bytes) -> str:
    # Personal as it may be, it goes through the connection's keyed digest before it is kept.
    told = mail.message_id.encode() or body
    return f"{event_of(mail)}:{sha256(told).hexdigest()}"
