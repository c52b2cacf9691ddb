"""Greenhouse Recruiting: HMAC over the body, acknowledged by 200 and nothing else.

The header is ``Signature: sha256 <hex>``, with a space; ``X-Greenhouse-Signature`` is an error often copied.

Vendor's documentation: header, body signed as sent (escapes included), 200 alone succeeds, six retries over
fifteen hours, ``Greenhouse-Event-ID`` unique to "this delivery", a ping with "some configuration settings"
when a hook is saved, and a hook disabled where the ping fails.  From memory, unchecked: the ping's ``action``
is ``ping``; anything else that is signed is acknowledged all the same, so a ping of another shape passes too.
No payload says when its event happened; the times below are the nearest it has.
"""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from events.integrations.message import Received
from gateway.webhooks import content, signing
from gateway.webhooks.provider import Delivery, Handshake

_SIGNATURE, _EVENT_ID = "signature", "greenhouse-event-id"
_TIMES = (
    "payload.application.last_activity_at",
    "payload.scorecard.updated_at",
    "payload.job_post.updated_at",
    "payload.job_interview_stage.updated_at",
    "payload.updated_at",
)
_REJECTED = "payload.application.rejected_at"


class Greenhouse:
    """Stage changes, rejections, offers, hires; interviews' times and scorecards must be asked for."""

    name = "greenhouse"
    acknowledges = 200
    setup = "In Greenhouse: Configure > Dev Center > Web Hooks; enter the address and the secret key."

    def new_secret(self) -> str | None:
        """Make the secret key, which is ours to choose."""
        return signing.random_secret()

    def complaint(self, secret: str) -> str | None:
        """Say why a secret cannot be one."""
        return signing.plain_complaint(secret)

    def handshake(self, delivery: Delivery) -> Handshake | None:
        """Recognise none: the ping is signed like everything else."""
        return None

    def verify(self, delivery: Delivery, secrets: Sequence[str], now: datetime, tolerance: timedelta) -> None:
        """Check the digest of the body; no time is signed."""
        algorithm, _, digest = signing.header(delivery.headers, _SIGNATURE).partition(" ")
        signing.check_hex(delivery.body, [digest] if algorithm == "sha256" else [], secrets)

    def read(self, delivery: Delivery) -> Received | None:
        """Say what happened; None for the ping."""
        body = content.parsed(delivery.body)
        action = content.event_name(body.get("action"), "'action'")
        if action == "ping":
            return None
        event_id = signing.header(delivery.headers, _EVENT_ID)
        times = (_REJECTED, *_TIMES) if action == "reject_candidate" else _TIMES
        return Received(
            dedupe=content.key(event_id) if event_id else content.body_key(delivery.body),
            event=action,
            occurred_at=content.first_time(body, times),
            body=delivery.body,
        )

    def probe(self, secret: str, now: datetime) -> Delivery | None:
        """Make a ping."""
        body = json.dumps({"action": "ping", "payload": {}}).encode()
        return Delivery({_SIGNATURE: f"sha256 {signing.hex_digest(secret, body)}"}, body)
