"""Who may do what, as routes ask it: an action on a target; the answer comes from the table of roles.

A route that reads or changes anything asks here first; what it may not show it leaves out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal

from events import agency as agencies
from events.agency import Agency
from events.glass import is_open
from gateway.access import roles
from gateway.access.targets import described, hats
from gateway.access.who import Who

Action = Literal[
    "list-engagements",
    "read-engagement",
    "read-personal",
    "give-command",
    "read-job-order",
    "give-job-order-command",
    "read-agency",
    "give-agency-command",
    "read-compliance",
]


@dataclass(frozen=True, slots=True)
class Target:
    """What an action is about; what is not known, or does not apply, is None."""

    engagement: str | None = None
    owner: str | None = None
    """Of the engagement or the job order: the recruiter who answers for it."""
    team: tuple[str, ...] = ()
    """Of the engagement: the people who work with the owner on it."""
    job_order: str | None = None
    command: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    """What the command says."""
    owing: tuple[str, ...] = ()
    """Of the engagement: the people who owe a promise there."""
    person: str | None = None
    """Whom a command to the agency is about."""
    office: Agency = field(default_factory=lambda: agencies.initial(""))
    """The caller's agency: its people, who is away, and whose glass is broken."""


# What routes call an action, by its name in the table.
_READS: Final[Mapping[Action, roles.Action]] = {
    "list-engagements": "see-engagements",
    "read-engagement": "see-engagements",
    "read-personal": "see-personal",
    "read-job-order": "see-job-orders",
    "read-agency": "see-agency",
    "read-compliance": "see-compliance",
}


def nobody_may(_who: Who, _action: Action, _target: Target) -> bool:
    """Forbid everything: what holds where no table of roles is there."""
    return False


def table_may(who: Who, action: Action, target: Target) -> bool:
    """Tell whether somebody may, by the table of roles."""
    wanted = _wanted(who, action, target)
    if wanted is None:
        return False
    now = datetime.now(UTC)
    about = _about(who, target, now)
    # Of what is nobody's in particular (a list, colleagues' names), a role may see what it may see of any.
    of_any = action in ("list-engagements", "read-personal") and target.engagement is None
    return any(
        roles.scope(hat.role, wanted) in ("own-team", "all") if of_any else roles.may(hat, wanted, about)
        for hat in hats(target.office, who, now)
    )


def _about(who: Who, target: Target, now: datetime) -> roles.Target:
    if target.person is not None:
        return described(target.office, target.person, person=target.person)
    opened = target.engagement is not None and is_open(
        target.office.glasses, target.engagement, who.credential, now
    )
    return described(
        target.office, target.owner, target.team, target.owing, engagement=target.engagement, open=opened
    )


def _wanted(who: Who, action: Action, target: Target) -> roles.Action | None:
    match action:
        case "give-command":
            # Without evidence it is told so afterwards, rather than that the role may not.
            wanted = roles.engagement_action(who.role, target.command or "", target.fields)
            return "report" if wanted == "agree" and who.role != "candidate" else wanted
        case "give-job-order-command":
            return roles.job_order_action(target.command or "")
        case "give-agency-command":
            return roles.AGENCY_ACTIONS.get(target.command or "")
        case _:
            return _READS[action]
