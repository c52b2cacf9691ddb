"""Our own words from a generic sender: ``rapport.command.<name>`` needs no mapping.

The subject names one of our engagements, or ``job-order:ID``; who says it is never in the data.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from events.integrations.checking import fault, unfit
from events.integrations.meaning import Meaning, Means, Waits, Wanted
from events.integrations.message import Message
from events.integrations.moments import NoMoment, read_moment
from events.integrations.vocabulary import On, stream_of

PREFIX: Final = "rapport.command."
GENERIC: Final = "standard-webhooks"
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_JOB_ORDER: Final = "job-order:"


def read_own(message: Message) -> Meaning:
    """Read such a message: a CloudEvent or a Standard Webhook with one command's fields as its data."""
    name = message.event.removeprefix(PREFIX)
    if (wrong := unfit(name)) is not None:
        return _wait(wrong)
    body = message.body if isinstance(message.body, Mapping) else {}
    data = body.get("data")
    if not isinstance(data, Mapping):
        return _wait(f"{name}: 'data' is no table of the command's fields.")
    fields = {str(key): value for key, value in data.items() if value is not None}
    on = stream_of(name)
    stream = _stream(body, fields, on)
    if stream is None:
        example = "an engagement's id, like e-1" if on == "engagement" else "job-order:ID"
        return _wait(f"{name}: say whose it is; 'subject' must be {example}.")
    try:
        at = read_moment(fields.pop("at")) if "at" in fields else message.occurred_at
    except NoMoment as error:
        return _wait(f"{name}: 'at' {error}.")
    if (wrong := fault(name, fields, at)) is not None:
        return _wait(wrong)
    if on == "engagement":
        return Means((Wanted(stream, name, fields, at),))
    return Means((Wanted(None, name, fields, at, job_order=stream),))


def _stream(body: Mapping[Any, Any], fields: dict[str, Any], on: On) -> str | None:
    beside = fields.pop("engagement" if on == "engagement" else "job_order", None)
    given = body.get("subject") or beside
    if not isinstance(given, str):
        return None
    if on == "job-order" and body.get("subject") is not None and not given.startswith(_JOB_ORDER):
        return None
    identity = given.removeprefix(_JOB_ORDER) if on == "job-order" else given
    return identity if _ID.fullmatch(identity) else None


def _wait(says: str) -> Waits:
    return Waits(says, "mapping")
