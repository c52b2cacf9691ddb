"""The read models say what the log says, and say so where they trail it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from events.projections import caseload, findings, search
from events.projections.reading import ProjectionStanding, Standing
from gateway.cli import messages, reading, tables, watching
from gateway.cli.connect import Options, Session, perform
from gateway.cli.promises import EVERY
from tests.gateway.cli.waiting import until

NAMES = ("board", "obligations", "outreach")


async def joined(pages: AsyncIterator[list[Any]]) -> list[Any]:
    """Read all pages."""
    return [row async for page in pages for row in page]


@pytest.fixture(scope="module")
def lived(shared: Any) -> None:
    """This will be engagements with promises open, kept and broken, and a message owed."""
    long_ago = ("--at", "2026-01-05T09:00:00Z")
    for name in ("e-new", "e-old"):
        at = long_ago if name == "e-old" else ()
        assert shared.rapport("open", name, "--owner", "r-1", *at).code == 0
        assert shared.rapport("do", name, "record-application", "application_id=a-1", *at).code == 0
    assert shared.rapport("do", "e-new", "record-contact", "channel=phone", "--actor", "person:r-1").code == 0
    assert shared.rapport("do", "e-new", "record-message", "message_id=m-1", "channel=email").code == 0
    # What is long overdue goes on by itself until its letter waits for the digest; then all stands still.
    until(lambda: any(row["digest_at"] for row in shared.rapport("outbox", "--json").json), 60)


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.temporal
@pytest.mark.usefixtures("lived")
class TestTheTables:
    def test_say_what_the_log_says(self, shared: Any) -> None:
        """Whichever way a command reads, its rows are the same."""

        async def both(session: Session) -> list[tuple[Any, Any]]:
            log, directory = session.log, session.having.directory
            assert await tables.at_hand(session, "acme", NAMES)
            states = await reading.engagements(log, "acme")
            return [
                (
                    await joined(tables.engagements(session, "acme")),
                    [reading.summary(each) for each in states],
                ),
                (
                    await joined(tables.waiting(session, "acme", EVERY)),
                    await reading.waiting(states, "acme", directory),
                ),
                (
                    await joined(watching.steps(session, "acme")),
                    await watching.next_steps(states, "acme", directory),
                ),
                (
                    await joined(tables.messages(session, "acme")),
                    await messages.outbox(log, session.having.ledger, "acme"),
                ),
            ]

        for from_tables, from_log in perform(Options(data=shared.data), both):
            assert from_tables == from_log
            assert from_tables or from_log == []

    def test_are_the_same_in_pages_of_any_size(self, shared: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """A page may end anywhere."""

        async def read(session: Session) -> list[list[Any]]:
            return [
                await joined(tables.engagements(session, "acme", stage="intake", owner="r-1")),
                await joined(tables.waiting(session, "acme", EVERY)),
                await joined(watching.steps(session, "acme")),
                await joined(tables.messages(session, "acme", state="owed")),
            ]

        whole = perform(Options(data=shared.data), read)
        monkeypatch.setattr("gateway.cli.lists.PAGE", 1)
        assert perform(Options(data=shared.data), read) == whole
        assert [len(each) > 1 for each in whole[:3]] == [True, True, True]

    def test_are_listed_with_their_lag(self, shared: Any) -> None:
        told = shared.rapport("projections", "list", "--json").json
        assert told["at_work"]
        assert {"board", "obligations", "people"} <= {row["projection"] for row in told["projections"]}
        assert told["parked"] == []
        text = shared.rapport("projections", "list").out
        assert "a projector is at work" in text

    def test_are_rebuilt_while_all_runs(self, shared: Any) -> None:
        before = shared.rapport("waiting", "--json").json
        done = shared.rapport("projections", "rebuild", "--json")
        assert done.code == 0, done.err
        assert done.json["parked"] == 0
        assert shared.rapport("waiting", "--json").json == before
        assert "rebuilt board" in shared.rapport("projections", "rebuild", "board").out

    def test_are_folded_from_the_log_where_they_are_not_at_hand(self, shared: Any) -> None:
        """A command without a projector shows the same rows."""

        async def both(session: Session) -> list[tuple[Any, Any]]:
            found = []
            for each in (caseload.PROJECTION, findings.PROJECTION, search.PROJECTION):
                kept = await tables.rows(session, "acme", each)
                found.append((kept, await tables.folded(session, "acme", each)))
            return found

        for from_tables, from_log in perform(Options(data=shared.data), both):
            assert from_tables
            assert sorted(from_tables, key=repr) == sorted(from_log, key=repr)

    def test_tell_loads_findings_and_where_a_word_is(self, shared: Any) -> None:
        [load] = shared.rapport("caseload", "--json").json
        assert (load["person"], load["engagements"]) == ("r-1", 2)
        assert load["overdue_obligations"] >= 1
        found = shared.rapport("findings", "--kind", "evidence-asserted", "--json").json
        assert [row["engagement"] for row in found] == ["e-new"]
        [hit] = shared.rapport("search", "e-ol", "--json").json
        assert hit == {"engagement": "e-old", "found_by": ["engagement e-old"]}
        assert "no engagement is found by 'Quuxworth'" in shared.rapport("search", "Quuxworth").out

    def test_know_no_other_projection(self, shared: Any) -> None:
        done = shared.rapport("projections", "rebuild", "boards")
        assert done.code == 2
        assert "there is no projection 'boards'; known are board, " in done.err

    def test_have_nothing_to_retry(self, shared: Any) -> None:
        assert shared.rapport("projections", "retry").out == "no such stream is parked\n"


def session(
    *, at_work: bool, position: int, head: int, parked: int = 0, missing: tuple[str, ...] = ()
) -> Any:
    """Make what a command holds, with read models that stand somewhere."""
    one = ProjectionStanding("board", position, head, 3.0, 1, datetime(2026, 1, 5, tzinfo=UTC), parked)
    standing = Standing(at_work, head, () if missing else (one,), missing)

    async def wait_for(*_: Any) -> Standing:
        return standing

    async def log_head(_: str) -> Any:
        return SimpleNamespace(position=head)

    having = SimpleNamespace(read_models=SimpleNamespace(wait_for=wait_for))
    return SimpleNamespace(having=having, log=SimpleNamespace(log_head=log_head))


class TestAtHand:
    async def test_is_silent_where_they_are_as_of_now(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert await tables.at_hand(session(at_work=False, position=7, head=7), "acme", ["board"])
        assert capsys.readouterr().err == ""

    async def test_says_of_when_they_are(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A projector that is behind has been waited for: its tables are better than minutes of folding."""
        assert await tables.at_hand(session(at_work=True, position=5, head=7), "acme", ["board"])
        assert "as of position 5: the read models are 2 events (3 s) behind" in capsys.readouterr().err

    @pytest.mark.parametrize("missing", [(), ("board",)])
    async def test_reads_the_log_where_nobody_projects(self, missing: tuple[str, ...]) -> None:
        held = session(at_work=bool(missing), position=5, head=7, missing=missing)
        assert not await tables.at_hand(held, "acme", ["board"])

    async def test_names_what_is_parked(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert await tables.at_hand(session(at_work=True, position=7, head=7, parked=1), "acme", ["board"])
        assert "parked" in capsys.readouterr().err
