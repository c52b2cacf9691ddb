"""An agency sees nothing of another: in every table, and through every route."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from fastapi.routing import APIRoute

from activities.types import StreamCommand
from events.envelope import Actor
from events.job_order import COMMANDS as JOB_ORDER_COMMANDS
from events.orders import COMMANDS
from gateway.access.roles import AGENCY_ACTIONS
from gateway.http.app import make_app
from gateway.http.examples import example_of
from workers.projector import PROJECTIONS, projecting

if TYPE_CHECKING:
    from tests.gateway.access.conftest import Ground

pytestmark = pytest.mark.postgres
TABLES = """
    SELECT c.table_schema || '.' || c.table_name FROM information_schema.columns c
    JOIN information_schema.tables t USING (table_schema, table_name)
    WHERE c.table_schema IN ('rapport', 'rapport_read') AND c.column_name = 'agency'
      AND t.table_type = 'BASE TABLE' ORDER BY 1
"""
CHECKS = "SELECT conname FROM pg_constraint WHERE conrelid = $1::regclass AND contype = 'c'"
COLUMNS = """
    SELECT attname AS name, format_type(atttypid, atttypmod) AS kind, attidentity <> '' AS numbered
    FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped
      AND attgenerated = '' AND (attnotnull OR attname = 'agency')
"""
VALUES = {
    "uuid": "gen_random_uuid()",
    "bytea": "sha256(gen_random_uuid()::text::bytea)",
    "jsonb": "'{}'",
    "boolean": "true",
    "timestamp with time zone": "clock_timestamp()",
    "interval": "interval '1 s'",
    "text": "gen_random_uuid()::text",
}


async def fill(connection: Any, table: str, agency: str) -> None:
    """Put one row of an agency into a table, whatever its columns are."""
    columns = [row for row in await connection.fetch(COLUMNS, table) if not row["numbered"]]
    values = [
        "$1"
        if row["name"] == "agency"
        else f"'{{}}'::{row['kind']}"
        if row["kind"].endswith("[]")
        else VALUES.get(row["kind"], "floor(random() * 2000000000)::integer")
        for row in columns
    ]
    names = ", ".join(f'"{row["name"]}"' for row in columns)
    await connection.execute(f"INSERT INTO {table} ({names}) VALUES ({', '.join(values)})", agency)


async def changes(connection: Any, statement: str, agency: str) -> bool:
    """Tell whether a statement touches a row; where there is no right to it, it touches none."""
    savepoint = connection.transaction()
    await savepoint.start()
    try:
        done: str = await connection.execute(statement, agency)
        return not done.endswith(" 0")
    except asyncpg.InsufficientPrivilegeError:
        return False
    finally:
        await savepoint.rollback()


class TestEveryTable:
    async def test_shows_and_changes_nothing_of_another_agency(self, ground: "Ground") -> None:
        """Read from the catalogue, so that a table that is added tomorrow is tried as well."""
        owner = await asyncpg.connect(ground.url)
        try:
            tables = [row[0] for row in await owner.fetch(TABLES)]
            assert {"rapport.events", "rapport.api_keys", "rapport.keys", "rapport_read.board"} <= set(tables)
            for table in tables:
                whole = owner.transaction()
                await whole.start()
                try:
                    await self._is_shut(owner, table, ground)
                finally:
                    await whole.rollback()
        finally:
            await owner.close()

    async def _is_shut(self, owner: Any, table: str, ground: "Ground") -> None:
        # Only the policies are asked here: no trigger, no foreign key and no check may help them.
        await owner.execute("SET LOCAL session_replication_role = replica")
        for row in await owner.fetch(CHECKS, table):
            await owner.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{row[0]}"')
        theirs = f"theirs-{uuid4().hex[:12]}"
        await fill(owner, table, theirs)
        assert await owner.fetchval(f"SELECT count(*) FROM {table} WHERE agency = $1", theirs) == 1
        await owner.execute("SET LOCAL ROLE rapport_app")
        await owner.execute("SELECT set_config('rapport.agency', $1, true)", ground.other)
        if await owner.fetchval("SELECT has_table_privilege($1, 'SELECT')", table):
            seen = await owner.fetchval(f"SELECT count(*) FROM {table} WHERE agency <> $1", ground.other)
            assert seen == 0, table
        for statement in (
            "UPDATE {} SET agency = agency WHERE agency = $1",
            "DELETE FROM {} WHERE agency = $1",
        ):
            assert not await changes(owner, statement.format(table), ground.agency), table
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await fill(owner, table, theirs)


# What is only the one agency's, and what is nobody's, by the names that routes give them.
THEIRS = {"engagement_id": "a-only", "job_order_id": "ja-only", "job": "ja-only", "version": "1"}
NOBODYS = {
    "engagement_id": "no-such",
    "job_order_id": "no-such",
    "job": "no-such",
    "version": "1",
    "link_id": "0" * 16,
    "which": "s-no-such",
}
# This makes something of that id for the caller's own agency.
MAKES = {"open-job-order"}
# What anybody may ask, or what says by itself who it is for.
OPEN = ("/livez", "/readyz", "/openapi.json", "/hooks/", "/v1/events", "/me/{token}")
"""The stream of events has no end: tests/gateway/http/test_stream.py listens to two agencies.  Who opens a
link's address shows its token, and is nobody else."""
SECRETS = ("a-only", "ja-only", "Zofie", "zofie@", "r-9")


def addresses(route: APIRoute, fill_in: dict[str, str]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Give every address of a route, with its command's name and an example of its body."""
    models: dict[str, Any] = {"": None}
    if "{name}" in route.path:
        starts = {"/v1/engagements": COMMANDS, "/v1/job-orders": JOB_ORDER_COMMANDS}
        found = [every for start, every in starts.items() if route.path.startswith(start)]
        models = dict(found[0]) if found else dict.fromkeys(AGENCY_ACTIONS)
    for name, model in models.items():
        body = example_of(model) if model is not None else {"reason": "Support case 4711"}
        yield route.path.format(**{**fill_in, "name": name}), name, body


async def in_the_tables(ground: "Ground", agency: str) -> None:
    """Wait until the tables hold an agency's log; a projector that only begins is not at work yet."""
    head, names = await ground.having.log.log_head(agency), [each.name for each in PROJECTIONS]
    async with asyncio.timeout(30):
        while (await ground.having.read_models.standing(agency, names)).position < head.position:  # noqa: ASYNC110 (a server, asked again and again)
            await asyncio.sleep(0.02)


@pytest.fixture
async def theirs(ground: "Ground") -> AsyncIterator[dict[str, str]]:
    """This will yield the ids of what only the one agency has, with tables that hold it."""
    await ground.agency_command(
        ground.agency, "load-people", people=[*ground.people, {"person_id": "r-9", "role": "recruiter"}]
    )
    await ground.engagement("a-only", "r-9", email="zofie@example.com")
    await ground.having.service.give(
        StreamCommand(
            agency=ground.agency,
            stream="job-order:ja-only",
            command_id="open-1",
            name="open-job-order",
            data={
                **example_of(JOB_ORDER_COMMANDS["open-job-order"]),
                "job_order_id": "ja-only",
                "owner": "r-9",
            },
            actor=Actor(kind="person", id="r-9"),
        )
    )
    async with projecting(ground.url):
        for each in (ground.agency, ground.other):
            await in_the_tables(ground, each)
        subscribed, _ = await ground.having.subscriptions.add(
            ground.agency,
            name="",
            url="https://a-only.example.test/",
            types=(),
            personal=False,
            position=0,
            now=datetime.now(UTC),
        )
        yield {
            **THEIRS,
            "link_id": (await ground.link("a-only")).split("_")[1],
            "which": subscribed.subscription_id,
        }


def routes(holder: Any) -> Iterator[APIRoute]:
    """Give every route of an app, those of the routers in it as well."""
    for each in holder.routes:
        if isinstance(each, APIRoute):
            yield each
        elif (inner := getattr(each, "original_router", None)) is not None:
            yield from routes(inner)


class TestEveryRoute:
    @pytest.mark.parametrize(
        "role", ["director", "team-lead", "operator", "compliance", "integration", "candidate"]
    )
    async def test_answers_as_if_the_others_were_not_there(
        self, ground: "Ground", http: httpx.AsyncClient, theirs: dict[str, str], role: Any
    ) -> None:
        """Every route that the app has, so that one that is added tomorrow is tried as well."""
        await ground.engagement("b-own", "r-1", agency=ground.other)
        await in_the_tables(ground, ground.other)
        if role == "candidate":
            credential = await ground.link("b-own", agency=ground.other)
        else:
            credential = await ground.key(role, agency=ground.other)
        headers = {"Authorization": f"Bearer {credential}"}
        tried = 0
        for route in routes(make_app(None)):
            if route.path.startswith(OPEN):
                continue
            for method in sorted({*(route.methods or ())} - {"HEAD"}):
                pairs = zip(addresses(route, theirs), addresses(route, NOBODYS), strict=True)
                for (path, name, body), (nowhere, _, _) in pairs:
                    if name in MAKES:
                        continue
                    sent: dict[str, Any] = {"headers": headers} | ({"json": body} if method == "POST" else {})
                    answer = await http.request(method, path, **sent)
                    assert answer.status_code < 500, (method, path, answer.text)
                    assert not [each for each in SECRETS if each in answer.text.replace(path, "")], path
                    tried += 1
                    if path != nowhere:
                        other = await http.request(method, nowhere, **sent)
                        # The candidate's pages know nobody by this header.
                        refused = (401,) if path.startswith("/me") else (403, 404, 422)
                        assert answer.status_code in refused, (method, path, answer.status_code)
                        assert (answer.status_code, answer.text) == (other.status_code, other.text)
        assert tried > 100
        assert "a-only" not in [engagement for engagement, _ in ground.kept.orders]

    async def test_lets_two_agencies_use_one_id(
        self, ground: "Ground", http: httpx.AsyncClient, theirs: dict[str, str]
    ) -> None:
        headers = {"Authorization": f"Bearer {await ground.key('director', agency=ground.other)}"}
        path = "/v1/job-orders/ja-only"
        opened = await http.post(
            f"{path}/commands/open-job-order", json={"client_id": "client-2", "owner": "r-1"}, headers=headers
        )
        assert opened.status_code == 200, opened.text
        assert (await http.get(path, headers=headers)).json()["state"]["owner"] == "r-1"
        ours = {"Authorization": f"Bearer {await ground.key('director')}"}
        assert (await http.get(path, headers=ours)).json()["state"]["owner"] == "r-9"
