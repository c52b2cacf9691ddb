"""Makes sure that whomever a source names as one of the agency's people works there.

A promise that nobody owes would be broken in silence, so nothing is written before they are all known.
"""

from collections.abc import Iterator
from typing import Final

from activities.commands import CommandService
from events.sources.errors import SourceError
from events.sources.plan import Plan, Step

_FIELDS: Final = frozenset(
    {"owner", "team", "by", "recruiter", "job_order_owner", "override_by", "approved_by"}
)
_SHOWN: Final = 20


async def check_people(plan: Plan, service: CommandService, agency: str) -> None:
    """Compare the people that a plan names with those of the agency, of those who left too.

    :raises SourceError: somebody is missing, or the agency follows no policy yet.
    """
    state = await service.state(agency, f"agency:{agency}")
    if state.policy_digest is None:
        raise SourceError(f"agency '{agency}' follows no policy yet; adopt one with 'rapport agency load'")
    known = {*state.people, *state.left}
    missing: dict[str, int] = {}
    for step in plan.steps:
        for person in named_by(step):
            if person not in known:
                missing.setdefault(person, step.place)
    if missing:
        shown = ", ".join(f"{person} (row {place})" for person, place in list(missing.items())[:_SHOWN])
        more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
        raise SourceError(
            f"the source names people who do not work for '{agency}': {shown}{more}; say "
            "under [people] in the mapping who stands for whom, or add them to the agency's file and load it"
        )


def named_by(step: Step) -> Iterator[str]:
    """Name the agency's people that a command speaks of."""
    if step.actor.kind == "person":
        yield step.actor.id
    for name, value in step.data.items():
        if name in _FIELDS:
            yield from [value] if isinstance(value, str) else value
