"""What the sink keeps, and in which order."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiosmtplib
import pytest

from workers.smtp_sink import SmtpSink


@pytest.fixture
async def sink(tmp_path: Path) -> AsyncIterator[SmtpSink]:
    """This will run a sink."""
    running = SmtpSink(tmp_path / "mail")
    await running.start()
    yield running
    await running.stop()


async def send(sink: SmtpSink, subject: str, *to: str) -> None:
    words = f"From: a@example.org\r\nSubject: {subject}\r\n\r\nGrüße\r\n.\r\n".encode()
    await aiosmtplib.send(
        words, sender="a@example.org", recipients=list(to), hostname=sink.host, port=sink.port, timeout=5
    )


class TestMessages:
    async def test_come_in_the_order_of_their_arrival(self, sink: SmtpSink) -> None:
        for subject in ("first", "second", "third"):
            await send(sink, subject, "b@example.org")
        assert [kept.message["Subject"] for kept in await sink.messages()] == ["first", "second", "third"]
        assert await sink.count() == 3

    async def test_carry_their_envelope(self, sink: SmtpSink) -> None:
        await send(sink, "hello", "b@example.org", "c@example.org")
        (kept,) = await sink.messages()
        assert (kept.sender, kept.recipients) == ("a@example.org", ("b@example.org", "c@example.org"))
        assert kept.message.get_payload(decode=True) == "Grüße\r\n.\r\n".encode()

    async def test_are_readable_by_their_owner_only(self, sink: SmtpSink) -> None:
        await send(sink, "hello", "b@example.org")
        (kept,) = await sink.messages()
        assert kept.path.stat().st_mode & 0o777 == 0o600
        assert kept.path.parent.stat().st_mode & 0o777 == 0o700


class TestStop:
    async def test_lets_clients_find_a_dead_server(self, sink: SmtpSink) -> None:
        await sink.stop()
        with pytest.raises(aiosmtplib.SMTPConnectError):
            await send(sink, "lost", "b@example.org")

    async def test_can_be_followed_by_a_start_on_the_same_port(self, sink: SmtpSink) -> None:
        await send(sink, "before", "b@example.org")
        port = sink.port
        await sink.stop()
        await sink.start()
        assert sink.port == port
        await send(sink, "after", "b@example.org")
        assert [kept.message["Subject"] for kept in await sink.messages()] == ["before", "after"]
