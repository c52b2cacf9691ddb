"""What an e-mail that reached an engagement's reply address says: words, a wish to hear no more, a bounce.

Pure: nothing is looked up here, and nothing of a mail may be logged.  An automatic answer is nobody's words.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.errors import MessageError
from email.message import EmailMessage, Message
from email.policy import default
from email.utils import getaddresses, parseaddr, parsedate_to_datetime
from html.parser import HTMLParser
from typing import Final
from uuid import UUID

# Where the mail systems of the field write down whom a mail was brought to.
RECIPIENTS: Final = ("to", "cc", "delivered-to", "x-original-to", "envelope-to", "x-forwarded-to")
TOKEN: Final = re.compile(r"reply\+([0-9a-f]{32})", re.IGNORECASE)
# Alone on the first line; what carriers and mail lists take for "no more", in the languages we write in.
STOPS: Final = frozenset({"stop", "unsubscribe", "stopp", "abmelden", "désabonner", "arret", "arrêt", "baja"})
STARTS: Final = frozenset({"start", "subscribe"})
LONGEST: Final = 20_000
"""Characters of a candidate's words that are kept; a mail of more is cut there."""
_QUOTES: Final = re.compile(
    r"^\s*(>|-{2,}\s*(original message|ursprüngliche nachricht|forwarded message)|_{10,}\s*$"
    r"|(on|am|le|el|il)\b.{0,200}\b(wrote|schrieb|écrit|escribió|ha scritto)\b.{0,80}:\s*$)",
    re.IGNORECASE,
)
_EFFECT: Final = re.compile(r"<([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@", re.IGNORECASE)
_STATUS: Final = re.compile(r"^\s*(\d)\.(\d{1,3})\.(\d{1,3})")


@dataclass(frozen=True, slots=True)
class Bounce:
    """A report that a message reached nobody, for good."""

    effect_id: UUID | None
    status: str
    """The enhanced code of RFC 3463, e.g. 5.1.1."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One e-mail, as far as it matters here."""

    message_id: str = field(repr=False)
    sender: str = field(repr=False)
    """The address alone, in lower case; empty where there is none."""
    tokens: tuple[str, ...] = ()
    """Of the reply addresses it was brought to."""
    sent_at: datetime | None = None
    subject: str = field(default="", repr=False)
    words: str = field(default="", repr=False)
    """What was written anew, without what it answers."""
    automatic: bool = False
    delayed: bool = False
    """A mail system says that it still tries."""
    bounce: Bounce | None = None

    @property
    def wish(self) -> str | None:
        """Tell whether the first line asks for no more messages, or for messages again: stop, start.

        An empty mail says what its subject says, as a mail program's button does.
        """
        first = next((line for line in self.words.splitlines() if line.strip()), self.subject)
        word = first.strip().strip(".!\"'").casefold()
        return "stop" if word in STOPS else "start" if word in STARTS else None

    @property
    def says_more(self) -> bool:
        """Tell whether there are words beside a wish."""
        lines = [line for line in self.words.splitlines() if line.strip()]
        return len(lines) > (1 if self.wish else 0)

    @property
    def told(self) -> str:
        """Give what a person must read: the words, else the subject."""
        return self.words or self.subject


class NoMail(Exception):
    """These bytes are no e-mail; one sentence."""


def read_mail(raw: bytes) -> Mail:
    """This will read an e-mail (RFC 5322) as it was brought.

    :raises NoMail: there is neither a sender nor a recipient in it.
    """
    try:
        message = message_from_bytes(raw, policy=default)
        addresses = [address for _, address in getaddresses(_all(message, RECIPIENTS))]
        sender = parseaddr(_header(message, "from"))[1].casefold()
    except (MessageError, ValueError, LookupError, TypeError):
        raise NoMail("this is no e-mail that can be read; send it as it came, as message/rfc822") from None
    if not addresses and not sender:
        raise NoMail(
            "this e-mail names neither who sent it nor to whom; send it as it came, as message/rfc822"
        )
    found = (TOKEN.search(address) for address in addresses)
    tokens = tuple(dict.fromkeys(each.group(1).lower() for each in found if each))
    report = _report(message)
    return Mail(
        message_id=_header(message, "message-id").strip(),
        sender=sender,
        tokens=tokens,
        sent_at=_date(message),
        subject=_header(message, "subject").strip()[:300],
        words="" if report is not None else _words(message),
        automatic=_automatic(message),
        delayed=report is not None and report[0] != "failed",
        bounce=report[1] if report is not None and report[0] == "failed" else None,
    )


def _header(message: Message, name: str) -> str:
    # A header may be anything; what cannot be read is as good as absent.
    try:
        return str(message.get(name) or "")
    except (MessageError, ValueError, LookupError, TypeError, AttributeError):
        return ""


def _all(message: Message, names: tuple[str, ...]) -> list[str]:
    found: list[str] = []
    for name in names:
        try:
            found += [str(each) for each in message.get_all(name) or ()]
        except (MessageError, ValueError, LookupError, TypeError, AttributeError):
            continue
    return found


def _date(message: Message) -> datetime | None:
    try:
        found = parsedate_to_datetime(_header(message, "date"))
    except (ValueError, TypeError):
        return None
    return None if found.tzinfo is None else found.astimezone(UTC)


def _automatic(message: Message) -> bool:
    # RFC 3834, and what answering machines wrote before it.
    if _header(message, "auto-submitted").split(";")[0].strip().casefold() not in ("", "no"):
        return True
    if _header(message, "precedence").strip().casefold() in ("bulk", "junk", "list", "auto_reply"):
        return True
    return any(_header(message, name) for name in ("x-autoreply", "x-autorespond", "list-id"))


def _report(message: Message) -> tuple[str, Bounce] | None:
    """Read a delivery status notification (RFC 3464): its action, and what it says."""
    if message.get_content_type() != "multipart/report":
        return None
    action, status = "", ""
    for part in message.walk():
        if part.get_content_type() == "message/delivery-status":
            for block in part.get_payload():
                if isinstance(block, Message):
                    action = action or _header(block, "action").strip().casefold()
                    status = status or _header(block, "status")
    code = _STATUS.match(status)
    says = ".".join(code.groups()) if code else "unknown"
    if not action:
        action = "failed" if says.startswith("5") else "unknown"
    return action, Bounce(_effect(message), says)


def _effect(message: Message) -> UUID | None:
    """Find which message of ours came back: its Message-ID begins with the effect's id."""
    for part in message.walk():
        if part is message:
            continue
        kind = part.get_content_type()
        text = _header(part, "message-id")
        if kind == "text/rfc822-headers":
            text += str(part.get_payload())
        if found := _EFFECT.search(text):
            return UUID(found.group(1))
    found = _EFFECT.search(f"{_header(message, 'in-reply-to')} {_header(message, 'references')}")
    return UUID(found.group(1)) if found else None


def _words(message: Message) -> str:
    if not isinstance(message, EmailMessage):
        return ""
    try:
        part = message.get_body(("plain", "html"))
        text = str(part.get_content()) if part is not None else ""
        if part is not None and part.get_content_type() == "text/html":
            text = _text_of(text)
    except (MessageError, ValueError, LookupError, TypeError, AttributeError):
        return ""
    return "\n".join(_anew(text.replace("\r\n", "\n").replace("\x00", ""))).strip()[:LONGEST]


def _anew(text: str) -> Iterator[str]:
    """Keep what stands above the mail that is answered."""
    for line in text.split("\n"):
        if _QUOTES.match(line):
            return
        yield line.rstrip()


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("style", "script", "head", "blockquote"):
            self._hidden += 1
        elif tag in ("br", "p", "div", "tr", "li"):
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("style", "script", "head", "blockquote"):
            self._hidden = max(0, self._hidden - 1)

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)


def _text_of(html: str) -> str:
    reader = _Text()
    reader.feed(html)
    reader.close()
    return "".join(reader.parts)
