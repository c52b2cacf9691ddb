"""The words in which a policy is told: every event, command and comparison has its own."""

import re
from typing import TYPE_CHECKING, get_args

import pytest

from events.policy import Planned
from events.policy_checks import COMMANDS, EVENTS, key
from events.policy_words import COMMAND_WORDS, EVENT_WORDS, PLANNED_WORDS, listed, narrowed_words

if TYPE_CHECKING:
    from tests.events.specification import World


class TestWords:
    def test_are_there_for_every_event_and_every_command(self) -> None:
        """Whoever adds one must say how people call it."""
        assert EVENT_WORDS.keys() == EVENTS.keys()
        assert COMMAND_WORDS.keys() == COMMANDS.keys()
        assert PLANNED_WORDS.keys() == set(get_args(Planned))

    def test_differ_for_different_things(self) -> None:
        assert len(set(EVENT_WORDS.values())) == len(EVENT_WORDS)
        assert len(set(COMMAND_WORDS.values())) == len(COMMAND_WORDS)

    @pytest.mark.parametrize("words", [*EVENT_WORDS.values(), *COMMAND_WORDS.values()])
    def test_are_words_and_no_codes(self, words: str) -> None:
        assert re.fullmatch(r"[a-zA-Z',.\- ]+", words)
        assert not words.endswith(".")

    def test_are_there_for_every_comparison_of_the_shipped_policies(self, world: "World") -> None:
        for rule in world.starter.obligations:
            for trigger in (*rule.opens_on, *rule.met_by, *rule.dropped_by):
                for field, value in trigger.where.items():
                    assert not narrowed_words(trigger.event, key(field), value).startswith("with the")

    def test_name_a_comparison_that_has_none_of_its_own(self) -> None:
        assert narrowed_words("check-recorded", "outcome", "passed") == "with the outcome passed"


class TestListed:
    @pytest.mark.parametrize(
        ("parts", "told"), [([], ""), (["a"], "a"), (["a", "b"], "a or b"), (["a", "b", "c"], "a, b or c")]
    )
    def test_joins_as_one_says_it(self, parts: list[str], told: str) -> None:
        assert listed(parts) == told
