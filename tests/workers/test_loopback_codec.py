import pytest
from temporalio.api.common.v1 import Payload

from activities.commands import CommandService
from activities.types import StreamCommand
from events.envelope import Actor
from events.log.keys import MemoryKeys
from events.log.memory import MemoryLog
from workers.codec import NoAgency
from workers.loopback_codec import LoopbackCodec

PLAIN = Payload(metadata={"encoding": b"json/plain"}, data=b'{"words":"hello"}')


async def begin(log: MemoryLog, agency: str) -> None:
    """Let an agency exist."""
    await CommandService(log).give(
        StreamCommand(
            agency=agency,
            stream="job-order:j-1",
            command_id="k-1",
            name="open-job-order",
            data={"job_order_id": "j-1"},
            actor=Actor(kind="operator", id="test"),
        )
    )


@pytest.fixture(autouse=True)
def _nobody_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """This will hide an agency that the environment names."""
    monkeypatch.delenv("RAPPORT_AGENCY", raising=False)


class TestLoopbackCodec:
    async def test_seals_for_the_only_agency_and_opens_again(self) -> None:
        log = MemoryLog()
        await begin(log, "acme")
        codec = LoopbackCodec(MemoryKeys(), log)

        [sealed] = await codec.encode([PLAIN])
        [opened] = await codec.decode([sealed])

        assert b"hello" not in sealed.SerializeToString()
        assert opened.data == PLAIN.data

    async def test_does_not_guess_among_several(self) -> None:
        """Sealing under the wrong agency's key would give its people what is not theirs."""
        log = MemoryLog()
        await begin(log, "acme")
        await begin(log, "other")

        with pytest.raises(NoAgency):
            await LoopbackCodec(MemoryKeys(), log).encode([PLAIN])

    async def test_seals_for_the_one_that_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        log = MemoryLog()
        await begin(log, "acme")
        await begin(log, "other")
        monkeypatch.setenv("RAPPORT_AGENCY", "other")

        [sealed] = await LoopbackCodec(MemoryKeys(), log).encode([PLAIN])

        assert sealed.metadata["rapport-agency"] == b"other"
