"""Permits as the table of roles has them: what routes ask, put to :mod:`gateway.http.identify`.

Only questions are translated here; who may what stands in ``gateway/access/roles.py`` and nowhere else.
"""

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request

from gateway.access.roles import Action, scope
from gateway.access.who import Who
from gateway.http import commanding, identify
from gateway.http.permits import What

_SEES: Final[Mapping[What, Action]] = {
    "job-orders": "see-job-orders",
    "agency": "see-agency",
    "compliance": "see-compliance",
}


class ByRoles:
    """For an app whose state holds the access."""

    async def known(self, request: Request) -> Who:
        """Ask the credential."""
        return await identify.known(request)

    async def see_engagement(self, request: Request, who: Who, engagement: str) -> bool:
        """Ask the table, and whose engagement it is."""
        target = await identify.allowed(request, who, "see-engagements", engagement=engagement)
        return await identify.opens_personal(request, who, target)

    async def see(self, request: Request, who: Who, what: What) -> bool:
        """Ask the table; who sees nobody's personal values sees no names either."""
        await identify.allowed(request, who, _SEES[what])
        return scope(who.role, "see-personal") not in ("none", "glass")

    async def reach(self, request: Request, who: Who) -> frozenset[str] | None:
        """Ask the table, and who is in their team."""
        return await identify.within_reach(request, who, "see-engagements")

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
        """Ask the table what kind of command it is; a candidate's gets its evidence."""
        return await commanding.engagement_command(
            request, who, engagement, name, fields, command_id=command_id
        )

    async def job_order_command(
        self, request: Request, who: Who, job_order: str, name: str, fields: Mapping[str, Any]
    ) -> None:
        """Ask the table, and whose job order it is."""
        await commanding.job_order_command(request, who, job_order, name, fields)

    async def agency_command(self, request: Request, who: Who, name: str, fields: Mapping[str, Any]) -> None:
        """Ask the table."""
        await commanding.agency_command(request, who, name, fields)
