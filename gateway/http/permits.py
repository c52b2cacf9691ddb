"""Who calls, and what they may: what every route asks before it shows or changes anything.

A route asks here and nowhere else.  What may not be done ends the request; what may not be seen is left out.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal, NoReturn, Protocol

from starlette.requests import Request

from gateway.access.who import Who
from gateway.http.problems import Problem

What = Literal["job-orders", "agency", "compliance"]


class Permits(Protocol):
    """Answers for one process; each answer holds within the caller's own agency."""

    async def known(self, request: Request) -> Who:
        """Say who calls.

        :raises Problem: 401, nobody who is known; 429, who failed too often.
        """

    async def see_engagement(self, request: Request, who: Who, engagement: str) -> bool:
        """Make sure that they may see an engagement; returns whether its personal values too.

        :raises Problem: 403; 404, there is none.
        """

    async def see(self, request: Request, who: Who, what: What) -> bool:
        """Make sure that they may see something of the whole agency; returns whether names too.

        :raises Problem: 403.
        """

    async def reach(self, request: Request, who: Who) -> frozenset[str] | None:
        """Name the people whose engagements a list may hold; None: everybody's.  Nobody's are anybody's.

        :raises Problem: 403, they may see no list.
        """

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
        """Make sure that they may give a command, of opening too; returns its fields as they may go in.

        :raises Problem: 403; 404, there is no such engagement.
        """

    async def job_order_command(
        self, request: Request, who: Who, job_order: str, name: str, fields: Mapping[str, Any]
    ) -> None:
        """Make sure that they may give a command to a job order.

        :raises Problem: 403; 404, there is none.
        """

    async def agency_command(self, request: Request, who: Who, name: str, fields: Mapping[str, Any]) -> None:
        """Make sure that they may give a command to their agency.

        :raises Problem: 403.
        """


class Closed:
    """Knows nobody, and so allows nothing."""

    async def known(self, request: Request) -> Who:
        """End the request."""
        _nobody()

    async def see_engagement(self, request: Request, who: Who, engagement: str) -> bool:
        """End the request."""
        _nobody()

    async def see(self, request: Request, who: Who, what: What) -> bool:
        """End the request."""
        _nobody()

    async def reach(self, request: Request, who: Who) -> frozenset[str] | None:
        """End the request."""
        _nobody()

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
        """End the request."""
        _nobody()

    async def job_order_command(
        self, request: Request, who: Who, job_order: str, name: str, fields: Mapping[str, Any]
    ) -> None:
        """End the request."""
        _nobody()

    async def agency_command(self, request: Request, who: Who, name: str, fields: Mapping[str, Any]) -> None:
        """End the request."""
        _nobody()


CHALLENGE: Final = {"WWW-Authenticate": "Bearer"}


def _nobody() -> NoReturn:
    says = "this needs a credential; send one as 'Authorization: Bearer …'"
    raise Problem(401, "unauthenticated", says, headers=CHALLENGE)
