"""An operator's commands on a stack that runs."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import gateway
from gateway.cli.connect import Options, Session, perform
from tests.gateway.cli.waiting import until
from workflows.types import ENGAGEMENTS_QUEUE, SWEEP_ID, WORKFLOW, workflow_id

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.temporal]

ROOT = Path(gateway.__file__).parent.parent
WORDS = "likes quiet harbours"


@pytest.fixture(scope="module")
def engagement(shared: Any) -> str:
    """This will be an engagement with a talk, a refusal and a signal."""
    opened = shared.rapport("open", "e-life", "--name", "Zebulon Quuxworth", "--owner", "r-1")
    assert opened.code == 0, opened.err
    talk = ("record-contact", "channel=phone", f"note={WORDS}", "--actor", "person:r-1")
    for arguments in (
        ("propose-job", "job_order_id=j-1", "by=r-1"),
        (*talk, "--command-id", "talk-1"),
        ("complete-intake",),
    ):
        assert shared.rapport("do", "e-life", *arguments).code in (0, 1)
    return "e-life"


class TestShow:
    def test_names_what_differs_between_two_versions(self, shared: Any, engagement: str) -> None:
        whole = shared.rapport("show", engagement, "--json").json
        last = whole["version"]
        told = shared.rapport("show", engagement, "--diff", "1", "--json").json
        first, now = (
            shared.rapport("show", engagement, "--at", str(each), "--json").json["state"]
            for each in (1, last)
        )

        assert (told["diff"]["from"], told["diff"]["to"]) == (1, last)
        fields = {each["path"][0] for each in told["diff"]["changes"]}
        assert fields == {name for name in now if now[name] != first[name]}
        text = shared.rapport("show", engagement, "--diff", "1").out
        assert "  intake_completed: no → yes" in text
        assert "  conversations: 0 → 1" in text

    def test_keeps_to_the_world_in_business_depth(self, shared: Any, engagement: str) -> None:
        text = shared.rapport("show", engagement, "--depth", "business").out

        assert "Intake completed" in text
        assert "Promise keep-in-touch" not in text
        assert "talk-1" not in text
        assert "talk-1" in shared.rapport("show", engagement).out

    def test_prints_what_is_stored_line_by_line(self, shared: Any, engagement: str) -> None:
        lines = shared.rapport("show", engagement, "--depth", "raw").out.splitlines()

        assert [json.loads(line)["version"] for line in lines] == [*range(1, len(lines) + 1)]
        assert WORDS not in "".join(lines)

    def test_knows_three_depths(self, shared: Any, engagement: str) -> None:
        done = shared.rapport("show", engagement, "--depth", "deepest")

        assert (done.code, done.err.count("\n")) == (2, 1)


class TestWhy:
    def test_tells_command_rule_policy_and_chain(self, shared: Any, engagement: str) -> None:
        rows = shared.rapport("show", engagement, "--json").json["timeline"]
        met = next(row for row in rows if row["event"] == "obligation-met")

        told = shared.rapport("why", engagement, str(met["version"]), "--json").json
        text = shared.rapport("why", engagement, met["event_id"]).out

        assert told["command"]["outcome"] == "accepted"
        assert told["command"]["id"] == "talk-1"
        assert told["rule"]["id"] == "keep-in-touch"
        assert told["policy"]["name"] == "starter"
        assert [link["event"] for link in told["chain"]] == ["obligation-met", "contact-made"]
        assert told["obligation"]["ended"] == "met"
        assert "No candidate goes 7 days without a real talk" in text
        assert WORDS in text

    def test_quotes_the_gate_that_refused(self, shared: Any, engagement: str) -> None:
        rows = shared.rapport("show", engagement, "--json").json["timeline"]
        refused = next(row for row in rows if row["event"] == "command-refused")

        told = shared.rapport("why", engagement, str(refused["version"]), "--json").json

        assert (told["rule"]["kind"], told["command"]["outcome"]) == ("gate", "refused")
        assert told["rule"]["remedy"]

    def test_follows_a_cause_into_another_stream(self, shared: Any) -> None:
        """A submission of ours is received by the job order, and says so in its own stream."""
        assert shared.rapport("open", "e-chain", "--owner", "r-1").code == 0
        assert shared.rapport("do", "job-order:j-chain", "open-job-order", "client_id=k-1").code == 0
        given = ("record-submission", "job_order_id=j-chain", "submission_id=s-chain", "by=r-1")
        done = shared.rapport("do", "e-chain", *given)
        assert done.code == 0, done.err
        until(lambda: "submission-received" in shared.rapport("show", "job-order:j-chain", "--json").out)
        rows = shared.rapport("show", "job-order:j-chain", "--json").json["timeline"]
        received = next(row for row in rows if row["event"] == "submission-received")

        told = shared.rapport("why", "job-order:j-chain", str(received["version"]), "--json").json

        assert [(link["stream"], link["event"]) for link in told["chain"]] == [
            ("job-order:j-chain", "submission-received"),
            ("engagement:e-chain", "submitted"),
        ]

    def test_says_what_it_does_not_find(self, shared: Any, engagement: str) -> None:
        done = shared.rapport("why", engagement, "999")

        assert (done.code, done.err.count("\n")) == (2, 1)


class TestHistory:
    def test_lays_both_records_side_by_side(self, shared: Any, engagement: str) -> None:
        until(lambda: len(shared.rapport("history", engagement, "--json").json["runs"]) == 1)

        told = shared.rapport("history", engagement, "--json").json
        text = shared.rapport("history", engagement).out

        rows = told["events"]
        sides = {side: [row for row in rows if row["side"] == side] for side in ("domain", "temporal")}
        assert [row["id"] for row in sides["domain"]] == [*range(1, told["version"] + 1)]
        assert [row["id"] for row in sides["temporal"]] == [*range(1, told["runs"][0]["events"] + 1)]
        assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)
        accepted = [row for row in sides["temporal"] if row["type"] == "WorkflowExecutionUpdateAccepted"]
        assert ("talk-1", "record-contact") in [(row["command_id"], row["says"]) for row in accepted]
        assert any("Next step of" in row["says"] for row in sides["temporal"])
        # What people said is only where ``show`` shows it.
        assert not any(WORDS in row["says"] for row in sides["temporal"])
        assert text.count(WORDS) == 1


class TestTimers:
    def test_say_what_comes_next_and_whom_it_reaches(self, shared: Any, engagement: str) -> None:
        rows = shared.rapport("timers", "--json").json

        [mine] = [row for row in rows if (row["engagement"], row["rule"]) == (engagement, "keep-in-touch")]
        assert (mine["do"], mine["to"], mine["person"]) == ("remind", "owner", "r-1")
        assert mine["person_name"] == "Recruiter One"
        assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)
        assert "Recruiter One (r-1)" in shared.rapport("timers").out


class TestTail:
    def test_prints_what_there_is_and_ends(self, shared: Any, engagement: str) -> None:
        lines = shared.rapport("tail", "--once").out.splitlines()
        mine = shared.rapport("tail", "--once", "--filter", f"stream={engagement}", "--json").out.splitlines()

        assert [int(line.split()[0]) for line in lines] == [*range(1, len(lines) + 1)]
        assert {json.loads(line)["stream"] for line in mine} == {f"engagement:{engagement}"}
        assert "Zebulon" not in "".join((*lines, *mine))
        assert WORDS not in "".join((*lines, *mine))
        after = shared.rapport("tail", "--once", "--since", str(len(lines) - 1)).out
        assert after.splitlines() == lines[-1:]

    def test_follows_until_it_is_interrupted(self, shared: Any, engagement: str) -> None:
        with subprocess.Popen(
            [sys.executable, "-m", "gateway", "tail", "--filter", "type=attempt-made", "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            attempt = ("record-attempt", "channel=phone", "by=r-1")
            assert shared.rapport("do", engagement, *attempt).code == 0
            assert process.stdout is not None
            told = json.loads(process.stdout.readline())
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=20)

        assert told["type"] == "attempt-made"
        assert (process.returncode, out, err) == (0, "", "")


class TestStuck:
    def test_finds_nothing_where_all_is_well(self, shared: Any, engagement: str) -> None:
        """A stream trails its last append until the sweep comes, and that is no fault."""
        done = shared.rapport("stuck", "--json")

        assert (done.code, done.json["stuck"]) == (0, 0), done.out
        assert "0 stuck" in shared.rapport("stuck").out

    def test_names_a_workflow_whose_task_fails_and_a_parked_message(self, shared: Any) -> None:
        name = workflow_id("acme", "e-broken")

        async def plant(session: Session) -> None:
            client, ledger = await session.temporal("acme"), session.having.ledger
            # An input that no version of ours has ever written: every attempt at its task fails.
            await client.start_workflow(WORKFLOW, "no input", id=name, task_queue=ENGAGEMENTS_QUEUE)
            await ledger.claim(
                "acme", "effect-1", "engagement:e-parked", "email", "<1>", stale_after=timedelta(minutes=5)
            )
            await ledger.finish("acme", "effect-1", 1, "unknown", "connection-lost")

        async def end(session: Session) -> None:
            client = await session.temporal("acme")
            await client.get_workflow_handle(name).terminate("the test is over")
            await session.having.ledger.finish("acme", "effect-1", 1, "failed", "given-up")

        perform(Options(), plant)
        try:
            until(lambda: name in shared.rapport("stuck", "--json").out)
            done = shared.rapport("stuck", "--json")
            text = shared.rapport("stuck").out
        finally:
            perform(Options(), end)

        assert done.code == 1
        found = {each["kind"]: each for each in done.json["findings"] if each["stuck"]}
        assert set(found) == {"workflow-task", "effect"}
        assert found["workflow-task"]["name"] == name
        assert found["workflow-task"]["attempt"] > 1
        assert found["workflow-task"]["reason"]
        assert (found["effect"]["name"], found["effect"]["reason"]) == (
            "engagement:e-parked",
            "connection-lost",
        )
        assert f"stuck: {name}: its workflow task is at attempt" in text
        until(lambda: shared.rapport("stuck").code == 0)

    def test_shows_how_far_a_stream_is_ahead(self, shared: Any) -> None:
        assert shared.rapport("open", "e-ahead", "--owner", "r-1").code == 0

        done = shared.rapport("stuck", "--patience", "0", "--json")

        [found] = [each for each in done.json["findings"] if each["name"] == "engagement:e-ahead"]
        assert (found["kind"], found["stuck"], done.code) == ("stream-ahead", True, 1)
        assert found["version"] > found["folded"]
        assert f"(version {found['version']}, acknowledged {found['folded']})" in found["says"]
        assert (found["poked"], found["poked_at"], found["poked_version"]) == (False, None, None)
        assert "which the sweep has not poked yet" in found["says"]
        assert found["age_seconds"] >= 0
        # Whoever pokes it, as the sweep does once a version, lets it acknowledge all there is.
        assert shared.rapport("verify", "e-ahead").code == 0
        names = [
            each["name"] for each in shared.rapport("stuck", "--patience", "0", "--json").json["findings"]
        ]
        assert "engagement:e-ahead" not in names

    def test_says_that_the_sweep_is_paused(self, shared: Any) -> None:
        """Then nobody closes the hole that a crash leaves; a worker that starts does not resume it either."""

        async def toggle(session: Session) -> None:
            handle = (await session.temporal("acme")).get_schedule_handle(SWEEP_ID)
            if (await handle.describe()).schedule.state.paused:
                await handle.unpause()
            else:
                await handle.pause()

        perform(Options(), toggle)
        try:
            done, text = shared.rapport("stuck", "--json"), shared.rapport("stuck").out
        finally:
            perform(Options(), toggle)

        [found] = [each for each in done.json["findings"] if each["kind"] == "sweep"]
        assert (done.code, found["name"], found["reason"]) == (1, SWEEP_ID, "paused")
        assert f"stuck: {SWEEP_ID}: the sweep is paused" in text
        assert shared.rapport("stuck").code == 0


@pytest.fixture
def other_code(shared: Any, tmp_path: Path) -> Callable[..., Any]:
    """This will replay with another checkout of the code, in which one line is another."""

    def replay(line: str, instead: str, *arguments: str) -> Any:
        for name in ("events", "activities", "workflows", "workers", "gateway"):
            shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        changed = tmp_path / "workflows" / "engagement.py"
        assert changed.read_text().count(line) == 1
        changed.write_text(changed.read_text().replace(line, instead))
        return subprocess.run(
            [sys.executable, "-m", "gateway", "replay", "--json", *arguments],
            env={**os.environ, "PYTHONPATH": str(tmp_path), "RAPPORT_DATA_DIR": str(shared.data)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return replay


class TestReplay:
    def test_passes_what_runs_under_the_code_that_is_here(self, shared: Any, engagement: str) -> None:
        until(lambda: shared.rapport("replay", "--json").json["replayed"] >= 1)

        done = shared.rapport("replay")

        assert done.code == 0, done.out
        assert "0 would not go on" in done.out

    def test_names_workflow_and_event_of_a_planted_change(
        self,
        shared: Any,
        engagement: str,
        monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        """A change that forgets the timer: what runs would never escalate again."""
        monkeypatch.setattr("workflows.engagement.next_due", lambda state: None)

        name = workflow_id("acme", engagement)
        done = shared.rapport("replay", "--query", f"WorkflowId = '{name}'", "--json")

        [failure] = done.json["failures"]
        assert (done.code, done.json["replayed"], done.json["failed"]) == (1, 1, 1)
        assert (failure["workflow_id"], failure["kind"]) == (name, "nondeterminism")
        assert failure["event_type"] == "TimerStarted"
        history = shared.rapport("history", engagement, "--json").json
        [event] = [
            row
            for row in history["events"]
            if (row["run_id"], row["id"]) == (failure["run_id"], failure["event_id"])
        ]
        assert event["type"] == "TimerStarted"
        text = shared.rapport("replay", "--query", f"WorkflowId = '{name}'").out
        assert f"{name} run {failure['run_id']} goes another way at event {failure['event_id']}" in text
        # The library writes its log past Python; a script must get our answer alone.
        assert capfd.readouterr().out == ""

    @pytest.mark.parametrize(
        ("planted", "event_type"),
        [
            ("await workflow.sleep(1)", "MarkerRecorded"),
            (
                "await workflow.execute_activity('audit', start_to_close_timeout=timedelta(seconds=9))",
                "MarkerRecorded",
            ),
            ("pass", None),
        ],
        ids=["another-timer", "another-activity", "no-other-command"],
    )
    def test_is_the_gate_for_another_checkout(
        self,
        shared: Any,
        engagement: str,
        other_code: Callable[..., Any],
        planted: str,
        event_type: str | None,
    ) -> None:
        """As before a deploy: the new code, a real server, and what the old code left running there."""
        name, line = workflow_id("acme", engagement), "        await self._writer.begin("
        query = ("--query", f"WorkflowId = '{name}'")

        done = other_code(line, f"        {planted}\n{line}", *query)

        told = json.loads(done.stdout)
        assert (done.returncode, told["replayed"]) == (0 if event_type is None else 1, 1), done.stderr
        found = [(each["workflow_id"], each["kind"], each["event_type"]) for each in told["failures"]]
        assert found == ([] if event_type is None else [(name, "nondeterminism", event_type)])
        rows = shared.rapport("history", engagement, "--json").json["events"]
        types = {(row["run_id"], row["id"]): row["type"] for row in rows if "run_id" in row}
        assert all(types[each["run_id"], each["event_id"]] == event_type for each in told["failures"])

    def test_says_what_is_wrong_with_a_query(self, shared: Any) -> None:
        done = shared.rapport("replay", "--query", "Nonsense = = 1")

        assert (done.code, done.err.count("\n")) == (2, 1)
        assert "--query" in done.err


class TestCheck:
    def test_finds_that_all_of_a_stack_answers(self, shared: Any) -> None:
        done = shared.rapport("check", "--json")
        answers = {each["what"]: each["verdict"] for each in done.json["answers"]}
        assert done.code == 0
        assert answers == {
            "settings": "ok",
            "PostgreSQL": "ok",
            "Temporal": "ok",
            "worker": "ok",
            "sweep": "ok",
            "SMTP": "warning",
            "public URL": "warning",
        }
