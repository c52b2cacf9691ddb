"""E-mail against a real SMTP conversation on loopback."""

import asyncio
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from activities.channels import email
from activities.channels.email import Email, reply_token
from activities.channels.port import Letter, NotSent, OutcomeUnknown, Refused

if TYPE_CHECKING:
    from tests.activities.conftest import MailServer

LETTER = Letter(
    address="quux@example.test",
    name="Kandidát Quux",
    subject="We owe you an answer",
    text="Grüße\n.\n.dots stay\n",
    html="<p>Grüße</p>",
    reply_to="reply+00@reply.example.test",
)


class TestSend:
    async def test_delivers_text_and_html(self, channel: Email, mail_server: "MailServer") -> None:
        await channel.send(LETTER, "<effect@mail.example.test>")
        [message] = mail_server.received
        assert message["Message-ID"] == "<effect@mail.example.test>"
        assert message["Auto-Submitted"] == "auto-generated"
        assert message["Reply-To"] == "reply+00@reply.example.test"
        assert message["To"] == "Kandidát Quux <quux@example.test>"
        parts = {part.get_content_type(): part for part in message.walk()}
        assert parts["text/plain"].get_content().splitlines() == ["Grüße", ".", ".dots stay"]
        assert parts["text/html"].get_content().strip() == "<p>Grüße</p>"

    async def test_does_not_wait_for_the_goodbye(
        self, channel: Email, mail_server: "MailServer", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Until the outcome is recorded a crash leaves it unknown, so nothing may come between."""
        monkeypatch.setattr(email, "_POLITE", 3600.0)
        mail_server.may_end.clear()
        async with asyncio.timeout(30):
            await channel.send(LETTER, "<effect@mail.example.test>")
        assert len(mail_server.received) == 1
        mail_server.may_end.set()

    async def test_can_be_tried_again_when_nobody_listens(
        self, channel: Email, mail_server: "MailServer"
    ) -> None:
        await mail_server.stop()
        with pytest.raises(NotSent, match="could not be reached"):
            await channel.send(LETTER, "<effect@mail.example.test>")

    @pytest.mark.parametrize("place", ["rcpt_answer", "data_answer"])
    async def test_can_be_tried_again_after_a_temporary_no(
        self, channel: Email, mail_server: "MailServer", place: str
    ) -> None:
        setattr(mail_server, place, "451 later, quux@example.test")
        with pytest.raises(NotSent) as caught:
            await channel.send(LETTER, "<effect@mail.example.test>")
        assert "451" in str(caught.value)
        assert "quux" not in str(caught.value)

    @pytest.mark.parametrize(
        ("place", "reason"), [("rcpt_answer", "recipient-refused"), ("data_answer", "message-refused")]
    )
    async def test_is_over_after_a_final_no(
        self, channel: Email, mail_server: "MailServer", place: str, reason: str
    ) -> None:
        setattr(mail_server, place, "550 no such quux@example.test")
        with pytest.raises(Refused) as caught:
            await channel.send(LETTER, "<effect@mail.example.test>")
        assert caught.value.reason == reason
        assert "quux" not in str(caught.value)

    async def test_knows_nothing_when_the_line_drops_after_the_content(
        self, channel: Email, mail_server: "MailServer"
    ) -> None:
        """The server has the letter, and its answer was lost."""
        mail_server.hangs_up_after_data = True
        with pytest.raises(OutcomeUnknown):
            await channel.send(LETTER, "<effect@mail.example.test>")
        assert len(mail_server.received) == 1

    @pytest.mark.parametrize(
        "address", ["nobody", "a@b@c", "a b@example.test", "a@x\r\nBcc: b@x", "ä@x.test"]
    )
    async def test_refuses_what_is_no_address(self, channel: Email, address: str) -> None:
        with pytest.raises(Refused) as caught:
            await channel.send(replace(LETTER, address=address), "<effect@mail.example.test>")
        assert caught.value.reason == "bad-address"

    async def test_refuses_what_cannot_be_written(self, channel: Email) -> None:
        with pytest.raises(Refused) as caught:
            await channel.send(replace(LETTER, text="\ud800"), "<effect@mail.example.test>")
        assert caught.value.reason == "not-writable"

    async def test_lets_no_name_write_headers(self, channel: Email, mail_server: "MailServer") -> None:
        forged = replace(LETTER, name="Quux\r\nBcc: other@example.test", subject="a\nb")
        await channel.send(forged, "<effect@mail.example.test>")
        [message] = mail_server.received
        assert message["Bcc"] is None
        assert message["Subject"] == "a b"


class TestReplyTo:
    def test_is_the_same_for_an_engagement_and_says_nothing(self, channel: Email) -> None:
        address = channel.reply_to("a-1", "e-1")
        assert re.fullmatch(r"reply\+[0-9a-f]{32}@reply\.example\.test", address)
        assert address == channel.reply_to("a-1", "e-1")

    def test_differs_between_engagements_agencies_and_secrets(self) -> None:
        tokens = {
            reply_token(b"secret", "a-1", "e-1"),
            reply_token(b"secret", "a-1", "e-2"),
            reply_token(b"secret", "a-2", "e-1"),
            reply_token(b"other", "a-1", "e-1"),
        }
        assert len(tokens) == 4


class TestLetter:
    def test_shows_nothing_of_itself(self) -> None:
        assert repr(LETTER) == "Letter()"
