"""The policy language: what compiles, and what each mistake is answered with."""

import tomllib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.gates import GATES
from events.policy import LARGEST_COMPILED, LadderStep, Policy, Span, Trigger, read_policy
from events.policy_file import KNOWN_GATES, PolicyError, load_policy

GOOD = """\
name = "ours"

[gate.know-each-other-first]
says = "Nobody is put forward unknown."
remedy = "Talk first."
because = "M: our principle."
guards = ["propose-job", "submit"]
needs = { conversation = true, intake = false }

[obligation.answer-application]
says = "Everybody who applies hears from a person."
because = "S: a survey."
kind = "answer"
subject = "application"
opens-on = ["application-recorded"]
met-by = [
    { event = "contact-made", where = { purpose = "answer" } },
    { event = "attempt-made", about-subject = true },
]
dropped-by = [{ event = "candidate-withdrew", where = { scope = "engagement" } }]
within = "7 days"
ladder = [
    { after = "-1 day", do = "remind", to = "owner", template = "obligation-reminder" },
    { after = "0 minutes", do = "escalate", to = "owner", level = 1, template = "escalation" },
    { after = "1 day", do = "escalate", to = "team-lead", level = 2, template = "escalation" },
    { after = "2 days", do = "message", to = "candidate", level = 0, template = "candidate-apology" },
]

[obligation.prepare]
says = "Nobody walks in unprepared."
because = "M: experience."
kind = "duty"
subject = "interview"
opens-on = ["interview-scheduled"]
met-by = [{ event = "contact-made", about-subject = true }]
planned = "starts-at"
within = "-1 day"
at-least = "2 hours"
mode = "observe"
"""


MISTAKES = tomllib.loads(Path(__file__).with_name("policy_mistakes.toml").read_text(encoding="utf-8"))[
    "mistake"
]


def load(text: str) -> Policy:
    return load_policy(text, where="ours.toml", on=date(2026, 1, 5))


def problems(text: str) -> list[str]:
    """Load a text that must be refused, and give what is wrong with it."""
    with pytest.raises(PolicyError) as caught:
        load(text)
    assert str(caught.value) == caught.value.problems[0]
    return caught.value.problems


class TestLoadPolicy:
    def test_compiles_a_gate(self) -> None:
        gate = load(GOOD).gates[0]
        assert gate.id == "know-each-other-first"
        assert gate.guards == ("propose-job", "submit")
        assert gate.needs == {"conversation": True, "intake": False}

    def test_knows_exactly_the_gates_of_the_code(self) -> None:
        assert KNOWN_GATES.keys() == GATES.keys()

    def test_compiles_what_opens_meets_and_drops_an_obligation(self) -> None:
        rule = load(GOOD).obligation("answer-application")
        assert rule is not None
        assert rule.opens_on == (Trigger(event="application-recorded"),)
        assert rule.met_by == (
            Trigger(event="contact-made", where={"purpose": "answer"}),
            Trigger(event="attempt-made", about_subject=True),
        )
        assert rule.dropped_by == (Trigger(event="candidate-withdrew", where={"scope": "engagement"}),)

    def test_gives_a_ladder_step_without_a_level_that_of_its_recipient(self) -> None:
        rule = load(GOOD.replace("level = 2, ", "")).obligation("answer-application")
        assert rule is not None
        assert rule.ladder[2] == LadderStep(
            after=Span(amount=1, unit="days"), do="escalate", to="team-lead", level=2, template="escalation"
        )

    def test_counts_from_a_planned_time(self) -> None:
        rule = load(GOOD).obligation("prepare")
        assert rule is not None
        assert rule.planned == "starts_at"
        assert rule.within == Span(amount=-1, unit="days")
        assert rule.at_least == Span(amount=2, unit="hours")

    def test_leaves_to_the_compiled_form_what_the_file_leaves_out(self) -> None:
        rule = load(GOOD).obligation("answer-application")
        assert rule is not None
        assert (rule.mode, rule.owner, rule.counts_from) == ("enforce", "candidate-owner", "known")

    def test_spells_the_fields_of_where_with_hyphens(self) -> None:
        rule = load(
            GOOD.replace(
                '"candidate-withdrew", where = { scope', '"interview-missed", where = { missed-by'
            ).replace('"engagement" }', '"candidate" }')
        ).obligation("answer-application")
        assert rule is not None
        assert rule.dropped_by[0].where == {"missed_by": "candidate"}

    @pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake["name"].replace(" ", "-"))
    def test_answers_with_one_sentence_to(self, mistake: dict[str, str]) -> None:
        """Each mistake gets its line, its place and its remedy, and nothing besides."""
        assert mistake["was"] in GOOD
        assert problems(GOOD.replace(mistake["was"], mistake["now"], 1)) == [f"ours.toml, {mistake['says']}"]

    def test_names_every_problem_in_the_order_of_the_file(self) -> None:
        text = GOOD.replace('"7 days"', '"soon"').replace("propose-job", "propose").replace("says", "say")
        lines = [int(each.split("line ")[1].split(",")[0]) for each in problems(text)]
        assert lines == [4, 7, 11, 21, 30]

    def test_asks_for_a_rule(self) -> None:
        assert problems('name = "ours"') == [
            "ours.toml, line 1: there is no rule in it; add one, such as [obligation.keep-in-touch]."
        ]

    def test_refuses_an_empty_text(self) -> None:
        assert problems("")[0].startswith('ours.toml, line 1: the key "name" is missing')

    def test_refuses_more_than_a_workflow_can_carry(self) -> None:
        says = "x" * LARGEST_COMPILED
        found = problems(GOOD.replace("Talk first.", says))
        assert len(found) == 1
        assert f"at most {LARGEST_COMPILED} are allowed; shorten its texts or leave rules out" in found[0]

    def test_refuses_lists_without_end(self) -> None:
        assert problems("name = " + "[" * 9000) == [
            "ours.toml: lists stand inside lists without end; write it flat."
        ]

    def test_shows_nothing_that_a_terminal_would_obey(self) -> None:
        found = problems('"\\u001b[2J\\n" = 1\n' + GOOD)
        assert len(found) == 1
        assert found[0].isprintable()

    @settings(max_examples=150, deadline=None)
    @given(start=st.integers(0, len(GOOD)), length=st.integers(0, 40), instead=st.text(max_size=3))
    def test_answers_any_damage_with_sentences_or_a_policy(
        self, start: int, length: int, instead: str
    ) -> None:
        found: list[str] = []
        try:
            load(GOOD[:start] + instead + GOOD[start + length :])
        except PolicyError as error:
            found = error.problems
        assert all(each.startswith("ours.toml") and each.isprintable() for each in found)


class TestDigest:
    def test_stays_under_comments_space_and_the_order_of_keys(self) -> None:
        """An agency may annotate its policy without adopting it anew."""
        noted = "# our rules\n\n" + GOOD.replace(" = ", "   =\t").replace("\n[", "\n\n  # a rule\n[")
        moved = GOOD.replace('kind = "duty"\n', "").replace(
            'mode = "observe"', 'mode = "observe"\nkind = "duty"'
        )
        windows = GOOD.replace("\n", "\r\n")
        assert {load(each).digest() for each in (noted, moved, windows)} == {load(GOOD).digest()}

    def test_changes_with_a_rule(self) -> None:
        assert load(GOOD.replace('"7 days"', '"8 days"')).digest() != load(GOOD).digest()

    def test_of_an_older_policy_is_what_it_was(self) -> None:
        """Fields that came later change nothing that was adopted before them: this digest is of that day."""
        old = load(GOOD).model_copy(update={"format": 1})
        assert old.digest() == "13a40612904b3326c5190384a301908af16fd5055c93c9f988c5a946858126c8"
        again = read_policy(old.body())
        assert again == old
        assert again.body() == old.body()
        assert not {"not_before", "while_placed"} & old.model_dump(mode="json")["obligations"][0].keys()

    @pytest.mark.parametrize(
        ("line", "field", "value"),
        [
            ('not-before = "2 days"', "not_before", Span(amount=2, unit="days")),
            ('while-placed = "rests"', "while_placed", "rests"),
        ],
    )
    @pytest.mark.parametrize("form", [1, 2])
    def test_changes_with_what_came_later(self, line: str, field: str, value: object, form: int) -> None:
        grown = load(GOOD.replace('mode = "observe"', f'mode = "observe"\n{line}'))
        grown = grown.model_copy(update={"format": form})
        assert grown.digest() != load(GOOD).model_copy(update={"format": form}).digest()
        again = read_policy(grown.body())
        assert again == grown
        assert getattr(again.obligation("prepare"), field) == value

    def test_survives_the_canonical_body(self) -> None:
        policy = load(GOOD)
        again = read_policy(policy.body())
        assert again == policy
        assert again.body() == policy.body()
