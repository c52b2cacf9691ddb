"""The operator's glass: nothing personal without it, one engagement with it, and always on record."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from events.glass import BreakGlass, break_glass, broken, is_open

if TYPE_CHECKING:
    from tests.gateway.access.conftest import Ground

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
BREAK = "/v1/engagements/e-1/break-glass"
WHY = {"reason": "Support case 4711: Žofie cannot log in"}


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


async def sees(http: httpx.AsyncClient, key: str, engagement: str) -> bool:
    """Tell whether personal fields of an engagement would be opened."""
    params = {"engagement": engagement}
    answer = await http.get("/may/see-engagements", params=params, headers=bearer(key))
    opened: bool = answer.json()["personal"]
    return opened


@pytest.mark.postgres
class TestBreakingIt:
    async def test_opens_one_engagement_to_one_credential(
        self, ground: "Ground", http: httpx.AsyncClient
    ) -> None:
        for each in ("e-1", "e-2"):
            await ground.engagement(each)
        key, another = await ground.key("operator"), await ground.key("operator")
        assert not await sees(http, key, "e-1")
        answer = await http.post(BREAK, json=WHY, headers=bearer(key))
        assert answer.status_code == 200
        until = datetime.fromisoformat(answer.json()["until"])
        assert timedelta(minutes=14) < until - datetime.now(UTC) <= timedelta(minutes=15)
        assert await sees(http, key, "e-1")
        assert not await sees(http, key, "e-2")
        assert not await sees(http, another, "e-1")

    async def test_is_on_record_with_its_reason_sealed(
        self, ground: "Ground", http: httpx.AsyncClient
    ) -> None:
        await ground.engagement("e-1")
        key = await ground.key("operator")
        await http.post(BREAK, json=WHY, headers=bearer(key))
        stored = (await ground.having.log.read_stream(ground.agency, f"agency:{ground.agency}"))[-1]
        assert (stored.type, stored.actor.kind) == ("break-glass-used", "operator")
        assert key.split("_")[1] in stored.body
        assert "Žofie" not in stored.body

    @pytest.mark.parametrize(
        "role", ["recruiter", "team-lead", "director", "compliance", "auditor", "integration"]
    )
    async def test_is_for_operators(self, ground: "Ground", http: httpx.AsyncClient, role: Any) -> None:
        await ground.engagement("e-1")
        answer = await http.post(BREAK, json=WHY, headers=bearer(await ground.key(role)))
        assert answer.status_code == 403

    async def test_needs_a_reason_and_an_engagement(self, ground: "Ground", http: httpx.AsyncClient) -> None:
        await ground.engagement("e-1", agency=ground.other)
        key = bearer(await ground.key("operator"))
        assert (await http.post(BREAK, json={}, headers=key)).status_code == 422
        assert (await http.post(BREAK, json=WHY, headers=key)).status_code == 404

    async def test_is_no_command_that_names_another_credential(
        self, ground: "Ground", http: httpx.AsyncClient
    ) -> None:
        answer = await http.post(
            "/v1/agency/commands/break-glass", json={}, headers=bearer(await ground.key("operator"))
        )
        assert answer.status_code == 404


class TestBreakGlass:
    def test_opens_for_a_quarter_of_an_hour(self) -> None:
        command = BreakGlass(engagement="e-1", credential="k-1")
        (event,) = break_glass(command, {}, NOON)
        glasses = broken({}, event)
        assert is_open(glasses, "e-1", "k-1", NOON + timedelta(minutes=14, seconds=59))
        assert not is_open(glasses, "e-1", "k-1", NOON + timedelta(minutes=15))
        assert not is_open(glasses, "e-1", "k-2", NOON)
        assert not is_open(glasses, "e-2", "k-1", NOON)

    def test_says_nothing_new_while_it_is_open_and_is_used_again_afterwards(self) -> None:
        command = BreakGlass(engagement="e-1", credential="k-1")
        (event,) = break_glass(command, {}, NOON)
        glasses = broken({}, event)
        assert break_glass(command, glasses, NOON + timedelta(minutes=1)) == []
        assert len(break_glass(command, glasses, NOON + timedelta(minutes=15))) == 1

    def test_forgets_what_has_closed(self) -> None:
        (first,) = break_glass(BreakGlass(engagement="e-1", credential="k-1"), {}, NOON)
        later = NOON + timedelta(hours=1)
        (second,) = break_glass(BreakGlass(engagement="e-2", credential="k-1"), {}, later)
        assert set(broken(broken({}, first), second)) == {"e-2/k-1"}
