"""What an owed message says and whom it reaches: a letter about one promise, or one about many.

A name goes into a letter's body and its address line; never into a subject, an outcome, an error or a log.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from activities.channels.port import Channel, Letter
from activities.directory import Away, Directory, Person
from activities.letters import (
    BrokenTemplate,
    Templates,
    UnknownTemplate,
    Words,
    moment,
    span,
    what_would_help,
)
from activities.types import OutreachOrder
from events.catalogue import EngagementOpened
from events.codec import UnknownEvent, decode
from events.errors import UnknownEngagement
from events.fold import annulled_ids, fold
from events.log.port import EventLog
from events.personal import Erased

DIGEST: Final = "digest"
_STOPPED: Final = "outreach-stopped"
_WISHES: Final = (_STOPPED, "outreach-allowed")
# The first events of an engagement: its opening is among them.
_OPENING: Final = 20


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a message is not sent, for good."""

    outcome: Literal["failed", "withheld"]
    reason: str
    says: str


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who gets a letter; *person_id* is None for a candidate."""

    person_id: str | None
    name: str = field(repr=False)
    address: str = field(repr=False)
    stands_in_for: Away | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One promise of a digest, ready for its letter."""

    order: OutreachOrder
    opened: EngagementOpened = field(repr=False)


class Composer:
    """Finds recipients and words; it sends nothing."""

    def __init__(self, log: EventLog, directory: Directory, channel: Channel, templates: Templates) -> None:
        self._log = log
        self._directory = directory
        self._channel = channel
        self._templates = templates

    async def prepare(self, order: OutreachOrder, now: datetime) -> tuple[str | None, Letter | Stop]:
        """Write the letter of one message, and name the colleague whom it reaches."""
        opened = await self._opening(order)
        if stop := _erased(opened):
            return None, stop
        if order.to == "candidate" and await self._outreach_stopped(order):
            return None, Stop("withheld", "candidate-said-stop", "the candidate wants no automated messages")
        recipient = await self._recipient(order, opened, now)
        if isinstance(recipient, Stop):
            return None, recipient
        if order.useful_until is not None and now > order.useful_until:
            return recipient.person_id, Stop("withheld", "past-usefulness", "it would help nobody any more")
        return recipient.person_id, await self._written(self._letter(order, opened, recipient))

    async def line(self, order: OutreachOrder, *, doubtful: bool) -> Line | Stop:
        """Look whether a promise still belongs in a digest; *doubtful*: it may have been told already."""
        opened = await self._opening(order)
        if stop := _erased(opened):
            return stop
        if not doubtful and await self._is_settled(order):
            return Stop("withheld", "settled", "the promise was kept or dropped before the digest left")
        return Line(order, opened)

    async def digest(
        self, agency: str, person_id: str, lines: Sequence[Line], now: datetime
    ) -> tuple[str, Letter | Stop]:
        """Write one letter about many promises, the most urgent first; about one alone, its own letter.

        It names who gets it: whoever stands in by now, if the person is away.
        """
        if not lines:
            return person_id, Stop("withheld", "settled", "no promise of the digest waits any more")
        recipient = reachable(await self._directory.present(agency, person_id, now), person_id)
        if isinstance(recipient, Stop):
            return person_id, recipient
        for_each = [await self._behalf(line.order, recipient, now) for line in lines]
        if len(lines) == 1:
            written = self._letter(lines[0].order, lines[0].opened, for_each[0])
        else:
            written = self._many(recipient, list(zip(lines, for_each, strict=True)), now)
        return recipient.person_id or person_id, await self._written(written)

    async def _is_settled(self, order: OutreachOrder) -> bool:
        stored = await self._log.read_stream(order.agency, f"engagement:{order.engagement_id}")
        try:
            state = fold(stored)
        except UnknownEvent:
            # Written by newer code than this: then it is listed.
            return False
        owed = state.owed.get(order.effect_id)
        return owed is not None and owed.obligation_id not in (None, *state.obligations)

    async def _outreach_stopped(self, order: OutreachOrder) -> bool:
        stored = await self._log.read_stream(order.agency, f"engagement:{order.engagement_id}")
        said = [each for each in stored if each.type in _WISHES]
        annulled = annulled_ids(stored)
        return next(
            (each.type == _STOPPED for each in reversed(said) if each.event_id not in annulled), False
        )

    async def _opening(self, order: OutreachOrder) -> EngagementOpened:
        stream = f"engagement:{order.engagement_id}"
        for stored in await self._log.read_stream(order.agency, stream, limit=_OPENING, open_personal=True):
            if stored.type == "engagement-opened":
                opened = decode(stored)
                assert isinstance(opened, EngagementOpened)
                return opened
        raise UnknownEngagement(order.engagement_id)

    async def _behalf(self, order: OutreachOrder, recipient: Recipient, now: datetime) -> Recipient:
        """Say for whom a colleague gets one promise of a digest: it is another's, or their own."""
        if order.to == "candidate":
            return recipient
        person = await self._directory.resolve(order.agency, order.to, order.owner, now)
        if person is None or person.person_id != recipient.person_id:
            return recipient
        return replace(recipient, stands_in_for=person.stands_in_for)

    async def _recipient(
        self, order: OutreachOrder, opened: EngagementOpened, now: datetime
    ) -> Recipient | Stop:
        if order.to == "candidate":
            return _reachable(None, "the candidate", opened.name, opened.email)
        person = await self._directory.resolve(order.agency, order.to, order.owner, now)
        if person is None:
            says = f"the agency has nobody to be the {order.to}; load its people with 'rapport agency load'"
            return Stop("failed", "no-recipient", says)
        return reachable(person, person.person_id)

    async def _written(self, writing: Awaitable[Letter]) -> Letter | Stop:
        try:
            return await writing
        except UnknownTemplate as error:
            return Stop("failed", "unknown-template", str(error))
        except BrokenTemplate as error:
            return Stop("failed", "broken-template", str(error))

    async def _letter(self, order: OutreachOrder, opened: EngagementOpened, recipient: Recipient) -> Letter:
        words = {
            **await self._words(order, opened, recipient),
            "reader": recipient.name,
            "why_you": _why(order, recipient, opened.zone),
        }
        reply_to = self._channel.reply_to(order.agency, order.engagement_id)
        letter = self._rendered(order.template, words, recipient, reply_to)
        return replace(letter, may_stop=order.to == "candidate")

    async def _many(
        self, recipient: Recipient, lines: Sequence[tuple[Line, Recipient]], now: datetime
    ) -> Letter:
        ordered = sorted(lines, key=lambda each: _urgency(each[0].order, now))
        promises = [
            {
                **await self._words(each.order, each.opened, behalf),
                "late": span(_late(each.order, now)),
                "template": each.order.template,
            }
            for each, behalf in ordered
        ]
        words: Words = {
            "reader": recipient.name,
            "count": len(promises),
            "level": promises[0]["level"],
            "late": promises[0]["late"],
            "promises": promises,
        }
        # An answer would belong to no one engagement.
        return self._rendered(DIGEST, words, recipient, None)

    def _rendered(self, template: str, words: Words, recipient: Recipient, reply_to: str | None) -> Letter:
        wording = self._templates.render(template, words)
        return Letter(
            address=recipient.address,
            name=recipient.name,
            subject=wording.subject,
            text=wording.text,
            html=wording.html,
            reply_to=reply_to,
        )

    async def _words(
        self, order: OutreachOrder, opened: EngagementOpened, recipient: Recipient
    ) -> dict[str, str | int]:
        owner = await self._directory.person(order.agency, order.owner) if order.owner else None
        return {
            "candidate": _text(opened.name) or "A candidate",
            "owner": _who(owner, order.owner),
            "engagement_id": order.engagement_id,
            "rule": order.rule or "a promise",
            "says": order.says or "To be in touch in time.",
            "about": order.subject or "",
            "since": moment(order.since, opened.zone),
            "due": moment(order.due_at, opened.zone) or "now",
            "level": order.level,
            "help": what_would_help(order.rule),
            "for_whom": _for_whom(recipient, opened.zone),
        }


def reachable(person: Person | None, person_id: str) -> Recipient | Stop:
    """Say how to write to a colleague, or why nobody can."""
    if person is None:
        return Stop("failed", "no-recipient", f"{person_id} does not work here any more")
    found = _reachable(person.person_id, person.person_id, person.name, person.email)
    return found if isinstance(found, Stop) else replace(found, stands_in_for=person.stands_in_for)


def _reachable(
    person_id: str | None, called: str, name: str | Erased | None, email: str | Erased | None
) -> Recipient | Stop:
    if isinstance(name, Erased) or isinstance(email, Erased):
        return Stop("withheld", "erased", f"the data of {called} is erased")
    if not email:
        return Stop("failed", "no-address", f"no e-mail address is known for {called}")
    return Recipient(person_id, _text(name) or person_id or "and good day", email)


def _erased(opened: EngagementOpened) -> Stop | None:
    if isinstance(opened.name, Erased) or isinstance(opened.email, Erased):
        return Stop("withheld", "erased", "the candidate's data is erased")
    return None


def _late(order: OutreachOrder, now: datetime) -> timedelta:
    return now - order.due_at if order.due_at is not None else timedelta()


def _urgency(order: OutreachOrder, now: datetime) -> tuple[int, timedelta, str]:
    return -order.level, -_late(order, now), order.engagement_id


def _text(value: str | Erased | None) -> str:
    # On one line: a name must not be able to write paragraphs of its own into a letter.
    return " ".join(value.split()) if isinstance(value, str) else ""


def _who(owner: Person | None, owner_id: str | None) -> str:
    if owner is None:
        return owner_id or "nobody yet"
    return f"{_text(owner.name)} ({owner.person_id})" if _text(owner.name) else owner.person_id


def _for_whom(recipient: Recipient, zone: str) -> str:
    away = recipient.stands_in_for
    if away is None:
        return ""
    called = f"{_text(away.name)} ({away.person_id})" if _text(away.name) else away.person_id
    return f"for {called}, who is away until {moment(away.until, zone)}"


def _why(order: OutreachOrder, recipient: Recipient, zone: str) -> str:
    if recipient.stands_in_for is not None:
        return f"It comes to you {_for_whom(recipient, zone)}."
    if order.owner is None:
        return "Nobody answers for this engagement yet, so it comes to you."
    if recipient.person_id == order.owner:
        return "You answer for it, so you hear of it first."
    return "It comes to you, because it stayed open on the way up."
