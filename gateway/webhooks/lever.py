"""Lever: a signature inside the body, over its ``token`` and ``triggeredAt`` alone.

The data are not signed: whoever has seen one delivery can forge them under its token.  So a delivery is a
hint at most; its mapping asks Lever's API, and the token, which cannot be replaced, lets it count once.

Vendor's documentation: what is signed, 2xx alone succeeds, five retries, a manual rerun within two weeks, a
test call with ``data: {}``.  From memory, unchecked: ``triggeredAt`` stays the same in a retry and a rerun,
which is why it may be two weeks old.  It also fences the seam of what is signed: a digit moved between token
and time would put the time decades off.
"""

import json
import secrets as random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from events.integrations.message import Received
from gateway.webhooks import content, signing
from gateway.webhooks.provider import Delivery, Handshake, Malformed, NotVerified

RERUNS_WITHIN: Final = timedelta(days=14)


class Lever:
    """Stage changes, archiving, hires; feedback must be asked for."""

    name = "lever"
    acknowledges = 200
    setup = (
        "In Lever: Settings > Integrations > Webhooks; enter the address, and give us its signature token."
    )

    def new_secret(self) -> str | None:
        """Make none: Lever makes the signature token."""
        return None

    def complaint(self, secret: str) -> str | None:
        """Say why a secret cannot be one."""
        return signing.plain_complaint(secret)

    def handshake(self, delivery: Delivery) -> Handshake | None:
        """Recognise none: the test call is signed."""
        return None

    def verify(self, delivery: Delivery, secrets: Sequence[str], now: datetime, tolerance: timedelta) -> None:
        """Check the signature in the body, and its time against the two weeks of a rerun."""
        body = _body(delivery)
        token, at, given = body.get("token"), body.get("triggeredAt"), body.get("signature")
        named = isinstance(token, str) and type(at) is int and isinstance(given, str)
        signed = f"{token}{at}".encode(errors="backslashreplace")
        signing.check_hex(signed, [str(given)] if named else [], secrets)
        seconds = str(at // 1000) if type(at) is int else ""
        signing.check_time(seconds, now, tolerance, past=max(tolerance, RERUNS_WITHIN))

    def read(self, delivery: Delivery) -> Received | None:
        """Say what is said to have happened; None for the test call."""
        body = content.parsed(delivery.body)
        event = content.event_name(body.get("event"), "'event'")
        data = body.get("data")
        if data == {}:
            return None
        if not isinstance(data, dict):
            raise Malformed("'data' is no object")
        at = body["triggeredAt"]
        return Received(
            dedupe=content.key(body["token"]),
            event=event,
            occurred_at=datetime.fromtimestamp(at // 1000, UTC) + timedelta(milliseconds=at % 1000),
            body=delivery.body,
        )

    def probe(self, secret: str, now: datetime) -> Delivery | None:
        """Make Lever's own test call."""
        token, at = random.token_hex(24), int(now.timestamp() * 1000)
        signature = signing.hex_digest(secret, f"{token}{at}".encode())
        call = {"triggeredAt": at, "event": "candidateStageChange", "data": {}}
        return Delivery({}, json.dumps({**call, "signature": signature, "token": token}).encode())


def _body(delivery: Delivery) -> dict[str, Any]:
    try:
        return content.parsed(delivery.body)
    except Malformed:
        raise NotVerified("there is no signature: the body is no JSON object") from None
