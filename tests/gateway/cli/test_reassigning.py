"""``rapport reassign`` on a stack that runs: shown, carried out, killed in the middle and finished."""

import asyncio
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from events.envelope import Actor
from events.orders import parse_order
from gateway.cli.connect import Options, Session, perform
from tests.gateway.cli.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.temporal]

MANY = 40


def opened(shared: Any, *engagements: str, owner: str) -> None:
    """Open engagements at once, as one session."""

    async def work(session: Session) -> None:
        mover = await session.engagements("acme")
        who = Actor(kind="operator", id="test")
        orders = [
            (each, parse_order(
                "open-engagement",
                {"candidate_id": f"c-{each}", "owner": owner},
                command_id=f"open-{each}",
                actor_default=who,
                source="test",
            ))
            for each in engagements
        ]  # fmt: skip
        await asyncio.gather(*(mover.command(each, order) for each, order in orders))

    perform(Options("acme", shared.data, False), work)


def owners(shared: Any, prefix: str) -> dict[str, str]:
    rows = shared.rapport("list", "--json").json
    return {row["engagement"]: row["owner"] for row in rows if row["engagement"].startswith(prefix)}


def moved_before_the_kill(shared: Any, process: "subprocess.Popen[bytes]", at_least: int) -> int:
    """Kill a process once so many engagements have moved, and count them."""

    async def work(session: Session) -> int:
        while True:
            events = await session.log.read_all("acme", after=0, limit=100_000)
            moved = sum(
                each.type == "reassigned" and each.stream.startswith("engagement:k-") for each in events
            )
            assert process.poll() is None or moved >= at_least
            if moved >= at_least:
                process.kill()
                process.wait()
                return moved
            await asyncio.sleep(0.01)

    return perform(Options("acme", shared.data, False), work)


class TestReassign:
    def test_shares_a_caseload_out_among_the_team(self, shared: Any) -> None:
        opened(shared, "a-1", "a-2", "a-3", "a-4", owner="r-3")
        opened(shared, "a-5", owner="r-1")
        job = ("job-order:j-a", "open-job-order", "client_id=k-1", "owner=r-3")
        assert shared.rapport("do", *job).code == 0
        arguments = ("reassign", "--from", "r-3", "--by", "caseload", "--reason", "recruiter-left")

        shown = shared.rapport(*arguments, "--dry-run", "--json").json
        loads = Counter(owners(shared, "").values())
        assert (shown["state"], len(shown["allotment"]), len(shown["job_orders"])) == ("dry-run", 4, 1)
        assert set(owners(shared, "a-").values()) == {"r-1", "r-3"}

        done = shared.rapport(*arguments, "--note", "Wants to be called after six.", "--json")
        assert done.code == 0, done.err
        row = done.json
        assert (row["state"], row["moved"], row["job_orders_moved"], row["skipped"]) == ("finished", 4, 1, [])
        assert row["resumed"] is False
        shared_out = owners(shared, "a-")
        # Each goes to whoever has least, r-1 having one already; what is equal goes by id.
        mine = Counter({"r-1": 1})
        for _ in range(4):
            least = min(("r-1", "r-2", "r-4"), key=lambda each: (loads[each], each))
            loads[least] += 1
            mine[least] += 1
        assert Counter(shared_out.values()) == mine
        assert shared_out == {
            "a-5": "r-1",
            **{each["engagement"]: each["to"] for each in row["allotment"]},
        }
        assert "Wants to be called after six." in shared.rapport("show", "a-1").out
        waits = [each for each in shared.rapport("waiting", "--json").json if each["engagement"] == "a-1"]
        assert "introduce-recruiter" in {each["rule"] for each in waits}

        again = shared.rapport(*arguments)
        assert (again.code, again.out) == (0, "r-3 answers for nothing; there is nothing to hand over\n")

    def test_killed_in_the_middle_is_finished_by_the_same_command(self, shared: Any) -> None:
        names = [f"k-{number:02}" for number in range(MANY)]
        opened(shared, *names, owner="r-4")
        theirs = sum(row["owner"] == "r-4" for row in shared.rapport("list", "--json").json)
        command = ("reassign", "--from", "r-4", "--to", "r-2", "--note", "Reads every letter.")
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway", *command, "--data", str(shared.data)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        moved = moved_before_the_kill(shared, process, at_least=2)
        assert moved < MANY
        refused = shared.rapport("reassign", "--from", "r-4", "--to", "r-1")
        assert (refused.code, refused.err.count("\n")) == (2, 1)
        assert "finish that first with --resume" in refused.err

        finished = shared.rapport(*command)
        assert finished.code == 0, finished.err
        assert f"{theirs} engagements and" in finished.out
        assert "of r-4 moved, 0 skipped" in finished.out
        assert "which was begun" in finished.out
        assert set(owners(shared, "k-").values()) == {"r-2"}
        rows = [shared.rapport("show", each, "--json").json["timeline"] for each in names[:5]]
        assert [sum(row["event"] == "reassigned" for row in each) for each in rows] == [1] * 5
        nothing = shared.rapport("reassign", "--resume")
        assert (nothing.code, "nothing that was begun" in nothing.err) == (2, True)

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (("--from", "r-11", "--to", "r-1"), "--from names nobody who works here; did you mean 'r-1'"),
            (("--from", "r-1", "--to", "r-22"), "--to names nobody who works here"),
            (("--from", "r-1", "--to", "c-1"), "has the role compliance; name a recruiter"),
            (("--from", "r-1", "--to", "r-1"), "'r-1' cannot hand over to themselves"),
            (("--from", "r-1"), "either --to PERSON or --by caseload"),
            (("--from", "r-1", "--by", "age"), "--by caseload"),
            (("--resume", "--to", "r-1"), "leave out --to"),
            (("--from", "r-1", "--to", "r-2", "--note", "gone/notes.toml"), "cannot be read"),
        ],
    )
    def test_says_what_is_missing(self, shared: Any, arguments: tuple[str, ...], says: str) -> None:
        done = shared.rapport("reassign", *arguments)
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert says in done.err

    def test_refuses_a_note_about_what_does_not_move(self, shared: Any, tmp_path: Path) -> None:
        """Misspelt, it would be lost; and whom no note goes with is counted before anything moves."""
        opened(shared, "n-1", "n-2", owner="r-3")
        notes = tmp_path / "notes.toml"
        notes.write_text('n-1 = "Calls back."\nn-99 = "Lost."\n')
        command = ("reassign", "--from", "r-3", "--by", "caseload", "--note", str(notes))
        for arguments in (command, (*command, "--dry-run")):
            refused = shared.rapport(*arguments)
            assert (refused.code, refused.err.count("\n")) == (2, 1)
            assert "'n-99' is not among the engagements that move (misspelt?)" in refused.err
            assert "Lost." not in refused.err
        assert set(owners(shared, "n-").values()) == {"r-3"}

        notes.write_text('n-1 = "Calls back."\n')
        assert "without a note: 1 engagement\n" in shared.rapport(*command, "--dry-run").out
        assert shared.rapport(*command, "--json").json["without_note"] == 1
        assert "answers for nothing" in shared.rapport(*command).out


class TestAnEscalation:
    def test_to_somebody_who_is_away_goes_to_the_cover_by_mail(self, shared: Any) -> None:
        """The whole way: an absence told at the command line, a promise broken, a letter in the sink."""
        now = datetime.now(UTC)
        absence = (
            "--from",
            (now - timedelta(days=1)).isoformat(),
            "--to",
            (now + timedelta(days=9)).isoformat(),
        )
        added = shared.rapport("agency", "absence", "add", "r-1", *absence, "--cover", "r-2")
        assert added.code == 0, added.err
        late = (now - timedelta(days=7, seconds=-3)).isoformat()
        assert shared.rapport("open", "cover-1", "--owner", "r-1", "--at", late, "--name", "Quux").code == 0

        def sent() -> Any:
            rows = shared.rapport("outbox", "--state", "sent", "--json").json
            return [row for row in rows if row["engagement"] == "cover-1" and row["level"] == 1]

        [row] = until(sent, 60)
        assert row["person"] == "r-2"
        letters = [path.read_text() for path in (shared.data / "mail").rglob("*.eml")]
        [letter] = [each for each in letters if "recruiter.two@example.test" in each and "cover-1" in each]
        assert "Recruiter One (r-1), who is away" in " ".join(letter.replace("=\n", "").split())
