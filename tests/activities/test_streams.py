"""Reading commands to streams without a workflow."""

from datetime import UTC, datetime
from typing import Any

import pytest

from activities.streams import kind_of, parse, read_order
from events.agency import LoadPeople
from events.envelope import Actor
from events.errors import InvalidCommand
from events.job_order import FillJobOrder, OpenJobOrder
from events.orders import LARGEST_MESSAGE
from events.receipts import ENGINE_IDS

OPERATOR = Actor(kind="operator", id="o-1")


class TestParse:
    def test_reads_plain_data(self) -> None:
        assert parse("job-order:j-1", "fill-job-order", {"engagement_id": "e-1"}) == FillJobOrder(
            engagement_id="e-1"
        )

    @pytest.mark.parametrize(
        ("name", "data", "sentence"),
        [
            ("stop-intakes", {}, "that is no command of a job-order; did you mean 'stop-intake'?"),
            ("change-client-contact", {}, "change-client-contact needs the field 'contact'; add it"),
            ("stop-intake", {"why": "secret"}, "stop-intake has an unknown field; its fields are none"),
            ("close-job-order", {"reason": "My Secret"}, "close-job-order: the field 'reason' is malformed"),
        ],
    )
    def test_says_what_is_wrong_and_no_value(self, name: str, data: dict[str, str], sentence: str) -> None:
        with pytest.raises(InvalidCommand) as caught:
            parse("job-order:j-1", name, data)
        assert str(caught.value).startswith(sentence)
        assert "ecret" not in str(caught.value)

    @pytest.mark.parametrize(
        ("stream", "name", "data", "field"),
        [
            ("job-order:j-1", "open-job-order", {"job_order_id": "j-1", "title": {"sealed": "ab"}}, "title"),
            (
                "agency:a-1",
                "load-people",
                {"people": [{"person_id": "r-1", "role": "recruiter", "email": {"sealed": "ab"}}]},
                "email",
            ),
        ],
    )
    def test_refuses_what_says_it_is_sealed(
        self, stream: str, name: str, data: dict[str, Any], field: str
    ) -> None:
        """Only the log seals: the value would stand for words that nobody wrote."""
        with pytest.raises(InvalidCommand, match=f"{name}: '{field}' must be a text"):
            parse(stream, name, data)

    def test_refuses_what_is_too_large(self) -> None:
        fits = {"job_order_id": "j-1", "title": "x" * (LARGEST_MESSAGE - 100)}
        assert isinstance(parse("job-order:j-1", "open-job-order", fits), OpenJobOrder)
        with pytest.raises(InvalidCommand, match="larger than 128 KiB"):
            parse("job-order:j-1", "open-job-order", {**fits, "title": "x" * LARGEST_MESSAGE})

    def test_takes_a_whole_agency_at_once(self) -> None:
        people = [
            {"person_id": f"r-{number}", "role": "recruiter", "name": "Name " * 5, "email": "r@example.test"}
            for number in range(5000)
        ]
        command = parse("agency:a-1", "load-people", {"people": people})
        assert isinstance(command, LoadPeople)
        assert len(command.people) == 5000


class TestKindOf:
    @pytest.mark.parametrize("stream", ["engagement:e-1", "job-order:", "j-1"])
    def test_refuses_other_streams(self, stream: str) -> None:
        """An engagement's stream has one writer, its workflow."""
        with pytest.raises(InvalidCommand, match="job-order:j-1"):
            kind_of(stream)


class TestReadOrder:
    @pytest.mark.parametrize("prefix", ENGINE_IDS)
    @pytest.mark.parametrize("beside", [True, False], ids=["beside", "in the content"])
    def test_leaves_the_engines_ids_to_the_engine(self, prefix: str, beside: bool) -> None:
        with pytest.raises(InvalidCommand, match="may not begin with"):
            read_order(
                "a-1",
                "job-order:j-1",
                "stop-intake",
                {} if beside else {"command_id": f"{prefix}1"},
                command_id=f"{prefix}1" if beside else "c-1",
                actor_default=OPERATOR,
                source="cli",
            )

    def test_takes_the_reserved_fields_out(self) -> None:
        order = read_order(
            "a-1",
            "job-order:j-1",
            "close-job-order",
            {"reason": "unfilled", "at": "2026-01-05T12:00:00Z", "source": "mapping"},
            command_id="c-1",
            actor_default=OPERATOR,
            source="cli",
        )
        assert order.data == {"reason": "unfilled"}
        assert (order.at, order.source) == (datetime(2026, 1, 5, 12, tzinfo=UTC), "mapping")

    def test_refuses_a_date_without_a_zone(self) -> None:
        with pytest.raises(InvalidCommand, match="'at' is malformed: a moment without a zone"):
            read_order(
                "a-1",
                "job-order:j-1",
                "stop-intake",
                {"at": "2026-01-05T12:00:00"},
                command_id="c-1",
                actor_default=OPERATOR,
                source="cli",
            )
