"""The client of engagements after the server that it spoke to has gone."""

import asyncio
import gc
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.service import RetryConfig

from events.log.keys import MemoryKeys
from workers.client import Engagements, NotAnswered
from workers.data_converter import data_converter
from workers.embedded.stack import EmbeddedStack

pytestmark = pytest.mark.temporal


class TestCommand:
    async def test_tells_that_nobody_answers_and_leaves_no_error_unheard(self) -> None:
        """A crash of Temporal is a sentence for the caller, and no trace on anybody's terminal."""
        unheard: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, told: unheard.append(told))
        async with EmbeddedStack(ephemeral=True, postgres=False, smtp_sink=False) as stack:
            client = await Client.connect(
                stack.temporal_address,
                data_converter=data_converter(MemoryKeys(), "acme"),
                retry_config=RetryConfig(max_retries=1),
            )
            engagements = Engagements(client, "acme", patience=timedelta(seconds=1))
            await stack.kill("temporal")
            with pytest.raises(NotAnswered, match="under the id 'k-1'"):
                await engagements.command("e-1", "resume", command_id="k-1")
        gc.collect()
        assert unheard == []
