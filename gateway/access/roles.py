"""Who may do what: one table of actions and roles, and the one function that reads it.

Pure.  Every door asks :func:`may`; an action that is not in the table cannot be asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, assert_never, get_args

from events.commands import Intent
from events.orders import COMMANDS
from gateway.access.who import Role, Who

Scope = Literal["none", "own", "own-team", "all", "connection", "own-words", "self", "glass"]
SCOPES: Final[Mapping[Scope, str]] = {
    "none": "no",
    "own": "what they answer for",
    "own-team": "what they or their team answer for",
    "all": "the whole agency",
    "connection": "what its connection is linked to, or the whole agency if the connection is in our own "
    "words (`standard-webhooks`), which name our engagements themselves",
    "own-words": "the whole agency, if its connection is in our own words",
    "self": "what is their own",
    "glass": "one engagement for 15 minutes, after breaking the glass",
}
Action = Literal[
    "see-engagements",
    "see-personal",
    "see-held",
    "see-job-orders",
    "see-agency",
    "see-compliance",
    "see-events",
    "open-engagement",
    "ask",
    "report",
    "vouch",
    "speak",
    "agree",
    "excuse",
    "approve-pause",
    "reassign",
    "work-job-orders",
    "adopt-policy",
    "manage-people",
    "record-absence",
    "hold-outreach",
    "make-links",
    "break-glass",
    "operate",
    "see-operations",
    "let-personal-out",
]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
ACTIONS: Final[tuple[Action, ...]] = get_args(Action)


@dataclass(frozen=True, slots=True)
class Row:
    """One action: what it is in words that go on after "may" or "may not", and how far each role may."""

    does: str
    scopes: Mapping[Role, Scope]
    note: str = ""
    """What the table of roles adds in brackets."""


def _row(does: str, *scopes: Scope, note: str = "") -> Row:
    return Row(does, dict(zip(ROLES, scopes, strict=True)), note)


# The columns are ROLES, in their order.
# fmt: off
TABLE: Final[Mapping[Action, Row]] = {
    "see-engagements": _row("see engagements, their events and promises, or who waits",
                            "own-team", "own-team", "all", "all", "all", "all", "none", "self"),
    "see-personal": _row("see names, addresses and words there",
                         "own-team", "own-team", "all", "all", "glass", "none", "none", "none"),
    "see-held": _row("see all that is held about one person",
                     "none", "none", "all", "all", "none", "none", "none", "self",
                     note="a candidate: with a code"),
    "see-job-orders": _row("see job orders",
                           "all", "all", "all", "all", "all", "all", "none", "none"),
    "see-agency": _row("see who works here and the policies",
                       "all", "all", "all", "all", "all", "all", "none", "none"),
    "see-compliance": _row("see the compliance report",
                           "none", "all", "all", "all", "all", "all", "none", "none"),
    "see-events": _row("follow the stream of events",
                       "own-team", "own-team", "all", "all", "all", "all", "none", "none",
                       note="a recruiter, a team lead: of one engagement"),
    "open-engagement": _row("open an engagement",
                            "own-team", "own-team", "all", "none", "none", "none", "all", "none"),
    "ask": _row("give commands that ask",
                "own-team", "own-team", "all", "none", "none", "none", "none", "none",
                note="intents"),
    "report": _row("give commands that tell",
                   "own-team", "own-team", "all", "none", "none", "none", "connection", "none",
                   note="reports"),
    "vouch": _row("cause what only the candidate may, with evidence of it",
                  "own-team", "own-team", "all", "none", "none", "none", "own-words", "none"),
    "speak": _row("give the candidate's own commands as the candidate",
                  "none", "none", "none", "none", "none", "none", "none", "self"),
    "agree": _row("cause what only the candidate may, without evidence",
                  "none", "none", "none", "none", "none", "none", "none", "self",
                  note="a candidate: with a code"),
    "excuse": _row("excuse a promise in their own name",
                   "none", "own-team", "all", "none", "none", "none", "none", "none"),
    "approve-pause": _row("approve a long pause in their own name",
                          "none", "own-team", "all", "none", "none", "none", "none", "none"),
    "reassign": _row("assign or reassign candidates and job orders, or let a policy govern one engagement",
                     "none", "own-team", "all", "none", "none", "none", "none", "none"),
    "work-job-orders": _row("open, hold, fill or close job orders",
                            "own-team", "own-team", "all", "none", "none", "none", "all", "none"),
    "adopt-policy": _row("adopt a policy for the agency",
                         "none", "none", "all", "all", "none", "none", "none", "none"),
    "manage-people": _row("load people or hand a caseload over",
                          "none", "none", "all", "none", "none", "none", "none", "none"),
    "record-absence": _row("record an absence or its end",
                           "self", "own-team", "all", "none", "none", "none", "none", "none"),
    "hold-outreach": _row("hold or release all outreach",
                          "none", "none", "all", "none", "all", "none", "none", "none"),
    "make-links": _row("make, list or revoke a candidate's links",
                       "own-team", "own-team", "all", "none", "none", "none", "none", "none"),
    "break-glass": _row("break the glass",
                        "none", "none", "none", "none", "all", "none", "none", "none",
                        note="one engagement's personal fields, logged"),
    "operate": _row("see to connections, their messages, or subscriptions",
                    "none", "none", "all", "none", "all", "none", "none", "none"),
    "see-operations": _row("see how connections and subscriptions stand",
                           "none", "none", "all", "all", "all", "all", "none", "none"),
    "let-personal-out": _row("let a subscription have personal fields",
                             "none", "none", "all", "none", "none", "none", "none", "none"),
}
# fmt: on


def who_may(action: Action, *scopes: Scope) -> frozenset[Role]:
    """Name the roles that may do something as far as one of *scopes*."""
    return frozenset(role for role in ROLES if TABLE[action].scopes[role] in scopes)


Through = Literal["a-link", "own-words"]


@dataclass(frozen=True, slots=True)
class Target:
    """What an action is about, as far as it decides who may."""

    engagement: str | None = None
    through: Through | None = None
    """How an integration comes to the engagement; None: not at all."""
    person: str | None = None
    own: frozenset[str] = frozenset()
    """Who answers for it, helps with it, owes a promise there, or stands in for one of them."""
    team: frozenset[str] | None = frozenset()
    """Their teams and leads; None: nobody answers for it, so that it is anybody's to take up."""
    open: bool = False
    """Whether its glass is broken for the caller's credential."""


def scope(role: Role, action: Action) -> Scope:
    """Say how far a role may go with an action."""
    return TABLE[action].scopes[role]


def may(who: Who, action: Action, target: Target) -> bool:
    """Tell whether somebody may do something; that it is of their agency, whoever found it has seen to."""
    reach = scope(who.role, action)
    match reach:
        case "none":
            return False
        case "all":
            return True
        case "own":
            return who.person_id in target.own
        case "own-team":
            return target.team is None or who.person_id in target.own | target.team
        case "connection":
            return who.connection is not None and target.through is not None
        case "own-words":
            return who.connection is not None and target.through == "own-words"
        case "self":
            if who.role == "candidate":
                return who.engagement is not None and who.engagement == target.engagement
            return who.person_id is not None and who.person_id == target.person
        case "glass":
            return target.open
        case _:
            assert_never(reach)


# -- commands -----------------------------------------------------------------------------------

# What the core takes only from the candidate or with evidence; a test asks the core which these are.
NEEDS_EVIDENCE: Final = frozenset({"grant-right-to-represent"})
# What a candidate may say by themselves.
CANDIDATES: Final = frozenset(
    {
        "record-message",
        "request-call",
        "confirm-profile",
        "record-application",
        "answer-proposal",
        "revoke-right-to-represent",
        "withdraw",
        "set-quiet-hours",
        "stop-outreach",
        "allow-outreach",
        "accept-offer",
        "decline-offer",
        "settle-submission",
        "raise-concern",
    }
)
_REASSIGNS: Final = frozenset({"assign", "reassign", "adopt-policy"})
# Of a job order: who answers for it is a lead's to say.
JOB_ORDER_REASSIGNS: Final = frozenset({"change-job-order-owner"})
# Without break-glass: whose credential it opens for is never a caller's to say, so it has a door of its own.
AGENCY_ACTIONS: Final[Mapping[str, Action]] = {
    "adopt-policy": "adopt-policy",
    "load-people": "manage-people",
    "start-reassignment": "manage-people",
    "complete-reassignment": "manage-people",
    "record-absence": "record-absence",
    "end-absence": "record-absence",
    "hold-outreach": "hold-outreach",
    "release-outreach": "hold-outreach",
}


def engagement_action(role: Role, name: str, fields: Mapping[str, Any]) -> Action:
    """Say which action a command to an engagement is, by whoever gives it."""
    if role == "candidate":
        return "agree" if name in NEEDS_EVIDENCE else "speak" if name in CANDIDATES else "report"
    if name in NEEDS_EVIDENCE:
        return "agree" if lacks_evidence(name, fields) else "vouch"
    if name == "open-engagement":
        return "open-engagement"
    if name == "excuse-obligation":
        return "excuse"
    if name in ("pause", "record-pause") and fields.get("approved_by") is not None:
        return "approve-pause"
    if name in _REASSIGNS:
        return "reassign"
    model = COMMANDS.get(name)
    return "ask" if model is not None and issubclass(model, Intent) else "report"


def job_order_action(name: str) -> Action:
    """Say which action a command to a job order is."""
    return "reassign" if name in JOB_ORDER_REASSIGNS else "work-job-orders"


def lends_anothers_word(who: Who, name: str, fields: Mapping[str, Any]) -> bool:
    """Tell whether a lead's word is given in the name of somebody who is not the caller."""
    field = {"excuse-obligation": "by", "pause": "approved_by", "record-pause": "approved_by"}.get(name)
    return field is not None and fields.get(field) not in (None, who.person_id)


def lacks_evidence(name: str, fields: Mapping[str, Any]) -> bool:
    """Tell whether a command causes what only the candidate may, and shows no evidence of it."""
    shown = fields.get("evidence") in ("system", "candidate-confirmed") and bool(fields.get("evidence_ref"))
    return name in NEEDS_EVIDENCE and not shown


# -- people -------------------------------------------------------------------------------------

# What a person of the agency is there; the higher may carry a credential of the lower.
RANKS: Final[Mapping[str, int]] = {"recruiter": 1, "team-lead": 2, "director": 3, "compliance": 0}


def may_stand_as(present: Role, wanted: Role) -> bool:
    """Tell whether somebody of a role may carry a credential of another; what is no rank, anybody may."""
    if wanted not in RANKS or present == wanted:
        return True
    return 0 < RANKS[wanted] < RANKS.get(present, 0)
