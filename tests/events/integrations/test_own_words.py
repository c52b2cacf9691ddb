"""Our own words from a generic sender, without any mapping."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest

from events.integrations.reading import Means, Waits, Wanted

RECEIVED = datetime(2026, 3, 2, 9, tzinfo=UTC)
Reads = Callable[..., Any]


@pytest.fixture
def says(reads: Reads) -> Reads:
    """This will read a message in our own words."""

    def reading(name: str, data: Any, subject: Any = "e-1", **more: Any) -> Any:
        body = {"type": f"rapport.command.{name}", "subject": subject, "data": data, **more}
        return reads("standard-webhooks", body["type"], body)

    return reading


class TestOwnWords:
    RESULT: ClassVar = {"interview_id": "i-1", "result": "advance"}

    def test_give_a_report_to_the_subject(self, says: Reads) -> None:
        assert says("record-interview-result", self.RESULT) == Means(
            (Wanted("e-1", "record-interview-result", self.RESULT, RECEIVED),)
        )

    def test_may_name_the_engagement_in_the_data(self, says: Reads) -> None:
        meaning = says("record-interview-result", {**self.RESULT, "engagement": "e-2"}, None)
        assert meaning.commands == (Wanted("e-2", "record-interview-result", self.RESULT, RECEIVED),)

    def test_happened_when_they_say_so(self, says: Reads) -> None:
        meaning = says("record-interview-result", {**self.RESULT, "at": "2026-02-09T10:00:00+01:00"})
        assert meaning.commands[0].at == datetime(2026, 2, 9, 9, tzinfo=UTC)

    def test_reach_a_job_order(self, says: Reads) -> None:
        expected = Means((Wanted(None, "hold-job-order", {}, RECEIVED, job_order="jo-1"),))
        assert says("hold-job-order", {}, "job-order:jo-1") == expected
        assert says("hold-job-order", {"job_order": "jo-1"}, None) == expected

    @pytest.mark.parametrize(
        ("name", "data", "subject", "sentence"),
        [
            (
                "schedule-interview",
                {},
                "e-1",
                '"schedule-interview" asks, and a message can only report what happened; '
                'use "record-interview-scheduled".',
            ),
            (
                "record-interview-reslt",
                {},
                "e-1",
                'there is no command "record-interview-reslt"; did you mean "record-interview-result"?',
            ),
            (
                "excuse-obligation",
                {},
                "e-1",
                '"excuse-obligation" is for people of the agency or for Rapport itself; '
                "no message can give it.",
            ),
            (
                "record-interview-result",
                {"interview_id": "i-1"},
                "e-1",
                "record-interview-result needs the field 'result'; add it.",
            ),
            (
                "record-interview-result",
                {"interview_id": "i-1", "result": "hired", "at": "2026-01-05"},
                "e-1",
                "record-interview-result: 'at' is a time without a zone; "
                'name the zone it is meant in, zone = "Europe/London".',
            ),
            (
                "resume",
                {"actor": {"kind": "person", "id": "r-1"}},
                "e-1",
                "resume: 'actor' is not a message's to say; leave it out.",
            ),
            (
                "resume",
                {},
                "Ada Lovelace",
                "resume: say whose it is; 'subject' must be an engagement's id, like e-1.",
            ),
            (
                "hold-job-order",
                {},
                "jo-1",
                "hold-job-order: say whose it is; 'subject' must be job-order:ID.",
            ),
            ("resume", "x", "e-1", "resume: 'data' is no table of the command's fields."),
        ],
    )
    def test_wait_with_one_sentence_where_they_are_wrong(
        self, name: str, data: Any, subject: Any, sentence: str, says: Reads
    ) -> None:
        assert says(name, data, subject) == Waits(sentence, "mapping")

    def test_quote_nothing_personal(self, says: Reads) -> None:
        meaning = says("record-message", {"words": {"Ada Lovelace": 1}})
        assert isinstance(meaning, Waits)
        assert "Ada" not in meaning.says

    def test_belong_to_the_generic_sender_alone(self, reads: Reads) -> None:
        """What a provider signs is the provider's own words, never ours."""
        body = {"subject": "e-1", "data": self.RESULT}
        meaning = reads("greenhouse", "rapport.command.record-interview-result", body)
        assert isinstance(meaning, Waits)
