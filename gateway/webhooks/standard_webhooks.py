"""Standard Webhooks, for every sender that has no file of its own; CloudEvents may be inside.

What is signed is ``id.timestamp.body``: the secret's text is base64 after its prefix, never the key itself.

The specification says: ``v1`` is HMAC-SHA256 under ``whsec_``, ``v1a`` ed25519 under ``whpk_``, both base64,
several signatures separated by spaces; ``webhook-id`` is the same in every attempt, ``webhook-timestamp`` is
that of the attempt.  The libraries allow five minutes.  A CloudEvent's id is not looked at: every delivery
has a ``webhook-id``, which is signed, and the attributes of one in binary mode are not.
"""

import base64
import binascii
import hmac
import json
import secrets as random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from events.integrations.message import Received
from gateway.webhooks import cloudevents, content, signing
from gateway.webhooks.provider import TEST_EVENT, Delivery, Handshake, NotVerified

ID, TIME, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
SYMMETRIC, PUBLIC, _PRIVATE = "whsec_", "whpk_", "whsk_"
_SHORTEST: Final = 16
_NOBODYS: Final = random.token_bytes(32)
_PUBLIC_BYTES, _SIGNATURE_BYTES = 32, 64


class StandardWebhooks:
    """The generic door: our own words, CloudEvents, or whatever a mapping reads."""

    name = "standard-webhooks"
    acknowledges = 202
    setup = "Give the sender the address and the secret, or give us the sender's (whsec_ or whpk_)."

    def new_secret(self) -> str | None:
        """Make a symmetric secret of 32 bytes."""
        return SYMMETRIC + base64.b64encode(random.token_bytes(32)).decode()

    def complaint(self, secret: str) -> str | None:
        """Say why a secret cannot be one."""
        if secret.startswith(_PRIVATE):
            return "this is a sender's private key (whsk_), which it must keep; give its public key (whpk_)"
        key = _decoded(secret.removeprefix(PUBLIC).removeprefix(SYMMETRIC))
        if key is None:
            return "the secret is no base64, with or without its prefix whsec_ or whpk_"
        if secret.startswith(PUBLIC) and len(key) != _PUBLIC_BYTES:
            return f"a public key (whpk_) has {_PUBLIC_BYTES} bytes"
        return f"the secret is shorter than {_SHORTEST} bytes" if len(key) < _SHORTEST else None

    def handshake(self, delivery: Delivery) -> Handshake | None:
        """Recognise none."""
        return None

    def verify(self, delivery: Delivery, secrets: Sequence[str], now: datetime, tolerance: timedelta) -> None:
        """Check each signature under each secret of its kind, then the time."""
        message_id, stamp = (signing.header(delivery.headers, name) for name in (ID, TIME))
        signatures = [part.partition(",") for part in signing.header(delivery.headers, SIGNATURE).split(" ")]
        signed = b".".join((signing.raw(message_id), signing.raw(stamp), delivery.body))
        given = [text for version, _, text in signatures if version == "v1"]
        sealed = [text for version, _, text in signatures if version == "v1a"]
        expected = [_digest(secret, signed) for secret in secrets if not secret.startswith(PUBLIC)]
        by_key = [
            _holds(secret, signed, text) for secret in secrets if secret.startswith(PUBLIC) for text in sealed
        ]
        if not any(by_key):
            signing.check(expected, given)
        if not message_id:
            raise NotVerified(f"the delivery has no {ID}")
        signing.check_time(stamp, now, tolerance)

    def read(self, delivery: Delivery) -> Received | None:
        """Say what happened: a CloudEvent, or the specification's ``type``, ``timestamp`` and ``data``."""
        event = cloudevents.structured(delivery)
        told, body = event or (content.parsed(delivery.body), delivery.body)
        name = content.event_name(told.get("type"), "'type'")
        if name == TEST_EVENT:
            return None
        return Received(
            dedupe=content.key(signing.header(delivery.headers, ID)),
            event=name,
            occurred_at=content.moment(told.get("timestamp" if event is None else "time")),
            body=body,
        )

    def probe(self, secret: str, now: datetime) -> Delivery | None:
        """Make a test event; a public key signs nothing."""
        if secret.startswith(PUBLIC):
            return None
        message_id, stamp = f"msg_{uuid4().hex}", str(int(now.timestamp()))
        body = json.dumps({"type": TEST_EVENT, "timestamp": now.isoformat(), "data": {}}).encode()
        digest = _digest(secret, f"{message_id}.{stamp}.".encode() + body)
        return Delivery({ID: message_id, TIME: stamp, SIGNATURE: f"v1,{digest}"}, body)


def _digest(secret: str, signed: bytes) -> str:
    # A secret that is no base64 is nobody's: an empty key in its place would be everybody's.
    key = _decoded(secret.removeprefix(SYMMETRIC)) or _NOBODYS
    return base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


def _holds(secret: str, signed: bytes, text: str) -> bool:
    key, signature = _decoded(secret.removeprefix(PUBLIC)), _decoded(text)
    if key is None or signature is None or len(key) != _PUBLIC_BYTES or len(signature) != _SIGNATURE_BYTES:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, signed)
    except InvalidSignature:
        return False
    return True


def _decoded(text: str) -> bytes | None:
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    # Base64 has more than one text for some bytes; only the one that is written is taken.
    return found if base64.b64encode(found).decode() == text else None
