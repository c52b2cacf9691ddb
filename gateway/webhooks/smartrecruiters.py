"""SmartRecruiters: HMAC over time, body and four headers; thin bodies whose state is behind ``Link``.

It must be acknowledged by 202 within five seconds; a subscription wakes by an echo of ``X-Hook-Secret``.

Vendor's documentation: what is signed and in which order, an absent header as nothing, ``v1=<hex>;v1=<hex>``
under up to 16 keys, the echo with 200, 202 for a notification; its example reproduces with an unspaced body.
Secondary: the names of the events.  The signed time is that of the request, so it is no source's time.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from events.integrations.message import Received
from gateway.webhooks import content, signing
from gateway.webhooks.provider import TEST_EVENT, Delivery, Handshake, Malformed

_SIGNATURE, _TIME, _HOOK_SECRET = "smartrecruiters-signature", "smartrecruiters-timestamp", "x-hook-secret"
_ID, _NAME, _VERSION, _LINK = "event-id", "event-name", "event-version", "link"
_LONGEST_ECHO: Final = 512


class SmartRecruiters:
    """Applications, interviews, offers: each a hint at what to fetch."""

    name = "smartrecruiters"
    acknowledges = 202
    setup = (
        "Subscribe by SmartRecruiters' webhook API with the address, make a secret key there, give it to us, "
        "then activate the subscription."
    )

    def new_secret(self) -> str | None:
        """Make none: SmartRecruiters makes the key."""
        return None

    def complaint(self, secret: str) -> str | None:
        """Say why a secret cannot be one."""
        return signing.plain_complaint(secret)

    def handshake(self, delivery: Delivery) -> Handshake | None:
        """Echo the temporary secret of an activation; a signed notification is never one."""
        asked = signing.header(delivery.headers, _HOOK_SECRET)
        signed = _SIGNATURE in delivery.headers or _ID in delivery.headers
        if not asked or signed or len(asked) > _LONGEST_ECHO or not (asked.isascii() and asked.isprintable()):
            return None
        return Handshake(200, {_HOOK_SECRET: asked})

    def verify(self, delivery: Delivery, secrets: Sequence[str], now: datetime, tolerance: timedelta) -> None:
        """Check the digest of time, body and headers, then the time."""
        parts = (part.partition("=") for part in signing.header(delivery.headers, _SIGNATURE).split(";"))
        given = [digest for scheme, _, digest in parts if scheme.strip() == "v1"]
        signing.check_hex(_signed(delivery.headers, delivery.body), given, secrets)
        signing.check_time(signing.header(delivery.headers, _TIME), now, tolerance)

    def read(self, delivery: Delivery) -> Received | None:
        """Say what is said to have happened, with the link to what it is about."""
        event = content.event_name(delivery.headers.get(_NAME), "the header 'event-name'")
        if delivery.body:
            content.parsed(delivery.body)
        if event == TEST_EVENT:
            return None
        event_id = signing.header(delivery.headers, _ID)
        if "." in event_id:
            # What is signed is joined by full stops: an id with one could be another's, cut elsewhere.
            raise Malformed("the header 'event-id' holds a full stop, so the delivery may be a replay")
        kept = {name: delivery.headers[name] for name in (_NAME, _VERSION, _LINK) if name in delivery.headers}
        return Received(
            dedupe=content.key(event_id) if event_id else content.body_key(delivery.body),
            event=event,
            occurred_at=None,
            body=delivery.body,
            headers=kept,
        )

    def probe(self, secret: str, now: datetime) -> Delivery | None:
        """Make a test event."""
        headers = {_TIME: str(int(now.timestamp())), _ID: str(uuid4()), _NAME: TEST_EVENT, _VERSION: "v1"}
        signature = signing.hex_digest(secret, _signed(headers, b"{}"))
        return Delivery({**headers, _SIGNATURE: f"v1={signature}"}, b"{}")


def _signed(headers: Mapping[str, str], body: bytes) -> bytes:
    after = (signing.raw(signing.header(headers, name)) for name in (_ID, _NAME, _VERSION, _LINK))
    return b".".join((signing.raw(signing.header(headers, _TIME)), body, *after))
