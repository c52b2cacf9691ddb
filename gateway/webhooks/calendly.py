"""Calendly: HMAC over time and body in ``Calendly-Webhook-Signature: t=<unix>,v1=<hex>``.

After a day of failures it disables a subscription, which then must be made anew.

Vendor's documentation: header, 2xx alone succeeds, ten seconds to connect and fifteen to answer, the events.
From integrators' code, which agrees: what is signed is ``t.body``.  No id was seen: event, invitee and time
stand in for one.
"""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from events.integrations.message import Received
from gateway.webhooks import content, signing
from gateway.webhooks.provider import TEST_EVENT, Delivery, Handshake

_SIGNATURE = "calendly-webhook-signature"


class Calendly:
    """Interviews booked, cancelled, missed; a reschedule is a cancellation and a booking."""

    name = "calendly"
    acknowledges = 200
    setup = (
        "Subscribe by Calendly's API (POST /webhook_subscriptions) with the address, and the secret as "
        "'signing_key'."
    )

    def new_secret(self) -> str | None:
        """Make the signing key, which is ours to choose."""
        return signing.random_secret()

    def complaint(self, secret: str) -> str | None:
        """Say why a secret cannot be one."""
        return signing.plain_complaint(secret)

    def handshake(self, delivery: Delivery) -> Handshake | None:
        """Recognise none."""
        return None

    def verify(self, delivery: Delivery, secrets: Sequence[str], now: datetime, tolerance: timedelta) -> None:
        """Check the digest of time and body, then the time."""
        parts = signing.header(delivery.headers, _SIGNATURE).split(",")
        pairs = [(name.strip(), value.strip()) for name, _, value in (part.partition("=") for part in parts)]
        times = [value for name, value in pairs if name == "t"]
        stamp = times[0] if len(times) == 1 else ""
        given = [value for name, value in pairs if name == "v1"]
        signing.check_hex(signing.raw(stamp) + b"." + delivery.body, given, secrets)
        signing.check_time(stamp, now, tolerance)

    def read(self, delivery: Delivery) -> Received | None:
        """Say what happened."""
        body = content.parsed(delivery.body)
        event = content.event_name(body.get("event"), "'event'")
        if event == TEST_EVENT:
            return None
        uri, created = content.find(body, "payload.uri"), body.get("created_at")
        named = isinstance(uri, str) and isinstance(created, str)
        return Received(
            dedupe=content.key(event, str(uri), str(created)) if named else content.body_key(delivery.body),
            event=event,
            occurred_at=content.moment(created),
            body=delivery.body,
        )

    def probe(self, secret: str, now: datetime) -> Delivery | None:
        """Make a test event."""
        body = json.dumps({"event": TEST_EVENT, "payload": {}}).encode()
        stamp = str(int(now.timestamp()))
        digest = signing.hex_digest(secret, f"{stamp}.".encode() + body)
        return Delivery({_SIGNATURE: f"t={stamp},v1={digest}"}, body)
