"""The gates: what an intent needs, one function each."""

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from events.gates import GATES, unmet
from events.policy import GateRule, Policy
from events.policy_file import load_policy

if TYPE_CHECKING:
    from tests.events.specification import World


DAY = timedelta(days=1)


GATED = """
name = "gated"
[calendar.new-york]
zone = "America/New_York"
hours = "09:00-17:00"
[gate."needs-check:identity"]
says = "No."
remedy = "Check."
because = "M: x"
guards = ["propose-job"]
needs = { no-sooner-than = "WAIT" }
"""


def opens(world: "World", gate: str, *events: Any, command: str = "submit", **needs: Any) -> bool:
    """Tell whether a gate lets the canonical command through."""
    state = world.given("engagement-opened", *events).state
    return GATES[gate](world.command(command), state, needs, world.later)


class TestKnowEachOtherFirst:
    @pytest.mark.parametrize(
        ("needs", "events", "passes"),
        [
            ({}, (), False),
            ({}, ("contact-made",), False),
            ({}, ("intake-completed",), False),
            ({}, ("contact-made", "intake-completed"), True),
            ({"intake": False}, ("contact-made",), True),
            ({"conversation": False}, ("intake-completed",), True),
            ({"conversation": False, "intake": False}, (), True),
            ({}, ("attempt-made", "intake-completed"), False),
        ],
    )
    def test_asks_for_what_the_policy_wants(
        self, world: "World", needs: dict[str, bool], events: tuple[str, ...], passes: bool
    ) -> None:
        assert opens(world, "know-each-other-first", *events, command="propose-job", **needs) is passes

    def test_asks_that_the_present_recruiter_was_introduced(self, world: "World") -> None:
        """The candidate learns who answers for them, and anew when somebody else does."""
        asked: dict[str, Any] = {"conversation": False, "intake": False, "introduced": True}
        gate = "know-each-other-first"
        introduced = ("assigned", "recruiter-introduced")
        assert not opens(world, gate, **asked)
        assert not opens(world, gate, "assigned", **asked)
        assert opens(world, gate, *introduced, **asked)
        assert not opens(world, gate, *introduced, "reassigned", **asked)
        successor = world.event("recruiter-introduced", recruiter="recruiter-2")
        assert opens(world, gate, *introduced, "reassigned", successor, **asked)

    def test_counts_the_kinds_of_what_is_known(self, world: "World") -> None:
        asked: dict[str, Any] = {"conversation": False, "intake": False, "facets": 2}
        gate = "know-each-other-first"
        alike = world.event("facet-learnt", facet_id="facet-2")
        other = world.event("facet-learnt", facet_id="facet-2", facet="motive")
        assert not opens(world, gate, "contact-made", "facet-learnt", **asked)
        assert not opens(world, gate, "contact-made", "facet-learnt", alike, **asked)
        assert opens(world, gate, "contact-made", "facet-learnt", other, **asked)
        retired = world.event("facet-retired", facet_id="facet-2")
        assert not opens(world, gate, "contact-made", "facet-learnt", other, retired, **asked)

    def test_does_not_count_what_has_expired(self, world: "World") -> None:
        """What was true of a person a year ago is asked again; at the very moment it has expired."""
        asked: dict[str, Any] = {"conversation": False, "intake": False, "facets": 1}
        for late, passes in ((timedelta(), False), (timedelta(seconds=1), True)):
            learnt = world.event("facet-learnt", expires_at=world.later + late)
            assert opens(world, "know-each-other-first", "contact-made", learnt, **asked) is passes

    @pytest.mark.parametrize(
        ("events", "passes"),
        [
            ((), False),
            (("facet-learnt",), False),
            (("facet-learnt", "profile-played-back"), False),
            (("facet-learnt", "profile-played-back", "profile-confirmed"), True),
            (("facet-learnt", "profile-played-back", "profile-confirmed", "facet-learnt"), False),
        ],
    )
    def test_asks_for_the_candidate_s_own_yes(
        self, world: "World", events: tuple[str, ...], passes: bool
    ) -> None:
        """What they have not said yes to counts for nothing, and hinders nothing."""
        asked: dict[str, Any] = {"conversation": False, "intake": False, "confirmed": True}
        assert opens(world, "know-each-other-first", "contact-made", *events, **asked) is passes

    def test_knows_nothing_from_a_talk_that_never_was(self, world: "World") -> None:
        """What was learnt in a conversation goes with it when it is declared wrong."""
        asked: dict[str, Any] = {"conversation": False, "intake": False, "facets": 1}
        other = world.event("facet-learnt", contact_id="contact-9")
        assert not opens(world, "know-each-other-first", "contact-made", other, **asked)

    def test_asks_no_yes_to_what_has_expired(self, world: "World") -> None:
        asked: dict[str, Any] = {"conversation": False, "intake": False, "confirmed": True}
        old = world.event("facet-learnt", facet_id="facet-2", expires_at=world.later)
        known = ("facet-learnt", "profile-confirmed", old)
        assert opens(world, "know-each-other-first", "contact-made", *known, **asked)


class TestRightToRepresent:
    def test_is_for_one_job(self, world: "World") -> None:
        other = world.event("right-to-represent-granted", job_order_id="j-2")
        assert not opens(world, "right-to-represent", other)
        assert opens(world, "right-to-represent", other, "right-to-represent-granted")

    def test_ends_when_it_is_revoked_or_expires(self, world: "World") -> None:
        expired = world.event("right-to-represent-granted", expires_at=world.later)
        assert not opens(world, "right-to-represent", expired)
        forever = world.event("right-to-represent-granted", expires_at=None)
        assert opens(world, "right-to-represent", forever)
        assert not opens(world, "right-to-represent", forever, "right-to-represent-revoked")


class TestNeedsCheck:
    """Right to work, identity, a hirer's facts: the last word about them decides."""

    def needed(self, world: "World", *events: Any, command: str = "submit", **needs: Any) -> bool:
        asked = {"kind": "identity", **{name.replace("_", "-"): each for name, each in needs.items()}}
        return opens(world, "needs-check", *events, command=command, **asked)

    def test_asks_for_a_check_of_its_kind_that_was_passed(self, world: "World") -> None:
        assert not self.needed(world)
        assert not self.needed(world, world.event("check-recorded", kind="reference"))
        assert not self.needed(world, world.event("check-recorded", outcome="failed"))
        assert self.needed(world, "check-recorded")

    def test_takes_the_outcomes_that_the_policy_calls_good(self, world: "World") -> None:
        found = world.event("check-recorded", outcome="agreed")
        assert not self.needed(world, found)
        assert self.needed(world, found, outcome="agreed")
        assert self.needed(world, found, outcome=("passed", "agreed"))

    def test_lets_the_last_word_count(self, world: "World") -> None:
        """Somebody who passed in spring and failed in autumn has not passed, however it is noted."""
        failed = world.event("check-recorded", check_id="check-2", outcome="failed", at=world.noon + DAY)
        assert not self.needed(world, "check-recorded", failed)
        assert not self.needed(world, failed, "check-recorded")
        again = world.event("check-recorded", check_id="check-3", at=world.noon + 2 * DAY)
        assert self.needed(world, failed, again)

    def test_ends_with_the_check_s_own_expiry(self, world: "World") -> None:
        for late, passes in ((timedelta(), False), (timedelta(seconds=1), True)):
            found = world.event("check-recorded", expires_at=world.later + late)
            assert self.needed(world, found) is passes
        assert self.needed(world, world.event("check-recorded", expires_at=None))

    def test_asks_for_a_young_check_where_the_policy_does(self, world: "World") -> None:
        old = world.event("check-recorded", at=world.later - 90 * DAY)
        assert self.needed(world, old, within_days=90)
        assert not self.needed(world, old, within_days=89)
        assert self.needed(world, old)

    def test_asks_that_a_notice_has_stood_for_a_while(self, world: "World") -> None:
        """A notice that is given again does not begin to count anew; one that was taken back does."""
        given, again = (
            world.event("check-recorded", check_id=f"check-{days}", at=world.later - days * DAY)
            for days in (10, 1)
        )
        back = world.event("check-recorded", check_id="back", outcome="refused", at=world.later - 2 * DAY)
        assert self.needed(world, given, again, no_sooner_than="10 days")
        assert not self.needed(world, given, again, no_sooner_than="11 days")
        assert not self.needed(world, given, back, again, no_sooner_than="10 days")

    def test_counts_a_notice_in_the_working_days_of_the_office(self, world: "World") -> None:
        text = GATED.replace("WAIT", "3 working days")
        policy = load_policy(text, where="gated.toml", on=date(2026, 1, 5))
        life = world.life(policy)
        friday = datetime(2026, 1, 9, 15, tzinfo=UTC)
        life.do("open-engagement", friday)
        life.do("record-check", friday, about=(), expires_at=None)
        for now, refused in ((friday + 4 * DAY, True), (friday + 5 * DAY, False)):
            command = world.command("propose-job")
            assert bool(unmet(command, "propose-job", life.state, policy, now)) is refused

    def test_was_waited_for_where_it_is_older_than_the_calendar(self, world: "World") -> None:
        """A calendar begins a year before its policy; a notice of years ago stops nobody, nor any report."""
        policy = load_policy(GATED.replace("WAIT", "3 working days"), where="gated.toml", on=date(2026, 1, 5))
        life = world.life(policy)
        life.do("open-engagement", world.noon - 1100 * DAY)
        life.do("record-check", world.noon - 1100 * DAY, about=(), expires_at=None)
        assert not unmet(world.command("propose-job"), "propose-job", life.state, policy, world.noon)

    @pytest.mark.parametrize(
        ("about", "passes"),
        [
            ((), False),
            (("job-order:j-2",), False),
            (("job-order:j-1",), True),
            (("application:a-1",), True),
            (("submission:s-1",), True),
            (("interview:i-1",), True),
        ],
    )
    @pytest.mark.parametrize("command", ["submit", "schedule-interview"])
    def test_asks_about_the_very_job_where_the_policy_does(
        self, world: "World", command: str, about: tuple[str, ...], passes: bool
    ) -> None:
        """A client's facts about one job say nothing of another."""
        known = ("application-recorded", "submitted", "interview-scheduled")
        found = world.event("check-recorded", about=about)
        assert self.needed(world, *known, found, command=command, about="job-order") is passes
        assert self.needed(world, *known, found, command=command, about="engagement")

    def test_forgets_a_check_that_was_annulled(self, world: "World") -> None:
        gate = GateRule(
            id="needs-check:identity", guards=("propose-job",), says="No.", remedy="Check.", because="M: x"
        )
        life = world.life(Policy(name="p", gates=(gate,)))
        life.do("open-engagement", world.noon)
        life.do("record-check", world.noon, about=())
        assert not unmet(world.command("propose-job"), "propose-job", life.state, life.policy, world.noon)
        life.do("annul-event", world.noon, event_id=life.id_of("check-recorded"))
        refused = life.do("propose-job", world.noon)
        assert [(each.type, each.gate) for each in refused] == [("command-refused", "needs-check:identity")]


class TestNoDoubleSubmission:
    def test_looks_at_live_submissions_for_the_same_job(self, world: "World") -> None:
        elsewhere = world.event("submitted", submission_id="s-2", job_order_id="j-2")
        assert opens(world, "no-double-submission", elsewhere)
        assert not opens(world, "no-double-submission", "submitted")
        assert opens(world, "no-double-submission", "submitted", "candidate-withdrew")


class TestNotWhilePaused:
    def test_ends_with_the_pause(self, world: "World") -> None:
        assert not opens(world, "not-while-paused", "paused")
        over = world.event("paused", until=world.later - timedelta(seconds=1))
        assert opens(world, "not-while-paused", over)
        assert opens(world, "not-while-paused", "paused", "resumed")


class TestGoodEnoughFit:
    @pytest.mark.parametrize(
        ("fit", "needs", "passes"),
        [
            (59, {}, False),
            (60, {}, True),
            (None, {}, False),
            (69, {"floor": 70}, False),
            (0, {"floor": 0}, True),
        ],
    )
    def test_asks_for_somebody_s_judgement_above_the_floor(
        self, world: "World", fit: int | None, needs: dict[str, int], passes: bool
    ) -> None:
        state = world.given("engagement-opened").state
        command = world.command("propose-job", fit=fit)
        assert GATES["good-enough-fit"](command, state, needs, world.later) is passes

    @pytest.mark.parametrize(("fit", "passes"), [(80, True), (59, False), (None, False)])
    def test_judges_a_submission_by_its_proposal(self, world: "World", fit: int | None, passes: bool) -> None:
        assert opens(world, "good-enough-fit", world.event("job-proposed", fit=fit)) is passes
        elsewhere = world.event("job-proposed", job_order_id="j-2", fit=90)
        assert not opens(world, "good-enough-fit", elsewhere)

    def test_lets_a_named_person_override_it_with_a_reason(self, world: "World") -> None:
        state = world.given("engagement-opened").state
        changes = {"fit": 10, "override_by": "lead-1", "override_reason": "She asked."}
        assert GATES["good-enough-fit"](world.command("propose-job", **changes), state, {}, world.later)
        assert opens(world, "good-enough-fit", world.event("job-proposed", **changes))


class TestTalkBeforeMatchingAgain:
    ACCEPTED = ("submitted", "offer-extended", "offer-accepted")

    @pytest.mark.parametrize(
        ("how", "passes"), [("reneged", False), ("no-start", False), ("completed", True)]
    )
    def test_asks_for_a_talk_about_what_came_to_nothing(self, world: "World", how: str, passes: bool) -> None:
        ended = world.event("placement-ended", how=how)
        gate = "talk-before-matching-again"
        assert opens(world, gate, *self.ACCEPTED, ended) is passes
        talked = world.event("contact-made", at=ended.at)
        assert opens(world, gate, *self.ACCEPTED, ended, talked)

    def test_takes_no_voicemail_and_no_talk_from_before(self, world: "World") -> None:
        fell = (*self.ACCEPTED, "placement-started", "placement-ended")
        tried = world.event("attempt-made", at=world.event("placement-ended").at)
        assert not opens(world, "talk-before-matching-again", *fell, tried, "contact-made")


class TestNotWhilePlaced:
    @pytest.mark.parametrize(
        ("kind", "passes"),
        [("permanent", False), ("unknown", False), ("contract", True), ("temp-to-perm", True)],
    )
    def test_leaves_those_alone_whose_job_has_no_end(self, world: "World", kind: str, passes: bool) -> None:
        """A contract's end is in sight, so the next job may be looked for meanwhile."""
        accepted = world.event("offer-accepted", kind=kind)
        placed = ("submitted", "offer-extended", accepted)
        assert opens(world, "not-while-placed", *placed) is passes
        assert opens(world, "not-while-placed", *placed, "placement-started") is passes

    def test_ends_with_the_placement_and_begins_with_its_conversion(self, world: "World") -> None:
        placed = ("submitted", "offer-extended", "offer-accepted", "placement-started")
        assert opens(world, "not-while-placed", *placed, "placement-ended")
        contract = world.event("offer-accepted", kind="contract")
        begun = ("submitted", "offer-extended", contract, "placement-started")
        assert not opens(world, "not-while-placed", *begun, "placement-converted")


class TestLongPauseNeedsLead:
    @pytest.mark.parametrize(
        ("days", "needs", "lead", "passes"),
        [
            (14, {}, None, True),
            (14.01, {}, None, False),
            (14.01, {}, "lead-1", True),
            (8, {"days": 7}, None, False),
            (7, {"days": 7}, None, True),
        ],
    )
    def test_asks_for_another_s_word_on_a_long_silence(
        self, world: "World", days: float, needs: dict[str, int], lead: str | None, passes: bool
    ) -> None:
        state = world.given("engagement-opened").state
        command = world.command("pause", until=world.later + timedelta(days=days), approved_by=lead)
        assert GATES["long-pause-needs-lead"](command, state, needs, world.later) is passes


class TestUnmet:
    def test_lists_all_gates_that_are_shut_in_the_policy_s_order(self, world: "World") -> None:
        state = world.given("engagement-opened", "paused").state
        found = unmet(world.command("submit"), "submit", state, world.starter, world.later)
        assert [gate.id for gate in found] == [
            "know-each-other-first",
            "right-to-represent",
            "not-while-paused",
        ]

    def test_judges_a_report_by_its_intent_s_gates(self, world: "World") -> None:
        state = world.given("engagement-opened").state
        command = world.command("record-submission")
        found = unmet(command, "record-submission", state, world.starter, world.later)
        assert [gate.id for gate in found] == ["know-each-other-first", "right-to-represent"]

    def test_asks_nothing_of_what_no_gate_guards(self, world: "World") -> None:
        state = world.given("engagement-opened").state
        command = world.command("record-contact")
        assert unmet(command, "record-contact", state, world.starter, world.later) == []
