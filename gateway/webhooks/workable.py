"""Workable: HMAC over the body in ``X-Workable-Signature``, under the account's token.

A payload shows the state at the time of sending, not of the event: read it as a hint.

Vendor's documentation: header, algorithm and key; the fields of ``data``.  From integrators' code: the hex
encoding and ``event_type``.  From memory, unchecked: ``fired_at``.  No key is documented: the body's digest
stands in for one.
"""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from events.integrations.message import Received
from gateway.webhooks import content, signing
from gateway.webhooks.provider import TEST_EVENT, Delivery, Handshake

_SIGNATURE = "x-workable-signature"
_TIMES = ("fired_at", "data.updated_at", "data.created_at")


class Workable:
    """Candidates created, moved, deleted; a disqualification is a move."""

    name = "workable"
    acknowledges = 200
    setup = "Subscribe by Workable's API (POST /subscriptions) with the address; give us the account's token."

    def new_secret(self) -> str | None:
        """Make none: Workable signs with the account's token."""
        return None

    def complaint(self, secret: str) -> str | None:
        """Say why a secret cannot be one."""
        return signing.plain_complaint(secret)

    def handshake(self, delivery: Delivery) -> Handshake | None:
        """Recognise none."""
        return None

    def verify(self, delivery: Delivery, secrets: Sequence[str], now: datetime, tolerance: timedelta) -> None:
        """Check the digest of the body; no time is signed."""
        signing.check_hex(delivery.body, [signing.header(delivery.headers, _SIGNATURE)], secrets)

    def read(self, delivery: Delivery) -> Received | None:
        """Say what happened."""
        body = content.parsed(delivery.body)
        event = content.event_name(body.get("event_type"), "'event_type'")
        if event == TEST_EVENT:
            return None
        return Received(
            dedupe=content.body_key(delivery.body),
            event=event,
            occurred_at=content.first_time(body, _TIMES),
            body=delivery.body,
        )

    def probe(self, secret: str, now: datetime) -> Delivery | None:
        """Make a test event."""
        body = json.dumps({"event_type": TEST_EVENT, "data": {}}).encode()
        return Delivery({_SIGNATURE: signing.hex_digest(secret, body)}, body)
