"""A policy in plain words: what a person hears who has it read aloud."""

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from events.gates import GATES
from events.policy import GateRule, ObligationRule, Policy
from events.policy_checks import COMMANDS, EVENTS
from events.policy_explain import explain, gate_words, ladder_words, preamble, promise_text
from events.policy_file import load_policy
from events.policy_words import COMMAND_WORDS

if TYPE_CHECKING:
    from tests.events.specification import World


def rule(world: "World", name: str, **changes: Any) -> ObligationRule:
    found = world.starter.obligation(name)
    assert found is not None
    return found.model_copy(update=changes)


class TestExplain:
    def test_tells_every_rule_once_in_the_policys_order(self, world: "World") -> None:
        told = explain(world.starter)
        assert [each.id for each in told] == [
            *(each.id for each in world.starter.gates),
            *(each.id for each in world.starter.obligations),
        ]

    def test_uses_no_code_that_only_a_programmer_reads(self, world: "World") -> None:
        codes = {each for each in (*EVENTS, *COMMANDS) if "-" in each}
        for told in explain(world.starter):
            # What the agency itself wrote is quoted as it stands.
            gate = next((each for each in world.starter.gates if each.id == told.id), None)
            text = told.text.replace(gate.remedy, "") if gate else told.text
            assert not [each for each in codes if each in text.split()], told.text

    def test_says_why_and_how_sure_that_is(self, world: "World") -> None:
        (told,) = [each for each in explain(world.starter) if each.id == "answer-candidate"]
        assert told.because == (
            "66% of staffing firms had a one-day reply policy, and 40% of candidates saw it "
            "(Inavero/CareerBuilder 2012); from a second hand, a default and not law."
        )


CALENDARS = """
name = "ours"
quiet-hours = "20:00-08:00"
[calendar.london]
zone = "Europe/London"
hours = "09:00-17:30"
hours-on = { fri = "09:00-13:00" }
holidays = { country = "GB", subdivision = "ENG" }
closures = ["2026-12-24"]
[gate.not-while-paused]
says = "Quiet."
remedy = "Wait."
because = "M: x"
guards = ["submit"]
"""


class TestPreamble:
    def test_tells_whose_working_time_counts_and_when_nobody_is_written_to(self) -> None:
        policy = load_policy(CALENDARS, where="ours.toml", on=date(2026, 1, 5))
        _, offices, quiet = preamble(policy)
        assert offices.startswith(
            "Working time is that of the office where the one who owes works: london (Monday, Tuesday, "
            "Wednesday and Thursday 09:00-17:30 and Friday 09:00-13:00 in Europe/London, off on the holidays "
            "of GB-ENG and 1 day of its own: "
        )
        assert offices.endswith("Who has no office works as in london.")
        assert quiet == (
            "Nobody is sent a message from 20:00 to 08:00 where they live, unless they name other hours."
        )

    def test_has_little_to_say_of_a_policy_without_them(self, world: "World") -> None:
        assert preamble(world.starter) == ["No automated message ever keeps a promise."]


class TestPromiseText:
    def test_tells_when_who_how_long_who_hears_and_what_keeps_it(self, world: "World") -> None:
        assert promise_text(rule(world, "answer-application")) == (
            "Everybody who applies hears from a person within 7 days. For each application, the clock starts "
            "when the candidate applies for a job. The recruiter who answers for the candidate owes it "
            "within "
            "7 days, counted from when we hear of it. It is kept when a person of ours really talks with the "
            "candidate, or, for this same application, a person of ours writes to the candidate or leaves "
            "them "
            "a message. Nobody waits for it any more when the candidate withdraws from the whole search. 1 "
            "day "
            "before it is due the recruiter is reminded. If the time runs out, the promise is recorded as "
            "broken: at once it goes to the recruiter, after 1 day it goes up to the team lead, after 3 "
            "days it "
            "goes up to the director and after 5 days the director is asked to give the candidate to "
            "somebody "
            "else."
        )

    def test_counts_from_the_planned_time(self, world: "World") -> None:
        assert "owes it at the latest 1 day before the interview's start." in promise_text(
            rule(world, "prepare-for-interview")
        )
        assert "owes it within 1 day after the interview's end." in promise_text(rule(world, "did-it-happen"))

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"while_paused": "waits"}, "It waits while the candidate wants quiet."),
            ({"unless_dormant": True}, "It does not begin while the engagement sleeps."),
            ({"while_placed": "only"}, "It begins only while the candidate works in a job of ours."),
            ({"applies": "open"}, "A change of this rule moves promises that are open already."),
            ({"awaits": "client"}, "It is the client we wait for."),
            ({"owner": "job-order-owner"}, "The recruiter who answers for the client's job owes it"),
        ],
    )
    def test_leaves_no_condition_out(self, world: "World", changes: dict[str, Any], says: str) -> None:
        assert says not in promise_text(rule(world, "answer-application"))
        assert says in promise_text(rule(world, "answer-application", **changes))


class TestLadderWords:
    def test_tells_a_mode_that_keeps_silent(self, world: "World") -> None:
        told = ladder_words(rule(world, "answer-candidate", mode="observe"))
        assert told.startswith(
            "If the time runs out, the promise is recorded as broken. For now it is only observed, and "
            "nobody "
            "is told. If it were enforced, 4 hours before it is due the recruiter is reminded, at once"
        )

    def test_tells_whom_a_reminding_rule_reaches(self, world: "World") -> None:
        told = ladder_words(rule(world, "answer-candidate", mode="remind"))
        assert (
            "recorded as broken: at once it goes to the recruiter. For now only the one who owes it" in told
        )
        assert "If it were enforced, after 1 day it goes up to the team lead" in told


class TestGateWords:
    @pytest.mark.parametrize("gate", [*sorted(GATES), "needs-check:terms"])
    def test_are_there_for_every_gate(self, gate: str) -> None:
        assert gate.replace(":", " ") not in gate_words(gate, {})

    def test_say_what_a_gate_asks_for(self) -> None:
        assert gate_words("know-each-other-first", {"facets": 2, "confirmed": True, "introduced": True}) == (
            "somebody must have talked with the candidate, the candidate must know who answers for them, "
            "2 different things beyond the CV must be confirmed by the candidate and the intake must be "
            "completed"
        )
        assert "at least 75 of 100" in gate_words("good-enough-fit", {"floor": 75})

    def test_say_what_a_check_must_be(self) -> None:
        needs = {"outcome": ("passed", "waived"), "within-days": 90, "about": "job-order"}
        assert gate_words("needs-check:right-to-work", needs) == (
            "the last check of the kind right to work, made for this very job, must have come out as passed "
            "or waived, not have expired and be no older than 90 days"
        )

    def test_say_that_nothing_is_refused_yet(self) -> None:
        gate = GateRule(
            id="right-to-represent",
            guards=("submit",),
            says="No.",
            remedy="Ask.",
            because="M: x",
            mode="observe",
        )
        (told,) = explain(Policy(name="p", gates=(gate,)))
        assert told.text.startswith(
            f"Before anybody may {COMMAND_WORDS['submit']}, the candidate must have agreed"
        )
        assert "For now nothing is refused: what does not pass is recorded as a bypass." in told.text
