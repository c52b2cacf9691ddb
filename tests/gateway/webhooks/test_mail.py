"""The mail door: whoever brings a mail proves it, and the mail comes as it was sent or inside JSON."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook

from gateway.webhooks.mail import InboundMail
from gateway.webhooks.provider import Delivery, Malformed, NotVerified

DOOR = InboundMail()
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()
MAIL = (
    b"From: Candidate One <one@example.test>\r\nTo: reply+" + b"a" * 32 + b"@replies.test\r\n"
    b"Date: Mon, 05 Jan 2026 12:00:00 +0000\r\nMessage-ID: <m-1@example.test>\r\n\r\nHello\r\n"
)


def verified(headers: dict[str, str], body: bytes = MAIL) -> bool:
    """Tell whether the door lets it in."""
    try:
        DOOR.verify(
            Delivery(headers, body), ["whsec_b3RoZXItc2VjcmV0LW90aGVyLXNlY3JldA==", SECRET], NOW, TOLERANCE
        )
    except NotVerified:
        return False
    return True


TOLERANCE = timedelta(minutes=5)


def basic(user: str, password: str) -> dict[str, str]:
    """Write the header."""
    return {"authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


class TestVerify:
    def test_takes_the_secret_as_a_password_or_a_token(self) -> None:
        assert verified(basic("anybody", SECRET))
        assert verified({"authorization": f"Bearer {SECRET}"})

    def test_takes_a_standard_webhook(self) -> None:
        signature = Webhook(SECRET).sign("msg_1", NOW, MAIL.decode())
        headers = {
            "webhook-id": "msg_1",
            "webhook-timestamp": str(int(NOW.timestamp())),
            "webhook-signature": signature,
        }
        assert verified(headers)
        assert not verified(headers, MAIL + b"!")

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            basic("x", "wrong"),
            {"authorization": "Bearer "},
            {"authorization": "Basic ???"},
            {"authorization": "x"},
        ],
    )
    def test_lets_nobody_else_in(self, headers: dict[str, str]) -> None:
        assert not verified(headers)


class TestRead:
    def test_keeps_what_was_said_and_when(self) -> None:
        received = DOOR.read(Delivery({"content-type": "message/rfc822"}, MAIL))
        assert received is not None
        body = json.loads(received.body)
        assert (received.event, received.occurred_at) == ("mail.received", NOW)
        assert (body["told"], body["tokens"]) == ("Hello", ["a" * 32])

    @pytest.mark.parametrize("field", ["raw", "RawEmail", "email"])
    def test_takes_json_that_holds_it(self, field: str) -> None:
        plain = DOOR.read(Delivery({}, MAIL))
        for text in (MAIL.decode(), base64.b64encode(MAIL).decode()):
            given = Delivery({"content-type": "application/json"}, json.dumps({field: text}).encode())
            assert DOOR.read(given) == plain

    def test_knows_a_mail_again(self) -> None:
        first, again = DOOR.read(Delivery({}, MAIL)), DOOR.read(Delivery({}, MAIL + b"footer of a relay"))
        assert first is not None
        assert again is not None
        assert first.dedupe == again.dedupe

    @pytest.mark.parametrize("body", [b"[]", b'{"other": 1}', b"{", b'{"raw": "####"}'])
    def test_says_what_it_cannot_read(self, body: bytes) -> None:
        with pytest.raises(Malformed):
            DOOR.read(Delivery({"content-type": "application/json"}, body))

    def test_keeps_nothing_of_a_test(self) -> None:
        probe = DOOR.probe(SECRET, NOW)
        assert probe is not None
        assert verified(dict(probe.headers), probe.body)
        assert DOOR.read(probe) is None
