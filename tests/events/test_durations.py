"""Lengths of time as people write them."""

import pytest

from events.durations import DurationError, parse_span, written
from events.policy import Span


class TestParseSpan:
    @pytest.mark.parametrize(
        ("text", "span"),
        [
            ("7 days", Span(amount=7, unit="days")),
            ("1 day", Span(amount=1, unit="days")),
            ("-1 day", Span(amount=-1, unit="days")),
            ("36 hours", Span(amount=36, unit="hours")),
            ("15 minutes", Span(amount=15, unit="minutes")),
            ("0 minutes", Span(amount=0, unit="minutes")),
            ("2 working days", Span(amount=2, unit="days", calendar="working")),
            ("-1 working day", Span(amount=-1, unit="days", calendar="working")),
            ("4 working hours", Span(amount=4, unit="hours", calendar="working")),
            (
                "by 17:00 on the next working day",
                Span(amount=1, unit="days", calendar="working", by="17:00"),
            ),
            ("by 12:30 on the 3rd working day", Span(amount=3, unit="days", calendar="working", by="12:30")),
        ],
    )
    def test_reads_one_number_and_one_unit(self, text: str, span: Span) -> None:
        assert parse_span(text) == span

    @pytest.mark.parametrize(
        ("text", "remedy"),
        [
            ("2 weeks", 'did you mean "14 days"?'),
            ("-1 week", 'did you mean "-7 days"?'),
            ("3 business days", 'did you mean "3 working days"?'),
            ("30 working minutes", 'write for example "1 working hour"'),
            ("by 17 on the next working day", 'written like "by 17:00 on the next working day"'),
            ("by 17:00 on the 0th working day", 'written like "by 17:00 on the next working day"'),
            ("7d", 'did you mean "7 days"?'),
            ("7 Days", 'did you mean "7 days"?'),
            ("90 min", 'did you mean "90 minutes"?'),
            ("1 month", 'written like "7 days"'),
            ("", 'written like "7 days"'),
            ("a day", 'written like "7 days"'),
            ("1.5 days", 'written like "7 days"'),
            ("1 day 2 hours", 'written like "7 days"'),
            ("٧ days", 'written like "7 days"'),
            ("7 days\n", 'written like "7 days"'),
            ("1234567 days", 'written like "7 days"'),
        ],
    )
    def test_says_what_to_write_instead(self, text: str, remedy: str) -> None:
        with pytest.raises(DurationError) as caught:
            parse_span(text)
        assert remedy in str(caught.value)


class TestWritten:
    @pytest.mark.parametrize(
        "text",
        [
            "7 days",
            "1 day",
            "-36 hours",
            "2 working days",
            "-1 working day",
            "4 working hours",
            "by 17:00 on the next working day",
            "by 12:30 on the 3rd working day",
            "by 12:30 on the 11th working day",
        ],
    )
    def test_is_what_is_read_back(self, text: str) -> None:
        """What a person reads is what they may write, and what is stored says the same."""
        span = parse_span(text)
        assert written(span) == text
        assert Span.model_validate(span.short()) == span
