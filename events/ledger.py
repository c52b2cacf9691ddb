"""The life of every promise, from its opening to its end: one fold for reports, backtests and evidence.

A breach is a fact for ever; what an annulment opened again carries it on, so that nothing is counted twice.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, NamedTuple, Protocol
from uuid import UUID

from events import catalogue as e
from events.codec import decode
from events.copying import replace
from events.envelope import Stored
from events.evolve import evolve
from events.fold import annulled_ids
from events.kinds import Awaited, Mode, OwnerRole, Stage
from events.obligations import owner_of
from events.state import Engagement

Outcome = Literal[
    "open",
    "overdue",
    "kept",
    "kept-recorded-late",
    "kept-late",
    "breached",
    "excused",
    "dropped",
    "superseded",
]
BY_A_LEAD: Final = "by-a-lead"
NOT_LATE: Final = timedelta()


class Envelope(Protocol):
    """What the ledger asks of an event's envelope; a :class:`events.envelope.Stored` has it."""

    @property
    def event_id(self) -> UUID:
        """The event's id."""

    @property
    def position(self) -> int:
        """Its place in the agency's log; 0 where there is no log."""

    @property
    def causation_id(self) -> UUID | None:
        """The event that led to it."""

    @property
    def decided_at(self) -> datetime:
        """When it was known."""


class Point(NamedTuple):
    """The event that a figure unfolds to."""

    position: int
    event_id: UUID


@dataclass(frozen=True, slots=True)
class Entry:
    """One promise; every time is the domain's."""

    obligation_id: UUID
    rule: str
    subject: str
    kind: Literal["contact", "answer", "duty"]
    mode: Mode
    owner_role: OwnerRole
    awaits: Awaited
    stage: Stage
    """The engagement's, when it opened."""
    opened_owner: str | None
    owner: str | None
    """Who owes it now; of one that has ended, who owed it then."""
    since: datetime
    opened_at: datetime
    due_at: datetime
    opening: Point
    calendar: str | None = None
    """The office by whose working time it was reckoned; None: by elapsed time."""
    rungs: tuple[e.Rung, ...] = ()
    """The steps ahead; none once it has ended."""
    level: int = 0
    """The highest it reached."""
    raised: tuple[UUID, ...] = ()
    """Escalations that nobody has settled."""
    moves: int = 0
    breach: Point | None = None
    breach_owner: str | None = None
    met_at: datetime | None = None
    """When the act happened, as claimed."""
    known_at: datetime | None = None
    """When the act was recorded."""
    timely: bool | None = None
    meeting: Point | None = None
    excused: str | None = None
    """Why; ``by-a-lead`` or ``recorded-late``."""
    excusing: Point | None = None
    dropped: str | None = None
    """Why nobody waits for it any more."""
    dropping: Point | None = None
    ended_at: datetime | None = None
    """When it was known that nobody waits for it any more."""
    superseded_by: UUID | None = None
    """The promise that an annulment opened in its place."""

    @property
    def ended(self) -> bool:
        """Tell whether nobody waits for it any more."""
        return self.meeting is not None or self.dropping is not None

    @property
    def late_by(self) -> timedelta | None:
        """Tell how long after its due time it was kept; None where it was not."""
        return None if self.met_at is None else max(NOT_LATE, self.met_at - self.due_at)

    @property
    def outcome(self) -> Outcome:
        """Give the one column of a report that it belongs in."""
        if self.superseded_by is not None:
            return "superseded"
        if self.timely:
            late = self.known_at is not None and self.known_at > self.due_at
            return "kept-recorded-late" if late else "kept"
        if self.excused is not None:
            return "excused" if self.excused == BY_A_LEAD else "kept-recorded-late"
        if self.meeting is not None:
            return "kept-late"
        if self.breach is not None:
            return "breached" if self.ended else "overdue"
        return "dropped" if self.ended else "open"


class Ledger:
    """A stream's promises so far.

    *annulled* are the events that a later one declared wrong: whoever meets an annulment that was not among
    them begins anew, as :func:`events.fold.needs_refold` says.
    """

    __slots__ = ("_annulled", "_annulments", "_open", "entries")

    def __init__(self, annulled: frozenset[UUID] = frozenset()) -> None:
        self.entries: dict[UUID, Entry] = {}
        self._open: dict[UUID, None] = {}
        self._annulled = annulled
        self._annulments: set[UUID] = set()

    def apply(self, event: e.AnyEvent, envelope: Envelope, state: Engagement) -> None:
        """Fold one event in; *state* is the engagement after it, whose own obligations are not looked at.

        Never raises: the past is not open to objection.
        """
        note = _NOTES.get(type(event))
        if note is not None:
            note(self, event, envelope, state)
        elif not event.by_engine:
            self._owed_by(state)

    @property
    def standing(self) -> dict[UUID, Entry]:
        """Give those that somebody still waits for, in the order in which they opened."""
        return {key: self.entries[key] for key in self._open}

    def _owed_by(self, state: Engagement) -> None:
        for key in self._open:
            entry = self.entries[key]
            owner = owner_of(state, entry)
            if owner != entry.owner:
                self.entries[key] = replace(entry, owner=owner)

    def _opened(self, event: e.ObligationOpened, envelope: Envelope, state: Engagement) -> None:
        owner = owner_of(state, event)
        entry = Entry(
            obligation_id=event.obligation_id,
            rule=event.rule,
            subject=event.subject,
            kind=event.kind,
            mode=event.mode,
            owner_role=event.owner_role,
            awaits=event.awaits,
            stage=state.stage,
            opened_owner=owner,
            owner=owner,
            since=event.since,
            opened_at=event.opened_at,
            due_at=event.due_at,
            opening=Point(envelope.position, envelope.event_id),
            calendar=event.calendar,
            rungs=event.rungs,
        )
        before = self._before(entry) if envelope.causation_id in self._annulments else None
        if before is not None:
            self._change(before.obligation_id, superseded_by=event.obligation_id)
            if before.breach is not None and all(rung.do != "breach" for rung in event.rungs):
                entry = replace(entry, breach=before.breach, breach_owner=before.breach_owner)
            entry = replace(entry, stage=before.stage, opened_owner=before.opened_owner, level=before.level)
        self.entries[event.obligation_id] = entry
        self._open[event.obligation_id] = None

    def _before(self, again: Entry) -> Entry | None:
        """Find the promise that is opened again."""
        same = (again.rule, again.subject, again.since, again.opened_at)
        for each in reversed(self.entries.values()):
            if (each.rule, each.subject, each.since, each.opened_at) == same and each.ended:
                return each
        return None

    def _change(self, key: UUID, **changes: Any) -> None:
        entry = self.entries.get(key)
        if entry is not None:
            self.entries[key] = replace(entry, **changes)

    def _moved(self, event: e.ObligationMoved, envelope: Envelope, state: Engagement) -> None:
        entry = self.entries.get(event.obligation_id)
        if entry is not None:
            moves = entry.moves + 1
            self._change(event.obligation_id, due_at=event.due_at, rungs=event.rungs, moves=moves)

    def _in_mode(self, event: e.ObligationModeChanged, envelope: Envelope, state: Engagement) -> None:
        self._change(event.obligation_id, mode=event.mode)

    def _climbed(self, event: e.RungReached, envelope: Envelope, state: Engagement) -> None:
        entry = self.entries.get(event.obligation_id)
        if entry is not None:
            rungs = tuple(rung for rung in entry.rungs if rung.number != event.rung)
            self._change(event.obligation_id, level=max(entry.level, event.level), rungs=rungs)

    def _raised(self, event: e.EscalationRaised, envelope: Envelope, state: Engagement) -> None:
        entry = self.entries.get(event.obligation_id)
        if entry is not None:
            raised = (*entry.raised, event.escalation_id)
            self._change(event.obligation_id, level=max(entry.level, event.level), raised=raised)

    def _settled(self, event: e.EscalationSettled, envelope: Envelope, state: Engagement) -> None:
        entry = self.entries.get(event.obligation_id)
        if entry is not None:
            raised = tuple(each for each in entry.raised if each != event.escalation_id)
            self._change(event.obligation_id, raised=raised)

    def _met(self, event: e.ObligationMet, envelope: Envelope, state: Engagement) -> None:
        point = Point(envelope.position, envelope.event_id)
        self._open.pop(event.obligation_id, None)
        if envelope.causation_id in self._annulled:
            # The act was none.  Where somebody still waits, the annulment has opened it again.
            self._change(
                event.obligation_id,
                dropped="annulled",
                dropping=point,
                ended_at=envelope.decided_at,
                rungs=(),
            )
            return
        self._change(
            event.obligation_id,
            met_at=event.met_at,
            known_at=envelope.decided_at,
            timely=event.timely,
            meeting=point,
            ended_at=envelope.decided_at,
            rungs=(),
        )

    def _breached(self, event: e.ObligationBreached, envelope: Envelope, state: Engagement) -> None:
        entry = self.entries.get(event.obligation_id)
        if entry is not None and entry.breach is None:
            point = Point(envelope.position, envelope.event_id)
            rungs = tuple(rung for rung in entry.rungs if rung.do != "breach")
            self._change(event.obligation_id, breach=point, breach_owner=entry.owner, rungs=rungs)

    def _excused(self, event: e.ObligationExcused, envelope: Envelope, state: Engagement) -> None:
        point = Point(envelope.position, envelope.event_id)
        key: UUID | None = event.obligation_id
        while key is not None and key in self.entries:
            if self.entries[key].excused != BY_A_LEAD:
                self._change(key, excused=event.reason, excusing=point)
            key = self.entries[key].superseded_by

    def _dropped(self, event: e.ObligationDropped, envelope: Envelope, state: Engagement) -> None:
        point = Point(envelope.position, envelope.event_id)
        self._open.pop(event.obligation_id, None)
        self._change(
            event.obligation_id, dropped=event.reason, dropping=point, ended_at=envelope.decided_at, rungs=()
        )

    def _corrected(self, event: e.EventAnnulled, envelope: Envelope, state: Engagement) -> None:
        self._annulments.add(envelope.event_id)
        self._owed_by(state)


_NOTES: Final[Mapping[type[e.Event], Callable[[Ledger, Any, Envelope, Engagement], None]]] = {
    e.ObligationOpened: Ledger._opened,
    e.ObligationMoved: Ledger._moved,
    e.ObligationModeChanged: Ledger._in_mode,
    e.RungReached: Ledger._climbed,
    e.EscalationRaised: Ledger._raised,
    e.EscalationSettled: Ledger._settled,
    e.ObligationMet: Ledger._met,
    e.ObligationBreached: Ledger._breached,
    e.ObligationExcused: Ledger._excused,
    e.ObligationDropped: Ledger._dropped,
    e.EventAnnulled: Ledger._corrected,
}


def ledger_of(events: Iterable[Stored]) -> dict[UUID, Entry]:
    """Fold a whole stream into its promises, in the order in which they opened."""
    ordered = list(events)
    annulled = annulled_ids(ordered)
    ledger, state = Ledger(annulled), Engagement()
    for stored in ordered:
        if stored.event_id not in annulled:
            event = decode(stored)
            state = evolve(state, event)
            ledger.apply(event, stored, state)
    return ledger.entries
