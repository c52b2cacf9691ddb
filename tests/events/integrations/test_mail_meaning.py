"""What a mail comes to: only the candidate's own words are theirs, and an automatic answer is nobody's."""

from datetime import UTC, datetime
from typing import Any

import pytest

from events.integrations.mail import read_mail
from events.integrations.mail_meaning import MAIL, Writer, as_body, event_of, facts
from events.integrations.meaning import Ignored, KnownIds, Meaning, Means, Ours, Waits
from events.integrations.message import Message
from events.integrations.reading import mentions, read
from events.integrations.rules import Mapping
from events.orders import COMMANDS

AT = datetime(2026, 1, 5, 12, tzinfo=UTC)
NOTHING = Mapping(format=1, provider=MAIL)
EFFECT = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"


def message(words: str = "Hello", *headers: str, fetched: Any = None, raw: bytes | None = None) -> Message:
    """Keep a mail as the door does."""
    lines = ("From: me@example.test", "To: reply+" + "a" * 32 + "@r.test", "Message-ID: <m@x>", *headers)
    mail = read_mail(raw or ("\r\n".join(lines) + "\r\n\r\n" + words).encode())
    return Message(event=event_of(mail), occurred_at=AT, body=as_body(mail), fetched=fetched)


def means(said: Message, ids: dict[Any, Ours] | None = None) -> Meaning:
    """Read it."""
    return read(said, NOTHING, KnownIds(ids or {}, lambda text: f"{len(text):032x}"))


def from_(writer: Writer) -> dict[str, Any]:
    """Give what was looked up of a mail to e-1."""
    return facts("e-1", writer)


class TestAMailThatIsKept:
    @pytest.mark.parametrize(
        ("header", "kept"),
        [("Date: Mon, 05 Jan 2099 12:00:00 +0100", "2099-01-05T11:00:00.000000Z"), ("Date: soon", None)],
    )
    def test_holds_the_time_that_its_sender_wrote(self, header: str, kept: str | None) -> None:
        """The inbox goes by the time of receipt where that lies ahead; what was said stays to be seen."""
        assert message("Hello", header).body["sent_at"] == kept


class TestTheCandidatesWords:
    def test_are_a_message_that_waits_for_an_answer(self) -> None:
        meaning = means(message("Is there news?", fetched=from_("candidate")))
        assert isinstance(meaning, Means)
        [wanted] = meaning.commands
        assert (wanted.engagement, wanted.name, wanted.at) == ("e-1", "record-message", AT)
        assert wanted.fields["words"] == "Is there news?"
        assert COMMANDS["record-message"].model_validate({**wanted.fields, "name": "record-message"})

    def test_name_the_mail_by_a_keyed_digest(self) -> None:
        """A Message-ID may hold a name."""
        meaning = means(message(fetched=from_("candidate")))
        assert isinstance(meaning, Means)
        assert meaning.commands[0].fields["message_id"].startswith("mail-000")

    @pytest.mark.parametrize(("word", "name"), [("STOP", "stop-outreach"), ("start", "allow-outreach")])
    def test_that_are_a_wish_are_no_question(self, word: str, name: str) -> None:
        meaning = means(message(word, fetched=from_("candidate")))
        assert isinstance(meaning, Means)
        assert [each.name for each in meaning.commands] == [name]
        assert COMMANDS[name].model_validate({**meaning.commands[0].fields, "name": name})

    def test_beside_a_wish_are_heard_too(self) -> None:
        meaning = means(message("STOP\nI found a job.", fetched=from_("candidate")))
        assert isinstance(meaning, Means)
        assert [each.name for each in meaning.commands] == ["stop-outreach", "record-message"]

    def test_count_from_an_address_that_a_person_has_linked(self) -> None:
        said = message(fetched=from_("stranger"))
        assert mentions(said, NOTHING) == {("sender", "me@example.test")}
        linked = means(said, {("sender", "me@example.test"): Ours(engagement="e-1")})
        assert isinstance(linked, Means)
        other = means(said, {("sender", "me@example.test"): Ours(engagement="e-2")})
        assert isinstance(other, Waits)


class TestAnybodyElses:
    def test_words_wait_for_a_person(self) -> None:
        meaning = means(message(fetched=from_("stranger")))
        assert isinstance(meaning, Waits)
        assert (meaning.needs, meaning.kind) == ("link", "sender")
        assert "example.test" not in meaning.says

    def test_answer_to_an_escalation_is_not_the_candidates(self) -> None:
        """Else a recruiter's own mail would stand on record as the candidate's."""
        meaning = means(message(fetched=from_("colleague")))
        assert isinstance(meaning, Waits)
        assert meaning.says.startswith("a colleague wrote it")


class TestWhatIsNotLookedUp:
    def test_is_asked_for(self) -> None:
        meaning = means(message())
        assert isinstance(meaning, Waits)
        assert (meaning.needs, meaning.fetch) == ("fetch", "mail")

    def test_is_nobodys_where_no_address_fits(self) -> None:
        meaning = means(message(fetched=facts(None, "stranger")))
        assert isinstance(meaning, Waits)
        assert meaning.needs == "link"


class TestAnAutomaticAnswer:
    def test_is_left_aside_with_its_reason(self) -> None:
        assert means(message("I am away", "Auto-Submitted: auto-replied")) == Ignored(
            "an automatic answer is nobody's words"
        )


class TestABounce:
    def test_is_put_down_to_its_message(self) -> None:
        raw = (
            "From: MAILER-DAEMON@x.test\r\nTo: rapport@x.test\r\n"
            'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
            "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
            "Action: failed\r\nStatus: 5.1.1\r\n\r\n"
            f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{EFFECT}@x.test>\r\n\r\n--b--\r\n"
        ).encode()
        meaning = means(message(raw=raw, fetched=facts("e-1", "stranger")))
        assert isinstance(meaning, Means)
        [wanted] = meaning.commands
        assert wanted.name == "record-bounce"
        assert dict(wanted.fields) == {"reason": "mail-5-1-1", "effect_id": EFFECT}
        assert COMMANDS["record-bounce"].model_validate_json(
            f'{{"name": "record-bounce", "reason": "mail-5-1-1", "effect_id": "{EFFECT}"}}'
        )
