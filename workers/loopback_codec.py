"""The codec of the loopback server: opens every agency's payloads, seals for the one agency there is.

Temporal's CLI does not say for whom it seals, so with several agencies RAPPORT_AGENCY must.
"""

import os
from collections.abc import Sequence

from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

from events.log.keys import KeyStore
from events.log.port import EventLog
from workers.codec import EngagementCodec


class LoopbackCodec(PayloadCodec):
    """Looks up the agency each time it seals, because agencies come while the server runs."""

    def __init__(self, keys: KeyStore, log: EventLog) -> None:
        self._keys = keys
        self._log = log

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Seal under the key of the only agency.

        :raises NoAgency: there is none, or several and none is named.
        """
        return await EngagementCodec(self._keys, await self._agency()).encode(payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Open what was sealed for any agency."""
        return await EngagementCodec(self._keys).decode(payloads)

    async def _agency(self) -> str | None:
        agencies = await self._log.agencies()
        named = os.environ.get("RAPPORT_AGENCY")
        if named in agencies:
            return named
        return agencies[0] if len(agencies) == 1 else None
