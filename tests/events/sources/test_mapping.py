"""A mapping with a mistake gets one sentence that says where it is."""

from pathlib import Path

import pytest

from events.policy import GateRule, ObligationRule, Policy, Span, Trigger
from events.sources.errors import SourceError
from events.sources.mapping import Mapping, check_observes, read_mapping, restrict

SHIPPED = (Path(__file__).parents[3] / "deploy" / "mappings" / "recruiting.toml").read_text(encoding="utf-8")

MISTAKES = {
    "no TOML": ("format = 1", "format =", "is not TOML"),
    "a key too many": ('source = "ocel-1.0"', 'source = "ocel-1.0"\nsauce = 1', "wrong at sauce"),
    "another format": ("format = 1", "format = 2", "wrong at format"),
    "an object type missing": ('recruiter = "recruiters"', "", "wrong at objects.recruiter"),
    "an unknown command": ('"record-application"', '"record-aplication"', "no command of an engagement"),
    "a command of another stream": ('do = "stop-intake"', 'do = "assign"', "no command of a job order"),
    "an unknown field": ("{ owner = ", "{ boss = ", "gives 'reassign' a field 'boss'"),
    "a name as a field": ("{ owner = ", "{ name = ", "gives 'reassign' a field 'name'"),
    "an unknown reference": ('"$named-offer"', '"$nowhere"', "refers to '$nowhere'"),
    "an unknown reference in a list": ('["$application"]', '["$nobody"]', "refers to '$nobody'"),
    "an unknown actor": ('id = "$contact"', 'id = "$chef"', "refers to '$chef'"),
    "an unknown condition": ('"not-submitted"', '"not-sumbitted"', "wrong at activity"),
    "an activity twice": (
        'name = "change manager"',
        'name = "open vacancy"',
        "explains 'open vacancy' twice",
    ),
}


class TestReadMapping:
    @pytest.mark.parametrize(("right", "wrong", "says"), MISTAKES.values(), ids=MISTAKES.keys())
    def test_says_in_one_sentence_what_is_wrong(self, right: str, wrong: str, says: str) -> None:
        assert right in SHIPPED
        with pytest.raises(SourceError) as failed:
            read_mapping(SHIPPED.replace(right, wrong, 1))
        assert says in str(failed.value)
        assert "\n" not in str(failed.value)

    def test_reads_the_shipped_mapping(self, recruiting: Mapping) -> None:
        assert recruiting.observes == ("answer-application", "keep-in-touch", "word-after-interview")
        assert len(recruiting.activity) == 16


class TestCheckObserves:
    def test_suggests_the_rule_that_was_meant(self) -> None:
        known = {"answer-application", "keep-in-touch"}
        check_observes(("keep-in-touch",), known)
        with pytest.raises(SourceError, match=r'observes "keep-in-tuch".* did you mean "keep-in-touch"'):
            check_observes(("answer-application", "keep-in-tuch"), known)


class TestRestrict:
    def test_keeps_only_what_the_source_can_show(self) -> None:
        """What a log cannot show must never open: it would be a breach of the log, not of a person."""

        def rule(name: str) -> ObligationRule:
            return ObligationRule(
                id=name,
                says="it is said",
                because="of a source",
                kind="answer",
                subject="application",
                opens_on=(Trigger(event="application-recorded"),),
                met_by=(Trigger(event="attempt-made"),),
                within=Span(amount=1, unit="days"),
            )

        gate = GateRule(id="a-gate", guards=("submit",), says="no", remedy="ask", because="of a source")
        policy = Policy(
            name="whole", gates=(gate,), obligations=(rule("keep-in-touch"), rule("tell-decision"))
        )
        kept = restrict(policy, ("keep-in-touch", "answer-application"))
        assert [each.id for each in kept.obligations] == ["keep-in-touch"]
        assert kept.gates == policy.gates
        assert kept.digest() != policy.digest()
