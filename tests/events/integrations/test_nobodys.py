"""What may be given up: only what no rule names, and what surely is nobody's."""

from datetime import UTC, datetime
from typing import Any

import pytest

from events.integrations.meaning import Ignored, KnownIds
from events.integrations.message import MALFORMED, Message
from events.integrations.nobodys import MOST, is_named, possible_ids
from events.integrations.reading import read
from events.integrations.rules import Mapping, Rule


def message(event: str = "invented", body: Any = None) -> Message:
    return Message(event, datetime(2026, 1, 5, tzinfo=UTC), body)


def mapping(*rules: Rule, provider: str = "greenhouse") -> Mapping:
    return Mapping(format=1, provider=provider, rule=rules)


class TestIsNamed:
    def test_is_true_of_what_a_rule_names_whether_it_fits_or_not(self) -> None:
        for events in (("invented",), ("*",)):
            picky = Rule(events=events, when={"body.stage": ("known",)}, ignore="x")
            assert is_named(message(), mapping(picky))
        assert not is_named(message(), mapping(Rule(events=("other",), ignore="x")))

    @pytest.mark.parametrize(
        ("event", "provider"),
        [
            (MALFORMED, "greenhouse"),
            ("mail.received", "mail"),
            ("rapport.command.record-message", "standard-webhooks"),
        ],
    )
    def test_is_true_of_what_needs_no_rule(self, event: str, provider: str) -> None:
        assert is_named(message(event), mapping(provider=provider))


class TestPossibleIds:
    def test_are_every_text_and_number_wherever_it_stands(self) -> None:
        body = {"a": [{"id": 7}, "x-1", ["deep"]], "b": {"c": True, "d": None, "e": "", "f": 1.5}}
        assert possible_ids(message(body=body)) == frozenset({"7", "x-1", "deep"})

    def test_are_too_many_to_tell(self) -> None:
        assert possible_ids(message(body=list(range(MOST)))) is not None
        assert possible_ids(message(body=list(range(MOST + 1)))) is None


class TestARuleForTheRest:
    def test_ignores_at_once_what_no_other_names(self) -> None:
        rest = mapping(Rule(events=("other",), ignore="known"), Rule(events=("*",), ignore="nobody needs it"))
        assert read(message(), rest, KnownIds({}, lambda text: text)) == Ignored("nobody needs it")
