"""A table, or a mapping of one, with a mistake gets one sentence that says where it is, and quotes nobody."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from events.sources.errors import SourceError
from events.sources.table import TableFile, TableMapping, moment_of, read_rows, read_table_mapping

SHIPPED = (Path(__file__).parents[3] / "deploy" / "mappings" / "candidates.toml").read_text(encoding="utf-8")
EXAMPLE = (Path(__file__).parents[3] / "deploy" / "mappings" / "candidates.example.csv").read_bytes()

MISTAKES = {
    "no TOML": ("format = 1", "format =", "is not TOML"),
    "a key too many": ('source = "csv"', 'source = "csv"\nsauce = 1', "wrong at sauce"),
    "another source": ('source = "csv"', 'source = "xlsx"', "wrong at source"),
    "no id": ('id = "Candidate number"', "", "wrong at columns.id"),
    "an address as the id": ('id = "Candidate number"', 'id = "E-mail"', "a name or an address"),
    "no zone": ('zone = "Europe/London"', 'zone = "Europe/Nowhere"', "no iana time zone"),
    "an unknown command": ('"complete-intake"', '"complete-intaik"', "no command of an engagement"),
    "an unknown field": ("submission_id =", "submision_id =", "which it has not"),
    "an unknown reference": ('"$application"', '"$applicant"', "refers to '$applicant'"),
    "an unknown date": ('at = ["stage_since"', 'at = ["since"', "wrong at stage"),
    "a word twice": ('"offer"', '"Applied"', "explains the stage 'applied' twice"),
}


@pytest.fixture
def shipped() -> TableMapping:
    """This will be the mapping that ships."""
    return read_table_mapping(SHIPPED)


class TestReadTableMapping:
    @pytest.mark.parametrize(("right", "wrong", "says"), MISTAKES.values(), ids=MISTAKES.keys())
    def test_says_in_one_sentence_what_is_wrong(self, right: str, wrong: str, says: str) -> None:
        """What, where, and what would be right."""
        assert right in SHIPPED
        with pytest.raises(SourceError) as failed:
            read_table_mapping(SHIPPED.replace(right, wrong, 1))
        assert says in str(failed.value)
        assert "\n" not in str(failed.value)


class TestReadRows:
    def test_reads_the_example(self, shipped: TableMapping) -> None:
        """Each row with its line in the file, blank cells left out."""
        rows = read_rows(EXAMPLE, shipped)
        assert [row.line for row in rows] == [2, 3, 4, 5, 6, 7]
        assert rows[-1].cells.keys() == {"id", "name", "email", "stage", "owner", "job_order"}

    def test_counts_lines_as_an_editor_does(self, shipped: TableMapping) -> None:
        """A cell may hold several lines, and an empty line is no row."""
        head = EXAMPLE.splitlines()[0].decode()
        text = f'{head}\nC-1,"Candidate\nOne",,,,,,,,\n\nC-2,,,,,,,,,\n'
        assert [row.line for row in read_rows(text.encode(), shipped)] == [2, 5]

    def test_keeps_a_row_of_another_width_apart(self, shipped: TableMapping) -> None:
        """Its cells would be read as something else."""
        [row] = read_rows(EXAMPLE.splitlines()[0] + b"\nC-1,one too few\n", shipped)
        assert row.broken == "has 2 cells where the head has 10"
        assert not row.cells

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            (b"", "is empty"),
            (b"\xff\xfe\x00", "is not utf-8-sig text"),
            (b"Somebody,somebody@example.test\n", "has no column 'Candidate number' in its first line"),
            (EXAMPLE.replace(b"Phone", b"Name"), "has two columns 'Name'"),
            (EXAMPLE + b'C-9,"never closed\n', "is no CSV at line"),
        ],
        ids=["empty", "another encoding", "no head", "a column twice", "a quote left open"],
    )
    def test_says_why_it_is_none(self, shipped: TableMapping, content: bytes, says: str) -> None:
        """Nothing of the file's content is in the sentence: it may be somebody's name."""
        with pytest.raises(SourceError) as failed:
            read_rows(content, shipped)
        assert says in str(failed.value)
        assert "somebody" not in str(failed.value).lower()


class TestMomentOf:
    @pytest.mark.parametrize(
        ("text", "means"),
        [
            ("2026-07-01", datetime(2026, 6, 30, 23, tzinfo=UTC)),
            ("01/07/2026", datetime(2026, 6, 30, 23, tzinfo=UTC)),
            ("2026-01-01T09:30", datetime(2026, 1, 1, 9, 30, tzinfo=UTC)),
            ("2026-07-01T09:30Z", datetime(2026, 7, 1, 9, 30, tzinfo=UTC)),
            ("07/13/2026", None),
            ("yesterday", None),
        ],
    )
    def test_reads_a_date_in_the_zone_of_the_file(self, text: str, means: datetime | None) -> None:
        """A day begins where the file was written, summer time and all."""
        file = TableFile(dates=("%d/%m/%Y",), zone="Europe/London")
        assert moment_of(text, file) == means
