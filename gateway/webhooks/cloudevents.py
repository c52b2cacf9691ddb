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
# Data come in the body, which is signed, and never in a header.
_DATA: Final = ("data", "data_base64", "datacontenttype")


def structured(delivery: Delivery) -> tuple[dict[str, Any], bytes] | None:
    """Give the event in its structured form, parsed and as a body; None where it is no CloudEvent.

    :raises Malformed: it says that it is one and is not.
    :raises NotTaken: it is a batch.
    """
    kind = delivery.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind.startswith(_BATCH):
        raise NotTaken("batches of CloudEvents are not taken; send each event in a request of its own")
    if f"{_PREFIX}specversion" in delivery.headers and not kind.startswith(_STRUCTURED):
        event = _checked(_from_binary(delivery.headers, delivery.body, kind))
        try:
            return event, canonical(event).encode()
        except (ValueError, RecursionError):
            # Python's reader takes halves of characters and numbers beyond all, which JSON cannot hold.
            raise Malformed("the CloudEvent's data are no JSON") from None
    event = parsed(delivery.body)
    if not kind.startswith(_STRUCTURED) and "specversion" not in event:
        return None
    return _checked(event), delivery.body


def _checked(event: dict[str, Any]) -> dict[str, Any]:
    if event.get("specversion") != "1.0":
        raise Malformed("the CloudEvent's 'specversion' is not 1.0")
    for name in _REQUIRED:
        if not isinstance(event.get(name), str) or not event[name]:
            raise Malformed(f"the CloudEvent has no '{name}'")
    return event


def _from_binary(headers: Mapping[str, str], body: bytes, kind: str) -> dict[str, Any]:
    given = {name.removeprefix(_PREFIX): value for name, value in headers.items() if name.startswith(_PREFIX)}
    event: dict[str, Any] = {name: unquote(value) for name, value in given.items() if name not in _DATA}
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
