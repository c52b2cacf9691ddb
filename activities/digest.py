"""One letter a person for what has come up to them: effects gather, then leave under one Message-ID.

Any activity whose effect waits may be the one that sends: no sender beside them could be missing.
"""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid5

from temporalio.exceptions import ApplicationError

from activities.channels.port import Channel, Letter, NotSent, OutcomeUnknown, Refused
from activities.composing import Composer, Line, Stop
from activities.directory import Directory
from activities.errors import is_passing
from activities.holding import Waits, unless_held
from activities.outcomes import until_recorded
from activities.types import OutreachOrder
from events.canonical import canonical
from events.codec import UnknownEvent
from events.errors import CallerError
from events.log.digests import Became, Digests, Entry, Place
from events.log.effects import Claim

# Domain time from the first promise that comes up to a person to the letter about it.
WINDOW: Final = timedelta(minutes=15)
# The first level that comes up to somebody who did not owe the promise.
FROM_LEVEL: Final = 2
GATHERS: Final = "OutreachGathers"
TAKEN: Final = "DigestTaken"
# As long as one try of the activity: a sender that was killed before its claim keeps others waiting so long.
_LEASE: Final = timedelta(minutes=2)
# After a failure nobody takes the digest for this long, or each of its entries would ask the dead server.
_PAUSE: Final = timedelta(seconds=10)
# Temporal's own timers take about a second, so a shorter wait is sat out here; a fast clock's always is.
_SHORT: Final = timedelta(seconds=1)


class Digest:
    """Sends what is owed to one person together."""

    def __init__(
        self,
        digests: Digests,
        composer: Composer,
        directory: Directory,
        channel: Channel,
        *,
        window: timedelta,
        settles_after: timedelta,
        max_attempts: int,
    ) -> None:
        self._digests = digests
        self._composer = composer
        self._directory = directory
        self._channel = channel
        self._window = window
        self._settles_after = settles_after
        self._lease = min(_LEASE, settles_after)
        self._pause = min(_PAUSE, settles_after)
        self._max_attempts = max_attempts

    def takes(self, order: OutreachOrder) -> bool:
        """Tell whether a message waits for others: reminders, owners and candidates hear at once."""
        return order.to != "candidate" and order.level >= FROM_LEVEL

    async def leave(self, order: OutreachOrder) -> None:
        """Take out a message that nobody can be sent."""
        await self._digests.leave(order.agency, str(order.effect_id))

    async def send(self, order: OutreachOrder, person: str, now: datetime) -> bool:
        """Let a message wait for its person's digest, and send that once it is ripe.

        True: the ledger knows what became of the message.  False: it was tried by itself, and goes on so.

        :raises Waits: for its window, for another sender, or for the release of a hold.
        :raises ApplicationError: the channel is dead, or nobody knows what became of an attempt.
        """
        place = await self._digests.join(
            order.agency,
            person,
            str(order.effect_id),
            f"engagement:{order.engagement_id}",
            order.model_dump_json(),
            digest_id=str(uuid5(order.effect_id, "digest")),
            window=self._window / order.rate if order.rate else timedelta(),
        )
        if place is None:
            return False
        if place.ripe_in >= _SHORT:
            raise Waits(f"it waits for the digest of {place.person_id}", GATHERS, place.ripe_in)
        await asyncio.sleep(place.ripe_in.total_seconds())
        # Before it is taken, so that it goes on gathering while nothing may leave.
        await unless_held(self._directory, order.agency)
        entries = await self._digests.take(order.agency, place.digest_id, lease=self._lease)
        if entries is None:
            raise Waits(f"another sender has the digest of {place.person_id}", TAKEN)
        try:
            if str(order.effect_id) not in [each.effect_id for each in entries]:
                raise Waits("it has its outcome, or another digest", TAKEN)
            await self._deliver(order, place, entries, now)
        except Exception:
            with suppress(Exception):  # the lease ends by itself
                await self._digests.finish(order.agency, place.digest_id, 0, (), pause=self._pause)
            raise
        return True

    async def _deliver(
        self, order: OutreachOrder, place: Place, entries: Sequence[Entry], now: datetime
    ) -> None:
        # Prepared before the claim: whatever fails until there leaves no attempt behind.
        found = {each.effect_id: await self._look(each) for each in entries}
        listed = {key: each for key, each in found.items() if isinstance(each, Line)}
        stops = {key: each for key, each in found.items() if isinstance(each, Stop)}
        reader, letter = await self._composer.digest(order.agency, place.person_id, [*listed.values()], now)
        await unless_held(self._directory, order.agency)
        claim = await self._digests.claim(
            order.agency,
            place.digest_id,
            order.channel,
            self._channel.message_id(place.digest_id),
            max_attempts=self._max_attempts,
            stale_after=self._settles_after,
        )
        if claim.status == "busy":
            raise self._later(f"attempt {claim.attempt} has no outcome yet", "OutreachBusy")
        # What is left out is settled first: a crash in the sending must not make it doubtful.
        left_out = [_became(key, place.person_id, stop) for key, stop in stops.items()]
        await self._finish(order, place, claim, left_out)
        if claim.status == "exhausted":
            says = f"no attempt of {claim.attempt} has a known outcome; ask the recipient whether it came"
            stop: Stop | None = Stop("failed", "outcome-unknown", says)
        elif listed and claim.status == "go":
            stop = (
                letter if isinstance(letter, Stop) else await self._try(order, place, claim, letter, listed)
            )
        else:
            return
        await self._finish(order, place, claim, [_became(key, reader, stop) for key in listed])

    async def _look(self, entry: Entry) -> Line | Stop:
        try:
            order = OutreachOrder.model_validate_json(entry.note)
            return await self._composer.line(order, doubtful=entry.doubtful)
        except Exception as error:
            if isinstance(error, UnknownEvent) or (is_passing(error) and not isinstance(error, CallerError)):
                raise
            # One engagement's failure must not keep the others from their letter.
            says = f"its engagement cannot be read ({type(error).__name__})"
            return Stop("failed", "not-sendable", says)

    async def _try(
        self, order: OutreachOrder, place: Place, claim: Claim, letter: Letter, listed: Iterable[str]
    ) -> Stop | None:
        try:
            await self._channel.send(letter, claim.message_id)
        except Refused as error:
            return Stop("failed", error.reason, str(error))
        except NotSent as error:
            await self._finish(order, place, claim, [Became(key, "released") for key in listed])
            raise ApplicationError(str(error), type="NotSent") from None
        except OutcomeUnknown as error:
            # The claim stays: after the wait it counts as unknown, and the next attempt goes out.
            raise self._later(str(error), "OutcomeUnknown") from None
        return None

    async def _finish(
        self, order: OutreachOrder, place: Place, claim: Claim, became: Sequence[Became]
    ) -> None:
        if not became:
            return

        async def write() -> None:
            await self._digests.finish(
                order.agency, place.digest_id, claim.attempt, became, pause=self._lease
            )

        # A release is written once: by the second time another sender may have taken the attempt.
        await (write() if became[0].outcome == "released" else until_recorded(write))

    def _later(self, says: str, kind: str) -> ApplicationError:
        return ApplicationError(says, type=kind, next_retry_delay=self._settles_after)


def _became(effect_id: str, person: str, stop: Stop | None) -> Became:
    told = {
        "person": person,
        "reason": stop.reason if stop else "unspecified",
        "says": stop.says if stop else "",
    }
    return Became(effect_id, stop.outcome if stop else "sent", canonical(told))
