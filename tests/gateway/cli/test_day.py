"""A day by hand, as the README tells it, through the command line alone."""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

import workers
from workflows.types import workflow_id

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.temporal]

ROOT = Path(workers.__file__).parent.parent
NAME = "Candidate Quuxworth"
WORDS = "wants to design suspension bridges"
REASON = "because the team still draws by hand"
PERSONAL = ("Quuxworth", "suspension", "draws by hand", "quuxworth@")
AS_RECRUITER = ("--actor", "person:r-1")


def texts(value: Any) -> Iterator[str]:
    """Yield every text in a JSON value, and what each text holds if it is base64."""
    match value:
        case dict():
            for each in value.values():
                yield from texts(each)
        case list():
            for each in value:
                yield from texts(each)
        case str():
            yield value
            try:
                yield base64.b64decode(value, validate=True).decode(errors="replace")
            except ValueError:
                return


class TestDay:
    @pytest.mark.timeout(400)
    def test_reads_well_everywhere_and_shows_nobody_the_candidates_words(
        self, up: Callable[[], Any], in_process: Callable[[Any], Any]
    ) -> None:
        running = in_process(up())
        rapport = running.rapport

        def done(*arguments: str) -> None:
            answer = rapport("do", *arguments)
            assert answer.code == 0, answer.err

        people = str(ROOT / "deploy" / "agencies" / "example.toml")
        assert rapport("agency", "load", people, "--agency", "acme").code == 0
        assert "as they were" in rapport("agency", "load", people).out
        done("job-order:j-1", "open-job-order", "client_id=k-1", "owner=r-2", "title=Bridge engineer")
        opened = rapport("open", "--name", NAME, "--email", "quuxworth@example.test", "--owner", "r-1")
        engagement = opened.out.strip()
        assert opened.code == 0, opened.err

        refused = rapport("do", engagement, "propose-job", "job_order_id=j-1", *AS_RECRUITER)
        assert refused.code == 1
        assert "know-each-other-first" in refused.err
        assert "What would help: " in refused.err

        done(engagement, "record-contact", "channel=phone", f"note={WORDS}", *AS_RECRUITER)
        done(engagement, "introduce-recruiter", *AS_RECRUITER)
        for facet in ("goal", "like", "value"):
            done(engagement, "record-facet", f"facet={facet}", f"words={WORDS}", *AS_RECRUITER)
        done(engagement, "play-back-profile", *AS_RECRUITER)
        done(engagement, "confirm-profile")
        done(engagement, "complete-intake")
        done(engagement, "propose-job", "job_order_id=j-1", "fit=80", f"reason={REASON}", *AS_RECRUITER)
        done(
            engagement, "grant-right-to-represent", "job_order_id=j-1", "evidence=system", "evidence_ref=m-1"
        )
        done(engagement, "submit", "job_order_id=j-1", "submission_id=s-1", *AS_RECRUITER)
        start = "starts_at=2031-02-12T10:00:00+01:00"
        done(engagement, "schedule-interview", "submission_id=s-1", "interview_id=i-1", start)
        workflow = workflow_id("acme", engagement)
        result = json.dumps({"interview_id": "i-1", "result": "advance"})
        running.temporal(
            "workflow",
            "signal",
            "--workflow-id",
            workflow,
            "--name",
            "record-interview-result",
            "--input",
            result,
        )

        verified = rapport("verify", "--all", "--json")
        assert verified.code == 0, verified.err
        assert (verified.json["verified"], verified.json["mismatches"]) == (1, 0)
        self._reads_well(rapport, engagement)

        history = running.temporal("workflow", "show", "--workflow-id", workflow, "--output", "json")
        assert "schedule-interview" in history
        assert "record-interview-result" in history
        seen = "\n".join(texts(json.loads(history))) + history
        # Sealed after all: what the CLI signalled in clear is there, what is personal is not.
        assert '"advance"' in seen
        assert [each for each in PERSONAL if each in seen] == []

        family = running.family()
        assert running.stop() == 0
        assert psutil.wait_procs(family, timeout=10)[1] == []
        assert not (running.data / "stack.json").exists()
        assert [each for each in PERSONAL if each in running.logs()] == []
        assert rapport("list").code == 2

    def _reads_well(self, rapport: Callable[..., Any], engagement: str) -> None:
        shown = rapport("show", engagement)
        assert shown.code == 0
        for sentence in (
            NAME,
            "Refused propose-job by gate know-each-other-first",
            f"r-1 talked with the candidate by phone: “{WORDS}”",
            "Intake completed",
            f"r-1 proposed job order j-1 (fit 80 of 100): “{REASON}”",
            "Candidate agreed to be represented for job order j-1 (system)",
            "Submission s-1 sent for job order j-1 by r-1",
            "Interview i-1 for submission s-1 scheduled for 12 Feb 2031 09:00 UTC",
            "Result of interview i-1: advance",
            "stage interview",
        ):
            assert sentence in shown.out
        earlier = rapport("show", engagement, "--at", "1", "--json").json
        assert (earlier["version"], earlier["state"]["stage"]) == (1, "intake")
        [row] = rapport("list", "--json").json
        assert (row["engagement"], row["stage"], row["owner"]) == (engagement, "interview", "r-1")
        promises = rapport("waiting", "--json").json
        told = {(each["rule"], each["owner"], each["owner_name"]) for each in promises}
        # The client's word is owed by whoever answers for the client's job, or for the candidate.
        assert ("keep-in-touch", "r-1", "Recruiter One") in told
        assert "tell-decision" in {each["rule"] for each in promises}
