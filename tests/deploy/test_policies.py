"""The policies that ship with Rapport."""

import re

import pytest

from events.policy import LARGEST_COMPILED, ObligationRule, Policy
from events.policy_checks import problems_of
from workers.shipped import deploy_policy

# The promises that climb all the way to the director, and to another recruiter.
FURTHEST = (
    "answer-application",
    "keep-in-touch",
    "answer-candidate",
    "prepare-for-interview",
    "word-after-interview",
    "tell-decision",
    "tell-position-filled",
)
# Those that came later: permanent ids, in the order of the file.
LATER = (
    "introduce-recruiter",
    "tell-no-match",
    "word-when-the-wait-is-over",
    "chase-client",
    "tell-client",
    "settle-conflict",
    "tell-conflict",
    "tell-position-held",
    "did-it-happen",
    "ask-on-the-day",
    "debrief",
    "ask-why-missed",
    "talk-over-offer",
    "talk-about-counter-offer",
    "settle-other-submissions",
    "pre-start-call",
    "confirm-start",
    "check-in-day-1",
    "check-in-day-7",
    "check-in-day-30",
    "check-in-day-60",
    "check-in-day-90",
    "client-check-in-day-30",
    "client-check-in-day-90",
    "aftercare",
    "follow-up-concern",
    "call-after-fall-off",
    "redeployment-talk-day-30",
    "redeployment-talk-day-14",
    "chase-feedback",
    "tell-interview-off",
    "confirm-end",
    "settle-guarantee",
)


def rule(name: str) -> ObligationRule:
    """Find a rule of the starter policy."""
    found = deploy_policy("starter").obligation(name)
    assert found is not None
    return found


class TestStarter:
    def test_holds_the_promises_and_the_gates(self) -> None:
        starter = deploy_policy("starter")
        assert tuple(each.id for each in starter.obligations) == FURTHEST + LATER
        assert {each.id: each.guards for each in starter.gates} == {
            "know-each-other-first": ("propose-job", "submit"),
            "right-to-represent": ("submit",),
            "no-double-submission": ("submit",),
            "not-while-paused": ("propose-job", "submit", "schedule-interview"),
            "good-enough-fit": ("propose-job",),
            "talk-before-matching-again": ("propose-job", "submit"),
            "not-while-placed": ("propose-job", "submit"),
            "long-pause-needs-lead": ("pause",),
        }

    def test_asks_for_knowing_each_other_before_any_job(self) -> None:
        assert deploy_policy("starter").gates[0].needs == {
            "conversation": True,
            "intake": True,
            "introduced": True,
            "facets": 3,
            "confirmed": True,
        }

    @pytest.mark.parametrize("name", LATER)
    def test_reaches_the_owner_and_then_the_lead(self, name: str) -> None:
        steps = [(step.to, step.level) for step in rule(name).ladder if step.do == "escalate"]
        assert steps[:2] == [("owner", 1), ("team-lead", 2)]

    @pytest.mark.parametrize("name", FURTHEST)
    def test_climbs_to_the_director_and_then_to_another_recruiter(self, name: str) -> None:
        steps = [(step.do, step.to, step.level) for step in rule(name).ladder]
        assert steps == [
            ("remind", "owner", 0),
            ("escalate", "owner", 1),
            ("escalate", "team-lead", 2),
            ("escalate", "director", 3),
            ("propose-reassignment", "director", 3),
        ]

    def test_lets_only_a_talk_keep_in_touch(self) -> None:
        """Law 6: only two-way human contact meets a contact obligation."""
        touch = rule("keep-in-touch")
        assert touch.kind == "contact"
        assert [each.event for each in touch.met_by] == ["contact-made"]
        assert (touch.counts_from, touch.unless_dormant, touch.while_paused) == ("happened", True, "waits")

    def test_keeps_in_touch_with_everybody_who_is_awake(self) -> None:
        """Whatever wakes an engagement starts the week; a quiet one would otherwise be forgotten."""
        assert {each.event for each in rule("keep-in-touch").opens_on} == {
            "engagement-opened",
            "application-recorded",
            "submitted",
            "candidate-wrote",
            "call-requested",
            "resumed",
            "contact-made",
            "placement-ended",
            "excuse-granted",
        }

    def test_prepares_for_no_interview_of_what_is_over(self) -> None:
        dropped = {(each.event, each.about_subject) for each in rule("prepare-for-interview").dropped_by}
        assert dropped >= {
            ("candidate-withdrew", True),
            ("candidate-withdrew", False),
            ("client-answered", True),
            ("position-filled", True),
        }

    def test_asks_for_the_decision_itself_to_be_told(self) -> None:
        """A talk about something else tells no decision."""
        for name in ("tell-decision", "tell-position-filled"):
            assert all(each.about_subject for each in rule(name).met_by)

    def test_has_the_talk_before_the_interview(self) -> None:
        prepare = rule("prepare-for-interview")
        assert prepare.planned == "starts_at"
        assert all(step.after.delta < -prepare.within.delta for step in prepare.ladder)

    def test_ends_a_wait_with_a_job_however_early(self) -> None:
        """Nobody who has a job to think about waits for a word that there is none yet."""
        wait = rule("word-when-the-wait-is-over")
        assert "job-proposed" in {each.event for each in wait.met_by}
        assert "job-proposed" in {each.event for each in wait.dropped_by}

    def test_tells_the_client_of_each_no_of_the_candidate(self) -> None:
        """A client who goes back on its own word needs no telling."""
        assert [(each.event, each.where) for each in rule("tell-client").opens_on] == [
            ("right-to-represent-revoked", {}),
            ("candidate-withdrew", {"scope": "submission"}),
            ("offer-declined", {}),
            ("placement-ended", {"how": "reneged", "ended_by": "candidate"}),
            ("placement-ended", {"how": "no-start", "ended_by": "candidate"}),
        ]


class TestObserved:
    def test_holds_the_same_rules_and_tells_nobody(self) -> None:
        starter = deploy_policy("starter")
        observed = deploy_policy("observed")
        assert observed == Policy(
            format=3,
            name="observed",
            gates=tuple(each.model_copy(update={"mode": "observe"}) for each in starter.gates),
            obligations=tuple(each.model_copy(update={"mode": "observe"}) for each in starter.obligations),
        )


@pytest.mark.parametrize("name", ["starter", "observed"])
class TestEveryShippedPolicy:
    def test_names_the_source_of_each_rule_and_how_sure_it_is(self, name: str) -> None:
        policy = deploy_policy(name)
        sources = [gate.because for gate in policy.gates] + [rule.because for rule in policy.obligations]
        assert all(re.match(r"[VSM]: \w", each) for each in sources)

    def test_can_be_adopted_by_an_agency(self, name: str) -> None:
        assert problems_of(deploy_policy(name)) == []

    def test_fits_a_workflow_with_room_to_spare(self, name: str) -> None:
        assert len(deploy_policy(name).body().encode()) < 0.9 * LARGEST_COMPILED
