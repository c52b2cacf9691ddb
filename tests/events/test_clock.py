"""The domain's clock: every function takes the present moment as an argument."""

from datetime import UTC, datetime, timedelta

from events.clock import ClockSpec, decision_time, domain_now, timer_delay

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
STARTED = datetime(2026, 6, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
PLAIN = ClockSpec()
FAST = ClockSpec(origin=NOON, started=STARTED, rate=3600)
STEPPED = ClockSpec(kind="stepped")


class TestDomainNow:
    def test_is_the_server_s_own_without_an_origin(self) -> None:
        assert domain_now(PLAIN, NOON) == NOON

    def test_runs_from_its_origin_at_its_rate(self) -> None:
        assert domain_now(FAST, STARTED) == NOON
        assert domain_now(FAST, STARTED + timedelta(seconds=2)) == NOON + 2 * HOUR


class TestTimerDelay:
    def test_is_divided_by_the_rate(self) -> None:
        assert timer_delay(PLAIN, NOON, NOON + HOUR) == HOUR
        assert timer_delay(FAST, STARTED, NOON + HOUR) == timedelta(seconds=1)

    def test_is_never_negative(self) -> None:
        assert timer_delay(FAST, STARTED + HOUR, NOON) == timedelta()

    def test_leads_to_the_moment_itself(self) -> None:
        due = NOON + timedelta(days=7)
        assert domain_now(FAST, STARTED + timer_delay(FAST, STARTED, due)) == due


class TestDecisionTime:
    def test_is_now_however_early_it_happened(self) -> None:
        assert decision_time(PLAIN, NOON, NOON - HOUR, None) == NOON

    def test_never_goes_back(self) -> None:
        assert decision_time(PLAIN, NOON, None, NOON + HOUR) == NOON + HOUR
        assert decision_time(STEPPED, STARTED, NOON, NOON + HOUR) == NOON + HOUR

    def test_of_a_stepped_clock_is_the_command_s_own(self) -> None:
        """So that an old log runs at its own dates, to the microsecond."""
        odd = NOON + timedelta(microseconds=1)
        assert decision_time(STEPPED, STARTED, odd, NOON) == odd
        assert decision_time(STEPPED, STARTED, None, NOON) == STARTED
