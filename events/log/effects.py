"""The ledger of effects: what is to leave the house once, and what became of each attempt.

Claim before sending and send only on ``go``: the row must be there before the message is.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, Protocol

EffectState = Literal["claimed", "released", "sent", "failed", "withheld", "unknown"]
Outcome = Literal["sent", "failed", "withheld", "unknown", "released"]
ClaimStatus = Literal["go", "done", "busy", "exhausted"]
_FINAL: Final = ("sent", "failed", "withheld")


class UnknownAttempt(Exception):
    """Nobody claimed this attempt; claim before finishing."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a caller may do: ``go`` and send, ``done`` (see *state*), ``busy`` (come back), or ``exhausted``.

    *attempt* is the one to finish after ``go``, else the one that settles the matter.  All attempts
    carry the *message_id* of the first.
    """

    status: ClaimStatus
    attempt: int
    state: EffectState
    message_id: str
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """One attempt, as the ledger holds it."""

    agency: str
    effect_id: str
    attempt: int
    stream: str
    channel: str
    state: EffectState
    message_id: str
    claimed_at: datetime
    finished_at: datetime | None
    detail: str | None


class EffectsLedger(Protocol):
    """Who may send what, and what became of it."""

    async def claim(
        self,
        agency: str,
        effect_id: str,
        stream: str,
        channel: str,
        message_id: str,
        *,
        max_attempts: int = 2,
        stale_after: timedelta,
    ) -> Claim:
        """Ask to send an effect; on ``go`` the attempt is committed before this returns.

        An attempt claimed longer than *stale_after* ago without an outcome becomes ``unknown``, and the
        next one goes out under the same message id, up to *max_attempts*.
        """

    async def finish(
        self, agency: str, effect_id: str, attempt: int, outcome: Outcome, detail: str | None = None
    ) -> EffectState:
        """Record what became of an attempt; returns its state, which the first known outcome decides.

        ``released`` means that surely nothing left: the next claim goes out as the same attempt.
        *detail* holds no personal data: a reply code, an error's class.

        :raises UnknownAttempt: nobody claimed it.
        """

    async def list(
        self,
        agency: str,
        *,
        stream: str | None = None,
        states: Sequence[EffectState] | None = None,
        after: tuple[str, int] | None = None,
        limit: int = 1000,
    ) -> list[Effect]:
        """List attempts by effect id and attempt; page on with the last one's."""

    async def last(self, agency: str, effect_ids: Collection[str]) -> dict[str, Effect]:
        """Give the last attempt at each of some effects that has one."""


class MemoryEffects:
    """The ledger in this process only; the twin of the PostgreSQL one."""

    def __init__(self, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._clock = clock
        self._rows: dict[tuple[str, str, int], Effect] = {}

    async def claim(
        self,
        agency: str,
        effect_id: str,
        stream: str,
        channel: str,
        message_id: str,
        *,
        max_attempts: int = 2,
        stale_after: timedelta,
    ) -> Claim:
        """Ask to send an effect."""
        attempts = self._attempts(agency, effect_id)
        settled = [row for row in attempts if row.state in _FINAL]
        if settled:
            row = max(settled, key=lambda row: (row.state == "sent", row.attempt))
            return Claim("done", row.attempt, row.state, row.message_id, row.detail)
        now = self._clock()
        if not attempts:
            row = Effect(agency, effect_id, 1, stream, channel, "claimed", message_id, now, None, None)
            return self._go(row)
        last = attempts[-1]
        if last.state == "released":
            return self._go(replace(last, state="claimed", claimed_at=now, finished_at=None, detail=None))
        if last.state == "claimed":
            if last.claimed_at + stale_after > now:
                return Claim("busy", last.attempt, "claimed", last.message_id)
            self._put(replace(last, state="unknown"))
        if last.attempt >= max_attempts:
            return Claim("exhausted", last.attempt, "unknown", last.message_id, last.detail)
        return self._go(
            replace(
                last, attempt=last.attempt + 1, state="claimed", claimed_at=now, finished_at=None, detail=None
            )
        )

    async def finish(
        self, agency: str, effect_id: str, attempt: int, outcome: Outcome, detail: str | None = None
    ) -> EffectState:
        """Record what became of an attempt."""
        row = self._rows.get((agency, effect_id, attempt))
        if row is None:
            raise unknown_attempt(effect_id, attempt)
        if row.state == "claimed" or (row.state == "unknown" and outcome in _FINAL):
            row = self._put(replace(row, state=outcome, finished_at=self._clock(), detail=detail))
        return row.state

    async def list(
        self,
        agency: str,
        *,
        stream: str | None = None,
        states: Sequence[EffectState] | None = None,
        after: tuple[str, int] | None = None,
        limit: int = 1000,
    ) -> list[Effect]:
        """List attempts by effect id and attempt."""
        found = (
            row
            for (owner, effect_id, attempt), row in sorted(self._rows.items())
            if owner == agency
            and stream in (None, row.stream)
            and (states is None or row.state in states)
            and (after is None or (effect_id, attempt) > after)
        )
        return [row for row, _ in zip(found, range(limit), strict=False)]

    async def last(self, agency: str, effect_ids: Collection[str]) -> dict[str, Effect]:
        """Give the last attempt at each of some effects."""
        tried = {each: self._attempts(agency, each) for each in effect_ids}
        return {each: attempts[-1] for each, attempts in tried.items() if attempts}

    def rows(self) -> dict[tuple[str, str, int], Effect]:
        """Give everything there is, to put back what several claims together must undo."""
        return dict(self._rows)

    def put_back(self, rows: dict[tuple[str, str, int], Effect]) -> None:
        """Undo what came after :meth:`rows`."""
        self._rows = dict(rows)

    def _attempts(self, agency: str, effect_id: str) -> tuple[Effect, ...]:
        return tuple(row for key, row in sorted(self._rows.items()) if key[:2] == (agency, effect_id))

    def _put(self, row: Effect) -> Effect:
        self._rows[row.agency, row.effect_id, row.attempt] = row
        return row

    def _go(self, row: Effect) -> Claim:
        self._put(row)
        return Claim("go", row.attempt, "claimed", row.message_id)


def unknown_attempt(effect_id: str, attempt: int) -> UnknownAttempt:
    """Say which attempt nobody claimed."""
    return UnknownAttempt(
        f"attempt {attempt} of effect {effect_id} was never claimed; claim before finishing"
    )
