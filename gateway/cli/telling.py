"""Tells one stream: its timeline, the state that its first events fold to, and what differs between two.

Personal fields are opened where their keys exist; an erased person's stream tells all the rest.
"""

import json
from collections.abc import Sequence
from typing import Any, Final

from events import agency as agencies
from events import job_order, job_order_state
from events.codec import ENGAGEMENT_EVENTS, decode
from events.envelope import Stored
from events.fold import fold
from events.log.port import EventLog
from events.state import STATE, Engagement
from gateway import words
from gateway.cli.differing import changes
from gateway.cli.errors import Wrong
from gateway.cli.reading import present, timeline

# How an event of each kind of stream is said, and which events there are.
TOLD: Final[dict[str, Any]] = {
    "engagement": (words.say, ENGAGEMENT_EVENTS),
    "job-order": (words.say_job_order, job_order.EVENTS),
    "agency": (words.say_agency, agencies.EVENTS),
}


async def read_told(
    log: EventLog, agency: str, category: str, key: str, *, sealed: bool = False
) -> list[Stored]:
    """Read a stream that must exist, opened for its reader unless it is asked for *sealed*."""
    events = await log.read_stream(agency, f"{category}:{key}", open_personal=not sealed)
    if not events:
        raise Wrong(f"there is no {category} '{key}' in agency '{agency}'; 'rapport list' names them")
    return events


async def tell_stream(
    log: EventLog,
    agency: str,
    category: str,
    key: str,
    at: int | None,
    *,
    since: int | None = None,
    depth: str = "technical",
) -> dict[str, Any]:
    """Read a stream up to its *at*-th event, and say how it differs from its *since*-th."""
    stream = f"{category}:{key}"
    events = await read_told(log, agency, category, key, sealed=depth == "raw")
    for option, number in (("--at", at), ("--diff", since)):
        if number is not None and number > len(events):
            raise Wrong(f"{stream} has {len(events)} events; give {option} a number up to that")
    last = len(events) if at is None else at
    return {
        "stream": stream,
        "agency": agency,
        "version": last,
        "depth": depth,
        "timeline": _timeline(category, events, last, since, depth),
        "state": state_at(category, key, events[:last], whole=at is None),
        "diff": None if since is None else _diff(category, key, events, since, last),
    }


def _diff(category: str, key: str, events: list[Stored], since: int, last: int) -> dict[str, Any]:
    # Both as of their own last event, so that only events make a difference and never the clock.
    then, now = (state_at(category, key, events[:each], whole=False) for each in (since, last))
    return {"from": since, "to": last, "changes": changes(then, now)}


def _timeline(
    category: str, events: Sequence[Stored], last: int, since: int | None, depth: str
) -> list[dict[str, Any]]:
    """List the first events, or those between the two versions, as deep as is asked for."""
    first, last = (0, last) if since is None else sorted((since, last))
    if depth == "raw":
        return [raw(stored) for stored in events[first:last]]
    tell, registry = TOLD[category]
    rows = timeline(events[:last], tell, registry)[first:]
    return [row for row in rows if depth != "business" or row["origin"] != "engine"]


def raw(stored: Stored) -> dict[str, Any]:
    """Give an event as the log holds it: envelope and body, personal values sealed, hashes in hex."""
    plain = stored.model_dump(mode="json", exclude={"body", "opened", "content_hash", "chain_hash"})
    hashes = {"content_hash": stored.content_hash.hex(), "chain_hash": stored.chain_hash.hex()}
    return {**plain, "body": json.loads(stored.body), **hashes}


def state_at(category: str, key: str, events: Sequence[Stored], *, whole: bool) -> dict[str, Any]:
    """Fold events to plain data; *whole* judges a posture at the present, else at the last event."""
    if category == "engagement":
        return engagement(fold(events), whole=whole)
    if category == "job-order":
        order = job_order_state.initial(key)
        for stored in events:
            order = job_order_state.evolve(order, decode(stored, job_order.EVENTS))
        told: dict[str, Any] = job_order_state.STATE.dump_python(order, mode="json")
        return told
    folded = agencies.initial(key)
    for stored in events:
        folded = agencies.evolve(folded, decode(stored, agencies.EVENTS))
    people = {each: entry.model_dump(mode="json") for each, entry in folded.people.items()}
    return {"people": people, "policy": folded.policy_digest, "policy_name": folded.policy_name}


def engagement(state: Engagement, *, whole: bool) -> dict[str, Any]:
    """Write an engagement's state as plain data; *whole* as above."""
    moment = present(state) if whole or state.decided_at is None else state.decided_at
    derived = {"stage": state.stage, "posture": state.posture(moment), "level": state.level}
    plain: dict[str, Any] = STATE.dump_python(state, mode="json")
    plain.pop("recent_commands")
    return {**derived, **plain}
