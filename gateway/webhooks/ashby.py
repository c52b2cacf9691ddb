"""Ashby: HMAC over the body in ``Ashby-Signature: sha256=<hex>``.

A refusal by 401 ends its retries (as do 403, 404, 405 and 410): what was refused comes again only by a poll,
so a secret must be known here before it is entered there.

Vendor's documentation: header, retries (ten, doubling from ten seconds), ``webhookActionId`` shared by the
events of one action, the ping with ``action: ping``.  A secret is optional at Ashby and required here.
"""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from events.integrations.message import Received
from gateway.webhooks import content, signing
from gateway.webhooks.provider import Delivery, Handshake

_SIGNATURE = "ashby-signature"
_TIMES = (
    "data.application.updatedAt",
    "data.interviewSchedule.updatedAt",
    "data.offer.updatedAt",
    "data.candidate.updatedAt",
)


class Ashby:
    """Stage changes, interview schedules, offers, hires; feedback must be asked for."""

    name = "ashby"
    acknowledges = 200
    setup = "In Ashby: Admin > Integrations > Webhooks; enter the address and the secret token."

    def new_secret(self) -> str | None:
        """Make the secret token, which is ours to choose."""
        return signing.random_secret()

    def complaint(self, secret: str) -> str | None:
        """Say why a secret cannot be one."""
        return signing.plain_complaint(secret)

    def handshake(self, delivery: Delivery) -> Handshake | None:
        """Recognise none: the ping is signed."""
        return None

    def verify(self, delivery: Delivery, secrets: Sequence[str], now: datetime, tolerance: timedelta) -> None:
        """Check the digest of the body; no time is signed."""
        algorithm, _, digest = signing.header(delivery.headers, _SIGNATURE).partition("=")
        signing.check_hex(delivery.body, [digest] if algorithm == "sha256" else [], secrets)

    def read(self, delivery: Delivery) -> Received | None:
        """Say what happened; None for the ping."""
        body = content.parsed(delivery.body)
        action = content.event_name(body.get("action"), "'action'")
        if action == "ping":
            return None
        shared = body.get("webhookActionId")
        named = isinstance(shared, str) and shared
        return Received(
            dedupe=content.key(str(shared), action) if named else content.body_key(delivery.body),
            event=action,
            occurred_at=content.first_time(body, _TIMES),
            body=delivery.body,
        )

    def probe(self, secret: str, now: datetime) -> Delivery | None:
        """Make a ping."""
        body = json.dumps({"action": "ping", "data": {"webhookActionType": "ping"}}).encode()
        return Delivery({_SIGNATURE: f"sha256={signing.hex_digest(secret, body)}"}, body)
