"""The generic door: the specification's two schemes, its reference library, and CloudEvents inside."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from events.integrations.message import Received
from gateway.webhooks.provider import Delivery, Malformed, NotTaken, NotVerified
from gateway.webhooks.standard_webhooks import StandardWebhooks
from tests.gateway.webhooks.signers import NOW, SAMPLES, STAMP, TOLERANCE, WHSEC, signed

DOOR = StandardWebhooks()
BODY = SAMPLES["standard-webhooks"]
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
WHPK = "whpk_" + base64.b64encode(PRIVATE.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
EVENT = {
    "specversion": "1.0",
    "id": "A234-1234-1234",
    "source": "/mycontext",
    "type": "com.example.someevent",
    "time": "2018-04-05T17:31:00Z",
    "subject": "e-1",
    "data": {"result": "advance"},
}


def by_key(body: bytes = BODY) -> Delivery:
    """Sign with the private key."""
    signature = base64.b64encode(PRIVATE.sign(b"msg_1." + STAMP.encode() + b"." + body)).decode()
    headers = {"webhook-id": "msg_1", "webhook-timestamp": STAMP, "webhook-signature": f"v1a,{signature}"}
    return Delivery(headers, body)


def holds(delivery: Delivery, *secrets: str) -> bool:
    """Tell whether a delivery verifies."""
    try:
        DOOR.verify(delivery, secrets, NOW, TOLERANCE)
    except NotVerified:
        return False
    return True


def with_signature(delivery: Delivery, signature: str) -> Delivery:
    """Replace the signature."""
    return replace(delivery, headers={**delivery.headers, "webhook-signature": signature})


def read(body: dict[str, Any] | bytes, **headers: str) -> Received:
    """Sign and read a body, which must be a message."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    received = DOOR.read(signed("standard-webhooks", content, **headers))
    assert received is not None
    return received


class TestVerify:
    @given(body=st.text(min_size=1), message_id=st.from_regex(r"[A-Za-z0-9_-]{1,40}", fullmatch=True))
    def test_accepts_what_the_reference_library_signs(self, body: str, message_id: str) -> None:
        signature = Webhook(WHSEC).sign(message_id, NOW, body)
        headers = {"webhook-id": message_id, "webhook-timestamp": STAMP, "webhook-signature": signature}
        assert holds(Delivery(headers, body.encode()), WHSEC)

    def test_signs_a_probe_that_the_reference_library_accepts(self) -> None:
        probe = DOOR.probe(WHSEC, datetime.now(UTC))
        assert probe is not None
        assert Webhook(WHSEC).verify(probe.body, dict(probe.headers))["type"] == "rapport.test"

    def test_accepts_an_ed25519_signature_under_its_public_key_only(self) -> None:
        other = (
            "whpk_"
            + base64.b64encode(
                Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
            ).decode()
        )
        assert holds(by_key(), WHPK)
        assert holds(by_key(), WHSEC, other, WHPK)
        assert not holds(by_key(), other)
        assert not holds(by_key(), WHSEC)
        assert DOOR.probe(WHPK, NOW) is None

    def test_never_takes_a_public_key_for_a_secret(self) -> None:
        """Whoever reads a public key could otherwise sign with it."""
        as_secret = "whsec_" + WHPK.removeprefix("whpk_")
        signature = Webhook(as_secret).sign("msg_1", NOW, BODY.decode())
        assert holds(with_signature(by_key(), signature), as_secret)
        assert not holds(with_signature(by_key(), signature), WHPK)
        assert not holds(with_signature(by_key(), signature.replace("v1,", "v1a,")), WHPK)

    @given(at=st.integers(min_value=0), mask=st.integers(1, 255), header=st.booleans())
    def test_refuses_an_ed25519_delivery_with_one_byte_changed(
        self, at: int, mask: int, header: bool
    ) -> None:
        delivery = by_key()
        text = delivery.headers["webhook-signature"].encode() if header else delivery.body
        changed = bytearray(text)
        changed[at % len(changed)] ^= mask
        if header:
            assert not holds(with_signature(delivery, changed.decode("latin-1")), WHPK)
        else:
            assert not holds(replace(delivery, body=bytes(changed)), WHPK)

    @given(order=st.permutations(["right", "by key", "wrong", "unknown", "nothing"]))
    def test_takes_signatures_in_any_order(self, order: list[str]) -> None:
        right = signed("standard-webhooks", BODY)
        parts = {
            "right": right.headers["webhook-signature"],
            "by key": by_key().headers["webhook-signature"],
            "wrong": f"v1,{base64.b64encode(bytes(32)).decode()}",
            "unknown": "v7,xxxx",
            "nothing": "v1a",
        }
        several = with_signature(right, " ".join(parts[name] for name in order))
        assert holds(several, WHSEC)
        assert holds(several, WHPK)

    def test_needs_all_three_headers(self) -> None:
        delivery = signed("standard-webhooks", BODY)
        for name in delivery.headers:
            rest = {key: value for key, value in delivery.headers.items() if key != name}
            assert not holds(replace(delivery, headers=rest), WHSEC)

    def test_needs_an_id_that_is_something(self) -> None:
        assert not holds(signed("standard-webhooks", BODY, webhook_id=""), WHSEC)

    def test_takes_a_secret_without_its_prefix(self) -> None:
        assert holds(signed("standard-webhooks", BODY), WHSEC.removeprefix("whsec_"))


class TestComplaint:
    @pytest.mark.parametrize(
        ("secret", "says"),
        [
            ("not base64!", "no base64"),
            ("whsec_c2hvcnQ=", "shorter than"),
            ("whpk_" + base64.b64encode(bytes(31)).decode(), "has 32 bytes"),
            ("whsk_" + base64.b64encode(bytes(32)).decode(), "private key"),
        ],
    )
    def test_says_what_is_wrong_without_the_secret(self, secret: str, says: str) -> None:
        told = DOOR.complaint(secret)
        assert told is not None
        assert says in told
        assert secret not in told

    def test_is_content_with_both_kinds(self) -> None:
        assert DOOR.complaint(WHSEC) is None
        assert DOOR.complaint(WHPK) is None


class TestRead:
    def test_reads_the_plain_form(self) -> None:
        received = read(BODY)
        assert (received.event, received.dedupe) == ("contact.created", "msg_1")
        assert received.occurred_at == datetime(2026, 3, 2, 9, 29, tzinfo=UTC)
        assert received.body == BODY

    @pytest.mark.parametrize("kind", ["application/cloudevents+json; charset=utf-8", "application/json"])
    def test_reads_a_structured_cloudevent_as_it_came(self, kind: str) -> None:
        content = json.dumps(EVENT).encode()
        received = read(content, content_type=kind)
        assert (received.event, received.dedupe) == ("com.example.someevent", "msg_1")
        assert received.occurred_at == datetime(2018, 4, 5, 17, 31, tzinfo=UTC)
        assert received.body == content

    def test_reads_a_binary_cloudevent_into_the_structured_form(self) -> None:
        """A mapping knows one shape."""
        headers = {f"ce_{name}": str(value) for name, value in EVENT.items() if name != "data"}
        headers["ce_subject"] = "e%2D1%20%C3%A9"
        received = read(b'{"result":"advance"}', content_type="application/json", **headers)
        assert json.loads(received.body) == {
            **EVENT,
            "subject": "e-1 é",
            "datacontenttype": "application/json",
        }
        assert received.occurred_at == datetime(2018, 4, 5, 17, 31, tzinfo=UTC)

    def test_keeps_data_that_are_no_json_as_they_are(self) -> None:
        headers = {f"ce_{name}": str(value) for name, value in EVENT.items() if name != "data"}
        received = read(b"<a/>", content_type="application/xml", **headers)
        assert base64.b64decode(json.loads(received.body)["data_base64"]) == b"<a/>"

    def test_takes_no_data_from_a_header(self) -> None:
        """Headers are not signed here."""
        headers = {f"ce_{name}": str(value) for name, value in EVENT.items() if name != "data"}
        assert "data" not in json.loads(read(b"", ce_data="forged", **headers).body)

    def test_refuses_a_batch_in_one_sentence(self) -> None:
        kind = "application/cloudevents-batch+json"
        with pytest.raises(NotTaken, match="each event in a request of its own"):
            DOOR.read(signed("standard-webhooks", json.dumps([EVENT]).encode(), content_type=kind))

    @pytest.mark.parametrize("missing", ["id", "source", "type", "specversion"])
    def test_holds_a_cloudevent_to_what_it_must_have(self, missing: str) -> None:
        content = {name: value for name, value in EVENT.items() if name != missing}
        kind = "application/cloudevents+json"
        with pytest.raises(Malformed, match=missing):
            DOOR.read(signed("standard-webhooks", json.dumps(content).encode(), content_type=kind))

    @pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"type":7}', b'{"type":"a\\u0000b"}', b"\xff"])
    def test_says_what_cannot_be_read(self, body: bytes) -> None:
        with pytest.raises(Malformed):
            DOOR.read(signed("standard-webhooks", body))

    def test_guesses_no_zone(self) -> None:
        assert read({"type": "a.b", "timestamp": "2026-03-02T09:29:00", "data": {}}).occurred_at is None

    def test_allows_the_tolerance_it_is_given(self) -> None:
        delivery = signed("standard-webhooks", BODY)
        DOOR.verify(delivery, [WHSEC], NOW + timedelta(minutes=20), timedelta(minutes=30))
        with pytest.raises(NotVerified, match="too far"):
            DOOR.verify(delivery, [WHSEC], NOW + timedelta(minutes=20), timedelta(minutes=10))
