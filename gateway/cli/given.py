"""Reads what a user typed as a command's content: JSON, ``field=value`` pairs, actors, times, streams.

No complaint may repeat a value: it may be a name.
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, get_args, get_origin
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, TypeAdapter, ValidationError

from events.envelope import Actor
from events.kinds import Id
from gateway.cli.errors import Wrong

if TYPE_CHECKING:
    from workers.inbox.external import External

_EXAMPLE = """'{"channel": "phone"}'"""


def stream_of(text: str) -> tuple[str, str]:
    """Read a stream: an engagement's id, or ``CATEGORY:ID``."""
    category, colon, key = text.partition(":")
    if not colon:
        category, key = "engagement", text
    if category not in ("engagement", "job-order", "agency"):
        raise Wrong(f"'{category}' is no kind of stream; write an engagement's id, or job-order:ID")
    return category, identity(key, f"the {category}")


def identity(text: str, what: str) -> str:
    """Check an id."""
    try:
        return TypeAdapter(Id).validate_python(text)
    except ValidationError:
        raise Wrong(f"the id of {what} must be letters, digits, '-', '_' and '.', at most 80") from None


def content(data: str | None, pairs: Sequence[str], model: type[BaseModel] | None) -> dict[str, Any]:
    """Read a command's fields, from JSON (``-`` reads stdin) or from pairs; *model* tells the lists."""
    if data is None:
        return _pairs(pairs, _lists(model))
    if pairs:
        raise Wrong("give either --data or field=value, not both")
    try:
        given = json.loads(sys.stdin.read() if data == "-" else data)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Wrong(f"--data is not JSON (at {where}); write an object such as {_EXAMPLE}") from None
    if not isinstance(given, dict):
        raise Wrong(f"--data must be one JSON object, such as {_EXAMPLE}")
    return given


def externals(command: str, texts: Sequence[str], *, engagement: bool) -> "tuple[External, ...]":
    """Read what ``--external`` says: ``CONNECTION:KIND:ID``, beside a command to an engagement."""
    if not texts:
        return ()
    from workers.inbox.external import read_external

    if not engagement:
        raise Wrong("--external goes with a command to an engagement")
    parts = [text.split(":", 2) for text in texts]
    if any(len(each) != 3 for each in parts):
        raise Wrong("--external is written CONNECTION:KIND:ID, such as client-1:application:265277")
    return read_external(
        command, [dict(zip(("connection", "kind", "id"), each, strict=True)) for each in parts]
    )


def actor(text: str) -> Actor:
    """Read ``KIND:ID``."""
    kind, _, key = text.partition(":")
    try:
        return Actor.model_validate({"kind": kind, "id": key})
    except ValidationError:
        kinds = ", ".join(get_args(Actor.model_fields["kind"].annotation))
        raise Wrong(f"--actor is written KIND:ID, such as person:r-1; the kinds are {kinds}") from None


def moment(text: str, what: str = "--at") -> datetime:
    """Read a time, which must have a zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Wrong(f"{what} is no time; write one like 2026-01-05T09:00:00+01:00") from None
    if found.tzinfo is None:
        raise Wrong(f"{what} is a time without a zone; add an offset such as +01:00 or Z")
    return found


def day(text: str, what: str, zone: str) -> datetime:
    """Read a time with its zone, or a day, which begins at midnight in *zone*."""
    try:
        whole = date.fromisoformat(text)
    except ValueError:
        return moment(text, what)
    try:
        return datetime(whole.year, whole.month, whole.day, tzinfo=ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Wrong("--zone is no time zone; write one like Europe/Berlin") from None


def _pairs(pairs: Sequence[str], is_list: Callable[[str], bool]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for number, pair in enumerate(pairs, 1):
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise Wrong(f"the {_ordinal(number)} field is not written field=value, such as channel=phone")
        if name in given:
            raise Wrong(f"the field '{name}' is given twice; separate the items of a list by commas")
        given[name] = [part for part in value.split(",") if part] if is_list(name) else value
    return given


def _lists(model: type[BaseModel] | None) -> Callable[[str], bool]:
    fields: Mapping[str, Any] = model.model_fields if model is not None else {}
    return lambda name: name in fields and get_origin(fields[name].annotation) is tuple


def _ordinal(number: int) -> str:
    return {1: "first", 2: "second", 3: "third"}.get(number, f"{number}th")
