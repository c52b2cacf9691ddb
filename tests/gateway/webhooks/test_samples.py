"""Signed requests and bodies that lie beside the project: what vendors publish, and what was recorded."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.webhooks.provider import Delivery, NotVerified
from gateway.webhooks.registry import PROVIDERS
from tests.gateway.webhooks import signers
from tests.gateway.webhooks.recorded import SHARED, recorded

VECTORS = SHARED / "webhook_vectors" / "vectors.json"
OUR_NAMES = {"standardwebhooks": "standard-webhooks"}


def vectors() -> list[Any]:
    """Give the vectors, or one that says why there are none."""
    if not VECTORS.is_file():
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"no vectors at ../shared/{VECTORS.name}"))]
    found = json.loads(VECTORS.read_text())
    return [pytest.param(each, id=f"{each['provider']}-{at}") for at, each in enumerate(found)]


def bodies() -> list[Any]:
    """Give every recorded body with its provider, or one that says why there are none."""
    found = recorded()
    if not found:
        return [pytest.param("", None, marks=pytest.mark.skip(reason="no bodies in ../shared/data"))]
    return [pytest.param(name, path, id=path.stem) for name, path in found]


def delivery_of(vector: dict[str, Any]) -> Delivery:
    """Give a vector's request as the door sees it."""
    return Delivery(
        {name.lower(): value for name, value in vector["headers"].items()}, vector["body"].encode()
    )


def time_of(vector: dict[str, Any]) -> datetime:
    """Give a moment at which its signed time is fresh."""
    headers = delivery_of(vector).headers
    stamp = headers.get("webhook-timestamp") or headers.get("smartrecruiters-timestamp")
    if vector["provider"] == "calendly":
        stamp = headers["calendly-webhook-signature"].partition(",")[0].removeprefix("t=")
    if vector["provider"] == "lever":
        stamp = str(json.loads(vector["body"])["triggeredAt"] // 1000)
    return signers.NOW if stamp is None else datetime.fromtimestamp(int(stamp), UTC)


class TestVerify:
    @pytest.mark.parametrize("vector", vectors())
    def test_accepts_what_is_signed_and_nothing_under_another_secret(self, vector: dict[str, Any]) -> None:
        """Lever's forged one is accepted too, since its data are signed by nobody: its token tells."""
        provider = PROVIDERS[OUR_NAMES.get(vector["provider"], vector["provider"])]
        delivery, now = delivery_of(vector), time_of(vector)
        provider.verify(delivery, [vector["secret"]], now, signers.TOLERANCE)
        other = provider.new_secret() or signers.SECRET
        with pytest.raises(NotVerified):
            provider.verify(delivery, [other], now, signers.TOLERANCE)
        with pytest.raises(NotVerified):
            provider.verify(delivery, [], now, signers.TOLERANCE)
        provider.verify(delivery, [other, vector["secret"]], now, signers.TOLERANCE)

    def test_leaves_a_forged_body_of_lever_to_its_token(self) -> None:
        """The second one with a token is a repetition, whatever its data say."""
        if not VECTORS.is_file():
            pytest.skip("no vectors in ../shared/data/webhook_vectors")
        both = [each for each in json.loads(VECTORS.read_text()) if each["provider"] == "lever"]
        assert {each["kind"] for each in both} == {"derived", "negative"}
        read = [PROVIDERS["lever"].read(delivery_of(each)) for each in both]
        assert len({each.body for each in read if each}) == 2
        assert len({each.dedupe for each in read if each}) == 1


class TestRead:
    @pytest.mark.parametrize(("name", "path"), bodies())
    def test_reads_every_body_that_was_recorded(self, name: str, path: Path) -> None:
        provider = PROVIDERS[name]
        delivery = signers.signed(name, path.read_bytes())
        provider.verify(delivery, [signers.SECRET], signers.NOW, signers.TOLERANCE)
        received = provider.read(delivery)
        body = json.loads(path.read_bytes())
        assert received is not None
        assert received.event == body["action" if name == "greenhouse" else "event"]
        assert received.body == path.read_bytes()
        if name == "calendly":
            assert received.occurred_at == datetime.fromisoformat(body["created_at"])

    def test_tells_the_two_recorded_ones_of_calendly_apart(self) -> None:
        """One invitee books and cancels: the same address, two events."""
        found = [path for name, path in recorded() if name == "calendly"]
        if not found:
            pytest.skip("no bodies in ../shared/data/calendly_webhooks")
        read = [PROVIDERS["calendly"].read(signers.signed("calendly", path.read_bytes())) for path in found]
        assert len({each.dedupe for each in read if each}) == len(found)
