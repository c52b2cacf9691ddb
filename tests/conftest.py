"""Fixtures shared by all tests: real servers, one set for each test process.

They live as long as the test run: a test makes its own database, agency or task queue in them.
"""

from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import settings

from workers.embedded.blocking import in_thread
from workers.embedded.stack import EmbeddedStack

# How long an example takes says how busy the machine is, and nothing of the code.
settings.register_profile("rapport", deadline=None)
settings.load_profile("rapport")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """This will yield the superuser's URL of a PostgreSQL server, on its database ``rapport``."""
    with in_thread(EmbeddedStack(ephemeral=True, temporal=False, smtp_sink=False)) as running:
        yield running.database_url


@pytest.fixture(scope="session")
def temporal_server() -> Iterator[str]:
    """This will yield the address of a Temporal development server that knows our search attributes."""
    with in_thread(
        EmbeddedStack(ephemeral=True, postgres=False, smtp_sink=False, search_attributes=SEARCH_ATTRIBUTES)
    ) as running:
        yield running.temporal_address


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
