import pytest
from temporalio.client import Client

from workers.embedded.stack import EmbeddedStack
from workers.search_attributes import SEARCH_ATTRIBUTES, register_search_attributes


@pytest.mark.temporal
class TestRegisterSearchAttributes:
    async def test_teaches_a_server_that_does_not_know_them(self) -> None:
        """A worker on somebody's own server must not fail every task for want of them."""
        async with EmbeddedStack(ephemeral=True, postgres=False, smtp_sink=False) as stack:
            client = await Client.connect(stack.temporal_address)

            assert await register_search_attributes(client) == sorted(SEARCH_ATTRIBUTES)
            assert await register_search_attributes(client) == []

    async def test_leaves_alone_a_server_that_knows_them(self, temporal_server: str) -> None:
        client = await Client.connect(temporal_server)

        assert await register_search_attributes(client) == []
