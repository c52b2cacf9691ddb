"""``/v1/waiting`` on PostgreSQL: whose promises a page holds, and where the next one begins."""

import base64
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import asyncpg
import httpx
import pytest

from events.canonical import instant
from gateway.cli.reading import worst_first
from tests.gateway.promised import NOW, Promised, at_random, put

if TYPE_CHECKING:
    from tests.gateway.access.conftest import Ground

pytestmark = pytest.mark.postgres
PLACE = (-1, instant(NOW), "e-1", "keep-in-touch", "00000000-0000-0000-0000-000000000001")


async def promised(ground: "Ground", agency: str, promises: list[Promised]) -> None:
    """Put promises into the tables, and say that the tables hold all of the log."""
    connection = await asyncpg.connect(ground.url)
    await put(connection, agency, promises)
    query = """
        INSERT INTO rapport_read.checkpoints (projection, agency, position, epoch, edition)
        SELECT unnest(ARRAY['board', 'obligations']), agency, position, 0, 1
        FROM rapport.log_heads WHERE agency = $1
    """
    await connection.execute(query, agency)
    await connection.close()


async def asked(
    http: httpx.AsyncClient, key: str, cursor: str | None = None, **params: Any
) -> httpx.Response:
    given: Mapping[str, Any] = {**params, **({} if cursor is None else {"cursor": cursor})}
    return await http.get("/v1/waiting", params=given, headers={"Authorization": f"Bearer {key}"})


async def pages(http: httpx.AsyncClient, key: str, **params: Any) -> list[list[dict[str, Any]]]:
    """Read to the end."""
    found: list[list[dict[str, Any]]] = []
    cursor: str | None = None
    while True:
        answer = await asked(http, key, cursor, **params)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found.append(page["items"])
        if (cursor := page["next"]) is None:
            return found


def ids(promises: list[Promised], *owners: str | None) -> list[str]:
    """Name the open ones of some owners, the worst first."""
    mine = [vars(each) for each in promises if each.outcome in ("open", "overdue") and each.owner in owners]
    return [str(each["obligation_id"]) for each in sorted(mine, key=worst_first)]


def cursor_of(place: Any) -> str:
    text = place if isinstance(place, str) else json.dumps(place)
    return base64.urlsafe_b64encode(f"c1:{text}".encode()).decode().rstrip("=")


class TestWaiting:
    async def test_is_told_to_whom_it_is_for(self, ground: "Ground", http: httpx.AsyncClient) -> None:
        """A recruiter finds what they, their team and nobody owe; another agency finds none of it."""
        ours = at_random(1, 120)
        await promised(ground, ground.agency, ours)
        await promised(ground, ground.other, theirs := at_random(2, 30))
        everybody = ("r-1", "r-2", "r-3", "R-1", None)
        for key, owners in (
            (await ground.key("recruiter"), ("r-1", "r-2", None)),
            (await ground.key("recruiter", person_id="r-3"), ("r-3", None)),
            (await ground.key("director"), everybody),
        ):
            for limit in (7, 200):
                found = await pages(http, key, limit=limit)
                assert [len(page) for page in found[:-1]] == [limit] * (len(found) - 1)
                assert [row["obligation_id"] for page in found for row in page] == ids(ours, *owners)
        key = await ground.key("director", agency=ground.other)
        [page] = await pages(http, key, limit=200)
        assert [row["obligation_id"] for row in page] == ids(theirs, *everybody)

    async def test_ends_where_a_full_page_is_the_last(
        self, ground: "Ground", http: httpx.AsyncClient
    ) -> None:
        await promised(ground, ground.agency, [Promised(f"e-{each}") for each in range(4)])
        found = await pages(http, await ground.key("director"), limit=2)
        assert [len(page) for page in found] == [2, 2]

    async def test_is_narrowed(self, ground: "Ground", http: httpx.AsyncClient) -> None:
        """To what somebody owes, within what the asker may see, and to what is past its due time."""
        ours = at_random(3, 120)
        await promised(ground, ground.agency, ours)
        recruiter = await ground.key("recruiter")
        for owner, owners in (("r-2", ("r-2",)), ("r-3", ()), ("nobody", ())):
            found = await pages(http, recruiter, owner=owner, limit=200)
            assert [row["obligation_id"] for page in found for row in page] == ids(ours, *owners)
        [page] = await pages(http, recruiter, overdue=True, limit=200)
        late = [each for each in ours if each.outcome == "overdue"]
        assert [row["obligation_id"] for row in page] == ids(late, "r-1", "r-2", None)
        assert {row["overdue"] for row in page} == {True}

    @pytest.mark.parametrize(
        "place",
        [
            "e-1",
            "[]",
            "[" * 90,
            PLACE[:4],
            (*PLACE, "more"),
            (10**30, *PLACE[1:]),
            (True, "never", *PLACE[2:]),
            (-1, "2026-01-05T12:00:00", *PLACE[2:]),
            (-1, "0001-01-01T00:00:00+14:00", *PLACE[2:]),
            (*PLACE[:2], "e\x001", *PLACE[3:]),
            (*PLACE[:2], "e\ud8001", *PLACE[3:]),
            (*PLACE[:3], "tell\x00", PLACE[4]),
            (*PLACE[:4], "no-id"),
        ],
    )
    async def test_takes_no_cursor_of_another_list(
        self, ground: "Ground", http: httpx.AsyncClient, place: Any
    ) -> None:
        await promised(ground, ground.agency, [Promised("e-1")])
        answer = await asked(http, await ground.key("director"), cursor_of(place))
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid-cursor")

    async def test_takes_one_of_a_promise_that_is_gone(
        self, ground: "Ground", http: httpx.AsyncClient
    ) -> None:
        await promised(ground, ground.agency, [Promised("e-1", level=2), Promised("e-1")])
        answer = await asked(http, await ground.key("director"), cursor_of(PLACE))
        assert [row["level"] for row in answer.json()["items"]] == [0]

    async def test_finds_nobody_of_no_name(self, ground: "Ground", http: httpx.AsyncClient) -> None:
        await promised(ground, ground.agency, [])
        answer = await asked(http, await ground.key("director"), owner="r\x001")
        assert answer.status_code == 422
