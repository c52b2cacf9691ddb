"""Appends a second at 1, 8 and 32 callers, everything on, against inserts that promise nothing.

The floors insert the very rows that ours stores, under the same two unique indexes, each call with the same
limit of time; they check no version, seal nothing, hash nothing and know no receipt.  Requests and rows are
made before the clock starts.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import asyncpg

from benchmarks.drafting import one_event, stream_of
from benchmarks.figures import Figure, Rounds
from benchmarks.ground import Ground
from benchmarks.others import Others, others
from benchmarks.sizes import Sizes
from events.envelope import AppendRequest
from events.log.combiner import Combiner
from events.log.port import Appended
from events.log.rows import append_arguments
from events.log.sealing import SealedRequest, seal_request

CALLERS: Final = (1, 8, 32)
TABLE: Final = """
    CREATE SCHEMA IF NOT EXISTS bench;
    CREATE TABLE IF NOT EXISTS bench.events (
        agency text COLLATE "C" NOT NULL, position bigserial, stream text COLLATE "C" NOT NULL,
        version bigint NOT NULL, event_id uuid NOT NULL, type text NOT NULL, schema_version integer NOT NULL,
        command_id text COLLATE "C" NOT NULL, causation_id uuid, correlation_id text,
        actor_kind text NOT NULL, actor_id text NOT NULL, source text NOT NULL, origin text NOT NULL,
        policy_digest text,
        occurred_at timestamptz NOT NULL, decided_at timestamptz NOT NULL,
        recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(), body text NOT NULL, sealed text,
        content_hash bytea NOT NULL, chain_hash bytea NOT NULL,
        PRIMARY KEY (agency, position), UNIQUE (agency, stream, version)
    )
"""
COLUMNS: Final = (
    "agency, stream, version, event_id, type, schema_version, command_id, causation_id, correlation_id, "
    "actor_kind, actor_id, source, origin, policy_digest, occurred_at, decided_at, body, sealed, "
    "content_hash, chain_hash"
)
INSERT: Final = f"""
    INSERT INTO bench.events ({COLUMNS}) SELECT * FROM unnest(
        $1::text[], $2::text[], $3::bigint[], $4::uuid[], $5::text[], $6::integer[], $7::text[], $8::uuid[],
        $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::timestamptz[],
        $16::timestamptz[], $17::text[], $18::text[], $19::bytea[], $20::bytea[])
"""

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Side:
    """One way to append: what it makes of a request before the clock starts, and what it does with that."""

    ready: Callable[[AppendRequest], Awaitable[Any]]
    append: Callable[[Any], Awaitable[object]]


async def appends(ground: Ground, sizes: Sizes) -> list[Figure]:
    """This will measure the log, plain inserts on one connection, on a pool and combined, and a rival."""
    agency = await ground.agency()
    figures = []
    await _waits_for_the_disk(ground)
    async with AsyncExitStack() as stack:
        floors = await _floors(ground, stack)
        rival = await stack.enter_async_context(others(ground)) if sizes.others else None
        for callers in CALLERS:
            share = max(1, sizes.appends // {1: 4}.get(callers, 1) // callers)
            figures += await _at(ground, agency, callers, share, floors, rival, sizes.rounds)
    return figures


async def _at(
    ground: Ground,
    agency: str,
    callers: int,
    share: int,
    floors: dict[str, Side],
    rival: Others | None,
    times: int,
) -> list[Figure]:
    async def ours(request: AppendRequest) -> None:
        [result] = await ground.having.log.append_many([request])
        assert isinstance(result, Appended), result

    sides = {
        "ours": Side(_as_it_is, ours),
        **{name: floors[name] for name in floors if name != "pool" or callers > 1},
    }
    found: dict[str, list[float]] = {name: [] for name in sides}
    beside: list[float] = []
    for number in range(times + 1):
        for name in sides if number % 2 else reversed(sides):
            rate = await _round(sides[name], agency, callers, share if number else max(1, share // 4))
            if number:  # the first round warms connections, plans and keys
                found[name].append(rate)
        if rival is not None and number:
            beside.append(await rival.rate(callers, max(1, share // 4)))
    figures = [_figure(callers, name, found["ours"], found[name]) for name in sides if name != "ours"]
    if rival is not None:
        figures.append(_figure(callers, rival.name, found["ours"], beside))
    return figures


def _figure(callers: int, floor: str, ours: list[float], theirs: list[float]) -> Figure:
    rounds = Rounds(ours, theirs)
    judged = callers == 8 and floor == "pool"
    return Figure(
        name=f"appends, {callers} callers, {floor}" if callers > 1 else f"appends, 1 caller, {floor}",
        unit="appends/s",
        ours=rounds.mine,
        floor=rounds.least,
        floor_is=WHAT.get(floor, "its own recorder, as many threads and connections as callers"),
        ratio=rounds.ratio,
        target="ratio >= 1" if judged else "",
        met=rounds.ratio >= 1 if judged else None,
        rounds=rounds.pairs,
    )


WHAT: Final = {
    "one": "a plain unnest insert a caller, all on one connection",
    "pool": "a plain unnest insert a caller, each on a connection of its own",
    "combined": "plain multi-row inserts of whatever waits, on one connection: the ceiling of our own way",
}


async def _round(side: Side, agency: str, callers: int, share: int) -> float:
    run = uuid4().hex[:8]
    made = [
        [await side.ready(one_event(agency, stream_of(run, caller), number)) for number in range(share)]
        for caller in range(callers)
    ]

    async def one(mine: Sequence[Any]) -> None:
        for each in mine:
            await side.append(each)

    began = time.perf_counter()
    await asyncio.gather(*map(one, made))
    return callers * share / (time.perf_counter() - began)


async def _floors(ground: Ground, stack: AsyncExitStack) -> dict[str, Side]:
    # As our own connections are opened, but for the role.
    options: dict[str, Any] = {"server_settings": {"jit": "off"}, "command_timeout": 60.0}
    single = await asyncpg.connect(ground.database_url, **options)
    stack.push_async_callback(single.close)
    await single.execute(TABLE)
    pool = await asyncpg.create_pool(
        ground.database_url, min_size=max(CALLERS), max_size=max(CALLERS), reset=_nothing, **options
    )
    stack.push_async_callback(pool.close)
    turn = asyncio.Lock()

    async def row(request: AppendRequest) -> Row:
        return _row(await seal_request(request, ground.having.keys))

    async def one(row: Row) -> None:
        async with turn:
            await single.execute(INSERT, *_columns([row]))

    async def many(rows: Sequence[Row]) -> Sequence[None]:
        await single.execute(INSERT, *_columns(rows))
        return [None] * len(rows)

    combiner: Combiner[Row, None] = Combiner(many, lane=lambda row: row[1], weight=lambda _: 1, max_calls=1)
    stack.push_async_callback(combiner.close)

    async def pooled(row: Row) -> None:
        await pool.execute(INSERT, *_columns([row]))

    return {"one": Side(row, one), "pool": Side(row, pooled), "combined": Side(row, combiner.submit)}


async def _waits_for_the_disk(ground: Ground) -> None:
    connection = await asyncpg.connect(ground.database_url)
    try:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            if (value := await connection.fetchval(f"SHOW {setting}")) != "on":
                raise RuntimeError(f"{setting} is {value}: such appends promise nothing")
    finally:
        await connection.close()


async def _nothing(_connection: object) -> None:
    """Leave the connection as it is, as our own pool does."""


async def _as_it_is(request: AppendRequest) -> AppendRequest:
    return request


def _row(sealed: SealedRequest) -> Row:
    [event] = append_arguments([sealed])[2]
    # Once more the last of them, a hash: as long as the link of a chain, which it does not make.
    return (*event[1:], event[-1])


def _columns(rows: Sequence[Row]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
