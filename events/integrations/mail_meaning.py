"""What a mail to a reply address comes to, once it is known whose address that is and who wrote.

Only the candidate's own words are the candidate's: a colleague's answer, or a stranger's, waits for a person.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

from events.canonical import instant
from events.integrations.mail import Mail
from events.integrations.meaning import Ignored, Kind, Known, Meaning, Means, Waits, Wanted
from events.integrations.message import Message

MAIL: Final = "mail"
"""The provider's name."""
WHOSE: Final = "mail"
"""What is asked for before a mail can be read: see :func:`facts`."""
SENDER: Final[Kind] = "sender"
"""A link of this kind says that an address is a candidate's, beside the one on record."""
RECEIVED, BOUNCED, AUTOMATIC = "mail.received", "mail.bounced", "mail.automatic"
Writer = Literal["candidate", "colleague", "stranger"]
_WISHES: Final[Mapping[str, str]] = {"stop": "stop-outreach", "start": "allow-outreach"}


def as_body(mail: Mail) -> dict[str, Any]:
    """Write a mail as the JSON that the inbox keeps."""
    bounce = mail.bounce
    return {
        "message_id": mail.message_id,
        "sender": mail.sender,
        "sent_at": None if mail.sent_at is None else instant(mail.sent_at),
        "tokens": list(mail.tokens),
        "told": mail.told,
        "wish": mail.wish,
        "says_more": mail.says_more,
        "effect_id": str(bounce.effect_id) if bounce is not None and bounce.effect_id is not None else None,
        "status": bounce.status if bounce is not None else None,
    }


def event_of(mail: Mail) -> str:
    """Name what a mail is."""
    if mail.bounce is not None:
        return BOUNCED
    return AUTOMATIC if mail.automatic or mail.delayed else RECEIVED


def facts(engagement: str | None, writer: Writer) -> dict[str, Any]:
    """Write down what was looked up: whose reply address or message it is, and who wrote."""
    return {"engagement": engagement, "writer": writer}


def senders(message: Message) -> frozenset[tuple[Kind, str]]:
    """Give the foreign ids that reading it may look up."""
    sender = _text(message, "sender")
    return frozenset({(SENDER, sender)}) if sender and message.event == RECEIVED else frozenset()


def mean(message: Message, known: Known) -> Meaning:
    """Say what a mail means."""
    if message.event == AUTOMATIC:
        return Ignored("an automatic answer is nobody's words")
    if not isinstance(message.fetched, Mapping):
        return Waits("it is not looked up yet whose mail this is.", "fetch", fetch=WHOSE)
    engagement = message.fetched.get("engagement")
    if not isinstance(engagement, str):
        bounced = message.event == BOUNCED
        says = (
            "no message of ours came back with it" if bounced else "it reached no engagement's reply address"
        )
        return Waits(f"{says}.", "link")
    if message.event == BOUNCED:
        return Means((_bounce(message, engagement),))
    return _words(message, engagement, message.fetched.get("writer"), known)


def _bounce(message: Message, engagement: str) -> Wanted:
    status = _text(message, "status") or "unknown"
    fields: dict[str, Any] = {"reason": f"mail-{status.replace('.', '-')}"}
    if effect := _text(message, "effect_id"):
        fields["effect_id"] = effect
    return Wanted(engagement, "record-bounce", fields, message.occurred_at)


def _words(message: Message, engagement: str, writer: object, known: Known) -> Meaning:
    sender = _text(message, "sender")
    linked = known.find(SENDER, sender) if sender else None
    if writer != "candidate" and (linked is None or linked.engagement != engagement):
        return _somebody_elses(writer, sender)
    told = known.keyed(_text(message, "message_id") or f"{sender} {message.occurred_at.isoformat()}")
    reference = f"mail-{told[:24]}"
    wanted: list[Wanted] = []
    wish = _WISHES.get(_text(message, "wish"))
    if wish is not None:
        wanted.append(Wanted(engagement, wish, {"evidence_ref": reference}, message.occurred_at))
    if wish is None or (isinstance(message.body, Mapping) and message.body.get("says_more") is True):
        fields: dict[str, Any] = {"message_id": reference, "channel": "email"}
        if words := _text(message, "told"):
            fields["words"] = words
        wanted.append(Wanted(engagement, "record-message", fields, message.occurred_at))
    return Means(tuple(wanted))


def _somebody_elses(writer: object, sender: str) -> Waits:
    if writer == "colleague":
        return Waits(
            "a colleague wrote it, so it is not the candidate's word; record what it tells, then discard it.",
            "link",
        )
    says = (
        "it is not from the address on record; if the candidate wrote it, link the address as their sender."
    )
    return Waits(says, "link", SENDER if sender else None, sender or None)


def _text(message: Message, name: str) -> str:
    value = message.body.get(name) if isinstance(message.body, Mapping) else None
    return value if isinstance(value, str) else ""
