"""Signs a body as each provider says that it does, written from their documentation and not from our code."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.webhooks.provider import Delivery

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
TOLERANCE = timedelta(seconds=300)
SECRET = "a-secret-of-ours"
WHSEC = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
"""The same, as Standard Webhooks writes it."""


def secret_of(provider: str) -> str:
    """Give a secret of the provider's kind."""
    return WHSEC if provider in ("standard-webhooks", "mail") else SECRET


def signed(provider: str, body: bytes, **more: str) -> Delivery:
    """Sign a body as a provider does; *more* are further headers, which some sign too."""
    return _SIGNERS[provider](body, {name.replace("_", "-"): value for name, value in more.items()})


def hex_of(secret: str, content: bytes) -> str:
    """Give the HMAC-SHA256 in hex."""
    return hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()


def _hex(content: bytes) -> str:
    return hex_of(SECRET, content)


def _greenhouse(body: bytes, more: Mapping[str, str]) -> Delivery:
    return Delivery({"signature": f"sha256 {_hex(body)}", **more}, body)


def _ashby(body: bytes, more: Mapping[str, str]) -> Delivery:
    return Delivery({"ashby-signature": f"sha256={_hex(body)}", **more}, body)


def _workable(body: bytes, more: Mapping[str, str]) -> Delivery:
    return Delivery({"x-workable-signature": _hex(body), **more}, body)


def _lever(body: bytes, more: Mapping[str, str]) -> Delivery:
    content: dict[str, Any] = json.loads(body)
    token, at = (
        content.setdefault("token", "be58f711f349"),
        content.setdefault("triggeredAt", int(STAMP) * 1000),
    )
    content["signature"] = _hex(f"{token}{at}".encode())
    return Delivery(dict(more), json.dumps(content).encode())


def _smartrecruiters(body: bytes, more: Mapping[str, str]) -> Delivery:
    headers = {
        "smartrecruiters-timestamp": STAMP,
        "event-id": "ev1",
        "event-name": "application.created",
        **more,
    }
    names = ("event-id", "event-name", "event-version", "link")
    content = b".".join([STAMP.encode(), body, *(headers.get(name, "").encode() for name in names)])
    return Delivery({**headers, "smartrecruiters-signature": f"v1={_hex(content)}"}, body)


def _calendly(body: bytes, more: Mapping[str, str]) -> Delivery:
    digest = _hex(STAMP.encode() + b"." + body)
    return Delivery({"calendly-webhook-signature": f"t={STAMP},v1={digest}", **more}, body)


def _standard(body: bytes, more: Mapping[str, str]) -> Delivery:
    headers = {"webhook-id": "msg_1", "webhook-timestamp": STAMP, **more}
    content = b".".join([headers["webhook-id"].encode(), STAMP.encode(), body])
    key = base64.b64decode(WHSEC.removeprefix("whsec_"))
    digest = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return Delivery({"webhook-signature": f"v1,{digest}", **headers}, body)


_SIGNERS: Mapping[str, Callable[[bytes, Mapping[str, str]], Delivery]] = {
    "greenhouse": _greenhouse,
    "lever": _lever,
    "ashby": _ashby,
    "workable": _workable,
    "smartrecruiters": _smartrecruiters,
    "calendly": _calendly,
    "standard-webhooks": _standard,
    "mail": _standard,
}
SAMPLES: Mapping[str, bytes] = {
    "greenhouse": b'{"action":"hire_candidate","payload":{"application":{"id":1}}}',
    "lever": b'{"event":"candidateHired","data":{"opportunityId":"o"}}',
    "ashby": b'{"action":"candidateHire","data":{"application":{"id":"a"}},"webhookActionId":"w1"}',
    "workable": b'{"event_type":"candidate_moved","data":{"id":"c","stage":"Interview"}}',
    "smartrecruiters": b'{"job_id":"jid","candidate_id":"cid"}',
    "calendly": b'{"event":"invitee.created","created_at":"2026-03-02T09:29:00Z","payload":{"uri":"https://i/1"}}',
    "standard-webhooks": b'{"type":"contact.created","timestamp":"2026-03-02T09:29:00Z","data":{"id":"1"}}',
    "mail": b"From: one@example.test\r\nTo: reply+0@r.test\r\nMessage-ID: <1@example.test>\r\n\r\nHello",
}
"""One body of each provider."""
