"""The shipped scenarios' streams, many times over, written straight into a log's tables.

Only for reading: the chains of what is written here are those of other streams, and verify would say so.
"""

import asyncio
from typing import Any, Final

import asyncpg

from activities.agency_file import read_people
from events.envelope import Stored
from gateway.demo.dry import DryStage
from gateway.demo.player import play
from gateway.demo.scenario import PEOPLE, Scenario, chosen_scenarios
from workers.shipped import deploy_policy

# So many lives of each story take turns in the log, one event each.
AT_ONCE: Final = 50
_COLUMNS: Final = (
    "story",
    "version",
    "event_id",
    "type",
    "schema_version",
    "command_id",
    "causation_id",
    "actor_kind",
    "actor_id",
    "source",
    "origin",
    "policy_digest",
    "occurred_at",
    "decided_at",
    "body",
)
_WRITE: Final = """
    INSERT INTO rapport.events
    SELECT $1, row_number() OVER (ORDER BY copy / $3, version, story, copy),
           'engagement:' || story || '-' || copy, version, event_id, type, schema_version, command_id,
           causation_id, NULL, actor_kind, actor_id, source, origin, policy_digest, occurred_at, decided_at,
           clock_timestamp(), body, NULL, ''::bytea, ''::bytea
    FROM bench_stories CROSS JOIN generate_series(1, $2::integer) AS copy
"""


async def write_stories(database_url: str, agency: str, events: int) -> int:
    """This will write a log of at least so many events; returns how many."""
    streams = [stream for each in chosen_scenarios(()) for stream in await _streams(each)]
    told = sum(map(len, streams))
    copies = -(-events // told)
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(f"""
            CREATE TEMP TABLE bench_stories AS
            SELECT 0 AS story, {", ".join(_COLUMNS[1:])} FROM rapport.events WHERE false
        """)
        await connection.copy_records_to_table(
            "bench_stories",
            columns=_COLUMNS,
            records=[_row(number, each) for number, stream in enumerate(streams) for each in stream],
        )
        await connection.execute(_WRITE, agency, copies, AT_ONCE, timeout=1200)
        await connection.execute(
            """
            INSERT INTO rapport.streams (agency, stream, category, version, acked_version)
            SELECT agency, stream, 'engagement', max(version), max(version)
            FROM rapport.events WHERE agency = $1 GROUP BY agency, stream
            """,
            agency,
            timeout=600,
        )
        await connection.execute(
            "INSERT INTO rapport.log_heads (agency, position) VALUES ($1, $2)", agency, copies * told
        )
        await connection.execute("ANALYZE rapport.events")
    finally:
        await connection.close()
    return copies * told


async def _streams(scenario: Scenario) -> list[list[Stored]]:
    stage = DryStage(deploy_policy("starter"))
    await stage.open(read_people(PEOPLE))
    await play(scenario, stage, stage.agency, _nobody)
    return [await stage.events(each) for each in scenario.engagements]


async def _nobody(_engagement: str, _text: str) -> None:
    await asyncio.sleep(0)


def _row(story: int, each: Stored) -> tuple[Any, ...]:
    return (
        story,
        each.version,
        each.event_id,
        each.type,
        each.schema_version,
        each.command_id,
        each.causation_id,
        each.actor.kind,
        each.actor.id,
        each.source,
        each.origin,
        each.policy_digest,
        each.occurred_at,
        each.decided_at,
        each.body,
    )
