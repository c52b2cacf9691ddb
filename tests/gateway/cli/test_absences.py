"""Who is away, told and asked at the command line."""

from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.postgres]
AMONG_OTHERS = True


class TestAbsences:
    def test_are_added_listed_and_ended(self, shared: Any) -> None:
        added = shared.rapport(
            "agency", "absence", "add", "t-1", "--from", "2026-01-05", "--to", "2100-01-12T09:00:00+01:00",
            "--cover", "r-1", "--zone", "Europe/Zurich", "--json",
        )  # fmt: skip
        assert added.code == 0, added.err
        row = added.json
        assert (row["person"], row["cover"], row["reaches"], row["state"]) == ("t-1", "r-1", "r-1", "now")
        assert (row["from"], row["outcome"]) == ("2026-01-04T23:00:00.000000Z", "accepted")

        again = shared.rapport(
            "agency", "absence", "add", "t-1", "--from", "2026-01-05", "--to", "2100-01-12T09:00:00+01:00",
            "--cover", "r-1", "--zone", "Europe/Zurich",
        )  # fmt: skip
        assert "(recorded before)" in again.out

        people = {each["person"]: each for each in shared.rapport("agency", "people", "--json").json}
        assert (people["t-1"]["goes_to"], people["t-1"]["team"]) == ("r-1", "north")
        assert "r-1 stands in" in shared.rapport("agency", "people").out
        listed = shared.rapport("agency", "absence", "list")
        assert row["absence_id"] in listed.out

        ended = shared.rapport("agency", "absence", "end", row["absence_id"])
        assert (ended.code, ended.err) == (0, "")
        assert row["absence_id"] not in shared.rapport("agency", "absence", "list").out
        [over] = shared.rapport("agency", "absence", "list", "--all", "--json").json
        assert (over["absence_id"], over["state"]) == (row["absence_id"], "over")

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (("r-9", "--from", "2026-02-01", "--to", "2026-02-03"), "names nobody who works here"),
            (("r-1", "--from", "2026-02-03", "--to", "2026-02-01"), "'ends_at' must be later"),
            (("r-1", "--from", "monday", "--to", "2026-02-01"), "--from is no time"),
            (
                ("r-1", "--from", "2026-02-01", "--to", "2026-02-03", "--zone", "Nowhere"),
                "--zone is no time zone",
            ),
            (
                ("r-1", "--from", "2026-02-01", "--to", "2026-02-03", "--cover", "r-1"),
                "cannot stand in for themselves",
            ),
        ],
    )
    def test_are_refused_in_one_sentence(self, shared: Any, arguments: tuple[str, ...], says: str) -> None:
        done = shared.rapport("agency", "absence", "add", *arguments)
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert says in done.err


class TestAMisspeltPerson:
    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (
                ("e-quiet", "assign", "owner=r-11"),
                "assign: 'owner' names nobody who works here; did you mean 'r-1'?",
            ),
            (
                ("e-quiet", "record-contact", "channel=phone", "by=zz"),
                "'rapport agency people' lists everybody",
            ),
            (("e-quiet", "resume", "--actor", "person:t1"), "resume: 'actor' names nobody"),
            (("job-order:j-1", "open-job-order", "owner=r2"), "open-job-order: 'owner' names nobody"),
            (("agency:acme", "hold-outreach", "reason=test", "by=t-11"), "hold-outreach: 'by' names nobody"),
        ],
    )
    def test_is_told_before_anything_is_written(
        self, shared: Any, arguments: tuple[str, ...], says: str
    ) -> None:
        done = shared.rapport("do", *(each.replace("acme", shared.agency) for each in arguments))
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert says in done.err
