"""Why somebody may not do something, as one sentence: who may not do what, and what would have to be so.

Pure.  Every door that refuses by the table of roles says it in these words and in no others.
"""

from collections.abc import Mapping
from typing import Final

from gateway.access.roles import TABLE, Action, Scope, scope
from gateway.access.who import Role

_NAMES: Final[Mapping[Role, str]] = {
    "recruiter": "a recruiter",
    "team-lead": "a team lead",
    "director": "a director",
    "compliance": "somebody of compliance",
    "operator": "an operator",
    "auditor": "an auditor",
    "integration": "an integration",
    "candidate": "a candidate",
}
# Where the role may, but not there.
_UNLESS: Final[Mapping[Scope, str]] = {
    "none": "",
    "own": ", unless they answer for it",
    "own-team": ", unless they or their team answer for it",
    "all": "",
    "connection": " of an engagement that its connection is not linked to; have a person link it "
    "with 'rapport connection link'",
    "own-words": ", unless its connection is in our own words (standard-webhooks)",
    "self": ", unless it is their own",
    "glass": ", unless the glass is broken",
}


def may_not(role: Role, what: str) -> str:
    """Say that a role may not do something, told in words that go on after "may not"."""
    return f"{_NAMES[role]} may not {what}"


def refusal(role: Role, action: Action) -> str:
    """Say that a role may not do an action of the table, or not there."""
    return may_not(role, f"{TABLE[action].does}{_UNLESS[scope(role, action)]}")
