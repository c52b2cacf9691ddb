"""What waits to reach one person together, and who may send it: one digest, one claim, one outcome for each.

The ledger of effects decides what leaves; the lease of :meth:`Digests.take` only saves work.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from events.log.effects import Claim, Outcome

# A letter that lists more is read by nobody, and takes too long to write.
LARGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Place:
    """Which digest an effect waits in, whose it is, and for how long it waits still."""

    digest_id: str
    person_id: str
    ripe_in: timedelta


@dataclass(frozen=True, slots=True)
class Entry:
    """One effect of a digest; *doubtful* says that an attempt at it may have left."""

    effect_id: str
    stream: str
    note: str
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Became:
    """What became of one entry; *detail* holds no personal data."""

    effect_id: str
    outcome: Outcome
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """An effect that waits for its person's digest."""

    effect_id: str
    digest_id: str
    person_id: str
    ripe_at: datetime


class Digests(Protocol):
    """Where messages to one person gather."""

    async def join(
        self,
        agency: str,
        person_id: str,
        effect_id: str,
        stream: str,
        note: str,
        *,
        digest_id: str,
        window: timedelta,
    ) -> Place | None:
        """Put an effect into its person's open digest, or open *digest_id*, ripe after *window*.

        Joining again gives the same place, or another if the person is another and nobody has tried to send
        it yet.  None: the effect has been tried by itself, and goes on so.  *note* holds no personal data.
        """

    async def leave(self, agency: str, effect_id: str) -> None:
        """Take an effect out: it has its outcome without a digest."""

    async def take(self, agency: str, digest_id: str, *, lease: timedelta) -> list[Entry] | None:
        """Close a ripe digest to newcomers and have it for a while; None: it is gone, or somebody else's."""

    async def claim(
        self,
        agency: str,
        digest_id: str,
        channel: str,
        message_id: str,
        *,
        max_attempts: int = 2,
        stale_after: timedelta,
    ) -> Claim:
        """Ask to send a digest, as the ledger does for one effect: all of it is claimed, or nothing.

        ``done`` at attempt 0: nothing of it is left to send.
        """

    async def finish(
        self, agency: str, digest_id: str, attempt: int, became: Sequence[Became], *, pause: timedelta
    ) -> None:
        """Record what became of each entry; what is left can be taken again after *pause*."""

    async def waiting(self, agency: str) -> list[Waiting]:
        """List what waits, by effect id."""
