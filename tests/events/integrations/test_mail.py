"""What an e-mail to a reply address says: a person's words, a wish, a bounce, or nothing at all."""

import contextlib
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.integrations.mail import LONGEST, NoMail, read_mail

TOKEN = "0123456789abcdef0123456789abcdef"
EFFECT = UUID("3f2504e0-4f89-41d3-9a0c-0305e82c3301")


def mail(body: str, *more: str, content_type: str = "text/plain; charset=utf-8") -> bytes:
    """Write a mail as a mail system brings it."""
    headers = [
        "From: Candidate One <Candidate@Example.test>",
        f"To: Rapport <reply+{TOKEN}@replies.example.test>",
        "Date: Mon, 05 Jan 2026 13:00:00 +0100",
        "Message-ID: <m-1@example.test>",
        f"Content-Type: {content_type}",
        *more,
    ]
    return ("\r\n".join(headers) + "\r\n\r\n" + body).encode()


BOUNCE = f"""This is a MIME-encapsulated message.

--b
Content-Type: text/plain

I'm sorry to have to inform you that your message could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.test

Final-Recipient: rfc822; candidate@example.test
Action: ACTION
Status: 5.1.1
Diagnostic-Code: smtp; 550 no such user

--b
Content-Type: text/rfc822-headers

From: rapport@example.test
Message-ID: <{EFFECT}@example.test>

--b--
"""
REPORT = 'multipart/report; report-type=delivery-status; boundary="b"'


class TestReadMail:
    def test_finds_whom_it_is_from_and_whose_address_it_reached(self) -> None:
        read = read_mail(mail("Thank you!"))
        assert (read.sender, read.tokens) == ("candidate@example.test", (TOKEN,))
        assert read.sent_at == datetime(2026, 1, 5, 12, tzinfo=UTC)
        assert (read.message_id, read.words) == ("<m-1@example.test>", "Thank you!")
        assert not read.automatic

    @pytest.mark.parametrize("header", ["Delivered-To", "X-Original-To", "Envelope-To", "Cc"])
    def test_looks_where_mail_systems_write_the_recipient(self, header: str) -> None:
        raw = mail("Hello", f"{header}: reply+{'f' * 32}@replies.example.test")
        assert read_mail(raw).tokens == (TOKEN, "f" * 32)

    @pytest.mark.parametrize(
        "quoted",
        [
            "> What you wrote",
            "On Mon, 5 Jan 2026 at 12:00, Rapport <rapport@example.test> wrote:\n> Hello",
            "Am 05.01.2026 um 12:00 schrieb Rapport:\n> Hallo",
            "-----Original Message-----\nFrom: Rapport",
        ],
    )
    def test_leaves_out_what_is_answered(self, quoted: str) -> None:
        assert read_mail(mail(f"Yes, Friday suits me.\n\n{quoted}\n")).words == "Yes, Friday suits me."

    def test_reads_a_mail_that_is_only_a_page(self) -> None:
        page = (
            "<html><head><style>p{}</style></head><body><p>Yes &amp; thanks</p><blockquote>old</blockquote>"
        )
        assert read_mail(mail(page, content_type="text/html")).words == "Yes & thanks"

    def test_prefers_the_plain_text(self) -> None:
        body = (
            "--x\r\nContent-Type: text/plain\r\n\r\nplain\r\n"
            "--x\r\nContent-Type: text/html\r\n\r\n<b>page</b>\r\n--x--\r\n"
        )
        assert read_mail(mail(body, content_type='multipart/alternative; boundary="x"')).words == "plain"

    def test_cuts_what_is_too_long(self) -> None:
        assert len(read_mail(mail("x" * (LONGEST + 5))).words) == LONGEST

    def test_refuses_what_is_no_mail(self) -> None:
        with pytest.raises(NoMail, match="message/rfc822"):
            read_mail(b'{"json": true}')

    @given(st.binary(max_size=2000))
    def test_raises_nothing_else_whatever_comes(self, raw: bytes) -> None:
        with contextlib.suppress(NoMail):
            read_mail(raw)

    @given(st.text(max_size=300), st.sampled_from(["From", "To", "Date", "Message-ID", "Content-Type"]))
    def test_takes_headers_as_strange_as_they_come(self, value: str, header: str) -> None:
        read_mail(mail("Hello", f"{header}: {value}"))


class TestAWish:
    @pytest.mark.parametrize("words", ["STOP", "stop.", "\n\n Stop! \n", "Unsubscribe", "ABMELDEN"])
    def test_to_hear_no_more_stands_alone_on_the_first_line(self, words: str) -> None:
        read = read_mail(mail(words))
        assert (read.wish, read.says_more) == ("stop", False)

    def test_may_come_with_words_for_a_person(self) -> None:
        read = read_mail(mail("STOP\nI found a job, thank you."))
        assert (read.wish, read.says_more) == ("stop", True)

    @pytest.mark.parametrize("words", ["Please do not stop looking", "Stop by at noon?", ""])
    def test_is_not_read_into_other_words(self, words: str) -> None:
        assert read_mail(mail(words)).wish is None

    def test_can_be_to_hear_again(self) -> None:
        assert read_mail(mail("Start")).wish == "start"

    def test_can_be_an_empty_mail_with_a_subject(self) -> None:
        """So says the button that mail programs make of List-Unsubscribe."""
        read = read_mail(mail("", "Subject: STOP"))
        assert (read.wish, read.says_more) == ("stop", False)
        assert read_mail(mail("Hello", "Subject: STOP")).wish is None


class TestAnAutomaticAnswer:
    @pytest.mark.parametrize(
        "header",
        [
            "Auto-Submitted: auto-replied",
            "Precedence: bulk",
            "X-Autoreply: yes",
            "List-Id: <news.example.test>",
        ],
    )
    def test_is_recognised(self, header: str) -> None:
        assert read_mail(mail("I am away.", header)).automatic

    def test_is_not_what_a_person_sends(self) -> None:
        assert not read_mail(mail("Hello", "Auto-Submitted: no")).automatic


class TestABounce:
    def test_says_which_message_came_back_and_why(self) -> None:
        read = read_mail(mail(BOUNCE.replace("ACTION", "failed"), content_type=REPORT))
        assert read.bounce is not None
        assert (read.bounce.effect_id, read.bounce.status) == (EFFECT, "5.1.1")
        assert read.words == ""

    def test_is_not_one_that_is_only_delayed(self) -> None:
        read = read_mail(mail(BOUNCE.replace("ACTION", "delayed"), content_type=REPORT))
        assert (read.bounce, read.delayed) == (None, True)

    def test_may_hold_the_whole_message(self) -> None:
        whole = BOUNCE.replace("ACTION", "failed").replace("text/rfc822-headers", "message/rfc822")
        read = read_mail(mail(whole, content_type=REPORT))
        assert read.bounce is not None
        assert read.bounce.effect_id == EFFECT
