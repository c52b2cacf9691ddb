"""Everything on one machine, in one process: embedded servers, migrations, codec server, workers, the follower.

What the environment names (``DATABASE_URL``, ``TEMPORAL_ADDRESS``, an SMTP host) is used and never started here.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.converter import PayloadCodec

from activities.errors import for_temporal as _  # noqa: F401
from events.clock import ClockSpec
from events.errors import CallerError
from events.log.followers import PostgresPlaces
from events.log.keys import KeyStore
from events.log.migrate import migrate
from events.log.port import EventLog
from workers import stack_file
from workers.client import CommandFailed, Engagements
from workers.codec import EngagementCodec, NoAgency
from workers.codec_server import CodecServer
from workers.embedded import ports
from workers.embedded.stack import EmbeddedStack
from workers.following import Follower
from workers.poking import poke_stale
from workers.settings import Settings
from workers.wiring import Adapters, adapters, connect, workers
from workers.worker import run_until
