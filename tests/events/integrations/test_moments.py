"""The times that providers write."""

from datetime import UTC, datetime
from typing import Any

import pytest

from events.integrations.moments import NoMoment, read_moment

NINE = datetime(2026, 2, 9, 9, tzinfo=UTC)


class TestReadMoment:
    @pytest.mark.parametrize(
        "written",
        [
            "2026-02-09T09:00:00Z",
            "2026-02-09T10:00:00+01:00",
            "2026-02-09 09:00:00 UTC",
            "2026-02-09T09:00:00.000Z",
            1770627600,
            1770627600000,
            1770627600.0,
            "1770627600",
            "1770627600000",
        ],
    )
    def test_reads_every_form_that_names_its_zone(self, written: Any) -> None:
        assert read_moment(written) == NINE

    @pytest.mark.parametrize("written", ["2026-02-09T10:00:00", "2026-02-09 10:00", "2026-02-09"])
    def test_guesses_no_zone(self, written: str) -> None:
        with pytest.raises(NoMoment) as refused:
            read_moment(written)
        assert (
            str(refused.value)
            == 'is a time without a zone; name the zone it is meant in, zone = "Europe/London"'
        )

    def test_takes_the_zone_that_the_mapping_names(self) -> None:
        assert read_moment("2026-07-01T10:00:00", "Europe/London") == datetime(2026, 7, 1, 9, tzinfo=UTC)

    def test_prefers_the_zone_that_is_written(self) -> None:
        assert read_moment("2026-02-09T09:00:00Z", "Asia/Tokyo") == NINE

    def test_keeps_milliseconds_exact(self) -> None:
        assert read_moment(1431454330072) == datetime(2015, 5, 12, 18, 12, 10, 72000, tzinfo=UTC)

    def test_reads_a_date_with_slashes_only_in_the_order_it_is_told(self) -> None:
        assert read_moment("04/05/2013", "UTC", "month/day/year") == datetime(2013, 4, 5, tzinfo=UTC)
        assert read_moment("04/05/2013", "UTC", "day/month/year") == datetime(2013, 5, 4, tzinfo=UTC)
        with pytest.raises(NoMoment, match="is a date with slashes; say which it is"):
            read_moment("04/05/2013", "UTC")

    @pytest.mark.parametrize(
        "written",
        [
            "tomorrow",
            "",
            "13/13/2013",
            True,
            None,
            {},
            [],
            "0001-01-01T00:00:00+14:00",
            10**30,
            float("nan"),
            10**400,
        ],
    )
    def test_says_of_what_is_no_time_that_it_is_none(self, written: Any) -> None:
        with pytest.raises(NoMoment) as refused:
            read_moment(written, "UTC", "month/day/year")
        assert str(refused.value) in ("is no time", "is a time beyond the calendar")
