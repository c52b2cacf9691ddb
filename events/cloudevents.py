"""Writes a stored event as a CloudEvent 1.0 for other systems.

A personal field is left out unless the reader may have it: what is sealed is never told, nor is its hash.
"""

import json
from functools import cache
from typing import Any, Final

from events import agency, job_order
from events.canonical import instant
from events.codec import ENGAGEMENT_EVENTS, Registry
from events.envelope import Stored, category_of
from events.personal import personal_fields

CONTENT_TYPE: Final = "application/cloudevents+json"
PREFIX: Final = "rapport."
TEST: Final = "rapport.test"
_REGISTRIES: Final[dict[str, Registry]] = {
    "engagement": ENGAGEMENT_EVENTS,
    "job-order": job_order.EVENTS,
    "agency": agency.EVENTS,
}


def cloud_event(stored: Stored, *, personal: bool = False) -> dict[str, Any]:
    """This will write an event down; *personal* tells as well what was opened of its personal fields.

    Attributes that CloudEvents does not know: ``position`` and ``streamversion`` (numbers), ``stream``,
    ``origin``, ``schemaversion`` (of the data), ``actor`` (kind and opaque id) and ``causationid``.
    """
    told = {
        "specversion": "1.0",
        "id": str(stored.event_id),
        "source": source_of(stored.agency),
        "type": PREFIX + stored.type,
        "subject": stored.stream.partition(":")[2],
        "time": instant(stored.occurred_at),
        "datacontenttype": "application/json",
        "position": stored.position,
        "stream": stored.stream,
        "streamversion": stored.version,
        "schemaversion": stored.schema_version,
        "origin": stored.origin,
        "actor": f"{stored.actor.kind}:{stored.actor.id}",
        "data": _data(stored, personal),
    }
    if stored.causation_id is not None:
        told["causationid"] = str(stored.causation_id)
    return told


def source_of(agency_id: str) -> str:
    """Name the source of an agency's events."""
    return f"/agencies/{agency_id}"


def short_type(name: str) -> str:
    """This will return an event's type as the log names it, of ``rapport.TYPE`` or ``TYPE``.

    :raises ValueError: no event has this type.
    """
    short = name.removeprefix(PREFIX)
    if short not in known_types():
        raise ValueError("there is no such event type; events/CATALOGUE.md lists them all")
    return short


@cache
def known_types() -> frozenset[str]:
    """Name every type that an event can have."""
    return frozenset(name for registry in _REGISTRIES.values() for name in registry)


def _data(stored: Stored, personal: bool) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(stored.body)
    marked = _personal(category_of(stored.stream), stored.type)
    kept = {name: value for name, value in body.items() if name not in marked and not _is_sealed(value)}
    if personal:
        # One that an old schema version did not seal is in the body; whoever may read all may read that.
        kept |= {name: body[name] for name in marked if name in body and not _is_sealed(body[name])}
        kept |= {name: json.loads(text) for name, text in stored.opened.items()}
    return kept


@cache
def _personal(category: str, type: str) -> tuple[str, ...]:
    model = _REGISTRIES.get(category, {}).get(type)
    return () if model is None else personal_fields(model)


def _is_sealed(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"sealed"}
