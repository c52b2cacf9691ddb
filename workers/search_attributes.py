"""The search attributes that engagements write: without them on the server, no workflow task would succeed.

A server that lets nobody register them (Temporal Cloud) must have them before a worker starts.
"""

from typing import Final

import structlog
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.service import RPCError

from workflows import showing

SEARCH_ATTRIBUTES: Final = {
    showing.AGENCY.name: "Keyword",
    showing.STAGE.name: "Keyword",
    showing.OWNER.name: "Keyword",
    showing.LEVEL.name: "Int",
}
_TYPES: Final = {
    "Keyword": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "Int": IndexedValueType.INDEXED_VALUE_TYPE_INT,
}
_log = structlog.get_logger(__name__)


async def register_search_attributes(client: Client) -> list[str]:
    """This will make the server know our search attributes; returns the ones it did not."""
    service, namespace = client.operator_service, client.namespace
    try:
        known = await service.list_search_attributes(ListSearchAttributesRequest(namespace=namespace))
        missing = {
            name: _TYPES[kind]
            for name, kind in SEARCH_ATTRIBUTES.items()
            if name not in known.custom_attributes
        }
        if missing:
            request = AddSearchAttributesRequest(namespace=namespace, search_attributes=missing)
            await service.add_search_attributes(request)
    except RPCError as error:
        wanted = ", ".join(f"{name} ({kind})" for name, kind in SEARCH_ATTRIBUTES.items())
        _log.warning("search attributes cannot be registered here", needed=wanted, status=error.status.name)
        return []
    return sorted(missing)
