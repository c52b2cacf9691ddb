"""What the inspecting commands show, read from the log and folded: plain rows with stable keys.

Every row is computed from events; nothing here asks a workflow, so it works while Temporal is away.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from events.agency import Agency
from events.codec import decode
from events.envelope import Stored
from events.fold import fold
from events.log.port import EventLog
from events.obligations import owner_of
from events.reaching import Reached, StaffRole, reached
from events.state import Engagement, OpenObligation
from gateway.places import Places, places_of

if TYPE_CHECKING:
    from activities.directory import Directory

PAGE: Final = 1000
Row = dict[str, Any]


async def engagement_streams(log: EventLog, agency: str) -> dict[str, list[Stored]]:
    """Read every engagement's events, by its id."""
    found: dict[str, list[Stored]] = {}
    after = 0
    while page := await log.read_all(agency, after=after, limit=PAGE, category="engagement"):
        for stored in page:
            found.setdefault(stored.stream.partition(":")[2], []).append(stored)
        after = page[-1].position
    return dict(sorted(found.items()))


async def engagements(log: EventLog, agency: str) -> list[Engagement]:
    """Fold every engagement of an agency."""
    return [fold(events) for events in (await engagement_streams(log, agency)).values()]


def present(state: Engagement) -> datetime:
    """Give the time at which to judge a posture: a fast clock's engagements live ahead of ours."""
    return present_after(state.decided_at)


def present_after(decided_at: datetime | None) -> datetime:
    """Give the same, of an engagement that decided something last at a time."""
    now = datetime.now(UTC)
    return now if decided_at is None or now > decided_at else decided_at


def summary(state: Engagement) -> Row:
    """Give an engagement's row of ``list``."""
    return {
        "engagement": state.engagement_id,
        "candidate_id": state.candidate_id,
        "stage": state.stage,
        "posture": state.posture(present(state)),
        "owner": state.candidate_owner,
        "level": state.level,
        "version": state.version,
        "opened_at": state.opened_at,
        "last_contact_at": state.last_contact_at,
    }


async def waiting(states: Sequence[Engagement], agency: str, directory: "Directory") -> list[Row]:
    """List every open promise with who has to move, the worst first."""
    facts = [_promise(state, key, promise) for state in states for key, promise in state.obligations.items()]
    return await lying_with(facts, agency, directory)


async def lying_with(facts: Sequence[Row], agency: str, directory: "Directory") -> list[Row]:
    """Add to open promises who owes them and with whom they lie now, the worst first."""
    # Asked for once: there may be very many promises.
    office = await directory.agency(agency)
    rows = []
    for fact in facts:
        owner, now = fact["owner"], fact.pop("now")
        owes = reached(office, "owner", owner, now)
        lies_with = owes
        if fact["level"] >= 2:
            role: StaffRole = "team-lead" if fact["level"] == 2 else "director"
            lies_with = reached(office, role, owner, now)
        people = {
            "owner_name": name_of(office, owes) if owes is not None and owes.person_id == owner else None,
            "lies_with": lies_with.person_id if lies_with is not None else None,
            "lies_with_name": name_of(office, lies_with),
        }
        rows.append({**fact, **people})
    return sorted(rows, key=worst_first)


def worst_first(row: Row) -> tuple[Any, ...]:
    """Give what open promises are ordered by; no two are alike in it."""
    return (-row["level"], row["due_at"], row["engagement"], row["rule"], str(row["obligation_id"]))


def timeline(
    events: Sequence[Stored], tell: Any, registry: Mapping[str, Any], places: Places | None = None
) -> list[Row]:
    """List a stream's events in plain words, with who and why; *places* are of all, if these are some."""
    places = places or places_of(events)
    rows = []
    for stored in events:
        event = decode(stored, registry)
        rows.append(
            {
                "version": stored.version,
                "event": stored.type,
                "at": stored.occurred_at,
                "decided_at": stored.decided_at,
                "says": tell(event),
                "actor": stored.actor.model_dump(),
                "why": _why(stored, places.first(stored), places.cause(stored)),
                "origin": stored.origin,
                "source": stored.source,
                "command_id": stored.command_id,
                "event_id": stored.event_id,
                "annulled": stored.event_id in places.annulled,
                "data": event.model_dump(mode="json", exclude={"at", "type"}),
            }
        )
    return rows


def _promise(state: Engagement, key: UUID, promise: OpenObligation) -> Row:
    return {
        "engagement": state.engagement_id,
        "candidate_id": state.candidate_id,
        "obligation_id": key,
        "escalations": [each for each, raised in state.escalations.items() if raised.obligation_id == key],
        "rule": promise.rule,
        "subject": promise.subject,
        "since": promise.since,
        "due_at": promise.due_at,
        "overdue": promise.breached,
        "level": promise.level,
        "awaits": promise.awaits,
        "owner": owner_of(state, promise),
        "now": present(state),
    }


def name_of(office: Agency, person: Reached | None) -> str | None:
    """Give somebody's name, where it can be opened."""
    entry = office.people.get(person.person_id) if person is not None else None
    return entry.name if entry is not None and isinstance(entry.name, str) else None


def _why(stored: Stored, head: int, cause: int | None) -> str:
    if cause is not None and cause != stored.version:
        return f"because of {cause}"
    if head != stored.version:
        return f"because of {head}"
    match stored.command_id.partition(":")[0]:
        case "step":
            return "a step was due"
        case "effect":
            return "outcome of a message"
        case "follow":
            return "another stream's event"
        case _:
            return f"command {stored.command_id}"
