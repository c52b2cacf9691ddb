"""Events to stored bodies and back, for ever.

A stored body is never rewritten: an older schema version is raised by its upcaster on reading.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, Protocol, get_args
from uuid import UUID

from events.canonical import canonical, instant
from events.catalogue import AnyEvent, Event
from events.envelope import Actor, Draft, Origin
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
    ("policy-adopted", 1): _grown,
    ("policy-adopted", 2): _grown,
    ("check-recorded", 1): _grown,
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
    ("engagement-opened", 1): _grown,
    ("obligation-opened", 1): _grown,
    ("outreach-requested", 1): _grown,
}


class UnknownEvent(Exception):
    """The log holds an event that this version of the code does not know; install a newer one."""


@cache
def _personal(model: type[Event]) -> tuple[str, ...]:
    return personal_fields(model)


def body_of(event: Event) -> str:
    """Write an event's own fields as canonical JSON, personal ones in clear."""
    return canonical(event.model_dump(exclude={"at", "type"}))


def draft(
    event: Event,
    *,
    event_id: UUID,
    decided_at: datetime,
    actor: Actor,
    source: str,
    causation_id: UUID | None = None,
    correlation_id: str | None = None,
    policy_digest: str | None = None,
    origin: Origin | None = None,
) -> Draft:
    """Wrap an event in its envelope, ready for the log."""
    model = type(event)
    return Draft(
        event_id=event_id,
        type=model.model_fields["type"].default,
        schema_version=model.schema_version,
        occurred_at=event.at,
        decided_at=decided_at,
        origin=origin or ("engine" if model.by_engine else "business"),
        actor=actor,
        source=source,
        causation_id=causation_id,
        correlation_id=correlation_id,
        policy_digest=policy_digest,
        body=body_of(event),
        personal=_personal(model),
        key_subject=event.key_subject(),
        after_close=model.after_close,
    )


class Readable(Protocol):
    """What reading an event back needs of it; a :class:`events.envelope.Stored` has it."""

    @property
    def stream(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def type(self) -> str: ...
    @property
    def schema_version(self) -> int: ...
    @property
    def occurred_at(self) -> datetime: ...
    @property
    def body(self) -> str: ...
    @property
    def opened(self) -> Mapping[str, str]: ...


def decode(stored: Readable, registry: Registry = ENGAGEMENT_EVENTS) -> Any:
    """Read a stored event back as a member of *registry*; unopened personal fields come as ``Erased``.

    :raises UnknownEvent: its type or schema version is newer than this code.
    """
    model = registry.get(stored.type)
    if model is None or stored.schema_version > model.schema_version:
        raise UnknownEvent(
            f"event {stored.version} of {stored.stream} is a '{stored.type}' of schema version "
            f"{stored.schema_version}, which this version of Rapport does not know; install a newer one"
        )
    if stored.schema_version == model.schema_version and not stored.opened:
        return model.model_validate_json(_with_time(stored.body, stored.occurred_at))
    body: dict[str, Any] = json.loads(stored.body)
    for name, text in stored.opened.items():
        body[name] = json.loads(text)
    for version in range(stored.schema_version, model.schema_version):
        body = UPCASTERS[stored.type, version](body)
    return model.model_validate_json(json.dumps({**body, "at": instant(stored.occurred_at)}))


def _with_time(body: str, occurred_at: datetime) -> str:
    comma = "" if body == "{}" else ","
    return f'{{"at":"{instant(occurred_at)}"{comma}{body[1:]}'
