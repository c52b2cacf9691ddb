"""Whether what the settings name is there and answers: PostgreSQL, Temporal, the mail server, connections.

It only asks: nothing is written, started or sent, and no sentence shows a secret.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Literal

import aiosmtplib
import asyncpg
from aiosmtplib.errors import SMTPException
from temporalio.client import Client
from temporalio.envconfig import ClientConnectConfig
from temporalio.service import RPCError

from activities.asking.registry import APIS
from events.integrations.rules import of_body
from events.log.keys import UnknownKek
from events.log.migrate import migration_level, needed_level
from workers.asking.apis import ProviderApis
from workers.inbox.connections import Connection
from workers.readiness import NotReady, knows_attributes, worker_asks
from workers.settings import Settings
from workers.sweep_schedule import sweep_is_scheduled
from workers.wiring import asking

PATIENCE: Final = 10.0
AT_ONCE: Final = 8
_ROLES: Final = ("rapport_owner", "rapport_app", "rapport_projector", "rapport_eraser")

Verdict = Literal["ok", "warning", "wrong"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one thing answered, in one sentence."""

    what: str
    verdict: Verdict
    says: str


async def ask_postgres(database_url: str) -> Answer:
    """This will ask the database for its version, our roles and the level of the log."""
    return await _asked("PostgreSQL", lambda: _postgres(database_url))


async def ask_temporal(config: ClientConnectConfig) -> list[Answer]:
    """This will ask Temporal for its namespace, the search attributes, the sweep, and who works."""
    try:
        async with asyncio.timeout(PATIENCE):
            client = await Client.connect(**config)
    except (RuntimeError, RPCError, OSError, TimeoutError) as error:
        return [
            Answer(
                "Temporal", "wrong", f"it does not answer ({_kind(error)}); start it, or correct its address"
            )
        ]
    return [
        await _asked("Temporal", lambda: _namespace(client)),
        await _asked("worker", lambda: _worker(client)),
        await _asked("sweep", lambda: _sweep(client)),
    ]


async def ask_smtp(settings: Settings, sink: tuple[str, int] | None) -> Answer:
    """This will greet the mail server, and prove who we are where it asks for that; nothing is sent."""
    if settings.smtp_host is None and sink is None:
        return Answer("SMTP", "warning", "no mail server is set and no sink runs; set RAPPORT_SMTP_HOST")
    return await _asked("SMTP", lambda: _smtp(settings, sink))


async def ask_connections(settings: Settings, database_url: str) -> list[Answer]:
    """This will ask the API of each connection of each agency for something harmless, with its own key."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(apis: ProviderApis, connection: Connection) -> Answer:
        async with gate:
            named = f"{connection.name} ({connection.id})" if connection.name else connection.id
            what = f"connection {named}"
            return await _asked(what, lambda: _connection(apis, connection))

    try:
        async with asking(settings, database_url) as (found, apis):
            return list(await asyncio.gather(*(one(apis, each) for each in found if _is_asked(each))))
    except (OSError, TimeoutError, UnknownKek, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return [Answer("connections", "wrong", f"they cannot be read ({_kind(error)}).")]


def _is_asked(connection: Connection) -> bool:
    if connection.disabled_at is not None or connection.provider not in APIS:
        return False
    return connection.api_base is not None or _asks(connection)


def _asks(connection: Connection) -> bool:
    """Tell whether a connection's mapping asks its API for anything."""
    if connection.mapping is None:
        return False
    return any(rule.fetch is not None for rule in of_body(connection.mapping).rule)


async def _connection(apis: ProviderApis, connection: Connection) -> tuple[Verdict, str]:
    if connection.api_base is None:
        return "warning", "its mapping asks the API, and nobody has said where that is; see 'connection set'."
    ok, says = await apis.greet(connection)
    return ("ok" if ok else "wrong"), f"{says}."


async def _asked(what: str, ask: Callable[[], Awaitable[tuple[Verdict, str]]]) -> Answer:
    try:
        async with asyncio.timeout(PATIENCE):
            verdict, says = await ask()
    except NotReady as error:
        return Answer(what, "wrong", f"{error}.")
    except (
        OSError,
        TimeoutError,
        RPCError,
        SMTPException,
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
    ) as error:
        return Answer(what, "wrong", f"it does not answer as it should ({_kind(error)}).")
    return Answer(what, verdict, says)


async def _postgres(database_url: str) -> tuple[Verdict, str]:
    connection = await asyncpg.connect(database_url, timeout=PATIENCE)
    try:
        version = connection.get_server_version()
        level = await migration_level(connection)
        if level is None:
            return "wrong", "the log is not there yet; run 'rapport migrate'."
        if level != needed_level():
            older = level < needed_level()
            remedy = "run 'rapport migrate'" if older else "this code is older than the database; upgrade it"
            return "wrong", f"the log is at level {level} and this code needs {needed_level()}; {remedy}."
        lacking = [
            role
            for role in _ROLES
            if not await connection.fetchval("SELECT pg_has_role(current_user, $1, 'SET')", role)
        ]
        if lacking:
            return "wrong", f"this account may not act as {', '.join(lacking)}; grant it that."
        unsafe = [
            name
            for name in ("fsync", "synchronous_commit", "full_page_writes")
            if await connection.fetchval(f"SHOW {name}") == "off"
        ]
        if unsafe:
            return "warning", f"{', '.join(unsafe)} is off: a power cut may lose what was acknowledged."
        return "ok", f"version {version.major}.{version.minor}, the log at level {level}."
    finally:
        await connection.close()


async def _namespace(client: Client) -> tuple[Verdict, str]:
    await knows_attributes(client)
    return "ok", f"namespace '{client.namespace}' is there, with our search attributes."


async def _worker(client: Client) -> tuple[Verdict, str]:
    if await worker_asks(client):
        return "ok", "somebody works on the engagements."
    return "warning", "nobody works on the engagements; start 'rapport worker' or 'rapport up'."


async def _sweep(client: Client) -> tuple[Verdict, str]:
    if await sweep_is_scheduled(client):
        return "ok", "it is scheduled."
    return "warning", "it is not scheduled; a worker schedules it within a minute."


async def _smtp(settings: Settings, sink: tuple[str, int] | None) -> tuple[Verdict, str]:
    host, port = sink or ("localhost", settings.smtp_port)
    security = "none"
    if settings.smtp_host is not None:
        host, port, security = settings.smtp_host, settings.smtp_port, settings.smtp_security
    client = aiosmtplib.SMTP(
        hostname=host,
        port=port,
        timeout=PATIENCE / 2,
        use_tls=security == "tls",
        start_tls=security == "starttls",
        username=settings.smtp_username if settings.smtp_host is not None else None,
        password=settings.smtp_password.get_secret_value() if settings.smtp_password is not None else None,
    )
    async with client:
        await client.noop()
    if settings.smtp_host is None:
        return (
            "warning",
            "the sink of the embedded stack keeps all mail; nobody gets it. Set RAPPORT_SMTP_HOST.",
        )
    guarded = "" if security != "none" else " Nothing guards the way there; see RAPPORT_SMTP_SECURITY."
    return ("ok" if security != "none" else "warning"), f"it answers and would take our mail.{guarded}"


def _kind(error: BaseException) -> str:
    # Only the kind: what a server says may quote an address or a password.
    return error.status.name if isinstance(error, RPCError) else type(error).__name__
