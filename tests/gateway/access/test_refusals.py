import pytest

from gateway.access.refusals import may_not, refusal
from gateway.access.roles import ACTIONS, ROLES, Action, scope
from gateway.access.who import Role


class TestRefusal:
    @pytest.mark.parametrize("action", ACTIONS)
    def test_is_one_sentence_of_one_form(self, action: Action) -> None:
        for role in ROLES:
            said = refusal(role, action)
            assert " may not " in said, said
            assert not {":", "(", "."} & set(said.replace("(standard-webhooks)", "")), said

    @pytest.mark.parametrize(
        ("role", "action", "said"),
        [
            ("recruiter", "see-compliance", "a recruiter may not see the compliance report"),
            ("operator", "report", "an operator may not give commands that tell"),
            ("auditor", "see-held", "an auditor may not see all that is held about one person"),
            (
                "team-lead",
                "excuse",
                "a team lead may not excuse a promise in their own name, "
                "unless they or their team answer for it",
            ),
            (
                "integration",
                "vouch",
                "an integration may not cause what only the candidate may, with evidence of it, "
                "unless its connection is in our own words (standard-webhooks)",
            ),
        ],
    )
    def test_names_who_may_not_do_what_and_where_they_may(
        self, role: Role, action: Action, said: str
    ) -> None:
        assert refusal(role, action) == said

    def test_says_where_a_role_may_only_if_it_may_anywhere(self) -> None:
        for role in ROLES:
            for action in ACTIONS:
                may_somewhere = scope(role, action) not in ("none", "all")
                plain = refusal(role, action) == refusal_of_none(role, action)
                assert plain is not may_somewhere


def refusal_of_none(role: Role, action: Action) -> str:
    """This will be what is said to somebody who may nowhere."""
    from gateway.access.roles import TABLE

    return may_not(role, TABLE[action].does)
