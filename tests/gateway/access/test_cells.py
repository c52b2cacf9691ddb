"""One test for each cell of the table of roles, through the dependency that every door uses."""

from typing import TYPE_CHECKING

import httpx
import pytest
import pytest_asyncio

from gateway.access.refusals import refusal
from gateway.access.roles import ACTIONS, ROLES, TABLE, Action
from gateway.access.who import Role

if TYPE_CHECKING:
    from tests.gateway.access.conftest import Ground

pytestmark = [pytest.mark.postgres, pytest.mark.asyncio(loop_scope="module")]
CELLS = [(action, role) for action in ACTIONS for role in ROLES]
OWNERS = {"mine": "r-1", "a-mates": "r-2", "nobodys": None, "elsewhere": "r-3"}
PLACES = (*OWNERS, "anothers", "no-such")
# What each scope answers, by whose the engagement is, where a role's person is r-1, or leads them.
ANSWERS = {
    "none": (403, 403, 403, 403, 403, 403),
    "own-team": (200, 200, 200, 403, 404, 404),
    "all": (200, 200, 200, 200, 404, 404),
    # Through a connection that is linked to the first.
    "connection": (200, 403, 403, 403, 404, 404),
    "own-words": (403, 403, 403, 403, 404, 404),
    "self": (200, 404, 404, 404, 404, 404),
    "glass": (403, 403, 403, 403, 404, 404),
}
EXPECTED = {scope: dict(zip(PLACES, answers, strict=True)) for scope, answers in ANSWERS.items()}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def credentials(common_ground: "Ground") -> dict[str, str]:
    """This will give a credential of each role, on engagements of one's own, of one's team, and of others."""
    for name, owner in OWNERS.items():
        await common_ground.engagement(name, owner)
    await common_ground.engagement("anothers", "r-1", agency=common_ground.other)
    connection = {"connection": await common_ground.connected("greenhouse", "mine")}
    keys: dict[str, str] = {
        role: await common_ground.key(role, **(connection if role == "integration" else {}))
        for role in ROLES
        if role != "candidate"
    }
    return {**keys, "candidate": await common_ground.link("mine")}


class TestEveryCell:
    @pytest.mark.parametrize(("action", "role"), CELLS)
    async def test_opens_what_the_table_says_and_no_more(
        self, common_http: httpx.AsyncClient, credentials: dict[str, str], action: Action, role: Role
    ) -> None:
        scope = TABLE[action].scopes[role]
        if scope == "self" and role != "candidate":
            expected, name = {"r-1": 200, "r-2": 403, "d-1": 403}, "person"
        else:
            expected, name = EXPECTED[scope], "engagement"
        headers = {"Authorization": f"Bearer {credentials[role]}"}
        answers = {
            each: await common_http.get(f"/may/{action}", params={name: each}, headers=headers)
            for each in expected
        }
        assert {each: answer.status_code for each, answer in answers.items()} == expected
        for answer in answers.values():
            if answer.status_code != 200:
                assert set(answer.json()) == {"type", "title", "status", "detail", "code"}
            if answer.status_code == 403:
                assert answer.json()["detail"] == refusal(role, action)

    @pytest.mark.parametrize(
        "action", [each for each in ACTIONS if TABLE[each].scopes["integration"] != "none"]
    )
    async def test_opens_the_agency_to_a_connection_that_names_our_engagements_itself(
        self,
        common_ground: "Ground",
        common_http: httpx.AsyncClient,
        credentials: dict[str, str],
        action: Action,
    ) -> None:
        connection = await common_ground.connected("standard-webhooks")
        key = await common_ground.key("integration", connection=connection)
        for each, expected in EXPECTED["all"].items():
            answer = await common_http.get(
                f"/may/{action}", params={"engagement": each}, headers={"Authorization": f"Bearer {key}"}
            )
            assert (each, answer.status_code) == (each, expected)

    async def test_tells_what_is_anothers_and_what_is_nowhere_alike(
        self, common_http: httpx.AsyncClient, credentials: dict[str, str]
    ) -> None:
        for role in ("recruiter", "director", "candidate"):
            headers = {"Authorization": f"Bearer {credentials[role]}"}
            told = [
                (await common_http.get("/may/see-engagements", params={"engagement": each}, headers=headers))
                for each in ("anothers", "no-such")
            ]
            assert told[0].json() == told[1].json()
