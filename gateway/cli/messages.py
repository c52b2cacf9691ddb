"""The messages of ``outbox``: what was owed, what became of each, and what those still owed wait for.

An attempt under way is in the ledger of effects alone; neither the log nor a table knows of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from events.agency import Hold
from events.catalogue import OutreachFailed, OutreachRequested, OutreachSent, OutreachWithheld
from events.codec import decode
from events.envelope import Stored
from events.log.digests import Digests, Waiting
from events.log.effects import Effect, EffectsLedger
from events.log.port import EventLog
from gateway.cli.reading import engagement_streams

if TYPE_CHECKING:
    from activities.directory import Directory

PAGE: Final = 1000
Row = dict[str, Any]


async def outbox(log: EventLog, ledger: EffectsLedger, agency: str) -> list[Row]:
    """List every message that was ever owed, with what became of it, the oldest first."""
    attempts = await last_attempts(ledger, agency)
    rows: list[Row] = []
    for key, events in (await engagement_streams(log, agency)).items():
        rows += _messages(key, events, attempts)
    return sorted(rows, key=lambda row: (row["requested_at"], row["effect"]))


@dataclass(frozen=True, slots=True)
class Waits:
    """What messages of an agency wait for, beside their time."""

    hold: Hold | None
    gathering: Mapping[str, Waiting]
    """By the message's effect."""


async def waits_of(digests: Digests, directory: "Directory", agency: str) -> Waits:
    """Ask what an agency's messages wait for now."""
    gathering = {each.effect_id: each for each in await digests.waiting(agency)}
    return Waits(await directory.outreach_held(agency), gathering)


def what_waits(rows: Sequence[Row], of: Waits) -> list[Row]:
    """Add to rows of ``outbox`` since when they are held, and whose digest they wait for."""
    found = []
    for row in rows:
        waits = of.gathering.get(row["effect"]) if row["state"] == "owed" else None
        held = (
            of.hold
            if row["state"] == "owed" and row["ledger"] not in ("sent", "failed", "withheld")
            else None
        )
        found.append(
            {
                **row,
                "held_since": held.since if held is not None else None,
                "digest_of": waits.person_id if waits is not None else None,
                "digest_at": waits.ripe_at if waits is not None else None,
            }
        )
    return found


async def last_attempts(ledger: EffectsLedger, agency: str) -> dict[str, Effect]:
    """Give the last attempt at every effect."""
    found: dict[str, Effect] = {}
    after: tuple[str, int] | None = None
    while page := await ledger.list(agency, after=after, limit=PAGE):
        for effect in page:
            found[effect.effect_id] = effect
        after = (page[-1].effect_id, page[-1].attempt)
    return found


def _messages(engagement: str, events: Sequence[Stored], attempts: Mapping[str, Effect]) -> list[Row]:
    rows: dict[str, Row] = {}
    for stored in events:
        if not stored.type.startswith("outreach-"):
            continue
        event = decode(stored)
        match event:
            case OutreachRequested():
                rows[str(event.effect_id)] = _owed(engagement, stored, event, attempts)
            case OutreachSent():
                row = rows.get(str(event.effect_id), {})
                row.update(
                    state="sent", person=event.person, attempt=event.attempt, settled_at=stored.occurred_at
                )
            case OutreachFailed():
                row = rows.get(str(event.effect_id), {})
                row.update(
                    state="failed", reason=event.reason, attempt=event.attempt, settled_at=stored.occurred_at
                )
            case OutreachWithheld():
                row = rows.get(str(event.effect_id), {})
                row.update(state="withheld", reason=event.rule, settled_at=stored.occurred_at)
    return list(rows.values())


def with_attempt(row: Row, attempts: Mapping[str, Effect]) -> Row:
    """Complete a message's row of the read models with what the ledger of effects knows of it."""
    tried = attempts.get(row["effect"])
    return {
        **row,
        "ledger": tried.state if tried is not None else None,
        "attempt": row["attempt"] or (tried.attempt if tried is not None else 0),
        "held_since": None,
        "digest_of": None,
        "digest_at": None,
    }


def _owed(engagement: str, stored: Stored, event: OutreachRequested, attempts: Mapping[str, Effect]) -> Row:
    tried = attempts.get(str(event.effect_id))
    return {
        "effect": str(event.effect_id),
        "engagement": engagement,
        "to": event.to,
        "person": None,
        "template": event.template,
        "rule": event.rule,
        "level": event.level,
        "requested_at": stored.occurred_at,
        "settled_at": None,
        "state": "owed",
        "ledger": tried.state if tried is not None else None,
        "attempt": tried.attempt if tried is not None else 0,
        "reason": None,
        "held_since": None,
        "digest_of": None,
        "digest_at": None,
    }
