"""Under which id another system knows a submission, said over HTTP beside the command."""

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest

from workers.inbox.connections import Connection
from workers.inbox.links import Link, Target

if TYPE_CHECKING:
    from tests.gateway.access.conftest import Ground

pytestmark = pytest.mark.postgres
SUBMIT = {"job_order_id": "jo-1", "submission_id": "s-1"}


async def connected(ground: "Ground", agency: str | None = None) -> Connection:
    """Add a connection."""
    return await ground.having.connections.add(
        agency or ground.agency, provider="greenhouse", name="client-1"
    )


async def told(
    http: httpx.AsyncClient, key: str, name: str, body: dict[str, Any], command_id: str | None = None
) -> httpx.Response:
    """Give a command to e-1."""
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": command_id or str(uuid4())}
    return await http.post(f"/v1/engagements/e-1/commands/{name}", json=body, headers=headers)


class TestExternal:
    async def test_is_learnt_with_the_command_and_harmless_again(
        self, ground: "Ground", http: httpx.AsyncClient
    ) -> None:
        connection = await connected(ground)
        await ground.engagement("e-1")
        key = await ground.key("recruiter")
        body = {**SUBMIT, "external": [{"connection": "client-1", "id": 265277}]}
        for _ in range(2):
            response = await told(http, key, "submit", body, "submit-s-1")
            assert response.status_code == 200, response.text
            [learnt] = response.json()["external"]
            assert (learnt["connection"], learnt["kind"], learnt["learnt"]) == (
                connection.id,
                "application",
                True,
            )
        known = await ground.having.links.known(ground.agency, connection.id, [("application", "265277")])
        assert list(known.values()) == [Target("e-1", "s-1", "jo-1")]
        [(_, order), _] = ground.kept.orders
        assert "external" not in order.command.model_dump()
        [kept] = await ground.having.links.list(ground.agency)
        assert (kept.how, kept.by) == ("learnt", "person:r-1")

    async def test_that_stands_for_something_else_stops_the_command(
        self, ground: "Ground", http: httpx.AsyncClient
    ) -> None:
        await connected(ground)
        await ground.engagement("e-1")
        key = await ground.key("recruiter")
        said = {"external": [{"connection": "client-1", "id": "265277"}]}
        assert (await told(http, key, "submit", {**SUBMIT, **said})).status_code == 200
        another = {"job_order_id": "jo-2", "submission_id": "s-2", **said}
        response = await told(http, key, "submit", another)
        assert (response.status_code, response.json()["code"]) == (409, "already-linked")
        assert len(ground.kept.orders) == 1

    async def test_names_an_interview_of_an_integration_s_own_connection_alone(
        self, ground: "Ground", http: httpx.AsyncClient
    ) -> None:
        own, other = await connected(ground), await connected(ground)
        await ground.engagement("e-1")
        link = Link("application", "265277", Target("e-1", "s-1"))
        await ground.having.links.learn(ground.agency, own.id, [link], by="person:r-1")
        key = await ground.key("integration", connection=own.id)
        for connection, status in ((other, 403), (own, 200)):
            said = [{"connection": connection.id, "kind": "interview", "id": "77"}]
            body = {"submission_id": "s-1", "interview_id": "i-1", "starts_at": "2030-01-07T10:00:00Z"}
            response = await told(http, key, "record-interview-scheduled", {**body, "external": said})
            assert response.status_code == status, response.text
        known = await ground.having.links.known(ground.agency, own.id, [("interview", "77")])
        assert list(known.values()) == [Target("e-1", "i-1")]

    async def test_of_another_agency_s_connection_is_unknown(
        self, ground: "Ground", http: httpx.AsyncClient
    ) -> None:
        foreign = await connected(ground, ground.other)
        await ground.engagement("e-1")
        body = {**SUBMIT, "external": [{"connection": foreign.id, "id": "265277"}]}
        response = await told(http, await ground.key("recruiter"), "submit", body)
        assert (response.status_code, response.json()["code"]) == (422, "unknown-connection")

    async def test_goes_with_no_other_command(self, ground: "Ground", http: httpx.AsyncClient) -> None:
        await ground.engagement("e-1")
        body = {"channel": "phone", "external": [{"connection": "client-1", "id": "1"}]}
        response = await told(http, await ground.key("recruiter"), "record-contact", body)
        assert response.status_code == 422
        assert "makes nothing known" in response.json()["detail"]
