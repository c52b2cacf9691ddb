"""Who may do what, as routes ask it: an action on a target; the answer comes from the table of roles.

A route that reads or changes anything asks here first; what it may not show it leaves out.
"""

from dataclasses import dataclass
from typing import Literal

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
    """Of the engagement: the recruiter who answers for the candidate."""
    team: tuple[str, ...] = ()
    """Of the engagement: the people who work with the owner on it."""
    job_order: str | None = None
    command: str | None = None


def nobody_may(_who: Who, _action: Action, _target: Target) -> bool:
    """Forbid everything: what holds until a table of roles is there."""
    return False
