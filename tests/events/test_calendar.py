"""Working time, against a counter that only walks minute by minute with the zone's own clock."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.calendar import WEEKDAYS, BeyondCalendar, Calendar, parse_hours
from events.calendar_resolving import Office, Period, resolve

WEEK = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "09:00-17:30")
PERIOD = Period.around(date(2026, 3, 1))
OFFICES = {
    "london": Office("Europe/London", WEEK, "GB", "ENG", (date(2026, 12, 24),)),
    "new-york": Office("America/New_York", WEEK, "US"),
    # Both sides of the date line, a half hour's summer time, and a week of another shape.
    "kiritimati": Office("Pacific/Kiritimati", WEEK),
    "pago-pago": Office("Pacific/Pago_Pago", WEEK),
    "lord-howe": Office("Australia/Lord_Howe", WEEK, "AU"),
    "dubai": Office(
        "Asia/Dubai", {**dict.fromkeys(("mon", "tue", "wed", "thu"), "08:00-18:00"), "fri": "08:00-12:00"}
    ),
    # Open while the clocks change.
    "night": Office("Europe/Berlin", dict.fromkeys(WEEKDAYS, "00:30-04:15")),
}
CALENDARS = {name: resolve(office, PERIOD) for name, office in OFFICES.items()}
MINUTE = timedelta(minutes=1)

# Without a zone, as the strategy asks for them.
_JANUARY = datetime(2026, 1, 10)  # noqa: DTZ001
_DECEMBER = datetime(2027, 12, 1)  # noqa: DTZ001

names = st.sampled_from(sorted(CALENDARS))
# Everywhere in the year, and often close to where summer time begins and ends, and where the year does.
seams = st.sampled_from(
    [
        datetime(2026, 3, 8, tzinfo=UTC),
        datetime(2026, 3, 29, tzinfo=UTC),
        datetime(2026, 10, 25, tzinfo=UTC),
        datetime(2026, 11, 1, tzinfo=UTC),
        datetime(2026, 12, 31, tzinfo=UTC),
    ]
)
moments = st.one_of(
    st.datetimes(_JANUARY, _DECEMBER).map(lambda moment: moment.replace(tzinfo=UTC)),
    st.builds(lambda seam, hours: seam + timedelta(hours=hours), seams, st.integers(-72, 72)),
).map(lambda moment: moment.replace(second=0, microsecond=0))


def is_working(office: Office, calendar: Calendar, minute: datetime) -> bool:
    """Tell whether the minute that begins here is worked, by the zone's own clock."""
    local = minute.astimezone(ZoneInfo(office.zone))
    hours = office.hours.get(WEEKDAYS[local.weekday()])
    if hours is None or local.date() in calendar.closed:
        return False
    opens, closes = parse_hours(hours)
    return opens <= local.time() < closes


def minutes_after(moment: datetime) -> Iterator[datetime]:
    while True:
        yield moment
        moment += MINUTE


def naive_hours(office: Office, calendar: Calendar, moment: datetime, hours: int) -> datetime:
    left = hours * 60
    for minute in minutes_after(moment):
        left -= is_working(office, calendar, minute)
        if left == 0:
            return minute + MINUTE
    raise AssertionError


def naive_days(office: Office, calendar: Calendar, moment: datetime, days: int) -> datetime:
    zone = ZoneInfo(office.zone)
    begins = next(each for each in minutes_after(moment) if is_working(office, calendar, each))
    wall = begins.astimezone(zone).time()
    seen = [begins.astimezone(zone).date()]
    last = begins
    for minute in minutes_after(begins):
        local = minute.astimezone(zone)
        if len(seen) == days + 1 and local.date() != seen[-1]:
            # The day was shorter than the time of day: its close is the end.
            return last + MINUTE
        if not is_working(office, calendar, minute):
            continue
        if local.date() != seen[-1]:
            seen.append(local.date())
        last = minute
        if len(seen) == days + 1 and local.time() >= wall:
            return minute
    raise AssertionError


class TestWorkingHours:
    @given(names, moments, st.integers(1, 20))
    def test_are_those_that_a_naive_counter_counts(self, name: str, moment: datetime, hours: int) -> None:
        """Across summer time, month and year ends, holidays and the date line."""
        if name == "night":
            hours = min(hours, 6)
        assert CALENDARS[name].working_hours(moment, hours) == naive_hours(
            OFFICES[name], CALENDARS[name], moment, hours
        )

    @given(names.filter(lambda name: name != "night"), moments, st.integers(1, 40))
    def test_lead_back_to_where_they_came_from(self, name: str, moment: datetime, hours: int) -> None:
        """Forward and back again ends at the beginning, or at the opening that stands for it."""
        calendar = CALENDARS[name]
        there = calendar.working_hours(moment, hours)
        back = calendar.working_hours(there, -hours)
        assert calendar.working_hours(back, hours) == there
        assert back >= moment

    def test_are_none_on_a_day_whose_clocks_leap_over_them(self) -> None:
        """Open from half past one to two, on the night in which London's clocks go from one to two."""
        office = resolve(Office("Europe/London", {"sun": "01:30-02:00", "mon": "09:00-10:00"}), PERIOD)
        saturday = datetime(2026, 3, 28, 12, tzinfo=UTC)
        assert office.working_hours(saturday, 1) == datetime(2026, 3, 30, 9, tzinfo=UTC)
        assert office.working_hours(datetime(2026, 3, 30, 8, tzinfo=UTC), -1) < saturday

    def test_end_with_the_day_they_fill(self) -> None:
        monday = datetime(2026, 6, 1, 8, tzinfo=UTC)
        assert CALENDARS["dubai"].working_hours(monday, 6) == datetime(2026, 6, 1, 14, tzinfo=UTC)


class TestWorkingDays:
    @given(names.filter(lambda name: name != "night"), moments, st.integers(1, 6))
    def test_are_those_that_a_naive_counter_counts(self, name: str, moment: datetime, days: int) -> None:
        """The same time of day, so many days of work later."""
        assert CALENDARS[name].working_days(moment, days) == naive_days(
            OFFICES[name], CALENDARS[name], moment, days
        )

    @pytest.mark.parametrize(
        ("moment", "days", "due"),
        [
            # Friday afternoon to Tuesday afternoon, over a weekend in which summer time begins.
            ("2026-03-27T15:00+00:00", 2, "2026-03-31T14:00+00:00"),
            # Good Friday and Easter Monday are no working days in England.
            ("2026-04-02T10:00+01:00", 1, "2026-04-07T10:00+01:00"),
            # From a Saturday it counts from Monday's opening.
            ("2026-06-06T12:00+01:00", 1, "2026-06-09T09:00+01:00"),
            # Christmas Eve is the agency's own closure, and Boxing Day's substitute a Monday.
            ("2026-12-23T11:00+00:00", 1, "2026-12-29T11:00+00:00"),
            ("2026-12-31T16:00+00:00", 1, "2027-01-04T16:00+00:00"),
            # Backwards: the day before an interview on a Monday is a Friday.
            ("2026-06-08T10:00+01:00", -1, "2026-06-05T10:00+01:00"),
        ],
    )
    def test_in_london(self, moment: str, days: int, due: str) -> None:
        found = CALENDARS["london"].working_days(datetime.fromisoformat(moment), days)
        assert found == datetime.fromisoformat(due)


class TestByTime:
    @pytest.mark.parametrize(
        ("moment", "days", "due"),
        [
            ("2026-06-05T08:00+01:00", 1, "2026-06-08T17:00+01:00"),
            ("2026-06-05T23:30+01:00", 1, "2026-06-08T17:00+01:00"),
            ("2026-06-06T12:00+01:00", 1, "2026-06-08T17:00+01:00"),
            ("2026-06-06T12:00+01:00", 3, "2026-06-10T17:00+01:00"),
        ],
    )
    def test_counts_from_the_day_after(self, moment: str, days: int, due: str) -> None:
        found = CALENDARS["london"].by_time(datetime.fromisoformat(moment), days, time(17))
        assert found == datetime.fromisoformat(due)

    def test_goes_by_the_office_s_own_date(self) -> None:
        """At eleven in the morning of a Friday in Samoa it is Saturday on the other side of the date line."""
        moment = datetime(2026, 6, 5, 22, tzinfo=UTC)
        assert CALENDARS["pago-pago"].by_time(moment, 1, time(9)) == datetime(2026, 6, 8, 20, tzinfo=UTC)
        assert CALENDARS["kiritimati"].by_time(moment, 1, time(9)) == datetime(2026, 6, 7, 19, tzinfo=UTC)


class TestBeyondTheCalendar:
    @pytest.mark.parametrize(
        "moment", [datetime(2029, 12, 31, 12, tzinfo=UTC), datetime(2024, 6, 1, tzinfo=UTC)]
    )
    def test_fails_loudly(self, moment: datetime) -> None:
        """A holiday that nobody has resolved must not pass for a working day."""
        with pytest.raises(BeyondCalendar, match="policy again resolves"):
            CALENDARS["london"].working_days(moment, 3)

    def test_is_cured_by_resolving_anew(self) -> None:
        longer = resolve(OFFICES["london"], Period.around(date(2029, 6, 1)))
        assert longer.working_days(datetime(2029, 12, 31, 12, tzinfo=UTC), 1).date() == date(2030, 1, 2)
        assert date(2029, 12, 25) in longer.closed


class TestResolve:
    def test_holds_the_holidays_of_country_and_subdivision(self) -> None:
        """Only those that would have been worked: a holiday on a Sunday closes nothing."""
        closed = CALENDARS["london"].closed
        assert {date(2026, 4, 3), date(2026, 4, 6), date(2026, 12, 24), date(2026, 12, 28)} <= set(closed)
        assert all(day.weekday() < 5 for day in closed)
        assert date(2026, 7, 3) in CALENDARS["new-york"].closed

    def test_holds_each_change_of_the_clocks(self) -> None:
        changes = CALENDARS["lord-howe"].offsets
        assert {east for _, east in changes} == {630, 660}
        assert len(changes) == 1 + 2 * 5

    def test_survives_being_stored(self) -> None:
        for calendar in CALENDARS.values():
            assert Calendar.model_validate_json(calendar.model_dump_json()) == calendar
