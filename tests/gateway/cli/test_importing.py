"""Moving in by the command line: the shipped example, mistakes in one sentence, nothing personal anywhere."""

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import workers

if TYPE_CHECKING:
    from tests.gateway.cli.conftest import Running

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.temporal]

FOLDER = Path(workers.__file__).parent.parent / "deploy" / "mappings"
TABLE, MAPPING = FOLDER / "candidates.example.csv", FOLDER / "candidates.toml"
AMONG_OTHERS = True
PERSONAL = ("Candidate One", "one@example.test", "7946 0001", "C-1001")


@pytest.fixture(scope="module")
def told(shared: "Running", tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """This will be the report of the example's import, beside the account of its rows."""
    account = tmp_path_factory.mktemp("account") / "rows.csv"
    done = shared.rapport(
        "import", "csv", str(TABLE), "--map", str(MAPPING), "--account", str(account), "--json"
    )
    assert done.code == 0, done.err
    assert not done.err
    report: dict[str, Any] = done.json
    return {**report, "account": list(csv.DictReader(account.read_text(encoding="utf-8").splitlines()))}


class TestImportCsv:
    def test_accounts_for_every_row(self, told: dict[str, Any]) -> None:
        """Also for the one that says no date, with its line."""
        assert told["accounted"]
        assert told["rows"] == {
            "already-there": 0,
            "reported": 0,
            "imported": 5,
            "left-aside": 1,
            "beyond-limit": 0,
        }
        assert [each["place"] for each in told["left_aside"]] == [7]
        assert [(each["row"], each["outcome"]) for each in told["account"]] == [
            *((str(line), "imported") for line in range(2, 7)),
            ("7", "left-aside"),
        ]

    def test_leaves_engagements_that_live(self, shared: "Running", told: dict[str, Any]) -> None:
        """All but the archived one run, and the record agrees with what runs."""
        assert told["went_live"]["engagement"] == 4
        listed = shared.rapport("list", "--json").json
        stages = [each["stage"] for each in listed]
        assert sorted(stages) == ["closed", "intake", "intake", "interview", "submission"]
        verified = shared.rapport("verify", "--all", "--json")
        assert verified.code == 0, verified.out
        assert verified.json["mismatches"] == 0

    def test_keeps_what_is_personal_sealed(self, shared: "Running", told: dict[str, Any]) -> None:
        """Who may read it sees it; no id, no report and no process log holds it."""
        ids = [each["engagement"] for each in shared.rapport("list", "--json").json]
        shown = [shared.rapport("show", each).out for each in ids]
        assert any("Candidate One" in each for each in shown)
        apart = json.dumps(told) + json.dumps(ids) + shared.logs()
        assert not [each for each in PERSONAL if each in apart]

    def test_again_changes_nothing(self, shared: "Running", told: dict[str, Any]) -> None:
        """The key is kept in the data directory: the same table gives the same ids."""
        again = shared.rapport("import", "csv", str(TABLE), "--map", str(MAPPING), "--json").json
        assert again["events"] == 0
        assert again["rows"]["already-there"] == told["rows"]["imported"]

    def test_tells_people_what_it_did(self, shared: "Running", told: dict[str, Any]) -> None:
        """In words, with each row that needs somebody."""
        done = shared.rapport("import", "csv", str(TABLE), "--map", str(MAPPING))
        assert "6 rows read" in done.out
        assert "left aside: row 7: has no date at all" in done.out


class TestMistakes:
    @pytest.mark.parametrize(
        ("source", "mapping", "says"),
        [
            ("nowhere.csv", "candidates.toml", "cannot be read: no such file"),
            ("candidates.example.csv", "nowhere.toml", "the mapping"),
            ("candidates.toml", "candidates.toml", "no column 'Candidate number'"),
            ("candidates.example.csv", "recruiting.toml", "the mapping is wrong at source"),
        ],
    )
    def test_get_one_sentence(self, shared: "Running", source: str, mapping: str, says: str) -> None:
        """What is wrong and where; nothing was written."""
        done = shared.rapport("import", "csv", str(FOLDER / source), "--map", str(FOLDER / mapping))
        assert done.code == 2
        assert says in done.err
        assert done.err.count("\n") == 1

    def test_people_who_do_not_work_here_are_named_by_their_ids(
        self, shared: "Running", tmp_path: Path
    ) -> None:
        """With the row that names them first."""
        table = tmp_path / "table.csv"
        table.write_text(TABLE.read_text(encoding="utf-8").replace("r-1", "r-99"), encoding="utf-8")
        done = shared.rapport("import", "csv", str(table), "--map", str(MAPPING))
        assert done.code == 2
        assert f"names people who do not work for '{shared.agency}': r-99 (row 6)" in done.err
