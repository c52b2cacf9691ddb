"""What others read the format by is true: every kind of line and every field of it is in FORMAT.md."""

from pathlib import Path

import events.evidence
from events.evidence.checking import check
from events.evidence.lines import KINDS, parsed

PAGE = Path(events.evidence.__file__).parent / "FORMAT.md"


class TestFormat:
    def test_names_every_line_and_field_in_order(self) -> None:
        rows = {row.split("`")[1]: row for row in PAGE.read_text().splitlines() if row.startswith("| `")}
        del rows["record"]
        for name, kind in KINDS.items():
            places = [rows[name].find(f"`{field}`") for field in list(kind.model_fields)[1:]]
            assert -1 not in places, (name, list(kind.model_fields))
            assert places == sorted(places), name
        assert list(rows) == [*KINDS, "signature"]

    def test_lines_stand_in_that_order(self, opened: bytes) -> None:
        order = [*KINDS, "signature"]
        found = [order.index((parsed(line) or {})["record"]) for line in opened.splitlines()]
        assert found == sorted(found)
        assert set(found) == set(range(len(order)))
        assert check(opened).sound
