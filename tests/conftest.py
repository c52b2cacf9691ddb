"""Fixtures shared by all tests: real servers, one set for each test process.

They live as long as the test run: a test makes its own database, agency or task queue in them.
"""

import asyncio
import gc
import importlib.util
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import asyncpg
import pytest
import structlog
from hypothesis import settings
from temporalio.client import Client, ScheduleActionExecutionStartWorkflow
from temporalio.service import RPCError, RPCStatusCode

from events.log.migrate import migrate
from workers.embedded.blocking import in_thread
from workers.embedded.stack import EmbeddedStack
from workers.shipped import deploy_policy
from workflows.types import POLLS_ID, SWEEP_ID

if TYPE_CHECKING:
    from tests.events.specification import World

DOMAIN = Path(__file__).parent / "events"
# How long an example takes says how busy the machine is, and nothing of the code.
settings.register_profile("rapport", deadline=None)
settings.load_profile("rapport")
# Thousands of tests are many objects: looked through as often as by default, they cost a tenth of a run.
gc.set_threshold(20_000, 20, 20)
# Else each error that a test provokes is shown with all that was in reach, which takes seconds.
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)


def pytest_collection_finish(session: pytest.Session) -> None:
    """This will keep what was collected out of every later collection of garbage."""
    gc.freeze()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """This will yield the superuser's URL of a PostgreSQL server, on its database ``rapport``."""
    with in_thread(EmbeddedStack(ephemeral=True, temporal=False, smtp_sink=False)) as running:
        yield running.database_url


@pytest.fixture(scope="session")
def new_database(postgres_server: str) -> Callable[[], str]:
    """This will make a migrated database at each call and give its URL; migrated once, then copied."""
    place, model = postgres_server.rpartition("/")[0], f"model_{uuid4().hex}"

    def elsewhere(work: Callable[[], Coroutine[Any, Any, object]]) -> None:
        # A thread of its own, so that no event loop of a test is touched.
        with ThreadPoolExecutor(1) as pool:
            pool.submit(lambda: asyncio.run(work())).result()

    async def create(name: str, of: str) -> None:
        connection = await asyncpg.connect(postgres_server)
        try:
            await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{of}"')
        finally:
            await connection.close()

    async def begin() -> None:
        await create(model, "template1")
        await migrate(f"{place}/{model}")

    def make() -> str:
        name = f"test_{uuid4().hex}"
        elsewhere(lambda: create(name, model))
        return f"{place}/{name}"

    elsewhere(begin)
    return make


@pytest.fixture(scope="session")
def temporal_server() -> Iterator[str]:
    """This will yield the address of a Temporal development server that knows our search attributes."""
    with in_thread(
        EmbeddedStack(ephemeral=True, postgres=False, smtp_sink=False, search_attributes=SEARCH_ATTRIBUTES)
    ) as running:
        yield running.temporal_address


@pytest.fixture
async def temporal_for_workers(temporal_server: str) -> str:
    """This will give the same server's address for a worker process's work, without what another began there.

    A run of theirs that a schedule started is sealed under keys of their database: nobody can go on with it,
    and the schedule would pass over its ticks for as long.
    """
    client = await Client.connect(temporal_server)
    for each in (SWEEP_ID, POLLS_ID):
        schedule = client.get_schedule_handle(each)
        try:
            running = (await schedule.describe()).info.running_actions
            await schedule.delete()
            for action in running:
                assert isinstance(action, ScheduleActionExecutionStartWorkflow)
                await client.get_workflow_handle(action.workflow_id).terminate("their test is over")
        except RPCError as error:
            # There is none, or it has ended by itself.
            if error.status != RPCStatusCode.NOT_FOUND:
                raise
    return temporal_server


@pytest.fixture
async def stack() -> AsyncIterator[EmbeddedStack]:
    """This will yield a whole stack of the test's own, whose servers it may kill."""
    async with EmbeddedStack(ephemeral=True, search_attributes=SEARCH_ATTRIBUTES) as running:
        yield running


SEARCH_ATTRIBUTES = {
    "RapportAgency": "Keyword",
    "RapportStage": "Keyword",
    "RapportOwner": "Keyword",
    "RapportLevel": "Int",
}


@pytest.fixture(scope="session")
def domain_module() -> Callable[[str], ModuleType]:
    """This will load a module of the domain's tests by its name: their directory is no package."""

    @cache
    def load(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(f"rapport_tests_{name}", DOMAIN / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        # A dataclass looks its own module up by name.
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture(scope="session")
def world(domain_module: Callable[[str], ModuleType]) -> "World":
    """This will give the examples and the specification: ``world.given("submitted").when("submit")``."""
    examples = domain_module("examples")
    specification = domain_module("specification")
    made: World = specification.World(examples.EVENTS, examples.COMMANDS, deploy_policy("starter"))
    return made


@pytest.fixture(scope="session")
def lives(domain_module: Callable[[str], ModuleType]) -> ModuleType:
    """This will give the maker of random lives."""
    return domain_module("lives")
