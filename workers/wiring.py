"""The one place where adapters meet: log, keys, ledger, directory, channels, for whatever process needs them.

Nothing else may construct an adapter: a process asks for the whole set and closes it by leaving.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from temporalio.client import Client
from temporalio.envconfig import ClientConnectConfig
from temporalio.worker import Worker

from activities.channels.email import Email, MailSettings
from activities.commands import Commands, CommandService
from activities.directory import Directory
from activities.outreach import SETTLES_AFTER, Outreach
from activities.polling import Polling
from activities.recording import Recording
from activities.sweeping import Sweeping
from events.clock import ClockSpec
from events.integrations.mail_meaning import MAIL
from events.log.connect import Connections as Pool
from events.log.digests import Digests
from events.log.digests_postgres import PostgresDigests
from events.log.effects import EffectsLedger
from events.log.effects_postgres import PostgresEffects
from events.log.keys import Kek, Keyring, KeyStore, MemoryKeys
from events.log.keys_postgres import PostgresKeys
from events.log.port import EventLog
from events.log.postgres import PostgresLog
from events.projections.reading import ReadModels
from workers.asking.apis import ProviderApis
from workers.asking.polled import Polled
from workers.asking.polls import Poller
from workers.codec import SYSTEM
from workers.data_converter import data_converter
from workers.delivering.addresses import Rules
from workers.delivering.deliveries import Deliveries
from workers.delivering.desk import Desk
from workers.delivering.sending import Sender
from workers.delivering.subscriptions import Subscriptions
from workers.inbox.applying import Applying
from workers.inbox.connections import Connection, Connections
from workers.inbox.giving import Giver
from workers.inbox.lines import Hand
from workers.inbox.links import Links
from workers.inbox.mail import WhoseMail
from workers.inbox.refusals import Refusals
from workers.inbox.rehearsing import Rehearsal
from workers.inbox.store import Inbox
from workers.inbox.understanding import Asking, ByProvider, Understanding
from workers.inbox.work import Work
from workers.poking import Poking
from workers.settings import Settings
from workers.worker import engagement_worker, outreach_worker

# What the system's key signs: it must outlive every rotation.
_REPLIES: Final = "reply-addresses"


@dataclass(frozen=True, slots=True)
class Adapters:
    """Everything that touches the world, ready for use."""

    log: EventLog
    keys: PostgresKeys
    ledger: EffectsLedger
    digests: Digests
    digest_window: timedelta
    service: CommandService
    directory: Directory
    email: Email
    reply_secret: bytes = field(repr=False)
    read_models: ReadModels
    connections: Connections
    links: Links
    inbox: Inbox
    work: Work
    refusals: Refusals
    apis: ProviderApis
    polled: Polled
    subscriptions: Subscriptions
    deliveries: Deliveries
    sender: Sender

    @property
    def desk(self) -> Desk:
        """Give where subscriptions are made and tried."""
        return Desk(self.subscriptions, self.log, self.sender)

    @property
    def polls(self) -> Poller:
        """Give what polls the connections."""
        return Poller(self.connections, self.inbox, self.polled, self.apis)


@asynccontextmanager
async def adapters(
    settings: Settings, database_url: str, *, smtp: tuple[str, int] | None = None
) -> AsyncIterator[Adapters]:
    """Connect to the database of *database_url*; *smtp* is used where the settings name no mail server."""
    keks = [Kek(key.id, key.secret.get_secret_value()) for key in settings.encryption_keys()]
    keys = PostgresKeys(database_url, Keyring(keks))
    ledger, digests = PostgresEffects(database_url), PostgresDigests(database_url)
    read_models = ReadModels(database_url, size=4)
    pool = Pool(database_url, role="rapport_app", size=8)
    links = Links(pool, keys)
    subscriptions, deliveries = Subscriptions(database_url, keys), Deliveries(database_url)
    sender = Sender(Rules(settings.webhooks_allow_http, settings.webhooks_allow_private))
    apis = ProviderApis(allow_private=settings.webhooks_allow_private)
    try:
        async with PostgresLog(database_url, keys) as log:
            mail = await _mail(settings, keys, smtp)
            yield Adapters(
                log=log,
                keys=keys,
                ledger=ledger,
                digests=digests,
                digest_window=timedelta(minutes=settings.outreach_digest_minutes),
                service=CommandService(log),
                directory=Directory(log),
                email=Email(mail),
                reply_secret=mail.reply_secret,
                read_models=read_models,
                connections=Connections(pool, keys),
                links=links,
                inbox=Inbox(pool, keys),
                work=Work(pool, links),
                refusals=Refusals(pool),
                apis=apis,
                polled=Polled(pool, keys),
                subscriptions=subscriptions,
                deliveries=deliveries,
                sender=sender,
            )
    finally:
        await apis.close()
        await sender.close()
        await deliveries.close()
        await subscriptions.close()
        await pool.close()
        await read_models.close()
        await digests.close()
        await ledger.close()
        await keys.close()


@asynccontextmanager
async def shut_log(database_url: str) -> AsyncIterator[EventLog]:
    """Read a log without any key: chains and folds need none, and no personal field opens."""
    async with PostgresLog(database_url, MemoryKeys()) as log:
        yield log


@asynccontextmanager
async def asking(
    settings: Settings, database_url: str
) -> AsyncIterator[tuple[Sequence[Connection], ProviderApis]]:
    """Give every agency's connections with their secrets, and who asks their APIs; nothing is written."""
    keks = [Kek(key.id, key.secret.get_secret_value()) for key in settings.encryption_keys()]
    keys, pool = PostgresKeys(database_url, Keyring(keks)), Pool(database_url, role="rapport_app")
    connections, apis = Connections(pool, keys), ProviderApis(allow_private=settings.webhooks_allow_private)
    try:
        async with shut_log(database_url) as log:
            agencies = await log.agencies()
        listed = [each for agency in agencies for each in await connections.list(agency)]
        yield [await connections.get(each.agency, each.id) for each in listed], apis
    finally:
        await apis.close()
        await pool.close()
        await keys.close()


async def connect(
    config: ClientConnectConfig, keys: KeyStore, agency: str | None = None, *, lazy: bool = False
) -> Client:
    """Connect to Temporal with the converter that everybody must share; *lazy*: not before the first call."""
    return await Client.connect(**config, data_converter=data_converter(keys, agency), lazy=lazy)


def sweeping(client: Client, having: Adapters, clock: ClockSpec | None = None) -> Sweeping:
    """Make what a sweep does; *clock* goes to the runs that it starts."""
    return Sweeping(having.log, Poking(client, clock=clock))


def messages(
    client: Client, having: Adapters, clock: ClockSpec | None = None, asking: Asking | None = None
) -> Hand:
    """Make what it takes to apply what integrations send; *asking* stands in for providers' APIs."""
    clock = clock or ClockSpec()
    rehearsal = Rehearsal(having.log, having.directory, having.keys, clock, lambda: datetime.now(UTC))
    applying = Applying(having.work, rehearsal, Giver(client, having.service, clock), having.keys)
    mail = WhoseMail(having.log, having.directory, having.reply_secret)
    asked = ByProvider({MAIL: mail}, asking or having.apis)
    understanding = Understanding(having.connections, having.links, having.keys, asked)
    return Hand(having.work, understanding, applying)


def workers(
    client: Client,
    having: Adapters,
    *,
    clock: ClockSpec | None = None,
    templates: Sequence[Path] = (),
    settles_after: timedelta = SETTLES_AFTER,
) -> list[Worker]:
    """Make the workers of one process."""
    outreach = Outreach(
        having.log,
        having.ledger,
        having.directory,
        having.email,
        having.digests,
        templates=templates,
        settles_after=settles_after,
        digest_window=having.digest_window,
    )
    recording = Recording(having.log, having.directory)
    return [
        engagement_worker(
            client,
            recording,
            Commands(having.service),
            sweeping(client, having, clock),
            Polling(having.polls),
        ),
        outreach_worker(client, outreach),
    ]


async def _mail(settings: Settings, keys: KeyStore, smtp: tuple[str, int] | None) -> MailSettings:
    secret = await keys.get_or_create(SYSTEM, _REPLIES)
    own = settings.smtp_host is not None
    host, port = smtp or ("localhost", settings.smtp_port)
    if settings.smtp_host is not None:
        host, port = settings.smtp_host, settings.smtp_port
    password = settings.smtp_password
    return MailSettings(
        host=host,
        port=port,
        # The sink of the embedded stack asks for nothing.
        security=settings.smtp_security if own else "none",
        username=settings.smtp_username if own else None,
        password=password.get_secret_value() if own and password is not None else None,
        sender=settings.smtp_from,
        domain=settings.smtp_from.rpartition("@")[2],
        reply_domain=settings.smtp_reply_domain,
        reply_secret=secret.secret,
    )
