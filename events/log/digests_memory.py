"""Digests in this process only; the twin of the PostgreSQL ones.

It keeps every promise that they keep: one contract suite runs against both.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import uuid4

from events.log.digests import LARGEST, Became, Entry, Place, Waiting
from events.log.effects import Claim, Effect, MemoryEffects, UnknownAttempt

NO_TIME: Final = timedelta()
_FINAL: Final = ("sent", "failed", "withheld")


@dataclass(frozen=True, slots=True)
class _Digest:
    person_id: str
    ripe_at: datetime
    closed: bool = False
    taken_until: datetime | None = None


class MemoryDigests:
    """Digests in this process only; the twin of the PostgreSQL ones."""

    def __init__(
        self, effects: MemoryEffects, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._effects = effects
        self._clock = clock
        self._digests: dict[tuple[str, str], _Digest] = {}
        self._entries: dict[tuple[str, str], tuple[str, Entry]] = {}

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
        """Put an effect into its person's open digest."""
        tried = bool(self._tries(agency, effect_id))
        if (agency, effect_id) in self._entries:
            entered, _ = self._entries[agency, effect_id]
            digest = self._digests[agency, entered]
            if tried or digest.person_id == person_id or self._is_taken(digest):
                return self._place(agency, entered)
            await self.leave(agency, effect_id)
        elif tried:
            return None
        now = self._clock()
        mine = {key: each for (owner, key), each in self._digests.items() if owner == agency}
        open_ = (key for key, each in mine.items() if each.person_id == person_id and not each.closed)
        key = next(open_, None) or (digest_id if digest_id not in mine else str(uuid4()))
        digest = mine.get(key) or _Digest(person_id, now + window)
        self._entries[agency, effect_id] = key, Entry(effect_id, stream, note)
        self._digests[agency, key] = replace(digest, closed=len(self._of(agency, key)) >= LARGEST)
        return self._place(agency, key)

    async def leave(self, agency: str, effect_id: str) -> None:
        """Take an effect out."""
        digest_id, _ = self._entries.pop((agency, effect_id), ("", None))
        if digest_id and not self._of(agency, digest_id):
            del self._digests[agency, digest_id]

    async def take(self, agency: str, digest_id: str, *, lease: timedelta) -> list[Entry] | None:
        """Close a ripe digest to newcomers and have it for a while."""
        digest = self._digests.get((agency, digest_id))
        if digest is None or digest.ripe_at > self._clock() or self._is_taken(digest):
            return None
        self._digests[agency, digest_id] = replace(digest, closed=True, taken_until=self._clock() + lease)
        found = [(each, self._tries(agency, each.effect_id)) for each in self._of(agency, digest_id)]
        return [
            replace(each, doubtful=any(row.state in ("claimed", "unknown") for row in tries))
            for each, tries in found
            if not _settled(tries)
        ]

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
        """Ask to send a digest."""
        before = self._effects.rows()
        whole: Claim | None = None
        for each in self._of(agency, digest_id):
            claim = await self._effects.claim(
                agency,
                each.effect_id,
                each.stream,
                channel,
                message_id,
                max_attempts=max_attempts,
                stale_after=stale_after,
            )
            if claim.status == "done":
                continue
            whole = whole or claim
            if (claim.status, claim.attempt) != (whole.status, whole.attempt):
                self._effects.put_back(before)
                return Claim("busy", whole.attempt, "claimed", message_id)
        return whole or Claim("done", 0, "withheld", message_id)

    async def finish(
        self, agency: str, digest_id: str, attempt: int, became: Sequence[Became], *, pause: timedelta
    ) -> None:
        """Record what became of each entry."""
        for each in became:
            with suppress(UnknownAttempt):  # it has left the digest meanwhile
                await self._effects.finish(agency, each.effect_id, attempt, each.outcome, each.detail)
        digest = self._digests.get((agency, digest_id))
        if digest is not None:
            self._digests[agency, digest_id] = replace(digest, taken_until=self._clock() + pause)
        for entry in self._of(agency, digest_id):
            if _settled(self._tries(agency, entry.effect_id)):
                await self.leave(agency, entry.effect_id)

    async def waiting(self, agency: str) -> list[Waiting]:
        """List what waits, by effect id."""
        found = []
        for (owner, effect_id), (key, _) in sorted(self._entries.items()):
            if owner == agency and not _settled(self._tries(agency, effect_id)):
                digest = self._digests[agency, key]
                found.append(Waiting(effect_id, key, digest.person_id, digest.ripe_at))
        return found

    def _of(self, agency: str, digest_id: str) -> list[Entry]:
        found = ((key, entry) for key, (mine, entry) in self._entries.items() if mine == digest_id)
        return [entry for (owner, _), entry in sorted(found, key=lambda each: each[0]) if owner == agency]

    def _place(self, agency: str, digest_id: str) -> Place:
        digest = self._digests[agency, digest_id]
        return Place(digest_id, digest.person_id, max(digest.ripe_at - self._clock(), NO_TIME))

    def _is_taken(self, digest: _Digest) -> bool:
        return digest.taken_until is not None and digest.taken_until > self._clock()

    def _tries(self, agency: str, effect_id: str) -> list[Effect]:
        rows = sorted(self._effects.rows().items())
        return [row for key, row in rows if key[:2] == (agency, effect_id)]


def _settled(tries: Sequence[Effect]) -> bool:
    return any(each.state in _FINAL for each in tries)
