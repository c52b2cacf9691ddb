"""What the follower learns of an engagement that does not take its command."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import pytest
from temporalio.client import Client

from events.clock import ClockSpec
from events.errors import CallerError
from workers import serving
from workers.client import CommandFailed, NotAnswered
from workers.regular import by_ourselves
from workers.serving import EngagementTeller

CAUSE = UUID(int=1)


class Engagements:
    """Stands where Temporal stands: keeps what it was given, or answers with an error."""

    error: Exception | None = None
    given: Mapping[str, Any]

    def __init__(self, *_: Any, **__: Any) -> None:
        """Take whatever the real one takes."""

    async def command(
        self, engagement_id: str, command: str, data: Mapping[str, Any], *, command_id: str
    ) -> None:
        """Take a command."""
        if (error := type(self).error) is not None:
            raise error
        type(self).given = data


@pytest.fixture
def engagements(monkeypatch: pytest.MonkeyPatch) -> type[Engagements]:
    """This will answer instead of Temporal."""

    class Ours(Engagements):
        pass

    monkeypatch.setattr(serving, "Engagements", Ours)
    return Ours


async def tell() -> None:
    """Tell an engagement of a job that is gone."""
    teller = EngagementTeller(cast("Client", None), ClockSpec())
    given = {"job_order_id": "j-1", "how": "filled"}
    await teller.tell("a-1", "e-1", "record-position-filled", given, "id-1", CAUSE)


class Sweeping:
    """Stands where the sweep is: fails first, then sweeps."""

    def __init__(self) -> None:
        self.sweeps = 0
        self.swept = asyncio.Event()

    async def sweep(self) -> None:
        """Fail, the first time."""
        self.sweeps += 1
        if self.sweeps == 1:
            raise ConnectionError("the log is away")
        self.swept.set()


class TestSweep:
    async def test_goes_on_after_a_sweep_that_failed(self) -> None:
        """Where the server has no schedules, nobody else would close the hole of a crash."""
        sweeping = Sweeping()
        task = asyncio.create_task(by_ourselves(sweeping.sweep, timedelta()))
        async with asyncio.timeout(30):
            await sweeping.swept.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


class TestEngagementTeller:
    async def test_speaks_as_the_follower_and_names_the_cause(self, engagements: type[Engagements]) -> None:
        await tell()
        assert engagements.given == {
            "job_order_id": "j-1",
            "how": "filled",
            "actor": {"kind": "integration", "id": "follower"},
            "source": "follower",
            "causation_id": str(CAUSE),
        }

    @pytest.mark.parametrize("code", ["unknown-engagement", "KeyDestroyed", "CommandIdReused"])
    async def test_takes_what_nothing_can_mend_for_a_no(
        self, engagements: type[Engagements], code: str
    ) -> None:
        engagements.error = CommandFailed("no", code)
        with pytest.raises(CallerError, match="no") as caught:
            await tell()
        assert caught.value.code == code

    @pytest.mark.parametrize(
        "error",
        [
            NotAnswered("id-1", timedelta(seconds=10)),
            CommandFailed("the log holds a newer event", "UnknownEvent"),
            CommandFailed("the log does not take this command", "NotRecorded"),
        ],
    )
    async def test_lets_through_what_may_pass(self, engagements: type[Engagements], error: Exception) -> None:
        engagements.error = error
        with pytest.raises(type(error)):
            await tell()
