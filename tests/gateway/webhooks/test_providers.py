"""What every provider's file must do, and what is particular to each."""

import json
import string
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.integrations.message import Received
from gateway.webhooks.provider import Delivery, Malformed, NotVerified, Provider
from gateway.webhooks.registry import PROVIDERS
from tests.gateway.webhooks.signers import NOW, SAMPLES, SECRET, STAMP, TOLERANCE, secret_of, signed

ALL = sorted(PROVIDERS)
TIMED = ("standard-webhooks", "calendly", "smartrecruiters")
SIGNED_HEADERS = {
    "greenhouse": ("signature",),
    "lever": (),
    "ashby": ("ashby-signature",),
    "workable": ("x-workable-signature",),
    "smartrecruiters": ("smartrecruiters-signature", "smartrecruiters-timestamp", "event-id", "event-name"),
    "calendly": ("calendly-webhook-signature",),
    "standard-webhooks": ("webhook-signature", "webhook-timestamp", "webhook-id"),
    "mail": ("webhook-signature", "webhook-timestamp", "webhook-id"),
}


def holds(provider: Provider, delivery: Delivery, *secrets: str, now: datetime = NOW) -> bool:
    """Tell whether a delivery verifies."""
    try:
        provider.verify(delivery, secrets or [secret_of(provider.name)], now, TOLERANCE)
    except NotVerified:
        return False
    return True


def read(name: str, body: bytes | dict[str, Any], **headers: str) -> Received:
    """Sign and read a body, which must be a message."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    received = PROVIDERS[name].read(signed(name, content, **headers))
    assert received is not None
    return received


def flipped(text: bytes, at: int, mask: int) -> bytes:
    """Change one byte."""
    changed = bytearray(text)
    changed[at % len(changed)] ^= mask
    return bytes(changed)


class TestEveryProvider:
    @pytest.mark.parametrize("name", ALL)
    def test_takes_any_of_several_secrets(self, name: str) -> None:
        """Both are valid while a secret is rotated."""
        provider, secret = PROVIDERS[name], secret_of(name)
        other = provider.new_secret() or "another-secret"
        delivery = signed(name, SAMPLES[name])
        assert holds(provider, delivery, secret)
        assert holds(provider, delivery, other, secret)
        assert holds(provider, delivery, secret, other)
        assert not holds(provider, delivery, other)

    @pytest.mark.parametrize("name", [name for name in ALL if name != "lever"])
    @given(at=st.integers(min_value=0), mask=st.integers(min_value=1, max_value=255))
    def test_refuses_a_body_with_one_byte_changed(self, name: str, at: int, mask: int) -> None:
        delivery = signed(name, SAMPLES[name])
        assert not holds(PROVIDERS[name], replace(delivery, body=flipped(delivery.body, at, mask)))

    @pytest.mark.parametrize("name", [name for name in ALL if SIGNED_HEADERS[name]])
    @given(which=st.integers(min_value=0), at=st.integers(min_value=0), mask=st.integers(1, 255))
    def test_refuses_a_header_with_one_byte_changed(self, name: str, which: int, at: int, mask: int) -> None:
        delivery = signed(name, SAMPLES[name])
        header = SIGNED_HEADERS[name][which % len(SIGNED_HEADERS[name])]
        changed = flipped(delivery.headers[header].encode("latin-1"), at, mask).decode("latin-1")
        assert not holds(PROVIDERS[name], replace(delivery, headers={**delivery.headers, header: changed}))

    @given(at=st.integers(min_value=0), mask=st.integers(1, 255))
    def test_refuses_token_and_time_of_lever_with_one_byte_changed(self, at: int, mask: int) -> None:
        """The data may be changed by whoever sees them; what counts a delivery may not."""
        body = json.loads(signed("lever", SAMPLES["lever"]).body)
        for field in ("token", "signature"):
            changed = flipped(body[field].encode(), at, mask).decode("latin-1")
            assert not holds(PROVIDERS["lever"], Delivery({}, json.dumps({**body, field: changed}).encode()))
        later = {**body, "triggeredAt": body["triggeredAt"] + 1}
        assert not holds(PROVIDERS["lever"], Delivery({}, json.dumps(later).encode()))

    @pytest.mark.parametrize("name", ALL)
    @given(body=st.binary(max_size=200), value=st.text(string.printable, max_size=40))
    def test_refuses_anything_unsigned_in_one_sentence(self, name: str, body: bytes, value: str) -> None:
        """Whatever comes, nothing but our own refusal leaves."""
        headers = dict.fromkeys(SIGNED_HEADERS[name], value)
        for delivery in (Delivery({}, body), Delivery(headers, body)):
            assert PROVIDERS[name].handshake(delivery) is None
            with pytest.raises(NotVerified) as caught:
                PROVIDERS[name].verify(delivery, [secret_of(name)], NOW, TOLERANCE)
            assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("name", [name for name in ALL if name != "lever"])
    @given(
        body=st.one_of(
            st.binary(max_size=200),
            st.recursive(
                st.none() | st.booleans() | st.integers() | st.text(max_size=10),
                lambda inner: (
                    st.lists(inner, max_size=3)
                    | st.dictionaries(
                        st.sampled_from(
                            [
                                "action",
                                "event",
                                "type",
                                "event_type",
                                "data",
                                "payload",
                                "created_at",
                                "uri",
                                "specversion",
                                "id",
                                "source",
                                "time",
                                "webhookActionId",
                            ]
                        ),
                        inner,
                        max_size=5,
                    )
                ),
                max_leaves=12,
            ).map(lambda content: json.dumps(content).encode()),
        )
    )
    def test_reads_any_signed_content_or_says_why_not(self, name: str, body: bytes) -> None:
        try:
            received = PROVIDERS[name].read(signed(name, body))
        except Malformed:
            return
        assert received is None or (received.event and len(received.dedupe) <= 200)

    @pytest.mark.parametrize("name", [name for name in ALL if name != "lever"])
    def test_reads_a_deep_body_as_malformed(self, name: str) -> None:
        delivery = replace(signed(name, SAMPLES[name]), body=b"[" * 100_000)
        with pytest.raises(Malformed):
            PROVIDERS[name].read(delivery)

    @pytest.mark.parametrize("name", TIMED)
    def test_refuses_a_signed_time_beyond_the_tolerance(self, name: str) -> None:
        delivery = signed(name, SAMPLES[name])
        second = timedelta(seconds=1)
        for sign in (1, -1):
            assert holds(PROVIDERS[name], delivery, now=NOW + sign * TOLERANCE)
            assert not holds(PROVIDERS[name], delivery, now=NOW + sign * (TOLERANCE + second))

    @pytest.mark.parametrize("name", ALL)
    def test_gives_each_delivery_of_a_message_the_same_key(self, name: str) -> None:
        assert read(name, SAMPLES[name]).dedupe == read(name, SAMPLES[name]).dedupe

    @pytest.mark.parametrize("name", ALL)
    def test_is_tried_by_a_probe_of_its_own(self, name: str) -> None:
        """A probe verifies like a delivery, and nothing of it is kept."""
        provider, secret = PROVIDERS[name], secret_of(name)
        probe = provider.probe(secret, NOW)
        assert probe is not None
        assert holds(provider, probe, secret)
        assert not holds(provider, probe, provider.new_secret() or "another")
        assert provider.read(probe) is None

    @pytest.mark.parametrize("name", ALL)
    def test_makes_only_secrets_it_takes(self, name: str) -> None:
        provider = PROVIDERS[name]
        made = provider.new_secret()
        assert made is None or provider.complaint(made) is None
        assert provider.complaint("") is not None
        assert provider.complaint(f"{secret_of(name)}\n") is not None
        assert provider.complaint(secret_of(name)) is None
        assert (made is None) == (name in ("lever", "workable", "smartrecruiters"))

    def test_acknowledges_as_each_asks(self) -> None:
        """Greenhouse takes 200 for a success and nothing else; SmartRecruiters asks for 202."""
        asked = {name: PROVIDERS[name].acknowledges for name in ALL}
        assert (asked["greenhouse"], asked["workable"], asked["smartrecruiters"]) == (200, 200, 202)
        assert all(200 <= status < 300 for status in asked.values())


class TestGreenhouse:
    def test_is_told_apart_by_its_event_id_and_else_by_its_body(self) -> None:
        by_id = read("greenhouse", SAMPLES["greenhouse"], greenhouse_event_id="3ce5180d-9119")
        assert by_id.dedupe == "3ce5180d-9119"
        body, other = (
            read("greenhouse", each) for each in (SAMPLES["greenhouse"], SAMPLES["greenhouse"] + b" ")
        )
        assert body.dedupe.startswith("body:")
        assert body.dedupe != other.dedupe

    def test_never_keeps_an_id_that_may_be_a_name(self) -> None:
        received = read("greenhouse", SAMPLES["greenhouse"], greenhouse_event_id="ada@example.com")
        assert received.dedupe.startswith("sha256:")
        assert "ada" not in received.dedupe

    def test_carries_the_nearest_time(self) -> None:
        application = {"rejected_at": "2026-02-01T08:00:00Z", "last_activity_at": "2026-02-02T09:00:00Z"}
        moved, rejected, none = (
            read("greenhouse", {"action": action, "payload": payload}).occurred_at
            for action, payload in (
                ("candidate_stage_change", {"application": application}),
                ("reject_candidate", {"application": application}),
                ("interview_deleted", {"interview": {"id": 1}}),
            )
        )
        assert moved == datetime(2026, 2, 2, 9, tzinfo=UTC)
        assert rejected == datetime(2026, 2, 1, 8, tzinfo=UTC)
        assert none is None

    def test_takes_the_header_with_a_space_only(self) -> None:
        delivery = signed("greenhouse", SAMPLES["greenhouse"])
        digest = delivery.headers["signature"].removeprefix("sha256 ")
        for wrong in (
            f"sha256={digest}",
            f"sha1 {digest}",
            digest,
            f"sha256  {digest}",
            f"sha256 {digest.upper()}",
        ):
            assert not holds(PROVIDERS["greenhouse"], replace(delivery, headers={"signature": wrong}))
        copied = {"x-greenhouse-signature": delivery.headers["signature"]}
        assert not holds(PROVIDERS["greenhouse"], replace(delivery, headers=copied))

    def test_answers_its_ping(self) -> None:
        ping = b'{"action":"ping","payload":{"web_hook_id":7}}'
        assert PROVIDERS["greenhouse"].read(signed("greenhouse", ping)) is None


class TestLever:
    def test_answers_its_test_call(self) -> None:
        assert PROVIDERS["lever"].read(signed("lever", b'{"event":"candidateHired","data":{}}')) is None

    def test_is_told_apart_by_its_token_and_carries_its_time(self) -> None:
        received = read("lever", {"event": "candidateHired", "data": {"id": 1}, "triggeredAt": 1772443800072})
        assert received.dedupe == "be58f711f349"
        assert received.occurred_at == datetime(2026, 3, 2, 9, 30, 0, 72_000, tzinfo=UTC)

    def test_may_come_again_for_two_weeks(self) -> None:
        delivery = signed("lever", SAMPLES["lever"])
        assert holds(PROVIDERS["lever"], delivery, now=NOW + timedelta(days=14))
        assert not holds(PROVIDERS["lever"], delivery, now=NOW + timedelta(days=15))
        assert not holds(PROVIDERS["lever"], delivery, now=NOW - timedelta(minutes=6))

    @pytest.mark.parametrize("shift", [1, -1])
    def test_counts_nothing_twice_under_a_token_cut_elsewhere(self, shift: int) -> None:
        """Token and time are signed without a mark between them: a digit may not change sides."""
        body = json.loads(signed("lever", b'{"event":"e","data":{"a":1},"token":"be5831"}').body)
        token, at = body["token"], str(body["triggeredAt"])
        moved = (token + at[:1], at[1:]) if shift > 0 else (token[:-1], token[-1] + at)
        forged = {**body, "token": moved[0], "triggeredAt": int(moved[1])}
        assert not holds(PROVIDERS["lever"], Delivery({}, json.dumps(forged).encode()))

    @pytest.mark.parametrize("at", [True, 1.7e12, "1772443800000", None, -5, 10**30])
    def test_refuses_a_time_that_is_none(self, at: object) -> None:
        delivery = signed("lever", json.dumps({"event": "e", "data": {"a": 1}, "triggeredAt": at}).encode())
        assert not holds(PROVIDERS["lever"], delivery)


class TestAshby:
    def test_tells_siblings_of_one_action_apart(self) -> None:
        """A hire also fires a stage change, under the same id."""
        both = [
            read("ashby", {"action": action, "data": {}, "webhookActionId": "w"}) for action in ("a", "b")
        ]
        assert both[0].dedupe != both[1].dedupe
        assert read("ashby", {"action": "a", "data": {}}).dedupe.startswith("body:")

    def test_answers_its_ping_and_carries_its_time(self) -> None:
        assert PROVIDERS["ashby"].read(signed("ashby", b'{"action":"ping","data":{}}')) is None
        updated = {"application": {"updatedAt": "2025-08-20T14:07:57.779Z"}}
        received = read("ashby", {"action": "candidateHire", "data": updated, "webhookActionId": "w"})
        assert received.occurred_at == datetime(2025, 8, 20, 14, 7, 57, 779_000, tzinfo=UTC)

    def test_is_refused_without_its_signature(self) -> None:
        """A secret is optional there and required here."""
        assert not holds(PROVIDERS["ashby"], Delivery({}, SAMPLES["ashby"]))


class TestWorkable:
    def test_is_told_apart_by_its_body(self) -> None:
        moved = {"event_type": "candidate_moved", "fired_at": "2026-03-01T10:00:00Z", "data": {"id": "c"}}
        one, other = read("workable", moved), read("workable", {**moved, "data": {"id": "d"}})
        assert one.dedupe != other.dedupe
        assert one.occurred_at == datetime(2026, 3, 1, 10, tzinfo=UTC)


class TestSmartRecruiters:
    def test_echoes_the_secret_of_an_activation(self) -> None:
        provider = PROVIDERS["smartrecruiters"]
        shaken = provider.handshake(Delivery({"x-hook-secret": "temporary-1"}, b""))
        assert shaken is not None
        assert (shaken.status, shaken.headers) == (200, {"x-hook-secret": "temporary-1"})

    @pytest.mark.parametrize("asked", ["", "a\r\nset-cookie: b", "é", "x" * 513])
    def test_echoes_nothing_that_is_no_token(self, asked: str) -> None:
        assert PROVIDERS["smartrecruiters"].handshake(Delivery({"x-hook-secret": asked}, b"")) is None

    def test_never_takes_a_notification_for_an_activation(self) -> None:
        delivery = signed("smartrecruiters", SAMPLES["smartrecruiters"], x_hook_secret="temporary")
        assert PROVIDERS["smartrecruiters"].handshake(delivery) is None

    def test_keeps_the_headers_that_say_what_to_fetch(self) -> None:
        link = "<https://api.smartrecruiters.com/x>; rel=self"
        received = read("smartrecruiters", b"{}", event_version="v1", link=link)
        assert received.headers == {"event-name": "application.created", "event-version": "v1", "link": link}
        assert (received.event, received.dedupe, received.occurred_at) == ("application.created", "ev1", None)

    def test_takes_any_of_its_signatures_in_any_order(self) -> None:
        delivery = signed("smartrecruiters", SAMPLES["smartrecruiters"])
        right = delivery.headers["smartrecruiters-signature"]
        for several in (f"v1={'0' * 64};{right}", f"{right};v1={'0' * 64}", f"v2=x;{right}"):
            headers = {**delivery.headers, "smartrecruiters-signature": several}
            assert holds(PROVIDERS["smartrecruiters"], replace(delivery, headers=headers))

    def test_shows_a_delivery_cut_elsewhere_to_a_person(self) -> None:
        """What is signed is joined by full stops: the name's first half could pass for the id's second."""
        delivery = signed("smartrecruiters", SAMPLES["smartrecruiters"])
        cut = {**delivery.headers, "event-id": "ev1.application", "event-name": "created"}
        moved = replace(delivery, headers=cut)
        assert holds(PROVIDERS["smartrecruiters"], moved)
        with pytest.raises(Malformed):
            PROVIDERS["smartrecruiters"].read(moved)


class TestCalendly:
    @given(order=st.permutations(["right", "wrong", "time", "other"]), spaced=st.booleans())
    def test_takes_its_parts_in_any_order(self, order: list[str], spaced: bool) -> None:
        delivery = signed("calendly", SAMPLES["calendly"])
        right = delivery.headers["calendly-webhook-signature"].rpartition("v1=")[2]
        parts = {"right": f"v1={right}", "wrong": f"v1={'0' * 64}", "time": f"t={STAMP}", "other": "v0=zz"}
        header = (", " if spaced else ",").join(parts[name] for name in order)
        headers = {"calendly-webhook-signature": header}
        assert holds(PROVIDERS["calendly"], replace(delivery, headers=headers))
        doubled = {"calendly-webhook-signature": f"{header},t=1"}
        assert not holds(PROVIDERS["calendly"], replace(delivery, headers=doubled))

    def test_is_told_apart_by_event_invitee_and_time(self) -> None:
        body = json.loads(SAMPLES["calendly"])
        changed = (
            body,
            {**body, "event": "invitee.canceled"},
            {**body, "created_at": "2026-03-02T09:29:01Z"},
            {**body, "payload": {"uri": "https://i/2"}},
            {**body, "payload": {}},
        )
        assert len({read("calendly", each).dedupe for each in changed}) == len(changed)
        assert SECRET not in read("calendly", body).dedupe
