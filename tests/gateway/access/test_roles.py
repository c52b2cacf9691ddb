from typing import TYPE_CHECKING, Any

import pytest

from events.agency import COMMANDS as AGENCY_COMMANDS
from events.errors import NeedsEvidence
from events.job_order import COMMANDS as JOB_ORDER_COMMANDS
from events.orders import COMMANDS, PUBLIC
from gateway.access.roles import (
    ACTIONS,
    AGENCY_ACTIONS,
    CANDIDATES,
    NEEDS_EVIDENCE,
    ROLES,
    TABLE,
    Action,
    engagement_action,
    job_order_action,
    lends_anothers_word,
    may_stand_as,
)
from gateway.access.who import Role, Who

if TYPE_CHECKING:
    from tests.events.specification import World

LEADS: set[Action] = {"excuse", "approve-pause", "reassign"}
CHANGES: set[Action] = {"open-engagement", "ask", "report", "vouch", "speak", "agree"}
LEAD = Who(agency="acme", role="team-lead", credential="k-1", person_id="l-1")


class TestTheTable:
    def test_says_something_of_every_action_and_role(self) -> None:
        assert tuple(TABLE) == ACTIONS
        assert all(tuple(row.scopes) == ROLES for row in TABLE.values())

    @pytest.mark.parametrize(
        ("role", "never"),
        [
            (
                "recruiter",
                {"excuse", "approve-pause", "reassign", "adopt-policy", "manage-people", "break-glass"},
            ),
            ("team-lead", {"adopt-policy", "manage-people", "break-glass", "see-held"}),
            ("director", {"speak", "agree", "break-glass"}),
            # Compliance changes no engagement, the auditor changes nothing at all.
            ("compliance", {"open-engagement", "ask", "report", "excuse", "approve-pause", "reassign"}),
            (
                "operator",
                {"see-held", "open-engagement", "ask", "report", "excuse", "reassign", "adopt-policy"},
            ),
            (
                "auditor",
                {*ACTIONS} - {each for each in ACTIONS if each.startswith("see-")} | {"see-personal"},
            ),
            ("integration", {*ACTIONS} - {"open-engagement", "report", "vouch", "work-job-orders"}),
            ("candidate", {*ACTIONS} - {"see-engagements", "see-held", "speak", "agree"}),
        ],
    )
    def test_keeps_each_role_from_what_is_not_its_own(self, role: Role, never: set[Action]) -> None:
        assert {action for action in never if TABLE[action].scopes[role] != "none"} == set()

    def test_lets_nobody_but_the_candidate_be_the_candidate(self) -> None:
        for action in ("speak", "agree"):
            scopes = TABLE[action].scopes
            assert {role for role, scope in scopes.items() if scope != "none"} == {"candidate"}


class TestNeedsEvidence:
    def test_is_what_the_core_takes_from_nobody_who_merely_says_so(self, world: "World") -> None:
        """Every command that knows evidence is given without any: the core says which need some."""
        given = world.given(
            "engagement-opened", "known", "profile-played-back", "job-proposed", "application-recorded"
        )
        refused: set[str] = set()
        taken: set[str] = set()
        for name in PUBLIC:
            fields = COMMANDS[name].model_fields
            if "evidence" not in fields or "asserted" not in str(fields["evidence"].annotation):
                continue
            nothing: dict[str, Any] = {
                "evidence": "asserted",
                **({"evidence_ref": None} if "evidence_ref" in fields else {}),
            }
            then = given.when(name, **nothing)
            assert then.error is None or isinstance(then.error, NeedsEvidence), name
            (taken if then.error is None else refused).add(name)
        assert refused == NEEDS_EVIDENCE
        assert {"record-contact", "confirm-profile", "record-check"} <= taken


class TestEngagementAction:
    @pytest.mark.parametrize(
        ("name", "fields", "action"),
        [
            ("open-engagement", {}, "open-engagement"),
            ("propose-job", {}, "ask"),
            ("schedule-interview", {}, "ask"),
            ("record-interview-result", {}, "report"),
            ("pause", {}, "ask"),
            ("pause", {"approved_by": "l-1"}, "approve-pause"),
            ("record-pause", {"approved_by": "l-1"}, "approve-pause"),
            ("excuse-obligation", {}, "excuse"),
            ("assign", {}, "reassign"),
            ("reassign", {}, "reassign"),
            ("adopt-policy", {}, "reassign"),
            ("grant-right-to-represent", {}, "agree"),
            ("grant-right-to-represent", {"evidence": "asserted", "evidence_ref": "m-1"}, "agree"),
            ("grant-right-to-represent", {"evidence": "system"}, "agree"),
            ("grant-right-to-represent", {"evidence": "system", "evidence_ref": "m-1"}, "vouch"),
        ],
    )
    def test_is_what_the_command_means(self, name: str, fields: dict[str, Any], action: str) -> None:
        assert engagement_action("director", name, fields) == action

    def test_lets_a_candidate_say_only_what_is_theirs(self) -> None:
        actions = {name: engagement_action("candidate", name, {}) for name in PUBLIC}
        assert {name for name, action in actions.items() if action == "speak"} == CANDIDATES
        assert {name for name, action in actions.items() if action == "agree"} == NEEDS_EVIDENCE
        assert {actions[name] for name in PUBLIC - CANDIDATES - NEEDS_EVIDENCE} == {"report"}

    def test_knows_every_command(self) -> None:
        assert CANDIDATES | NEEDS_EVIDENCE <= PUBLIC
        assert set(AGENCY_ACTIONS) == set(AGENCY_COMMANDS) - {"break-glass"}
        assert {job_order_action(name) for name in JOB_ORDER_COMMANDS} == {"reassign", "work-job-orders"}


class TestLendsAnothersWord:
    @pytest.mark.parametrize(
        ("name", "fields", "lends"),
        [
            ("excuse-obligation", {"by": "l-1"}, False),
            ("excuse-obligation", {}, False),
            ("excuse-obligation", {"by": "l-2"}, True),
            ("pause", {"approved_by": "d-1"}, True),
            ("record-pause", {"approved_by": "d-1"}, True),
            ("record-contact", {"by": "r-1"}, False),
        ],
    )
    def test_is_a_leads_word_from_somebody_else(self, name: str, fields: dict[str, str], lends: bool) -> None:
        assert lends_anothers_word(LEAD, name, fields) is lends


class TestMayStandAs:
    @pytest.mark.parametrize(
        ("present", "wanted", "may"),
        [
            ("recruiter", "recruiter", True),
            ("recruiter", "team-lead", False),
            ("director", "recruiter", True),
            ("director", "compliance", False),
            ("compliance", "recruiter", False),
            ("recruiter", "auditor", True),
        ],
    )
    def test_gives_nobody_more_than_they_are(self, present: Role, wanted: Role, may: bool) -> None:
        assert may_stand_as(present, wanted) is may
