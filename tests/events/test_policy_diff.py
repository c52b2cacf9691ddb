"""Two policies side by side: what differs, and what that means for promises that are open."""

from typing import TYPE_CHECKING, Any

import pytest

from events.policy import ObligationRule, Policy, Span
from events.policy_diff import RuleChange, diff

if TYPE_CHECKING:
    from tests.events.specification import World

RULE = "answer-application"


def found(world: "World", **changes: Any) -> ObligationRule:
    rule = world.starter.obligation(RULE)
    assert rule is not None
    return rule.model_copy(update=changes)


def one(world: "World", **changes: Any) -> RuleChange:
    """Compare the rule with itself, changed."""
    old = Policy(name="p", obligations=(found(world),))
    (change,) = diff(old, Policy(name="p", obligations=(found(world, **changes),)))
    return change


class TestDiff:
    def test_finds_nothing_where_the_rules_are_the_same(self, world: "World") -> None:
        short = world.starter.model_copy(update={"format": 1})
        assert diff(world.starter, short) == []

    def test_tells_what_came_and_what_went(self, world: "World") -> None:
        empty = Policy(name="p")
        full = Policy(name="p", obligations=(found(world),), gates=world.starter.gates[:1])
        assert [(each.how, each.sort, each.id) for each in diff(empty, full)] == [
            ("added", "gate", "know-each-other-first"),
            ("added", "obligation", RULE),
        ]
        gone = diff(full, empty)
        assert [each.how for each in gone] == ["removed", "removed"]
        assert gone[1].effects == (
            "What is open under it is dropped (rule-retired); breaches on record stay there.",
        )

    def test_tells_a_change_field_by_field_in_words(self, world: "World") -> None:
        change = one(world, within=Span(amount=3, unit="days"), mode="observe", dropped_by=())
        assert [(each.field, each.was, each.now) for each in change.changes] == [
            ("dropped-by", "when the candidate withdraws from the whole search", "nothing"),
            ("within", "7 days", "3 days"),
            ("mode", "enforce", "observe"),
        ]

    def test_tells_another_name(self, world: "World") -> None:
        (change,) = diff(Policy(name="p"), Policy(name="q"))
        assert (change.sort, change.changes[0].was, change.changes[0].now) == ("policy", "p", "q")
        assert change.effects == ()

    def test_tells_other_quiet_hours_and_what_waits_for_them(self) -> None:
        (change,) = diff(Policy(name="p"), Policy(name="p", quiet_hours="20:00-08:00"))
        assert [(each.field, each.was, each.now) for each in change.changes] == [
            ("quiet-hours", "nothing", "20:00-08:00")
        ]
        assert change.effects == (
            "Messages that come up from now on wait for the new hours, unless a candidate named some.",
        )

    @pytest.mark.parametrize(
        ("changes", "effect"),
        [
            (
                {"within": Span(amount=3, unit="days")},
                "What is open keeps its within; the new one holds for what opens from now on.",
            ),
            (
                {"within": Span(amount=3, unit="days"), "applies": "open"},
                'What is open is counted anew (applies = "open") with the new ladder, and what would be due '
                "already is due at once; a promise that is broken already stays as it is.",
            ),
            (
                {"ladder": (), "applies": "open"},
                "What is open keeps its ladder; the new one holds for what opens from now on.",
            ),
            (
                {"mode": "observe"},
                "What is open takes the new mode at once, for the steps that are still ahead of it.",
            ),
            ({"dropped_by": ()}, "The new dropped-by holds for what is open too."),
            ({"unless_dormant": True}, "The new unless-dormant holds for what opens from now on."),
        ],
    )
    def test_says_what_it_means_for_what_is_open(
        self, world: "World", changes: dict[str, Any], effect: str
    ) -> None:
        assert one(world, **changes).effects == (effect,)

    def test_says_nothing_of_what_is_open_where_only_words_differ(self, world: "World") -> None:
        assert one(world, because="M: our own principle.").effects == ()
