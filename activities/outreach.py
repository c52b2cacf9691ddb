"""The activity that sends what an engagement owes: claimed in the ledger, sent once, told back in codes.

What it returns, raises and logs holds ids and codes only: names and addresses go nowhere but into the letter.
"""

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.channels.port import Channel, Letter, NotSent, OutcomeUnknown, Refused
from activities.directory import Directory, Person
from activities.errors import for_temporal, is_passing
from activities.letters import BrokenTemplate, Templates, UnknownTemplate, moment, what_would_help
from activities.types import OutreachOrder, OutreachOutcome
from events.canonical import canonical
from events.catalogue import EngagementOpened
from events.codec import decode
from events.errors import UnknownEngagement
from events.log.effects import Claim, EffectsLedger, Outcome
from events.log.port import EventLog
from events.personal import Erased

# How long an attempt without an outcome may still be under way; longer than any channel's patience.
SETTLES_AFTER: Final = timedelta(minutes=5)
# One try, and once more under the same id after a crash in the middle: then a person must look.
MAX_ATTEMPTS: Final = 2
# Between two tries to record what became of a letter.
_RECORD_AGAIN: Final = 0.25
# The first events of an engagement: its opening is among them.
_OPENING: Final = 20

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Stop:
    outcome: Literal["failed", "withheld"]
    reason: str
    says: str


@dataclass(frozen=True, slots=True)
class _Recipient:
    person_id: str | None
    name: str = field(repr=False)
    address: str = field(repr=False)


class Outreach:
    """The engine's voice, on a task queue of its own."""

    def __init__(
        self,
        log: EventLog,
        ledger: EffectsLedger,
        directory: Directory,
        channel: Channel,
        *,
        templates: Sequence[Path] = (),
        settles_after: timedelta = SETTLES_AFTER,
    ) -> None:
        self._log = log
        self._ledger = ledger
        self._directory = directory
        self._channel = channel
        self._templates = Templates(templates)
        self._settles_after = settles_after

    @activity.defn(name="send-outreach")
    async def send(self, order: OutreachOrder) -> OutreachOutcome:
        """Send an owed message, or say why not; safe to repeat, a known outcome comes back unchanged.

        A dead channel gives a retryable error: its caller retries for ever, with a capped pause.
        """
        with for_temporal("send an outreach"):
            info = activity.info()
            now = order.now + order.rate * (info.started_time - info.scheduled_time)
            outcome = await self._send(order, now)
        _log.info(
            "outreach %s of %s: %s, attempt %d (%s)",
            order.effect_id,
            order.engagement_id,
            outcome.outcome,
            outcome.attempt,
            outcome.reason,
        )
        return outcome

    async def _send(self, order: OutreachOrder, now: datetime) -> OutreachOutcome:
        # Prepared before the claim: whatever fails until there leaves no attempt behind.
        person, prepared = await self._prepare(order, now)
        claim = await self._ledger.claim(
            order.agency,
            str(order.effect_id),
            f"engagement:{order.engagement_id}",
            order.channel,
            self._channel.message_id(str(order.effect_id)),
            max_attempts=MAX_ATTEMPTS,
            stale_after=self._settles_after,
        )
        match claim.status:
            case "go":
                result = prepared if isinstance(prepared, _Stop) else await self._try(order, claim, prepared)
                return await self._finish(order, claim, person, result)
            case "done":
                return _told_before(order, claim)
            case "exhausted":
                says = f"no attempt of {claim.attempt} has a known outcome; ask the recipient whether it came"
                return await self._finish(order, claim, person, _Stop("failed", "outcome-unknown", says))
            case "busy":
                raise self._later(f"attempt {claim.attempt} has no outcome yet", "OutreachBusy")

    async def _try(self, order: OutreachOrder, claim: Claim, letter: Letter) -> _Stop | None:
        try:
            await self._channel.send(letter, claim.message_id)
        except Refused as error:
            return _Stop("failed", error.reason, str(error))
        except NotSent as error:
            await self._record(order, claim, "released")
            raise ApplicationError(str(error), type="NotSent") from None
        except OutcomeUnknown as error:
            # The claim stays: after the wait it counts as unknown, and the next attempt goes out.
            raise self._later(str(error), "OutcomeUnknown") from None
        return None

    async def _finish(
        self, order: OutreachOrder, claim: Claim, person: str | None, stop: _Stop | None
    ) -> OutreachOutcome:
        outcome = OutreachOutcome(
            effect_id=order.effect_id,
            outcome=stop.outcome if stop else "sent",
            person=person,
            attempt=claim.attempt,
            message_id="" if stop else claim.message_id,
            reason=stop.reason if stop else "unspecified",
            says=stop.says if stop else "",
        )
        detail = canonical({"person": person, "reason": outcome.reason, "says": outcome.says})
        await self._record(order, claim, outcome.outcome, detail)
        return outcome

    async def _record(
        self, order: OutreachOrder, claim: Claim, outcome: Outcome, detail: str | None = None
    ) -> None:
        """Record what became of an attempt, however long the database is away.

        Whoever gave up here would make a known outcome an unknown one, and the letter would go out again.
        """
        while True:
            try:
                await self._ledger.finish(order.agency, str(order.effect_id), claim.attempt, outcome, detail)
                return
            except Exception as error:
                if not is_passing(error):
                    raise
            await asyncio.sleep(_RECORD_AGAIN)

    def _later(self, says: str, kind: str) -> ApplicationError:
        return ApplicationError(says, type=kind, next_retry_delay=self._settles_after)

    # -- what to send, and to whom --------------------------------------------------------------

    async def _prepare(self, order: OutreachOrder, now: datetime) -> tuple[str | None, Letter | _Stop]:
        opened = await self._opening(order)
        if isinstance(opened.name, Erased) or isinstance(opened.email, Erased):
            return None, _Stop("withheld", "erased", "the candidate's data is erased")
        recipient = await self._recipient(order, opened)
        if isinstance(recipient, _Stop):
            return None, recipient
        if order.useful_until is not None and now > order.useful_until:
            return recipient.person_id, _Stop("withheld", "past-usefulness", "it would help nobody any more")
        try:
            return recipient.person_id, await self._letter(order, opened, recipient)
        except UnknownTemplate as error:
            return recipient.person_id, _Stop("failed", "unknown-template", str(error))
        except BrokenTemplate as error:
            return recipient.person_id, _Stop("failed", "broken-template", str(error))

    async def _opening(self, order: OutreachOrder) -> EngagementOpened:
        stream = f"engagement:{order.engagement_id}"
        for stored in await self._log.read_stream(order.agency, stream, limit=_OPENING, open_personal=True):
            if stored.type == "engagement-opened":
                opened = decode(stored)
                assert isinstance(opened, EngagementOpened)
                return opened
        raise UnknownEngagement(order.engagement_id)

    async def _recipient(self, order: OutreachOrder, opened: EngagementOpened) -> _Recipient | _Stop:
        if order.to == "candidate":
            return _reachable(None, "the candidate", opened.name, opened.email)
        person = await self._directory.resolve(order.agency, order.to, order.owner)
        if person is None:
            says = f"the agency has nobody to be the {order.to}; load its people with 'rapport agency load'"
            return _Stop("failed", "no-recipient", says)
        return _reachable(person.person_id, person.person_id, person.name, person.email)

    async def _letter(self, order: OutreachOrder, opened: EngagementOpened, recipient: _Recipient) -> Letter:
        owner = await self._directory.person(order.agency, order.owner) if order.owner else None
        words: dict[str, str | int] = {
            "reader": recipient.name,
            "candidate": _text(opened.name) or "A candidate",
            "owner": _who(owner, order.owner),
            "engagement_id": order.engagement_id,
            "rule": order.rule or "a promise",
            "says": order.says or "To be in touch in time.",
            "about": order.subject or "",
            "since": moment(order.since, opened.zone),
            "due": moment(order.due_at, opened.zone) or "now",
            "level": order.level,
            "why_you": _why(order, recipient),
            "help": what_would_help(order.rule),
        }
        wording = self._templates.render(order.template, words)
        return Letter(
            address=recipient.address,
            name=recipient.name,
            subject=wording.subject,
            text=wording.text,
            html=wording.html,
            reply_to=self._channel.reply_to(order.agency, order.engagement_id),
        )


def _reachable(
    person_id: str | None, called: str, name: str | Erased | None, email: str | Erased | None
) -> _Recipient | _Stop:
    if isinstance(name, Erased) or isinstance(email, Erased):
        return _Stop("withheld", "erased", f"the data of {called} is erased")
    if not email:
        return _Stop("failed", "no-address", f"no e-mail address is known for {called}")
    return _Recipient(person_id, _text(name) or person_id or "and good day", email)


def _text(value: str | Erased | None) -> str:
    # On one line: a name must not be able to write paragraphs of its own into a letter.
    return " ".join(value.split()) if isinstance(value, str) else ""


def _who(owner: Person | None, owner_id: str | None) -> str:
    if owner is None:
        return owner_id or "nobody yet"
    return f"{_text(owner.name)} ({owner.person_id})" if _text(owner.name) else owner.person_id


def _why(order: OutreachOrder, recipient: _Recipient) -> str:
    if order.owner is None:
        return "Nobody answers for this engagement yet, so it comes to you."
    if recipient.person_id == order.owner:
        return "You answer for it, so you hear of it first."
    return "It comes to you, because it stayed open on the way up."


def _told_before(order: OutreachOrder, claim: Claim) -> OutreachOutcome:
    assert claim.state in ("sent", "failed", "withheld")
    detail = json.loads(claim.detail or "{}")
    return OutreachOutcome(
        effect_id=order.effect_id,
        outcome=claim.state,
        attempt=claim.attempt,
        message_id=claim.message_id if claim.state == "sent" else "",
        **detail,
    )
