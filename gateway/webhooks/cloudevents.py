"""CloudEvents 1.0 by their HTTP binding, as they come inside a signed envelope.

Binary mode is turned into structured, so that a mapping knows one shape; its attributes are headers, which no
envelope signs.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

from events.canonical import canonical
from gateway.webhooks.content import parsed
from gateway.webhooks.provider import Delivery, Malformed, NotTaken

_PREFIX: Final = "ce-"
_STRUCTURED, _BATCH = "application/cloudevents", "application/cloudevents-batch"
_REQUIRED: Final = ("id", "source", "type")


def structured(delivery: Delivery) -> dict[str, Any] | None:
    """Give the event in its structured form, whichever it came in; None where it is no CloudEvent.

    :raises Malformed: it says that it is one and is not.
    :raises NotTaken: it is a batch.
    """
    kind = delivery.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind.startswith(_BATCH):
        raise NotTaken("batches of CloudEvents are not taken; send each event in a request of its own")
    if f"{_PREFIX}specversion" in delivery.headers and not kind.startswith(_STRUCTURED):
        return checked(_from_binary(delivery.headers, delivery.body, kind))
    body = parsed(delivery.body)
    return checked(body) if kind.startswith(_STRUCTURED) or "specversion" in body else None


def checked(event: dict[str, Any]) -> dict[str, Any]:
    """Hold an event to what the specification requires.

    :raises Malformed: an attribute is missing.
    """
    if event.get("specversion") != "1.0":
        raise Malformed("the CloudEvent's 'specversion' is not 1.0")
    for name in _REQUIRED:
        if not isinstance(event.get(name), str) or not event[name]:
            raise Malformed(f"the CloudEvent has no '{name}'")
    return event


def as_body(event: Mapping[str, Any]) -> bytes:
    """Write an event that came in binary mode as one body."""
    return canonical(dict(event)).encode()


def _from_binary(headers: Mapping[str, str], body: bytes, kind: str) -> dict[str, Any]:
    event: dict[str, Any] = {
        name.removeprefix(_PREFIX): unquote(value)
        for name, value in headers.items()
        if name.startswith(_PREFIX)
    }
    if kind:
        event["datacontenttype"] = kind
    if not body:
        return event
    if kind and kind != "application/json" and not kind.endswith("+json"):
        return {**event, "data_base64": base64.b64encode(body).decode()}
    try:
        return {**event, "data": json.loads(body)}
    except (ValueError, RecursionError):
        raise Malformed("the CloudEvent's data are no JSON") from None
