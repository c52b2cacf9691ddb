"""Adopts a policy for an agency and for every engagement that is open, for whichever door asks it.

The agency's own event comes first, and makes the id of every engagement's command: given again, it goes on.
"""

from collections.abc import Callable
from typing import Any

from activities.agency_load import load_agency
from events.envelope import Actor
from events.errors import WrongState
from events.kinds import Modes
from events.policy import Policy
from gateway.giving import Having
from workers.adopting import Account, Adoption, Commanding, adoption_of


async def begin(
    having: Having,
    running: Commanding,
    agency: str,
    policy: Policy,
    *,
    actor: Actor,
    modes: Modes,
    source: str,
    told: Callable[[Account], None] = lambda _: None,
) -> tuple[str, Adoption]:
    """Record that the agency adopts the policy; returns what that came to, and the work that is left.

    :raises WrongState: somebody else has adopted another one meanwhile.
    """
    loaded = await load_agency(having.service, agency, policy=policy, actor=actor, source=source)
    event = await adoption_of(having.log, agency, policy.digest())
    if event is None:
        raise WrongState(f"agency '{agency}' follows another policy by now; somebody else has adopted one")
    work = Adoption(having.log, running, agency, policy, event.event_id, actor=actor, modes=modes, told=told)
    return loaded.policy, work


def account_of(agency: str, policy: Policy, outcome: str, account: Account) -> dict[str, Any]:
    """Give what became of the agency and of each engagement."""
    return {
        "agency": agency,
        "policy": policy.name,
        "digest": policy.digest(),
        "agency_outcome": outcome,
        "adopted": account.adopted,
        "had_it": account.had_it,
        "closed": account.closed,
        "importing": account.importing,
        "refused": account.refused,
        "unanswered": account.unanswered,
    }
