"""An agency's people, lines and policies: decisions and fold."""

from datetime import UTC, datetime

import pytest

from events import agency as ag
from events.catalogue import PolicyAdopted
from events.errors import InvalidCommand
from events.personal import Erased, personal_fields
from events.policy import GateRule, ObligationRule, Policy, Span, Trigger
from events.policy_checks import problems_of

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
DIRECTOR = ag.Entry(person_id="d-1", role="director", name="Director One", email="d@example.test")
LEAD = ag.Entry(person_id="t-1", role="team-lead", director="d-1", name="Lead One", email="t@example.test")
RECRUITER = ag.Entry(person_id="r-1", role="recruiter", team_lead="t-1", name="One", email="r@example.test")
TOUCH = ObligationRule(
    id="keep-in-touch",
    says="s",
    because="b",
    kind="contact",
    subject="engagement",
    opens_on=(Trigger(event="engagement-opened"),),
    met_by=(Trigger(event="contact-made"),),
    within=Span(amount=7, unit="days"),
    mode="observe",
)
OUTREACH, ATTEMPT, SANG = (
    Trigger(event=each) for each in ("outreach-sent", "attempt-made", "candidate-sang")
)
EVERYBODY = ag.LoadPeople(people=(DIRECTOR, LEAD, RECRUITER))


def after(*commands: ag.AnyAgencyCommand) -> ag.Agency:
    state = ag.initial("a-1")
    for command in commands:
        for event in ag.decide(command, state, NOON):
            state = ag.evolve(state, event)
    return state


class TestLoadPeople:
    def test_lets_everybody_join(self) -> None:
        events = ag.decide(EVERYBODY, ag.initial("a-1"), NOON)
        assert [(event.type, event.person_id) for event in events if isinstance(event, ag.PersonJoined)] == [
            ("person-joined", "d-1"),
            ("person-joined", "t-1"),
            ("person-joined", "r-1"),
        ]

    def test_says_nothing_new_the_second_time(self) -> None:
        assert ag.decide(EVERYBODY, after(EVERYBODY), NOON) == []

    def test_tells_who_changed_and_who_left(self) -> None:
        moved = LEAD.model_copy(update={"email": "new@example.test"})
        later = ag.LoadPeople(people=(DIRECTOR, moved))
        assert [event.type for event in ag.decide(later, after(EVERYBODY), NOON)] == [
            "person-changed",
            "person-left",
        ]

    def test_refuses_somebody_twice(self) -> None:
        with pytest.raises(InvalidCommand, match="'d-1' comes twice"):
            after(ag.LoadPeople(people=(DIRECTOR, DIRECTOR)))

    def test_refuses_a_line_that_leads_nowhere(self) -> None:
        with pytest.raises(InvalidCommand, match="team-lead 't-1' of 'r-1' is not in the list"):
            after(ag.LoadPeople(people=(DIRECTOR, RECRUITER)))

    def test_refuses_a_line_to_the_wrong_role(self) -> None:
        wrong = RECRUITER.model_copy(update={"person_id": "r-2", "team_lead": "r-1"})
        with pytest.raises(InvalidCommand, match="'r-1' of 'r-2' has the role recruiter"):
            after(ag.LoadPeople(people=(DIRECTOR, LEAD, RECRUITER, wrong)))

    def test_seals_names_and_addresses_only(self) -> None:
        for event in (ag.PersonJoined, ag.PersonChanged):
            assert personal_fields(event) == ("email", "name")


class TestLines:
    def test_go_up_to_the_team_leads_director(self) -> None:
        assert after(EVERYBODY).lines()["r-1"] == ag.Line("t-1", "d-1")

    def test_skip_who_left(self) -> None:
        lines = after(EVERYBODY, ag.LoadPeople(people=(DIRECTOR,))).lines()
        assert lines["r-1"] == ag.Line(None, "d-1")

    def test_are_each_as_asked_for_alone(self) -> None:
        for state in (after(EVERYBODY), after(EVERYBODY, ag.LoadPeople(people=(DIRECTOR,)))):
            assert {each: state.line(each) for each in state.lines()} == state.lines()
            assert state.line("nobody") is None

    def test_do_not_need_names(self) -> None:
        """An erased agency key leaves the lines as they are."""
        state = ag.initial("a-1")
        for event in ag.decide(EVERYBODY, state, NOON):
            erased = event.model_copy(update={"name": Erased(sealed="0"), "email": Erased(sealed="0")})
            state = ag.evolve(state, erased)
        assert state.lines() == after(EVERYBODY).lines()


class TestAdoptPolicy:
    POLICY = Policy(
        name="starter",
        gates=(GateRule(id="right-to-represent", guards=("submit",), says="s", remedy="r", because="b"),),
    )

    def test_carries_the_body(self) -> None:
        command = ag.AdoptAgencyPolicy(body=self.POLICY.body())
        assert ag.decide(command, ag.initial("a-1"), NOON) == [
            PolicyAdopted(at=NOON, digest=self.POLICY.digest(), name="starter", body=self.POLICY.body())
        ]

    @pytest.mark.parametrize(
        ("policy", "says"),
        [
            (
                Policy(name="x", gates=(POLICY.gates[0].model_copy(update={"id": "be-nice"}),)),
                "be-nice: there is no gate",
            ),
            (Policy(name="x", gates=POLICY.gates * 2), "right-to-represent: two rules have this id"),
            (
                Policy(name="x", gates=(POLICY.gates[0].model_copy(update={"guards": ("record-offer",)}),)),
                "no gate refuses a report",
            ),
            (
                Policy(name="x", obligations=(TOUCH.model_copy(update={"met_by": (OUTREACH,)}),)),
                "no automated message keeps a promise",
            ),
            (
                Policy(name="x", obligations=(TOUCH.model_copy(update={"met_by": (ATTEMPT,)}),)),
                "only two-way human contact can",
            ),
            (
                Policy(name="x", obligations=(TOUCH.model_copy(update={"opens_on": (SANG,)}),)),
                "keep-in-touch: there is no event",
            ),
        ],
    )
    def test_refuses_what_could_not_be_run(self, policy: Policy, says: str) -> None:
        """Through whatever door a policy comes, it is what a file could have said."""
        assert any(says in each for each in problems_of(policy))
        with pytest.raises(InvalidCommand, match="the policy cannot be run"):
            after(ag.AdoptAgencyPolicy(body=policy.body()))

    @pytest.mark.parametrize("amount", [100_000, -100_000, 10**12])
    def test_refuses_a_length_of_time_beyond_all_calendars(self, amount: int) -> None:
        whole = Policy(name="x", obligations=(TOUCH,))
        assert ag.decide(ag.AdoptAgencyPolicy(body=whole.body()), ag.initial("a-1"), NOON)
        body = whole.body().replace('"amount":7', f'"amount":{amount}')
        assert body != whole.body()
        with pytest.raises(InvalidCommand, match="not a compiled policy"):
            after(ag.AdoptAgencyPolicy(body=body))

    def test_says_nothing_new_the_second_time(self) -> None:
        command = ag.AdoptAgencyPolicy(body=self.POLICY.body())
        assert ag.decide(command, after(command), NOON) == []

    def test_refuses_what_is_no_policy(self) -> None:
        with pytest.raises(InvalidCommand, match="not a compiled policy"):
            after(ag.AdoptAgencyPolicy(body="{}"))

    def test_refuses_another_form_of_the_same_policy(self) -> None:
        """The digest names bytes, so there is one form only."""
        with pytest.raises(InvalidCommand, match="canonical form"):
            after(ag.AdoptAgencyPolicy(body=" " + self.POLICY.body()))

    def test_refuses_what_no_payload_could_carry(self) -> None:
        gate = self.POLICY.gates[0].model_copy(update={"says": "x" * 33_000})
        with pytest.raises(InvalidCommand, match="larger than 32 KiB"):
            after(ag.AdoptAgencyPolicy(body=Policy(name="starter", gates=(gate,)).body()))


class TestHoldOutreach:
    HOLD = ag.HoldOutreach(reason="wrong-template", by="t-1", words="It names another client.")
    RELEASE = ag.ReleaseOutreach(by="d-1")

    def test_says_since_when_why_and_by_whom(self) -> None:
        assert after(self.HOLD).outreach_held == ag.Hold(NOON, "wrong-template", "t-1")

    def test_says_nothing_new_the_second_time(self) -> None:
        """Whoever holds what is held already does not move its beginning."""
        assert ag.decide(self.HOLD.model_copy(update={"reason": "other"}), after(self.HOLD), NOON) == []

    def test_ends_with_the_release(self) -> None:
        assert after(self.HOLD, self.RELEASE).outreach_held is None
        assert [each.type for each in ag.decide(self.HOLD, after(self.HOLD, self.RELEASE), NOON)] == [
            "outreach-held"
        ]

    def test_is_not_there_to_be_released(self) -> None:
        assert ag.decide(self.RELEASE, ag.initial("a-1"), NOON) == []

    def test_seals_what_was_said(self) -> None:
        """Whoever explains an incident may name a candidate."""
        assert personal_fields(ag.OutreachHeld) == personal_fields(ag.HoldOutreach) == ("words",)
