"""Tells one stream: its timeline, and the state that its first events fold to.

Personal fields are opened where their keys exist; an erased person's stream tells all the rest.
"""

import dataclasses
from typing import Any, Final

from events import agency as agencies
from events import job_order
from events.codec import ENGAGEMENT_EVENTS, decode
from events.envelope import Stored
from events.fold import fold
from events.log.port import EventLog
from events.state import STATE
from gateway import words
from gateway.cli.errors import Wrong
from gateway.cli.reading import present, timeline

_TOLD: Final[dict[str, Any]] = {
    "engagement": (words.say, ENGAGEMENT_EVENTS),
    "job-order": (words.say_job_order, job_order.EVENTS),
    "agency": (words.say_agency, agencies.EVENTS),
}


async def tell_stream(log: EventLog, agency: str, category: str, key: str, at: int | None) -> dict[str, Any]:
    """Read a stream, up to its *at*-th event if that is given."""
    stream = f"{category}:{key}"
    events = await log.read_stream(agency, stream, open_personal=True)
    if not events:
        raise Wrong(f"there is no {category} '{key}' in agency '{agency}'; 'rapport list' names them")
    if at is not None and at > len(events):
        raise Wrong(f"{stream} has {len(events)} events; give --at a number up to that")
    events = events[:at]
    tell, registry = _TOLD[category]
    return {
        "stream": stream,
        "agency": agency,
        "version": len(events),
        "timeline": timeline(events, tell, registry),
        "state": _state(category, key, events, whole=at is None),
    }


def _state(category: str, key: str, events: list[Stored], *, whole: bool) -> dict[str, Any]:
    if category == "engagement":
        state = fold(events)
        moment = present(state) if whole or state.decided_at is None else state.decided_at
        derived = {"stage": state.stage, "posture": state.posture(moment), "level": state.level}
        plain: dict[str, Any] = STATE.dump_python(state, mode="json")
        plain.pop("recent_commands")
        return {**derived, **plain}
    module: Any = job_order if category == "job-order" else agencies
    folded = module.initial(key)
    for stored in events:
        folded = module.evolve(folded, decode(stored, module.EVENTS))
    if category == "job-order":
        return dataclasses.asdict(folded)
    people = {each: entry.model_dump(mode="json") for each, entry in folded.people.items()}
    return {"people": people, "policy": folded.policy_digest, "policy_name": folded.policy_name}
