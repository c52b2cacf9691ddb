"""Events to stored bodies and back, for ever.

A stored body is never rewritten: an older schema version is raised by its upcaster on reading.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, get_args
from uuid import UUID

from events.canonical import canonical, instant
from events.catalogue import AnyEvent, Event
from events.envelope import Actor, Draft, Origin, Stored
from events.personal import personal_fields

Registry = Mapping[str, type[Event]]
Upcaster = Callable[[dict[str, Any]], dict[str, Any]]


def registry_of(union: Any) -> dict[str, type[Event]]:
    """Index the members of a discriminated union by their type."""
    members = get_args(get_args(union)[0])
    return {each.model_fields["type"].default: each for each in members}


ENGAGEMENT_EVENTS: Registry = registry_of(AnyEvent)


def _grown(body: dict[str, Any]) -> dict[str, Any]:
    """Leave a body as it is: the version only added fields that have defaults."""
    return body


def _placed(body: dict[str, Any]) -> dict[str, Any]:
    """Name the placement, which has the id of its submission."""
    return {**body, "placement_id": body["submission_id"]}


# (type, schema version) -> what raises a body of that version to the next.
UPCASTERS: dict[tuple[str, int], Upcaster] = {
    ("paused", 1): _grown,
    ("contact-made", 1): _grown,
    ("job-proposed", 1): _grown,
    ("right-to-represent-granted", 1): _grown,
    ("right-to-represent-revoked", 1): _grown,
    ("client-answered", 1): _grown,
    ("offer-extended", 1): _grown,
    ("offer-accepted", 1): _placed,
    ("person-joined", 1): _grown,
    ("person-changed", 1): _grown,
