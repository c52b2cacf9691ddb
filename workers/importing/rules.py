"""Makes sure that the rules a source is said to show are rules that somebody knows.

A misspelt one would leave its promises unjudged in silence, so nothing is written before they are checked.
"""

from activities.commands import CommandService
from events.log.port import EventLog
from events.policy import read_policy
from events.sources.mapping import check_observes
from events.sources.plan import Plan
from workers.shipped import known_rules


async def check_rules(plan: Plan, log: EventLog, service: CommandService, agency: str) -> None:
    """Compare what a plan's source observes with the agency's policy and the shipped ones.

    :raises SourceError: no policy has one of these rules.
    """
    state = await service.state(agency, f"agency:{agency}")
    digest = state.policy_digest
    body = await log.load_policy(agency, digest) if digest is not None else None
    check_observes(plan.observes, known_rules(*([read_policy(body)] if body is not None else [])))
