"""``rapport connection`` and ``rapport inbox`` on a database of their own, with a door beside them."""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import structlog

from events.errors import UnknownReference
from events.fold import fold
from events.log.memory import MemoryLog
from events.state import Engagement, Interview, Offer
from gateway.cli.connection_linking import target_of
from gateway.webhooks.provider import Delivery
from tests.gateway.cli.integrated import KEK, ROOT, Office, door_on
from tests.gateway.webhooks import signers
from tests.workers.asking.stand_in import KEY, serving_beside
from workers.inbox.links import Target

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def served(new_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """This will serve a door; the environment names its database and an agency is there."""
    with pytest.MonkeyPatch.context() as patch:
        url = new_database()
        patch.setattr("workers.logs.configure_logging", lambda *_: None)  # pytest's own stays
        usual = structlog.get_config()
        # The door runs beside the commands, whose output is read.
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(io.StringIO()))
        patch.setenv("DATABASE_URL", url)
        patch.setenv("RAPPORT_KEY_ENCRYPTION_KEYS", KEK)
        patch.setenv("RAPPORT_WEBHOOKS_ALLOW_PRIVATE", "1")
        patch.setenv("RAPPORT_DATA_DIR", str(tmp_path_factory.mktemp("data")))
        for name in ("TEMPORAL_ADDRESS", "RAPPORT_AGENCY", "RAPPORT_ACTOR", "RAPPORT_URL"):
            patch.delenv(name, raising=False)
        with door_on(url) as address:
            yield address
        structlog.configure(**usual)


@pytest.fixture
def office(served: str, capsys: pytest.CaptureFixture[str]) -> Office:
    """This will be the agency's command line."""
    there = Office(capsys, served)
    people = str(ROOT / "deploy" / "agencies" / "example.toml")
    assert there.rapport("agency", "load", people, "--agency", "acme").code == 0
    return there


def added(office: Office, provider: str = "greenhouse", *more: str) -> dict[str, Any]:
    """Add a connection."""
    done = office.rapport("connection", "add", provider, *more, "--json")
    assert done.code == 0, done.err
    told: dict[str, Any] = done.json
    return told


def listed(office: Office, connection: str) -> dict[str, Any]:
    """Give a connection's row."""
    [row] = [
        each
        for each in office.rapport("connection", "list", "--json").json
        if each["connection"] == connection
    ]
    found: dict[str, Any] = row
    return found


def deliver(office: Office, connection: dict[str, Any], body: dict[str, Any]) -> httpx.Response:
    """Sign with the connection's secret, as Greenhouse does, and deliver."""
    content = json.dumps(body).encode()
    signed = signers.hex_of(connection["secret"], content)
    return send(office, connection, Delivery({"Signature": f"sha256 {signed}"}, content))


def send(office: Office, connection: dict[str, Any], delivery: Delivery) -> httpx.Response:
    """Deliver as it is."""
    headers = dict(delivery.headers)
    return httpx.post(office.url + connection["path"], content=delivery.body, headers=headers, timeout=30)


HIRED = {
    "action": "hire_candidate",
    "payload": {"application": {"id": 7, "candidate": {"last_name": "Quux"}}},
}


class TestAdd:
    def test_shows_the_secret_that_it_makes_this_once(self, office: Office) -> None:
        done = office.rapport("connection", "add", "greenhouse")
        assert done.code == 0
        assert "/hooks/c-" in done.out
        assert "Dev Center" in done.out
        [line] = [each for each in done.out.splitlines() if "shown this once" in each]
        secret = line.rpartition(" ")[2]
        assert len(secret) >= 32
        assert secret not in office.rapport("connection", "list").out

    def test_says_that_all_is_refused_until_a_providers_own_secret_is_given(
        self, office: Office, tmp_path: Path
    ) -> None:
        done = office.rapport("connection", "add", "lever")
        assert "until its secret is given, all is refused" in done.out
        connection = added(office, "lever")
        assert connection["secret"] is None
        assert send(office, connection, Delivery({}, b"{}")).status_code == 401
        file = tmp_path / "token"
        file.write_text("the-token-of-lever\n")
        rotated = office.rapport("connection", "rotate", connection["connection"], "--secret-file", str(file))
        assert rotated.code == 0, rotated.err
        assert "the-token" not in rotated.out
        assert office.rapport("connection", "test", connection["connection"], "--url", office.url).code == 0

    def test_reads_a_secret_from_stdin(self, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO("a-secret-of-theirs\n"))
        connection = added(office, "greenhouse", "--secret", "-")
        assert connection["secret"] is None
        assert deliver(office, {**connection, "secret": "a-secret-of-theirs"}, HIRED).status_code == 200

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (["grenhouse"], "no such provider"),
            (["greenhouse", "--secret", "hunter2"], "is seen by others"),
            (["greenhouse", "--secret", "-", "--secret-file", "x"], "not both"),
            (["greenhouse", "--secret-file", "/nowhere"], "no such file"),
            (["greenhouse", "--api-base", "ftp://x"], "https://api.example.com"),
            (["greenhouse", "--api-base", "https://user:pass@x"], "without a user"),
            (["greenhouse", "--mapping", "/nowhere.toml"], "no such file"),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, list) else "",
    )
    def test_answers_bad_input_with_one_sentence(
        self, office: Office, arguments: list[str], says: str
    ) -> None:
        done = office.rapport("connection", "add", *arguments)
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert says in done.err
        assert "hunter2" not in done.err

    def test_says_what_is_wrong_with_a_secret(self, office: Office, tmp_path: Path) -> None:
        file = tmp_path / "secret"
        file.write_text("whsec_short")
        done = office.rapport("connection", "add", "standard-webhooks", "--secret-file", str(file))
        assert done.code == 2
        assert "no base64" in done.err
        assert "whsec_short" not in done.err


class TestMap:
    def test_ships_with_a_mapping_and_takes_another(self, office: Office, tmp_path: Path) -> None:
        """What waited is read again by the new one."""
        connection = added(office)
        assert connection["mapping"] is not None
        file = tmp_path / "mapping.toml"
        file.write_text(
            'format = 1\nprovider = "greenhouse"\n[[rule]]\nevents = ["*"]\nignore = "not of interest"\n'
        )
        done = office.rapport("connection", "map", connection["connection"], str(file), "--json")
        assert (done.code, done.json["read_again"]) == (0, 0)
        given = added(office, "greenhouse", "--mapping", str(file))
        assert given["mapping"] not in (None, connection["mapping"])

    def test_says_where_a_mapping_is_wrong(self, office: Office, tmp_path: Path) -> None:
        file = tmp_path / "mapping.toml"
        file.write_text('format = 1\nprovider = "lever"\n[[rule]]\nevents = ["*"]\nignore = "no"\n')
        done = office.rapport("connection", "add", "greenhouse", "--mapping", str(file))
        assert (done.code, "it is for lever" in done.err) == (2, True)
        file.write_text("format = 1\nprovider =\n")
        done = office.rapport("connection", "map", added(office)["connection"], str(file))
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert str(file) in done.err


class TestTest:
    @pytest.mark.parametrize("provider", ["greenhouse", "ashby", "calendly", "standard-webhooks"])
    def test_goes_through_the_door_and_keeps_nothing(self, office: Office, provider: str) -> None:
        connection = added(office, provider)["connection"]
        done = office.rapport("connection", "test", connection, "--url", office.url)
        assert done.code == 0, done.out
        assert "the signature holds; nothing was kept" in done.out
        assert office.rapport("inbox", "list", "--connection", connection, "--json").json == []

    def test_asks_the_providers_api_too(self, office: Office, tmp_path: Path) -> None:
        key = tmp_path / "key"
        key.write_text(KEY)
        with serving_beside() as apis:
            more = ("--api-base", apis.base("greenhouse"), "--api-key-file", str(key))
            connection = added(office, "greenhouse", *more)["connection"]
            done = office.rapport("connection", "test", connection, "--url", office.url, "--json")
            assert done.json["api"] == {"ok": True, "says": "the API answers, and takes the key"}
            assert len(apis.asked) == 1
            key.write_text("another")
            office.rapport("connection", "rotate", connection, "--api-key-file", str(key))
            done = office.rapport("connection", "test", connection, "--url", office.url)
        assert done.code == 1
        assert "refuses the key" in done.out
        assert office.rapport("connection", "disable", connection).code == 0

    def test_says_where_nothing_answers(self, office: Office) -> None:
        connection = added(office, "greenhouse", "--api-base", "http://127.0.0.1:9")["connection"]
        done = office.rapport("connection", "test", connection, "--url", office.url, "--json")
        assert done.code == 1
        assert (done.json["door"]["ok"], done.json["api"]["ok"]) == (True, False)
        nowhere = office.rapport("connection", "test", connection, "--url", "http://127.0.0.1:9")
        assert nowhere.code == 1
        assert "no gateway answers" in nowhere.out

    def test_says_what_a_disabled_one_answers(self, office: Office) -> None:
        connection = added(office)["connection"]
        assert office.rapport("connection", "disable", connection).code == 0
        done = office.rapport("connection", "test", connection, "--url", office.url)
        assert (done.code, "answers 404" in done.out) == (1, True)
        assert listed(office, connection)["disabled_at"] is not None
        assert office.rapport("connection", "enable", connection).code == 0
        assert office.rapport("connection", "test", connection, "--url", office.url).code == 0

    def test_needs_to_know_a_gateway(self, office: Office) -> None:
        done = office.rapport("connection", "test", added(office)["connection"])
        assert (done.code, "--url" in done.err) == (2, True)

    def test_knows_only_the_agencys_own(self, office: Office) -> None:
        done = office.rapport("connection", "test", "c-bm9ib2R5", "--url", office.url)
        assert (done.code, "no such connection" in done.err) == (2, True)


class TestRotate:
    def test_lets_both_secrets_hold_meanwhile(self, office: Office) -> None:
        old = added(office)
        new = office.rapport("connection", "rotate", old["connection"], "--json").json
        assert new["secret"] not in (None, old["secret"])
        assert deliver(office, old, HIRED).json()["outcome"] == "kept"
        assert deliver(office, {**old, "secret": new["secret"]}, HIRED).json()["outcome"] == "known"

    def test_asks_for_the_secret_that_a_provider_makes(self, office: Office) -> None:
        done = office.rapport("connection", "rotate", added(office, "workable")["connection"])
        assert (done.code, "makes its secrets itself" in done.err) == (2, True)

    def test_changes_the_key_of_an_api_alone(self, office: Office, tmp_path: Path) -> None:
        connection, file = added(office), tmp_path / "key"
        file.write_text("a-key-of-theirs\n")
        id = connection["connection"]
        done = office.rapport("connection", "rotate", id, "--api-key-file", str(file))
        assert (done.code, "a-key" in done.out) == (0, False)
        assert deliver(office, connection, HIRED).status_code == 200
        both = office.rapport("connection", "rotate", id, "--api-key-file", str(file), "--secret", "-")
        assert (both.code, "rotate twice" in both.err) == (2, True)


class TestList:
    def test_counts_what_did_not_verify_and_what_came(self, office: Office) -> None:
        connection = added(office, "greenhouse", "--name", "Acme's Greenhouse")
        row = listed(office, connection["connection"])
        assert (row["refused"], row["last_received_at"], row["waiting"]) == (0, None, 0)
        for _ in range(2):
            assert send(office, connection, Delivery({"signature": "sha256 0"}, b"{}")).status_code == 401
        assert deliver(office, connection, HIRED).status_code == 200
        row = listed(office, connection["connection"])
        assert row["refused"] == 2
        assert row["last_refused_at"] is not None
        assert row["last_received_at"] is not None
        shown = office.rapport("connection", "list").out
        assert "Acme's Greenhouse" in shown
        assert "2, last " in shown


class TestLink:
    def test_confirms_only_what_is_there(self, office: Office) -> None:
        connection = added(office)["connection"]
        done = office.rapport("connection", "link", connection, "candidate", "123", "--engagement", "e-no")
        assert (done.code, "no engagement 'e-no'" in done.err) == (2, True)
        order = ("--job-order", "jo-1")
        assert "no job order" in office.rapport("connection", "link", connection, "job", "9", *order).err
        opening = ("title=Designer", "client_id=cl-1", "owner=r-1")
        opened = office.rapport("do", "job-order:jo-1", "open-job-order", *opening)
        assert opened.code == 0, opened.err
        linked = office.rapport("connection", "link", connection, "job", "9", *order, "--json")
        assert (linked.code, linked.json["read_again"]) == (0, 0)

    @pytest.mark.parametrize(
        "arguments",
        [
            ["candidate", "1"],
            ["candidate", "1", "--engagement", "e-1", "--job-order", "jo-1"],
            ["application", "1", "--engagement", "e-1"],
            ["interview", "1", "--engagement", "e-1", "--submission", "s-1"],
            ["job", "1", "--engagement", "e-1", "--job-order", "jo-1"],
        ],
        ids=" ".join,
    )
    def test_says_what_a_kind_stands_for(self, office: Office, arguments: list[str]) -> None:
        done = office.rapport("connection", "link", "c-x", *arguments)
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert "and no other" in done.err


class TestTarget:
    async def test_finds_what_it_names_in_the_engagement(self, kept: MemoryLog) -> None:
        """An application's job order comes from its submission."""
        state = fold(await kept.read_stream("agency-1", "engagement:e-1"))
        session: Any = SimpleNamespace(log=kept)
        [(submission, found)] = state.submissions.items()
        named = {"submission": submission, "job-order": None}
        target = await target_of(session, "agency-1", "application", "e-1", named)
        assert (target.engagement, target.ours) == ("e-1", submission)
        assert target.job_order == found.job_order_id
        for kind, part in (("application", "submission"), ("interview", "interview"), ("offer", "offer")):
            with pytest.raises(UnknownReference):
                await target_of(session, "agency-1", kind, "e-1", {part: "no-such", "job-order": None})

    @pytest.mark.parametrize(("kind", "key"), [("interview", "i-1"), ("offer", "o-1")])
    async def test_finds_an_interview_and_an_offer_by_their_own_ids(
        self, kept: MemoryLog, monkeypatch: pytest.MonkeyPatch, kind: str, key: str
    ) -> None:
        state = Engagement(interviews={"i-1": Interview("s-1")}, offers={"o-1": Offer("s-1")})
        monkeypatch.setattr("events.fold.fold", lambda _: state)
        session: Any = SimpleNamespace(log=kept)
        target = await target_of(session, "agency-1", kind, "e-1", {kind: key, "job-order": None})
        assert target == Target("e-1", key)

    @pytest.mark.parametrize("kind", ["candidate", "sender"])
    async def test_takes_a_candidate_for_an_engagement_that_is_there(
        self, kept: MemoryLog, kind: str
    ) -> None:
        session: Any = SimpleNamespace(log=kept)
        target = await target_of(session, "agency-1", kind, "e-1", {"job-order": None})
        assert (target.engagement, target.ours) == ("e-1", None)


class TestNamed:
    def test_is_found_by_its_name_by_every_command(self, office: Office) -> None:
        connection = added(office, "greenhouse", "--name", "client-7")["connection"]
        assert office.rapport("connection", "rotate", "client-7", "--json").json["connection"] == connection
        assert office.rapport("connection", "test", "client-7", "--url", office.url).code == 0
        greenhouse = str(ROOT / "deploy" / "connections" / "greenhouse.toml")
        assert connection in office.rapport("connection", "map", "client-7", greenhouse).out
        assert (
            office.rapport("connection", "set", "client-7", "--keep-days", "7").out
            == f"changed {connection}\n"
        )
        assert "nothing has come" in office.rapport("inbox", "list", "--connection", "client-7").out
        key = office.rapport("key", "create", "--role", "integration", "--connection", "client-7", "--json")
        assert key.json["connection"] == connection
        assert office.rapport("connection", "disable", "client-7").out == f"disabled {connection}\n"
        assert office.rapport("connection", "enable", "client-7").code == 0

    def test_that_two_have_names_neither(self, office: Office) -> None:
        for _ in range(2):
            added(office, "greenhouse", "--name", "client-8")
        done = office.rapport("connection", "test", "client-8", "--url", office.url)
        assert (done.code, "several connections have that name" in done.err) == (2, True)

    def test_of_nobody_gets_no_key(self, office: Office) -> None:
        done = office.rapport("key", "create", "--role", "integration", "--connection", "client-9")
        assert (done.code, "no such connection" in done.err) == (2, True)


class TestInbox:
    def test_lists_and_shows_what_came_with_its_content_only_if_asked(self, office: Office) -> None:
        connection = added(office)
        assert deliver(office, connection, HIRED).json()["outcome"] == "kept"
        assert deliver(office, connection, HIRED).json()["outcome"] == "known"
        of_it = ("--connection", connection["connection"])
        [row] = office.rapport("inbox", "list", *of_it, "--json").json
        assert (row["event"], row["state"], row["deliveries"]) == ("hire_candidate", "received", 2)
        told = office.rapport("inbox", "list", *of_it).out
        assert "hire_candidate" in told
        assert f"{listed(office, connection['connection'])['name']} ({connection['connection']})" in told
        assert office.rapport("inbox", "list", *of_it, "--state", "open", "--json").json == []
        plain = office.rapport("inbox", "show", row["message"])
        assert "delivered 2 times" in plain.out
        assert "Quux" not in plain.out
        assert office.rapport("inbox", "show").out == plain.out, "the newest"
        assert "content" not in office.rapport("inbox", "show", row["message"], "--json").json
        whole = office.rapport("inbox", "show", row["message"], "--with-personal")
        assert "Quux" in whole.out
        told = office.rapport("inbox", "show", row["message"], "--with-personal", "--json").json
        assert told["content"]["body"] == HIRED

    def test_shows_why_something_could_not_be_read(self, office: Office) -> None:
        connection = added(office)
        body = {"payload": "Quux"}
        assert deliver(office, connection, body).status_code == 200
        [row] = office.rapport("inbox", "list", "--connection", connection["connection"], "--json").json
        told = office.rapport("inbox", "show", row["message"], "--with-personal", "--json").json
        assert told["event"] == "malformed"
        assert told["content"]["headers"] == {"malformed": "'action' names no event"}
        assert told["content"]["body"] == body

    def test_sets_aside_and_reads_again(self, office: Office) -> None:
        connection = added(office)
        deliver(office, connection, HIRED)
        of_it = ("--connection", connection["connection"])
        [row] = office.rapport("inbox", "list", *of_it, "--json").json
        reason = ("--reason", "test-data", "--actor", "person:r-1")
        done = office.rapport("inbox", "discard", row["message"], *reason)
        assert done.code == 0, done.err
        [row] = office.rapport("inbox", "list", *of_it, "--state", "discarded", "--json").json
        assert row["says"] == "discarded by person:r-1: test-data"
        again = office.rapport("inbox", "discard", row["message"], *reason)
        assert (again.code, "it is discarded" in again.err) == (2, True)
        assert office.rapport("inbox", "retry", row["message"], "--json").json == {"read_again": 1}
        assert "nothing waits" in office.rapport("inbox", "retry", "--all", *of_it).out

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (["list", "--state", "lost"], "received, applied"),
            (["show", "7"], "no message's id"),
            (["show", "00000000-0000-0000-0000-000000000000"], "no such message"),
            (["retry"], "say --all"),
            (["retry", "--all", "00000000-0000-0000-0000-000000000000"], "say --all"),
            (["discard", "00000000-0000-0000-0000-000000000000", "--reason", "Not Ours"], "one word"),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, list) else "",
    )
    def test_answers_bad_input_with_one_sentence(
        self, office: Office, arguments: list[str], says: str
    ) -> None:
        done = office.rapport("inbox", *arguments)
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert says in done.err
