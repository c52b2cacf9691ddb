"""An office's working time, compiled to plain dates and offsets: which moment is so much working time away.

No time zone and no list of holidays is looked up here: both were resolved when the policy was compiled, so
that no update of a library can ever move what was promised.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from events.canonical import instant
from events.errors import CallerError

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY: Final = timedelta(days=1)
_MINUTE: Final = timedelta(minutes=1)


class BeyondCalendar(CallerError):
    """A promise would be due where the agency's working calendar does not reach; nothing is recorded."""

    code = "beyond-calendar"

    def __init__(self, calendar: "Calendar", moment: datetime) -> None:
        side = "ends with" if moment.date() > calendar.last else "begins with"
        edge = calendar.last if moment.date() > calendar.last else calendar.first
        super().__init__(
            f"the working calendar of {calendar.zone} {side} {edge.isoformat()}, and a promise would need "
            f"{instant(moment)[:10]}; adopting the agency's policy again resolves its holidays for three "
            "years from that day: tell what lies beyond them when they reach it"
        )


class Calendar(BaseModel):
    """One office's compiled calendar, a stored format: days are local dates, hours local wall time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    zone: str
    hours: Mapping[str, str] = Field(description='weekday to wall time, as {"mon": "09:00-17:30"}')
    closed: tuple[date, ...] = Field(default=(), description="working weekdays on which nobody works, sorted")
    offsets: tuple[tuple[int, int], ...] = Field(
        description="(minute of the epoch, minutes east of UTC from then on), sorted"
    )
    first: date = Field(description="the first date that is resolved")
    last: date = Field(description="the last date that is resolved")
    country: str | None = None
    subdivision: str | None = None
    closures: tuple[date, ...] = Field(default=(), description="the agency's own closures, among *closed*")

    def working_hours(self, moment: datetime, hours: int) -> datetime:
        """Go so many working hours forward from a moment, or back where *hours* is negative.

        :raises BeyondCalendar: the calendar does not reach there.
        """
        left = timedelta(hours=abs(hours))
        for opens, closes in self._forward(moment) if hours >= 0 else self._backward(moment):
            if closes - opens >= left:
                return opens + left if hours >= 0 else closes - left
            left -= closes - opens
        raise AssertionError("the days never end")

    def working_days(self, moment: datetime, days: int) -> datetime:
        """Go so many working days forward (or back) to the same time of day, held within that day's hours.

        A moment outside working time counts as the next moment within it (going back: the last before it).

        :raises BeyondCalendar: the calendar does not reach there.
        """
        if days >= 0:
            begins, _ = next(self._forward(moment))
        else:
            _, begins = next(self._backward(moment))
        local = self._local(begins)
        opens, closes = self._hours_of(self._working_date(local.date(), days))
        return min(
            max(self._instant(datetime.combine(self._local(opens).date(), local.time())), opens), closes
        )

    def by_time(self, moment: datetime, days: int, wall: time) -> datetime:
        """Give a wall time on the so-manieth working day after the moment's own date.

        :raises BeyondCalendar: the calendar does not reach there.
        """
        found = self._working_date(self._local(moment).date(), days)
        return self._instant(datetime.combine(found, wall))

    def reaching_back(self) -> "Calendar":
        """Give the calendar for what began in any past; before its own beginning it knows no holidays."""
        return self.model_copy(update={"first": date.min})

    def is_working(self, day: date) -> bool:
        """Tell whether the office works on a date."""
        return WEEKDAYS[day.weekday()] in self.hours and day not in self._closed

    @cached_property
    def _closed(self) -> frozenset[date]:
        return frozenset(self.closed)

    @cached_property
    def _wall(self) -> dict[str, tuple[time, time]]:
        return {day: parse_hours(text) for day, text in self.hours.items()}

    @cached_property
    def _changes(self) -> list[int]:
        return [since for since, _ in self.offsets]

    def _working_date(self, day: date, days: int) -> date:
        step = _DAY if days >= 0 else -_DAY
        for _ in range(abs(days)):
            day += step
            while not self.is_working(self._reached(day)):
                day += step
        return self._reached(day)

    def _reached(self, day: date) -> date:
        if not self.first <= day <= self.last:
            raise BeyondCalendar(self, datetime.combine(day, time(12), UTC))
        return day

    def _forward(self, moment: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Give the stretches of working time after a moment; one that it lies in begins with it."""
        day = self._local(moment).date()
        while True:
            if self.is_working(self._reached(day)):
                opens, closes = self._hours_of(day)
                begins = max(opens, moment)
                if closes > begins:
                    yield begins, closes
            day += _DAY

    def _backward(self, moment: datetime) -> Iterator[tuple[datetime, datetime]]:
        day = self._local(moment).date()
        while True:
            if self.is_working(self._reached(day)):
                opens, closes = self._hours_of(day)
                ends = min(closes, moment)
                if opens < ends:
                    yield opens, ends
            day -= _DAY

    def _hours_of(self, day: date) -> tuple[datetime, datetime]:
        opens, closes = self._wall[WEEKDAYS[day.weekday()]]
        return self._instant(datetime.combine(day, opens)), self._instant(datetime.combine(day, closes))

    def _local(self, moment: datetime) -> datetime:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
        return moment + self._offset_at(moment)

    def _instant(self, wall: datetime) -> datetime:
        """Give the moment of a wall time: the first of two; where clocks leap over it, as if they had not."""
        before = self._offset_at(wall - _DAY)
        found = wall - before
        if self._offset_at(found) != before:
            after = self._offset_at(wall + _DAY)
            if self._offset_at(wall - after) == after:
                found = wall - after
        return found.replace(tzinfo=UTC)

    def _offset_at(self, moment: datetime) -> timedelta:
        minute = (moment - _EPOCH) // _MINUTE
        place = max(0, bisect_right(self._changes, minute) - 1)
        return timedelta(minutes=self.offsets[place][1])


_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - reckoned without a zone, in UTC


def parse_hours(text: str) -> tuple[time, time]:
    """Read ``09:00-17:30``.

    :raises ValueError: it is not of that form, or ends before it begins.
    """
    begins, _, ends = text.partition("-")
    opens, closes = time.fromisoformat(begins), time.fromisoformat(ends)
    if closes <= opens:
        raise ValueError("the hours end before they begin")
    return opens, closes
