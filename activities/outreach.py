"""The activity that sends what an engagement owes: claimed in the ledger, sent once, told back in codes.

What it returns, raises and logs holds ids and codes only: names and addresses go nowhere but into the letter.
"""

import json
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.channels.port import Channel, Letter, NotSent, OutcomeUnknown, Refused
from activities.composing import Composer, Stop
from activities.digest import WINDOW, Digest
from activities.directory import Directory
from activities.errors import for_temporal
from activities.holding import Waits, unless_held
from activities.letters import Templates
from activities.outcomes import until_recorded
from activities.types import OutreachOrder, OutreachOutcome
from events.canonical import canonical
from events.codec import UnknownEvent
from events.log.digests import Digests
from events.log.effects import Claim, EffectsLedger
from events.log.port import EventLog

# How long an attempt without an outcome may still be under way; longer than any channel's patience.
SETTLES_AFTER: Final = timedelta(minutes=5)
# One try, and once more under the same id after a crash in the middle: then a person must look.
MAX_ATTEMPTS: Final = 2

_log = logging.getLogger(__name__)


class Outreach:
    """The engine's voice, on a task queue of its own."""

    def __init__(
        self,
        log: EventLog,
        ledger: EffectsLedger,
        directory: Directory,
        channel: Channel,
        digests: Digests,
        *,
        templates: Sequence[Path] = (),
        settles_after: timedelta = SETTLES_AFTER,
        digest_window: timedelta = WINDOW,
    ) -> None:
        self._ledger = ledger
        self._directory = directory
        self._channel = channel
        self._settles_after = settles_after
        self._composer = Composer(log, directory, channel, Templates(templates))
        self._digest = Digest(
            digests,
            self._composer,
            directory,
            channel,
            window=digest_window,
            settles_after=settles_after,
            max_attempts=MAX_ATTEMPTS,
        )

    @activity.defn(name="send-outreach")
    async def send(self, order: OutreachOrder) -> OutreachOutcome:
        """Send an owed message, or say why not; safe to repeat, a known outcome comes back unchanged.

        A dead channel gives a retryable error: its caller retries for ever, with a capped pause.  So does a
        message that waits for its person's digest, or while the agency's outreach is held.
        """
        with for_temporal("send an outreach"):
            info = activity.info()
            now = order.now + order.rate * (info.started_time - info.scheduled_time)
            try:
                outcome = await self._send(order, now)
            except Waits as wait:
                raise wait.for_temporal(info.attempt) from None
            except UnknownEvent:
                # During a deploy another worker is newer; giving up would lose the message for good.
                says = "the log holds an event that this worker is too old for; upgrade it"
                raise ApplicationError(says, type=UnknownEvent.__name__) from None
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
        person, prepared = await self._composer.prepare(order, now)
        known = False
        if self._digest.takes(order):
            if person is None or isinstance(prepared, Stop):
                await self._digest.leave(order)
            else:
                # Afterwards the ledger knows the outcome, and the claim below is told it.
                known = await self._digest.send(order, person, now)
        if not known and not await self._is_known(order):
            await unless_held(self._directory, order.agency)
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
                result = prepared if isinstance(prepared, Stop) else await self._try(order, claim, prepared)
                return await self._finish(order, claim, person, result)
            case "done":
                return _told_before(order, claim)
            case "exhausted":
                says = f"no attempt of {claim.attempt} has a known outcome; ask the recipient whether it came"
                return await self._finish(order, claim, person, Stop("failed", "outcome-unknown", says))
            case "busy":
                raise self._later(f"attempt {claim.attempt} has no outcome yet", "OutreachBusy")

    async def _is_known(self, order: OutreachOrder) -> bool:
        """Tell whether an outcome only has to be told: that is no sending, and waits for no release."""
        if await self._directory.outreach_held(order.agency) is None:
            return False
        stream = f"engagement:{order.engagement_id}"
        rows = await self._ledger.list(order.agency, stream=stream, states=("sent", "failed", "withheld"))
        return any(each.effect_id == str(order.effect_id) for each in rows)

    async def _try(self, order: OutreachOrder, claim: Claim, letter: Letter) -> Stop | None:
        try:
            await self._channel.send(letter, claim.message_id)
        except Refused as error:
            return Stop("failed", error.reason, str(error))
        except NotSent as error:
            # Once: by a second time another sender may have taken the attempt.
            await self._ledger.finish(order.agency, str(order.effect_id), claim.attempt, "released")
            raise ApplicationError(str(error), type="NotSent") from None
        except OutcomeUnknown as error:
            # The claim stays: after the wait it counts as unknown, and the next attempt goes out.
            raise self._later(str(error), "OutcomeUnknown") from None
        return None

    async def _finish(
        self, order: OutreachOrder, claim: Claim, person: str | None, stop: Stop | None
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
        effect_id, became = str(order.effect_id), outcome.outcome
        await until_recorded(
            lambda: self._ledger.finish(order.agency, effect_id, claim.attempt, became, detail)
        )
        return outcome

    def _later(self, says: str, kind: str) -> ApplicationError:
        return ApplicationError(says, type=kind, next_retry_delay=self._settles_after)


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
