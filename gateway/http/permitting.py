"""Permits by the table of roles: what every route asks, answered with who calls and whose it is.

A caller's body never says who they are; a candidate's command goes in with the evidence that it was theirs.
"""

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request

from gateway.access.roles import (
    AGENCY_ACTIONS,
    Action,
    Target,
    engagement_action,
    job_order_action,
    scope,
)
from gateway.access.who import Who
from gateway.http.commanding import in_their_own_words
from gateway.http.identify import access_of, allowed, known, opens_personal, within_reach
from gateway.http.permits import What
from gateway.http.problems import Problem

_SEES: Final[Mapping[What, Action]] = {
    "job-orders": "see-job-orders",
    "agency": "see-agency",
    "compliance": "see-compliance",
}


class Permitted:
    """:class:`gateway.http.permits.Permits` for the product."""

    async def known(self, request: Request) -> Who:
        """Say who calls."""
        return await known(request)

    async def see_engagement(self, request: Request, who: Who, engagement: str) -> bool:
        """Make sure that they may see an engagement; returns whether its personal values too."""
        target = await allowed(request, who, "see-engagements", engagement=engagement)
        return await opens_personal(request, who, target)

    async def see(self, request: Request, who: Who, what: What) -> bool:
        """Make sure that they may see something of the whole agency; returns whether names too."""
        await allowed(request, who, _SEES[what])
        # What is nobody's in particular opens to whoever sees anything personal by their role alone.
        return scope(who.role, "see-personal") in ("own-team", "all")

    async def reach(self, request: Request, who: Who) -> frozenset[str] | None:
        """Name the people whose engagements a list may hold; None: everybody's."""
        return await within_reach(request, who, "see-engagements")

    async def engagement_command(
        self,
        request: Request,
        who: Who,
        engagement: str,
        name: str,
        fields: Mapping[str, Any],
        *,
        command_id: str,
    ) -> dict[str, Any]:
        """Make sure that they may give a command; returns its fields as they may go in."""
        action = engagement_action(who.role, name, fields)
        if action == "open-engagement":
            team = tuple(each for each in fields.get("team") or () if isinstance(each, str))
            target = await access_of(request).targets.owned(who, _text(fields.get("owner")), team)
            await allowed(request, who, action, target=target)
            return dict(fields)
        if action == "agree" and who.role != "candidate":
            # The role may tell it with evidence: it is told so below, rather than that it may not.
            action = "report"
        await allowed(request, who, action, engagement=engagement)
        return await in_their_own_words(request, who, name, fields, command_id=command_id)

    async def job_order_command(
        self, request: Request, who: Who, job_order: str, name: str, fields: Mapping[str, Any]
    ) -> None:
        """Make sure that they may give a command to a job order; opening one names whose it will be."""
        if name == "open-job-order":
            target = await access_of(request).targets.owned(who, _text(fields.get("owner")))
            await allowed(request, who, job_order_action(name), target=target)
        else:
            await allowed(request, who, job_order_action(name), job_order=job_order)

    async def agency_command(self, request: Request, who: Who, name: str, fields: Mapping[str, Any]) -> None:
        """Make sure that they may give a command to their agency; of an absence it counts whose it is."""
        action = AGENCY_ACTIONS.get(name)
        if action is None:
            raise Problem(404, "unknown-command", "there is no such command here")
        target, access = Target(), access_of(request)
        person = _text(fields.get("person_id"))
        if name == "end-absence":
            absences = (await access.directory.recent(who.agency)).absences
            found = absences.get(_text(fields.get("absence_id")) or "")
            person = found.person_id if found is not None else None
        if action == "record-absence" and person is not None:
            target = await access.targets.owned(who, person)
        await allowed(request, who, action, target=target)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
