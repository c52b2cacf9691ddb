"""What a policy says in vain: each warning once, and none for what is meant."""

from typing import TYPE_CHECKING, Any

import pytest

from events.policy import GateRule, LadderStep, ObligationRule, Policy, Span, Trigger
from events.policy_warnings import Beside, warnings_of

if TYPE_CHECKING:
    from tests.events.specification import World


def days(amount: int) -> Span:
    return Span(amount=amount, unit="days")


def step(after: int, do: Any = "escalate", to: Any = "owner", template: str = "escalation") -> LadderStep:
    level = {"owner": 1, "team-lead": 2, "director": 3, "candidate": 0}[to]
    return LadderStep(after=days(after), do=do, to=to, level=level, template=template)


def rule(**changes: Any) -> ObligationRule:
    """Give a sound promise about an application, with changes."""
    fields: dict[str, Any] = {
        "id": "answer-application",
        "says": "x",
        "because": "M: x",
        "kind": "answer",
        "subject": "application",
        "opens_on": (Trigger(event="application-recorded"),),
        "met_by": (Trigger(event="contact-made"),),
        "within": days(7),
        "ladder": (step(0), step(1, to="team-lead")),
    }
    return ObligationRule(**{**fields, **changes})


def gate(name: str, **changes: Any) -> GateRule:
    fields: dict[str, Any] = {"guards": ("submit",), "says": "x", "remedy": "x", "because": "M: x"}
    return GateRule(id=name, **{**fields, **changes})


def warned(*rules: ObligationRule, beside: Beside | None = None, **more: Any) -> list[tuple[Any, str]]:
    policy = Policy(name="p", obligations=rules, **more)
    return [(each.path, each.says) for each in warnings_of(policy, beside)]


MESSAGE = step(2, do="message", to="candidate", template="candidate-apology")


class TestWarningsOf:
    def test_has_nothing_to_say_of_what_ships(self, world: "World") -> None:
        assert warnings_of(world.starter) == []
        assert warned(rule()) == []

    @pytest.mark.parametrize(
        ("changes", "place", "says"),
        [
            (
                {"mode": "remind"},
                ("ladder", 1),
                'in mode "remind" only the owner is told, so nobody hears of step 2; write mode = "enforce" '
                "where they are to.",
            ),
            (
                {"ladder": (step(0), step(1, to="team-lead"), step(1, to="director"))},
                ("ladder", 1),
                "step 3 comes at the same moment, and then only the later of the two is told; leave one out, "
                "or let them come at different times.",
            ),
            (
                {"useful_for": days(1)},
                ("useful-for",),
                "it is about messages to the candidate, and the ladder sends none; leave it out or add one.",
            ),
            (
                {"not_before": days(7)},
                ("not-before",),
                'it forbids nothing: the promise is due "7 days" after its opening, and nothing can come '
                "sooner than that.",
            ),
            (
                {"met_by": (Trigger(event="engagement-closed"),)},
                ("met-by", 0),
                '"engagement-closed" never keeps it: a close drops every promise before it could be kept, '
                "and nothing else keeps this promise; name something that can.",
            ),
            (
                {"met_by": (Trigger(event="contact-made"), Trigger(event="excuse-granted"))},
                ("met-by", 1),
                '"excuse-granted" never keeps it: an excuse stands in a column of its own, and never counts '
                "as kept; name something that can.",
            ),
            (
                {
                    "met_by": (Trigger(event="client-answered", about_subject=True),),
                    "dropped_by": (Trigger(event="submitted", about_subject=True),),
                },
                ("met-by", 0),
                '"client-answered" never keeps it: it comes only after "submitted", which drops the promise, '
                "and nothing else keeps this promise; name something that can.",
            ),
            (
                {
                    "met_by": (
                        Trigger(event="contact-made"),
                        Trigger(event="contact-made", where={"purpose": "answer"}),
                    )
                },
                ("met-by", 1),
                '"contact-made" stands here without these conditions too; leave this one out.',
            ),
            (
                {"dropped_by": (Trigger(event="went-dormant"), Trigger(event="went-dormant"))},
                ("dropped-by", 1),
                '"went-dormant" stands here twice; leave one of the two out.',
            ),
            (
                {"dropped_by": (Trigger(event="excuse-granted", where={"rule": "answer-aplication"}),)},
                ("dropped-by", 0, "where", "rule"),
                'this policy has no rule "answer-aplication", so this never happens; '
                'did you mean "answer-application"?',
            ),
            (
                {"dropped_by": (Trigger(event="command-refused", where={"command": "record-contact"}),)},
                ("dropped-by", 0, "where", "command"),
                'no gate refuses "record-contact", so this never happens; choose one of "pause", '
                '"propose-job", "schedule-interview", "submit".',
            ),
            (
                {"dropped_by": (Trigger(event="job-proposed", where={"fit": "high"}),)},
                ("dropped-by", 0, "where", "fit"),
                '"high" is no number that fit could be, so this never happens.',
            ),
            (
                {"opens_on": (Trigger(event="application-recorded"), Trigger(event="engagement-closed"))},
                ("opens-on", 1),
                '"engagement-closed" never opens anything: nothing is owed by an engagement that is over.',
            ),
        ],
    )
    def test_finds_what_is_said_in_vain(self, changes: dict[str, Any], place: Any, says: str) -> None:
        assert warned(rule(**changes)) == [(("obligation", "answer-application", *place), says)]

    def test_lets_the_lead_s_step_hide_nothing_where_only_the_owner_is_told(self) -> None:
        ladder = (step(0), step(0, to="team-lead"))
        hidden = [says for _, says in warned(rule(ladder=ladder)) if "at the same moment" in says]
        assert len(hidden) == 1
        assert not [says for _, says in warned(rule(ladder=ladder, mode="remind")) if "same moment" in says]

    def test_lets_what_opens_after_it_be_dropped_by_it(self) -> None:
        """An offer that is revised opens later than the offer, and sees only a second one."""
        found = rule(
            opens_on=(Trigger(event="offer-revised"),),
            subject="offer",
            met_by=(Trigger(event="offer-accepted", about_subject=True),),
            dropped_by=(Trigger(event="offer-extended", about_subject=True),),
        )
        assert warned(found) == []

    def test_counts_the_quiet_hours_that_a_message_waits(self) -> None:
        short = rule(ladder=(step(0), MESSAGE), useful_for=Span(amount=2, unit="hours"))
        assert warned(short) == []
        ((place, says),) = warned(short, quiet_hours="20:00-08:00")
        assert place == ("obligation", "answer-application", "useful-for")
        assert says.startswith("a message that comes up when quiet hours begin waits 12 hours")

    def test_names_a_template_that_is_not_installed(self) -> None:
        ((place, says),) = warned(rule(ladder=(step(0),)), beside=Beside(templates={"obligation-reminder"}))
        assert place == ("obligation", "answer-application", "ladder", 0, "template")
        assert says == 'no text for "escalation" is installed; choose one of "obligation-reminder".'

    def test_asks_about_an_id_that_is_nearly_a_shipped_one(self) -> None:
        beside = Beside(shipped={"answer-application", "keep-in-touch"})
        ((place, says),) = warned(rule(id="answer-aplication"), beside=beside)
        assert place == ("obligation", "answer-aplication")
        assert 'the shipped "answer-application"' in says
        assert warned(rule(id="answer-aplication"), rule(), beside=beside) == []
        assert warned(rule(id="weekly-lunch"), beside=beside) == []

    @pytest.mark.parametrize(
        ("found", "place"),
        [
            (gate("right-to-represent", mode="remind"), ("mode",)),
            (gate("good-enough-fit", needs={"floor": 0}), ("needs", "floor")),
            (gate("not-while-paused", guards=("submit", "submit")), ("guards", 1)),
            (gate("long-pause-needs-lead", guards=("pause",), needs={"days": 5000}), ("needs", "days")),
        ],
    )
    def test_finds_gates_that_guard_nothing(self, found: GateRule, place: Any) -> None:
        ((where, _),) = warned(gates=(found,))
        assert where == ("gate", found.id, *place)
