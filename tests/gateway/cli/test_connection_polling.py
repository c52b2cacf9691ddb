"""``rapport connection set`` and ``poll``, and what ``list`` and ``check`` say of an API."""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from gateway.cli.connect import Options, Session, perform
from tests.gateway.cli.integrated import KEK, ROOT, Office
from tests.workers.asking.stand_in import KEY, StandIn, serving_beside
from workers.inbox.links import Link, Target

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def database(new_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """This will be a database that the environment names."""
    with pytest.MonkeyPatch.context() as patch:
        url = new_database()
        patch.setattr("workers.logs.configure_logging", lambda *_: None)  # pytest's own stays
        patch.setenv("DATABASE_URL", url)
        patch.setenv("RAPPORT_KEY_ENCRYPTION_KEYS", KEK)
        patch.setenv("RAPPORT_DATA_DIR", str(tmp_path_factory.mktemp("data")))
        patch.setenv("RAPPORT_WEBHOOKS_ALLOW_PRIVATE", "1")
        for name in ("TEMPORAL_ADDRESS", "RAPPORT_AGENCY", "RAPPORT_ACTOR", "RAPPORT_URL"):
            patch.delenv(name, raising=False)
        usual = structlog.get_config()
        # What is logged must not stand in what is read.
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(io.StringIO()))
        yield url
        structlog.configure(**usual)


@pytest.fixture
def office(database: str, capsys: pytest.CaptureFixture[str]) -> Office:
    """This will be the agency's command line."""
    there = Office(capsys, database)
    people = str(ROOT / "deploy" / "agencies" / "example.toml")
    assert there.rapport("agency", "load", people, "--agency", "acme").code == 0
    return there


@pytest.fixture(scope="module")
def stand_in() -> Iterator[StandIn]:
    """This will be the providers' APIs."""
    with serving_beside() as held:
        yield held


@pytest.fixture
def key(tmp_path: Path) -> str:
    """This will be a file with the right key."""
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    return str(file)


@pytest.fixture
def connection(office: Office, stand_in: StandIn, key: str) -> Iterator[str]:
    """This will be a connection whose API answers."""
    base = stand_in.base("greenhouse")
    done = office.rapport(
        "connection", "add", "greenhouse", "--api-base", base, "--api-key-file", key, "--json"
    )
    assert done.code == 0, done.err
    yield str(done.json["connection"])
    stand_in.away = False
    office.rapport("connection", "disable", str(done.json["connection"]))


def listed(office: Office, connection: str) -> Any:
    """Give a connection's row."""
    rows = office.rapport("connection", "list", "--json").json
    return next(each for each in rows if each["connection"] == connection)


class TestPoll:
    def test_asks_now_and_list_says_so(self, office: Office, connection: str) -> None:
        assert listed(office, connection)["last_polled_at"] is None
        done = office.rapport("connection", "poll", connection)
        row = listed(office, connection)
        says = "it answers; nobody of ours is linked yet"
        assert (done.code, done.out.strip()) == (0, f"{row['name']} ({connection}): {says}")
        assert row["last_polled_at"] is not None
        assert row["last_poll_says"] == says

    def test_exits_with_1_where_nobody_answers(
        self, office: Office, connection: str, stand_in: StandIn
    ) -> None:
        stand_in.away = True
        done = office.rapport("connection", "poll", connection, "--json")
        assert done.code == 1
        assert done.json["says"] == "failed, and is tried again: it answered 503"

    def test_answers_with_one_sentence_for_a_connection_that_is_none(self, office: Office) -> None:
        done = office.rapport("connection", "poll", "c-none")
        assert done.code == 2
        assert len(done.err.strip().splitlines()) == 1


class TestSet:
    def test_changes_what_is_given_and_nothing_else(self, office: Office, connection: str) -> None:
        before = office.rapport("connection", "set", connection, "--keep-days", "7", "--json").json
        after = office.rapport(
            "connection", "set", connection, "--poll-minutes", "0", "--settle-seconds", "2.5", "--json"
        ).json
        assert after == {**before, "poll_minutes": 0, "settle_seconds": 2.5}
        assert (after["keep_days"], after["tolerance_seconds"]) == (7, 300)

    def test_gives_a_key_that_is_asked_with_from_now_on(
        self, office: Office, stand_in: StandIn, key: str
    ) -> None:
        added = office.rapport("connection", "add", "lever", "--json").json["connection"]
        done = office.rapport("connection", "poll", added)
        assert done.code == 1
        assert "--api-base https://api.lever.co/v1" in done.out
        base = stand_in.base("lever")
        done = office.rapport("connection", "set", added, "--api-base", base, "--api-key-file", key)
        assert done.code == 0, done.err
        assert KEY not in done.out
        assert office.rapport("connection", "poll", added).code == 0

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            ([], "say what to change"),
            (["--api-base", "http://api.example.com"], "must start with https://"),
            (["--api-base", "https://me:x@api.example.com"], "without a user"),
            (["--keep-days", "0"], "--keep-days"),
            (["--poll-minutes", "x"], "--poll-minutes"),
        ],
    )
    def test_answers_bad_input_with_one_sentence(
        self, office: Office, connection: str, arguments: list[str], says: str
    ) -> None:
        done = office.rapport("connection", "set", connection, *arguments)
        assert done.code == 2
        assert says in done.err


class TestCheck:
    def test_asks_each_connection_and_names_who_does_not_answer(
        self, office: Office, connection: str, stand_in: StandIn
    ) -> None:
        hinted = office.rapport("connection", "add", "lever", "--json").json["connection"]

        def told() -> dict[str, Any]:
            answers = office.rapport("check", "--json").json["answers"]
            return {each["what"].rpartition(" (")[2].rstrip(")"): each for each in answers}

        found = told()
        named = f"connection {listed(office, connection)['name']} ({connection})"
        assert found[connection]["what"] == named
        assert found[connection]["verdict"] == "ok"
        assert found[hinted]["verdict"] == "warning"
        stand_in.away = True
        found = told()
        assert found[connection]["verdict"] == "wrong"
        assert "503" in found[connection]["says"]
        assert KEY not in json.dumps(found)


class TestALink:
    def test_alone_lets_nobody_be_asked_about(self, office: Office, connection: str) -> None:
        """The engagement must be there, and open."""

        async def link(session: Session) -> int:
            links = session.having.links
            found = Link("application", "7", Target("e-none", "s-1"))
            return await links.learn("acme", connection, [found], by="r-1", how="confirmed")

        perform(Options("acme", None, False), link)
        done = office.rapport("connection", "poll", connection)
        assert done.out.strip().endswith(": it answers; nobody of ours is linked yet")
