"""A row becomes the story of one engagement, or is left aside with one sentence that quotes nothing of it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from events.sources.candidates import plan_of_candidates
from events.sources.errors import SourceError
from events.sources.plan import Plan
from events.sources.pseudonyms import Pseudonyms
from events.sources.table import read_rows, read_table_mapping

FOLDER = Path(__file__).parents[3] / "deploy" / "mappings"
SHIPPED = (FOLDER / "candidates.toml").read_text(encoding="utf-8")
EXAMPLE = (FOLDER / "candidates.example.csv").read_text(encoding="utf-8")
HEAD = EXAMPLE.splitlines()[0]
KEY = Pseudonyms(b"a key for the tests only")


def planned(*rows: str, mapping: str = SHIPPED, limit: int | None = None, key: Pseudonyms = KEY) -> Plan:
    """Plan a table of these rows."""
    meaning = read_table_mapping(mapping)
    content = "\n".join((HEAD, *rows))
    return plan_of_candidates(read_rows(content.encode(), meaning), meaning, key, limit=limit)


def told(plan: Plan) -> list[tuple[str, str]]:
    """Tell which command comes on which day."""
    return [(step.name, f"{step.at:%Y-%m-%d}") for step in plan.steps]


class TestARow:
    def test_is_told_in_the_order_of_time(self) -> None:
        """Opened, assigned, applied, submitted, asked for, spoken with: each on its own day."""
        plan = planned("C-1,,,,Interview,r-1,2026-11-24,2026-09-01,2026-10-05,Head of Design")
        assert told(plan) == [
            ("open-engagement", "2026-08-31"),  # midnight of a summer's day in London
            ("assign", "2026-08-31"),
            ("record-submission", "2026-10-04"),
            ("request-interview", "2026-10-04"),
            ("record-contact", "2026-11-24"),
        ]
        assert plan.steps[2].data["job_order_id"] == "jo-design"

    def test_needs_no_more_than_stage_owner_and_last_contact(self) -> None:
        """The relationship begins with what the table knows, and that is counted as assumed."""
        plan = planned("C-1,,,,Talking,r-1,2026-11-24,,,")
        assert [name for name, _ in told(plan)] == ["open-engagement", "assign", "record-contact"]
        assert plan.assumed == 1

    def test_whose_stage_is_over_ends_closed(self) -> None:
        """What was archived before has a record, and no future."""
        assert planned("C-1,,,,archived,r-1,2026-11-24,,,").steps[-1].name == "close-engagement"

    def test_without_a_date_begins_when_the_table_was_made(self) -> None:
        """Who was never spoken with is the very one who must not be lost."""
        plan = planned("C-1,,,,Talking,r-1,,,,", mapping=SHIPPED.replace("# as_of", "as_of"))
        assert told(plan) == [("open-engagement", "2026-11-20"), ("assign", "2026-11-20")]
        assert plan.until == datetime(2026, 11, 20, tzinfo=UTC)

    def test_without_an_owner_gets_the_mappings(self) -> None:
        """Somebody must answer for them."""
        plan = planned("C-1,,,,Talking,,2026-11-24,,,", mapping=SHIPPED.replace("# owner", "owner"))
        assert plan.steps[1].data == {"owner": "r-1"}

    @pytest.mark.parametrize(
        ("row", "says"),
        [
            (",Quux,,,Talking,r-1,2026-11-24,,,", "nothing in the column 'Candidate number'"),
            ("C-1,Quux,,,Talking,r-1,Quux,,,", "no date in the column 'Last contact'"),
            ("C-1,Quux,,,Talking,r-1,,,,", "no date at all"),
            ("C-1,Quux,,,Talking,,2026-11-24,,,", "names no owner"),
            ("C-1,Quux,,,Quux,r-1,2026-11-24,,,", "a word in the column 'Stage'"),
            ("C-1,Quux,,,Submitted,r-1,2026-11-24,,,", "needs the job-order"),
            ("C-1,Quux", "has 2 cells"),
        ],
        ids=["no id", "a bad date", "no date", "no owner", "an unknown stage", "no job", "cut off"],
    )
    def test_that_is_wrong_is_left_aside_with_its_line(self, row: str, says: str) -> None:
        """The others are told; the sentence names the column and never what stands there."""
        plan = planned(row, "C-2,,,,Talking,r-1,2026-11-24,,,")
        [aside] = plan.left_aside
        assert aside.place == 2
        assert says in aside.reason
        assert "Quux" not in aside.reason
        assert {step.place for step in plan.steps} == {3}


class TestIds:
    def test_hold_nothing_of_the_table(self) -> None:
        """Under another key they are others; nothing personal is in them."""
        row = "C-1,Quux,quux@example.test,+44,Interview,r-1,2026-11-24,,2026-10-05,Night Nurse"
        first, second = planned(row), planned(row, key=Pseudonyms(b"another key, as long as it must be"))
        ids = {each for step in first.steps for each in (step.stream, step.command_id)}
        assert not ids & {each for step in second.steps for each in (step.stream, step.command_id)}
        plain = {"owner", "by", "opened_from", "candidate_name", "email", "phone", "channel"}
        for step in first.steps:
            held = [step.stream, step.command_id, *(str(v) for k, v in step.data.items() if k not in plain)]
            assert not [each for each in held if "C-1" in each or "Quux" in each or "Night" in each]

    def test_stay_where_a_newer_table_says_the_same(self) -> None:
        """Rows may move: a command is known by what it says, not by its line."""
        before = planned("C-1,,,,Talking,r-1,2026-11-20,2026-09-01,,")
        after = planned("C-2,,,,Talking,r-1,2026-11-24,,,", "C-1,,,,Ready,r-1,2026-11-24,2026-09-01,,")
        known = {step.command_id for step in before.steps}
        fresh = [step.name for step in after.steps if step.place == 3 and step.command_id not in known]
        assert fresh == ["complete-intake", "record-contact"]


class TestPeople:
    def test_stand_for_the_names_in_the_table(self) -> None:
        """The mapping says who is who."""
        assert planned("C-1,,,,Talking,Recruiter Two,2026-11-24,,,").steps[1].data == {"owner": "r-2"}

    def test_whom_nobody_stands_for_stop_the_import(self) -> None:
        """A promise that nobody owes would be broken in silence; the sentence names lines, not people."""
        with pytest.raises(SourceError) as failed:
            planned("C-1,,,,Talking,Quux Quuxson,2026-11-24,,,")
        assert "names owners by something that is no id (line 2)" in str(failed.value)
        assert "Quux" not in str(failed.value)


class TestALimit:
    def test_takes_the_first_candidates_with_all_their_rows(self) -> None:
        """The rest is counted."""
        rows = (
            "C-1,,,,Talking,r-1,2026-11-20,,,",
            "C-2,,,,Talking,r-1,2026-11-20,,,",
            "C-1,,,,Applied,r-1,2026-11-20,,,A",
        )
        plan = planned(*rows, limit=1)
        assert {step.place for step in plan.steps} == {2, 4}
        assert plan.beyond_limit == 1


class TestAnEmptyTable:
    def test_is_no_table(self) -> None:
        """A head alone is a mistake that deserves a sentence."""
        with pytest.raises(SourceError, match="no row but its head"):
            planned()
