"""``rapport key`` on a database of its own."""

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from activities.commands import CommandService
from activities.types import StreamCommand
from events.envelope import Actor
from events.log.connect import Connections as Pool
from events.log.keys import MemoryKeys
from events.log.postgres import PostgresLog
from gateway.cli import app
from gateway.cli.errors import DONE, WRONG
from workers.inbox.connections import Connections

pytestmark = pytest.mark.postgres
PEOPLE = [{"person_id": "r-1", "role": "recruiter"}, {"person_id": "d-1", "role": "director"}]
Rapport = Callable[..., tuple[int, str, str]]


@pytest.fixture
def database(new_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> str:
    """This will give the URL of a database with one agency, which the environment names."""
    url = new_database()

    async def make() -> None:
        async with PostgresLog(url, MemoryKeys()) as log:
            order = StreamCommand(
                agency="acme",
                stream="agency:acme",
                command_id="load-1",
                name="load-people",
                data={"people": PEOPLE},
                actor=Actor(kind="operator", id="test"),
            )
            await CommandService(log).give(order)

    asyncio.run(make())
    monkeypatch.setattr("workers.logs.configure_logging", lambda *_: None)  # pytest's own stays
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("RAPPORT_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("RAPPORT_KEY_ENCRYPTION_KEYS", f"test:{base64.b64encode(b'k' * 32).decode()}")
    monkeypatch.delenv("RAPPORT_AGENCY", raising=False)
    return url


@pytest.fixture
def rapport(database: str, capsys: pytest.CaptureFixture[str]) -> Rapport:
    """This will run a command; gives its code, and what it said on both."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = app.run(("key", *arguments))
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


class TestCreate:
    def test_prints_the_key_alone_and_once(self, rapport: Rapport) -> None:
        code, out, err = rapport("create", "--role", "recruiter", "--person", "r-1", "--name", "desk")
        assert (code, out.count("\n")) == (DONE, 1)
        assert out.startswith("rpk_")
        assert "shown this once" in err
        assert out.strip()[21:] not in rapport("list", "--json")[1]

    def test_holds_as_long_as_it_is_asked_to(self, rapport: Rapport) -> None:
        _, out, _ = rapport("create", "--role", "auditor", "--expires", "12h", "--json")
        made = json.loads(out)
        assert (made["role"], made["state"], made["agency"]) == ("auditor", "holds", "acme")
        assert made["made_at"] < made["expires_at"]

    @pytest.mark.parametrize(
        ("given", "says"),
        [
            (["--role", "king"], "there is no such role"),
            (["--role", "recruiter"], "names whose it is"),
            (["--role", "recruiter", "--person", "Zofie"], "nobody of this id works"),
            (["--role", "director", "--person", "r-1"], "'r-1' is a recruiter"),
            (["--role", "integration"], "names its connection"),
            (["--role", "auditor", "--connection", "c-1"], "names its connection"),
            (["--role", "candidate"], "a candidate gets a link"),
            (["--role", "auditor", "--expires", "soon"], "a number of hours, days or weeks"),
            (["--role", "auditor", "--expires", "0d"], "at least a moment"),
            (["--role", "auditor", "--expires", "99999w"], "at most two years"),
        ],
    )
    def test_says_what_is_wrong_in_one_sentence(self, rapport: Rapport, given: list[str], says: str) -> None:
        code, out, err = rapport("create", *given)
        assert (code, out, err.count("\n")) == (WRONG, "", 1)
        assert says in err
        assert "Zofie" not in err


class TestAnIntegrationsKey:
    def test_is_made_for_a_connection_of_the_agency_alone(self, rapport: Rapport, database: str) -> None:
        async def add(agency: str) -> str:
            pool = Pool(database, role="rapport_app")
            try:
                connections = Connections(pool, MemoryKeys())
                return (await connections.add(agency, provider="greenhouse", name=f"of {agency}")).id
            finally:
                await pool.close()

        ours, theirs = (asyncio.run(add(agency)) for agency in ("acme", "bolt"))
        made = json.loads(rapport("create", "--role", "integration", "--connection", "of acme", "--json")[1])
        assert made["connection"] == ours
        for named in ("c-nowhere", theirs, "of bolt"):
            code, out, err = rapport("create", "--role", "integration", "--connection", named)
            assert (code, out, err.count("\n")) == (WRONG, "", 1)
            assert "no such connection; 'rapport connection list' names them" in err
        assert len(json.loads(rapport("list", "--json")[1])) == 1


class TestList:
    def test_shows_what_became_of_each(self, rapport: Rapport) -> None:
        rapport("create", "--role", "recruiter", "--person", "r-1", "--name", "desk")
        key = json.loads(rapport("create", "--role", "auditor", "--json")[1])
        rapport("revoke", key["key_id"])
        rows = json.loads(rapport("list", "--json")[1])
        assert [(row["role"], row["state"], row["failures"]) for row in rows] == [
            ("recruiter", "holds", 0),
            ("auditor", "revoked", 0),
        ]
        shown = rapport("list")[1]
        assert "desk" in shown
        assert "never" in shown


class TestRevoke:
    def test_takes_the_whole_key_too(self, rapport: Rapport) -> None:
        key = json.loads(rapport("create", "--role", "auditor", "--json")[1])
        assert rapport("revoke", key["key"])[1] == f"key {key['key_id']} is revoked\n"

    def test_tells_that_there_is_none(self, rapport: Rapport) -> None:
        code, _, err = rapport("revoke", "0" * 16)
        assert (code, err.count("\n")) == (WRONG, 1)


class TestIssuer:
    def test_is_taken_listed_and_taken_no_more(self, rapport: Rapport) -> None:
        given = ("https://id.example", "--audience", "rapport", "--role-claim", "groups")
        assert rapport("issuer", *given, "--role", "staff=recruiter")[0] == DONE
        [row] = json.loads(rapport("issuers", "--json")[1])
        assert (row["roles"], row["role_claim"]) == ({"staff": "recruiter"}, "groups")
        assert rapport("issuer", "https://id.example", "--audience", "rapport", "--disable")[0] == DONE
        assert "no" in rapport("issuers")[1]

    @pytest.mark.parametrize(
        "given",
        [
            ["http://id.example", "--audience", "a"],
            ["https://id.example", "--audience", "a", "--algorithm", "HS256"],
            ["https://id.example", "--audience", "a", "--algorithm", "none"],
            ["https://id.example", "--audience", "a", "--role", "staff=king"],
        ],
    )
    def test_takes_none_that_is_not_safe(self, rapport: Rapport, given: list[str]) -> None:
        code, _, err = rapport("issuer", *given)
        assert (code, err.count("\n")) == (WRONG, 1)
