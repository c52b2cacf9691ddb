import hashlib
import hmac
import time
from typing import TYPE_CHECKING, Any

import asyncpg
import httpx
import pytest
import structlog

from gateway.access.credentials import mint

if TYPE_CHECKING:
    from tests.gateway.access.conftest import Ground

pytestmark = pytest.mark.postgres
ONE_SENTENCE = "this needs a valid credential: send one as 'Authorization: Bearer …'"


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


def tampered(text: str) -> str:
    return text[:-1] + ("A" if text[-1] != "A" else "B")


async def ask(http: httpx.AsyncClient, text: str | None) -> httpx.Response:
    return await http.get("/who", headers=bearer(text) if text is not None else {})


async def expire(ground: "Ground", text: str) -> str:
    for table, column in (("api_keys", "key_id"), ("candidate_links", "link_id")):
        query = f"UPDATE rapport.{table} SET expires_at = now() - interval '1 second' WHERE {column} = $1"
        await ground.sql(query, text.split("_")[1])
    return text


async def revoke(ground: "Ground", text: str) -> str:
    await ground.access.keys.revoke(ground.agency, text.split("_")[1])
    return text


class TestKnown:
    async def test_knows_a_key(self, ground: "Ground", http: httpx.AsyncClient) -> None:
        found = (await ask(http, await ground.key("recruiter"))).json()
        assert found == {
            "agency": ground.agency,
            "role": "recruiter",
            "person": "r-1",
            "actor": {"kind": "person", "id": "r-1"},
        }

    async def test_knows_a_link(self, ground: "Ground", http: httpx.AsyncClient) -> None:
        engagement = await ground.engagement("e-link")
        found = (await ask(http, await ground.link(engagement))).json()
        assert (found["role"], found["actor"]) == ("candidate", {"kind": "candidate", "id": engagement})

    async def test_answers_whatever_opens_nothing_alike(
        self, ground: "Ground", http: httpx.AsyncClient
    ) -> None:
        key = await ground.key("recruiter")
        shown = {
            "missing": None,
            "malformed": "rpk_short",
            "unknown": mint("rpk").text,
            "unknown link": mint("rpl").text,
            "tampered": tampered(key),
            "another's secret": key[:21] + (await ground.key("director"))[21:],
            "revoked": await revoke(ground, await ground.key("recruiter")),
            "expired and tampered": tampered(await expire(ground, await ground.key("recruiter"))),
            "expired and revoked": await revoke(ground, await expire(ground, await ground.key("recruiter"))),
            "of another kind": key.replace("rpk_", "rpl_"),
        }
        for kind, text in shown.items():
            answer = await ask(http, text)
            assert (kind, answer.status_code) == (kind, 401)
            assert answer.json()["detail"] == ONE_SENTENCE
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            assert answer.headers["content-type"] == "application/problem+json"

    async def test_lets_nobody_in_through_a_disabled_connection(
        self, ground: "Ground", http: httpx.AsyncClient
    ) -> None:
        connection = await ground.connected("greenhouse")
        keys = [await ground.key("integration", connection=connection) for _ in range(2)]
        await ground.having.connections.disable(ground.agency, connection)
        answer = await ask(http, keys[0])
        assert (answer.status_code, answer.json()["detail"]) == (401, ONE_SENTENCE)
        await ground.having.connections.enable(ground.agency, connection)
        assert (await ask(http, keys[1])).status_code == 200

    async def test_takes_no_other_scheme(self, ground: "Ground", http: httpx.AsyncClient) -> None:
        key = await ground.key("recruiter")
        for value in (key, f"Basic {key}", f"Token {key}", "Bearer", "Bearer "):
            assert (await http.get("/who", headers={"Authorization": value})).status_code == 401

    async def test_tells_that_it_has_expired_to_who_has_the_secret(
        self, ground: "Ground", http: httpx.AsyncClient
    ) -> None:
        link = await ground.link(await ground.engagement("e-over"))
        for text in (await ground.key("recruiter"), link):
            answer = await ask(http, await expire(ground, text))
            assert (answer.status_code, answer.json()["code"]) == (401, "credential-expired")

    async def test_stops_a_key_at_once_where_it_was_not_used_before(
        self, ground: "Ground", http: httpx.AsyncClient
    ) -> None:
        key = await ground.key("recruiter")
        await revoke(ground, key)
        assert (await ask(http, key)).status_code == 401

    async def test_stops_a_key_that_is_in_use_within_a_second(
        self, ground: "Ground", http: httpx.AsyncClient
    ) -> None:
        key = await ground.key("recruiter")
        assert (await ask(http, key)).status_code == 200
        await revoke(ground, key)
        deadline = time.monotonic() + 5
        while (await ask(http, key)).status_code == 200:
            assert time.monotonic() < deadline
        assert (await ask(http, key)).status_code == 401

    async def test_forgets_whoever_has_left(self, ground: "Ground", http: httpx.AsyncClient) -> None:
        key, auditors = await ground.key("recruiter"), await ground.key("auditor", person_id="r-1")
        await ground.agency_command(ground.agency, "load-people", people=ground.people[1:])
        await ground.having.directory.agency(ground.agency)
        assert (await ask(http, key)).status_code == 401
        assert (await ask(http, auditors)).status_code == 401

    async def test_gives_a_key_no_more_than_the_person_is_now(
        self, ground: "Ground", http: httpx.AsyncClient
    ) -> None:
        key = await ground.key("team-lead")
        demoted = {"person_id": "l-1", "role": "recruiter", "team_lead": "l-2"}
        people = [demoted, *(each for each in ground.people if "l-1" not in each.values())]
        await ground.agency_command(ground.agency, "load-people", people=people)
        await ground.having.directory.agency(ground.agency)
        assert (await ask(http, key)).status_code == 401

    async def test_writes_the_last_use_down_once_a_minute(
        self, ground: "Ground", http: httpx.AsyncClient
    ) -> None:
        key = await ground.key("recruiter")
        query = "SELECT last_used_at FROM rapport.api_keys WHERE key_id = $1"
        [before] = await ground.sql(query, key.split("_")[1])
        await ask(http, key)
        await ground.access.uses.settled()
        [first] = await ground.sql(query, key.split("_")[1])
        ground.access.uses._noted.clear()  # as another process would, that knows of no use
        ground.access.uses.note("rpk", ground.agency, key.split("_")[1])
        await ground.access.uses.settled()
        [again] = await ground.sql(query, key.split("_")[1])
        assert before[0] is None
        assert first[0] is not None
        assert again[0] == first[0]

    @pytest.mark.parametrize("kind", ["key", "link"])
    async def test_writes_each_minutes_use_down(
        self, ground: "Ground", http: httpx.AsyncClient, kind: str
    ) -> None:
        """What was written a moment after the last use is a minute old when the next minute's use comes."""
        table, column = {"key": ("api_keys", "key_id"), "link": ("candidate_links", "link_id")}[kind]
        engagement = await ground.engagement("e-used")
        text = await (ground.key("recruiter") if kind == "key" else ground.link(engagement))
        await ground.sql(
            f"UPDATE rapport.{table} SET last_used_at = now() - interval '59.5 seconds' WHERE {column} = $1",
            text.split("_")[1],
        )
        query = f"SELECT last_used_at FROM rapport.{table} WHERE {column} = $1"
        [before] = await ground.sql(query, text.split("_")[1])
        assert (await ask(http, text)).status_code == 200
        await ground.access.uses.settled()
        [after] = await ground.sql(query, text.split("_")[1])
        assert after[0] > before[0]

    async def test_keeps_only_a_hash(self, ground: "Ground") -> None:
        _, identity, _ = (text := await ground.key("recruiter")).split("_", 2)
        [row] = await ground.sql("SELECT * FROM rapport.api_keys WHERE key_id = $1", identity)
        assert row["secret_hash"] == hashlib.sha256(text[21:].encode()).digest()
        assert text[21:] not in str(dict(row))

    async def test_logs_no_secret(self, ground: "Ground", http: httpx.AsyncClient) -> None:
        text = tampered(await ground.key("recruiter"))
        with structlog.testing.capture_logs() as lines:
            await ask(http, text)
            await ground.access.failures.settled()
        assert [line["credential"] for line in lines] == [None, text.split("_")[1]]
        assert text[21:] not in str(lines)


class TestFailures:
    async def test_lets_who_fails_too_often_wait_twice_as_long_each_time(
        self, ground: "Ground", http: httpx.AsyncClient
    ) -> None:
        waits = []
        for _ in range(10):
            assert (await ask(http, mint("rpk").text)).status_code == 401
        await ground.access.failures.settled()
        address = http._transport.client[0]  # type: ignore[attr-defined]
        digests = await ground.access.failures.digests(address, None)
        for _ in range(4):
            ground.access.failures.count(digests, kind="rpk", credential=None)
            await ground.access.failures.settled()
            assert await ground.access.failures.wait(digests) > 0
            [told] = await ground.sql(
                "SELECT waits_until - last_at AS wait FROM rapport.access_failures WHERE who = $1", *digests
            )
            waits.append(round(told["wait"].total_seconds()))
        assert waits == [2, 4, 8, 16]
        answer = await ask(http, mint("rpk").text)
        assert answer.status_code == 429
        assert 0 < int(answer.headers["Retry-After"]) <= 16

    async def test_counts_by_credential_whatever_the_address(
        self, ground: "Ground", http: httpx.AsyncClient
    ) -> None:
        text = await ground.key("recruiter")
        identity = text.split("_")[1]
        digests = await ground.access.failures.digests(None, identity)
        for _ in range(11):
            ground.access.failures.count(digests, kind="rpk", credential=identity)
        await ground.access.failures.settled()
        assert await ground.access.failures.of_credentials([identity]) == [11]
        assert (await ask(http, tampered(text))).status_code == 429

    async def test_shuts_nobody_out_who_has_the_secret(
        self, ground: "Ground", http: httpx.AsyncClient
    ) -> None:
        """Else whoever knows an id could keep its owner away."""
        text = await ground.key("recruiter")
        digests = await ground.access.failures.digests(None, text.split("_")[1])
        for _ in range(15):
            ground.access.failures.count(digests, kind="rpk", credential=None)
        await ground.access.failures.settled()
        assert (await ask(http, text)).status_code == 200

    async def test_counts_nothing_where_nothing_was_shown(
        self, ground: "Ground", http: httpx.AsyncClient
    ) -> None:
        for _ in range(12):
            assert (await ask(http, None)).status_code == 401

    async def test_keeps_no_address(self, ground: "Ground", http: httpx.AsyncClient) -> None:
        await ask(http, mint("rpk").text)
        await ground.access.failures.settled()
        rows = await ground.sql("SELECT * FROM rapport.access_failures")
        address = http._transport.client[0]  # type: ignore[attr-defined]
        assert rows
        assert not any(address.encode() in row["who"] for row in rows)
        assert hashlib.sha256(f"address:{address}".encode()).digest() not in [row["who"] for row in rows]


class TestEffort:
    async def test_is_the_same_for_whatever_is_wrong(
        self, ground: "Ground", http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One look-up and one comparison before the answer: so the time it takes tells nothing."""
        known = await ground.key("recruiter")
        over, gone = await expire(ground, await ground.key("recruiter")), await ground.key("recruiter")
        await revoke(ground, gone)
        kinds: dict[str, str | None] = {
            "unknown": mint("rpk").text,
            "wrong secret": known[:21] + mint("rpk").text[21:],
            "expired": over,
            "revoked": gone,
            "missing": None,
        }
        done: list[str] = []
        look_up, compare = asyncpg.Connection.fetchrow, hmac.compare_digest

        async def looking_up(self: Any, *given: Any, **more: Any) -> Any:
            done.append("looks up")
            return await look_up(self, *given, **more)

        def comparing(*given: Any) -> bool:
            done.append("compares")
            return compare(*given)

        monkeypatch.setattr(asyncpg.Connection, "fetchrow", looking_up)
        monkeypatch.setattr(hmac, "compare_digest", comparing)
        # The first request of a process reads a key as well.
        assert (await ask(http, mint("rpk").text)).status_code == 401
        await ground.access.failures.settled()
        efforts: dict[str, list[str]] = {}
        for kind, text in kinds.items():
            http._transport.client = (kind, 1)  # type: ignore[attr-defined]
            done.clear()
            assert (await ask(http, text)).status_code == 401
            efforts[kind] = list(done)
            await ground.access.failures.settled()
        assert set(map(tuple, efforts.values())) == {("looks up", "compares")}, efforts
