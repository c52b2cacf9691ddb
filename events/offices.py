"""Where those work who answer for a candidate or a job: what they owe is reckoned by that office's calendar.

The office is noted in the engagement's own stream, so that nothing but the stream says how a time came about.
"""

from events import catalogue as e
from events.commands import AdoptPolicy, Command, GoLive
from events.context import NOWHERE, Context
from events.state import Engagement

__all__ = ["NOWHERE", "owners_named", "with_offices"]


def owners_named(command: Command, state: Engagement) -> tuple[str, ...]:
    """Name whom a command makes answer for something; under another policy or going live, everybody."""
    named = [getattr(command, field, None) for field in ("owner", "job_order_owner")]
    if isinstance(command, AdoptPolicy | GoLive):
        named.append(state.candidate_owner)
        named += [each.job_order_owner for each in state.proposals.values()]
        named += [each.job_order_owner for each in state.submissions.values()]
    return tuple(dict.fromkeys(each for each in named if each is not None))


def with_offices(
    decided: list[e.AnyEvent], command: Command, state: Engagement, ctx: Context
) -> list[e.AnyEvent]:
    """Note where people work whom the command names, before it makes them owe anything."""
    if not decided or not ctx.offices:
        return decided
    noted: list[e.AnyEvent] = [
        e.OfficeNoted(at=ctx.at, person=person, office=office)
        for person in owners_named(command, state)
        if (office := ctx.offices.get(person)) is not None and state.offices.get(person) != office
    ]
    # An engagement begins with its opening, whatever else is told with it.
    first = int(state.opened_at is None)
    return [*decided[:first], *noted, *decided[first:]]
