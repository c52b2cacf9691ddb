"""What becomes of a delivery, whoever sends it and whatever is away."""

import asyncio
import base64
import hmac

import asyncpg
import pytest

from events.integrations.message import MALFORMED
from gateway.webhooks.door import Answer, Door
from gateway.webhooks.provider import Delivery
from gateway.webhooks.registry import PROVIDERS
from tests.gateway.webhooks.held import THERE, Held, there
from tests.gateway.webhooks.signers import NOW, SAMPLES, secret_of, signed

ALL = sorted(PROVIDERS)


def held(
    provider: str = "greenhouse", secret: str | None = None, *, disabled: bool = False
) -> tuple[Door, Held]:
    """Give a door with one connection, and what it keeps."""
    secrets = [each for each in (secret_of(provider) if secret is None else secret,) if each]
    everything = Held({THERE: there(provider, *secrets, disabled=disabled)})
    return Door(everything, everything, everything, lambda: NOW), everything


class Hanging:
    """Connections that never answer."""

    async def find(self, connection_id: str, /) -> None:
        """Hang."""
        await asyncio.Event().wait()


class TestTake:
    @pytest.mark.parametrize("provider", ALL)
    async def test_keeps_a_message_once_and_acknowledges_each_delivery(self, provider: str) -> None:
        door, kept = held(provider)
        delivery = signed(provider, SAMPLES[provider])
        answers = [await door.take(THERE, delivery) for _ in range(3)]
        assert [each.outcome for each in answers] == ["kept", "known", "known"]
        assert {each.status for each in answers} == {PROVIDERS[provider].acknowledges}
        assert len(kept.messages) == 1

    @pytest.mark.parametrize("provider", ALL)
    async def test_keeps_nothing_of_a_probe(self, provider: str) -> None:
        door, kept = held(provider)
        probe = PROVIDERS[provider].probe(secret_of(provider), NOW)
        assert probe is not None
        answer = await door.take(THERE, probe)
        assert (answer.status, answer.outcome) == (PROVIDERS[provider].acknowledges, "tested")
        assert kept.messages == {}

    @pytest.mark.parametrize("provider", ALL)
    async def test_refuses_what_does_not_verify_and_counts_it_afterwards(self, provider: str) -> None:
        door, kept = held(provider, PROVIDERS["standard-webhooks"].new_secret())
        answer = await door.take(THERE, signed(provider, SAMPLES[provider]))
        assert (answer.status, answer.outcome, answer.failed) == (401, "not-verified", THERE)
        assert kept.messages == {}
        assert kept.failures == [], "counting takes time, and the answer must not"
        assert answer.failed is not None
        await door.count(answer.failed)
        assert kept.failures == [THERE]

    async def test_refuses_all_where_no_secret_is_valid(self) -> None:
        door, _ = held(secret="")
        assert (await door.take(THERE, signed("greenhouse", SAMPLES["greenhouse"]))).status == 401

    @pytest.mark.parametrize("provider", ["standard-webhooks", "mail"])
    async def test_takes_nothing_under_an_empty_key_where_no_secret_is_valid(self, provider: str) -> None:
        """A secret that is no base64 once stood for the empty key, which everybody has."""
        door, kept = held(provider, secret="")
        body, stamp = SAMPLES[provider], str(int(NOW.timestamp()))
        digest = hmac.digest(b"", b".".join((b"msg_1", stamp.encode(), body)), "sha256")
        forged = {"webhook-id": "msg_1", "webhook-timestamp": stamp}
        signature = f"v1,{base64.b64encode(digest).decode()}"
        answer = await door.take(THERE, Delivery({**forged, "webhook-signature": signature}, body))
        assert (answer.status, answer.outcome, kept.messages) == (401, "not-verified", {})

    @pytest.mark.parametrize("provider", ALL)
    async def test_takes_nothing_where_no_secret_is_valid_whatever_a_provider_makes_of_it(
        self, provider: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(type(PROVIDERS[provider]), "verify", lambda *_: None)
        door, kept = held(provider, secret="")
        answer = await door.take(THERE, signed(provider, SAMPLES[provider]))
        assert (answer.status, answer.outcome, kept.messages) == (401, "not-verified", {})

    @pytest.mark.parametrize("connection", ["c-bm9ib2R5", "c-", "", "x", "c-a\x00b", "c-é", f"c-{'a' * 200}"])
    async def test_knows_no_connection_by_half_an_id(self, connection: str) -> None:
        door, kept = held()
        answer = await door.take(connection, signed("greenhouse", SAMPLES["greenhouse"]))
        assert (answer.status, answer.outcome, answer.failed) == (404, "unknown", None)
        assert all(asked == "c-bm9ib2R5" for asked in kept.asked), "the database is asked for nothing odd"

    async def test_tells_a_disabled_connection_from_none_in_nothing(self) -> None:
        door, _ = held(disabled=True)
        delivery = signed("greenhouse", SAMPLES["greenhouse"])
        assert await door.take(THERE, delivery) == await door.take("c-bm9ib2R5", delivery)

    async def test_holds_a_delivery_for_nobody_against_a_secret_too(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As much is computed as for a connection that is there."""
        bodies: list[bytes] = []

        def digest(_: str, body: bytes) -> str:
            bodies.append(body)
            return ""

        monkeypatch.setattr("gateway.webhooks.signing.hex_digest", digest)
        door, _ = held()
        await door.take(THERE, Delivery({}, b"there"))
        await door.take("c-bm9ib2R5", Delivery({}, b"nowhere"))
        assert bodies == [b"there", b"nowhere"]

    @pytest.mark.parametrize("body", [b"", b"{", b"[1]", b'{"payload":{}}', b'{"action":"a\\u0000"}'])
    async def test_keeps_what_is_signed_and_unreadable_with_the_reason(self, body: bytes) -> None:
        door, kept = held()
        answer = await door.take(THERE, signed("greenhouse", body))
        assert (answer.status, answer.outcome) == (200, "kept")
        [message] = kept.messages.values()
        assert (message.event, message.body) == (MALFORMED, body)
        assert message.headers[MALFORMED]
        assert (await door.take(THERE, signed("greenhouse", body))).outcome == "known"

    @pytest.mark.parametrize("data", [b'{"a":"\\ud800"}', b'{"a":NaN}', b'{"a":1e999}'])
    async def test_keeps_an_event_in_binary_mode_whose_data_only_python_reads(self, data: bytes) -> None:
        door, kept = held("standard-webhooks")
        event = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "s", "ce-type": "t"}
        delivery = signed("standard-webhooks", data, **event)
        assert (await door.take(THERE, delivery)).outcome == "kept"
        [message] = kept.messages.values()
        assert (message.event, message.body) == (MALFORMED, data)

    async def test_keeps_a_mail_that_holds_half_a_character(self) -> None:
        door, kept = held("mail")
        body = b'{"raw":"From: one@example.test\\r\\n\\r\\n\\ud800"}'
        delivery = signed("mail", body, **{"content-type": "application/json"})
        assert (await door.take(THERE, delivery)).outcome == "kept"
        [message] = kept.messages.values()
        assert message.event == MALFORMED

    async def test_refuses_a_batch_and_says_what_to_do(self) -> None:
        door, kept = held("standard-webhooks")
        kind = "application/cloudevents-batch+json"
        answer = await door.take(THERE, signed("standard-webhooks", b"[]", content_type=kind))
        assert (answer.status, answer.outcome) == (415, "not-taken")
        assert "a request of its own" in answer.says
        assert kept.messages == {}

    async def test_answers_an_activation_of_smartrecruiters(self) -> None:
        door, kept = held("smartrecruiters")
        answer = await door.take(THERE, Delivery({"x-hook-secret": "temporary"}, b""))
        assert answer == Answer(200, "tested", "the door answers", {"x-hook-secret": "temporary"})
        assert kept.messages == {}

    @pytest.mark.parametrize(
        "away",
        [
            ConnectionRefusedError(),
            TimeoutError(),
            asyncpg.ConnectionDoesNotExistError(),
            asyncpg.UndefinedFunctionError(),
            asyncpg.TooManyConnectionsError(),
        ],
        ids=lambda error: type(error).__name__,
    )
    async def test_asks_to_send_again_while_the_database_is_away(self, away: Exception) -> None:
        """What is not in the database is not acknowledged."""
        door, kept = held()
        kept.away = away
        answer = await door.take(THERE, signed("greenhouse", SAMPLES["greenhouse"]))
        assert (answer.status, answer.outcome) == (503, "away")
        assert int(answer.headers["Retry-After"]) > 0
        await door.count(THERE)
        kept.away = None
        assert (await door.take(THERE, signed("greenhouse", SAMPLES["greenhouse"]))).outcome == "kept"

    async def test_asks_to_send_again_where_the_database_hangs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """No request hangs for as long as a database may."""
        monkeypatch.setattr("gateway.webhooks.door._PATIENCE", 0.01)
        everything = Held({THERE: there("greenhouse", secret_of("greenhouse"))})
        door = Door(Hanging(), everything, everything, lambda: NOW)
        answer = await door.take(THERE, signed("greenhouse", SAMPLES["greenhouse"]))
        assert (answer.status, answer.outcome) == (503, "away")

    async def test_takes_nothing_for_a_connection_that_was_erased_meanwhile(self) -> None:
        door, kept = held()
        kept.erased = True
        answer = await door.take(THERE, signed("greenhouse", SAMPLES["greenhouse"]))
        assert (answer.status, kept.messages) == (404, {})
