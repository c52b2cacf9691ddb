"""The one place where everything about access meets: for the gateway, and for ``rapport key``.

It has a pool of its own, so that no slow read keeps a door waiting.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from activities.channels.port import Channel
from activities.commands import CommandService
from activities.directory import Directory
from events.log.connect import Connections
from events.log.port import EventLog
from gateway.access.codes import Codes
from gateway.access.failures import Failures
from gateway.access.issuers import Issuers
from gateway.access.jwks import KeySets
from gateway.access.jwt import Tokens
from gateway.access.keys import Keys
from gateway.access.knowing import Knowing
from gateway.access.links import Links
from gateway.access.targets import Targets
from gateway.access.uses import Uses
from gateway.folds import Folds
from workers.wiring import Adapters


@dataclass(frozen=True, slots=True)
class Access:
    """Everything about who may come in."""

    knowing: Knowing
    targets: Targets
    folds: Folds
    """What targets are found by, for whoever shows engagements as well."""
    keys: Keys
    issuers: Issuers
    links: Links
    codes: Codes
    failures: Failures
    uses: Uses
    directory: Directory
    log: EventLog
    service: CommandService


@asynccontextmanager
async def opened_access(
    having: Adapters, database_url: str, *, size: int = 4, channel: Channel | None = None
) -> AsyncIterator[Access]:
    """Open it beside the adapters; *channel* takes codes to candidates in place of the settings' e-mail."""
    connections = Connections(database_url, role="rapport_app", size=size)
    failures, uses = Failures(connections, having.keys), Uses(connections)
    folds = Folds(having.log)
    try:
        async with httpx.AsyncClient() as http:
            tokens = Tokens(connections, having.keys, KeySets(http))
            yield Access(
                knowing=Knowing(connections, having.directory, failures, tokens, uses),
                targets=Targets(connections, folds, having.service, having.directory),
                folds=folds,
                keys=Keys(connections),
                issuers=Issuers(connections),
                links=Links(connections),
                codes=Codes(connections, having.keys, having.log, having.directory, channel or having.email),
                failures=failures,
                uses=uses,
                directory=having.directory,
                log=having.log,
                service=having.service,
            )
            await failures.settled()
            await uses.settled()
    finally:
        await connections.close()
