"""Who calls, and whether they may: the two questions that every route asks before anything else.

What does not hold is answered alike, 401 with one sentence; what another agency owns is not there, 404.
"""

from datetime import UTC, datetime
from math import ceil
from typing import Final

from fastapi import Request

from events.log.connect import LOST
from gateway.access.knowing import Expired, Unknown, Waiting
from gateway.access.opening import Access
from gateway.access.refusals import refusal
from gateway.access.roles import Action, Target, may, scope
from gateway.access.who import Who
from gateway.http.problems import Problem, unknown

_CHALLENGE: Final = {"WWW-Authenticate": "Bearer"}
_LARGEST: Final = 20_000


def access_of(request: Request) -> Access:
    """Give the process's access, which whoever made the app put into its state.

    :raises Problem: 404, there is none: its callers are known otherwise.
    """
    access: Access | None = request.app.state.access
    if access is None:
        raise Problem(404, "no-such-place", "this gateway makes no credentials; ask one that does")
    return access


async def known(request: Request) -> Who:
    """Say who calls, or end the request.

    :raises Problem: 401 for whatever opens nothing, 429 for who failed too often, 503 without a database.
    """
    address = request.client.host if request.client is not None else None
    try:
        who = await access_of(request).knowing.who(bearer(request), address)
    except Unknown:
        raise Problem(
            401,
            "unauthenticated",
            "this needs a valid credential: send one as 'Authorization: Bearer …'",
            headers=_CHALLENGE,
        ) from None
    except Expired:
        raise Problem(
            401,
            "credential-expired",
            "the credential has expired: ask for a new one",
            headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
        ) from None
    except Waiting as waiting:
        raise too_often(waiting.seconds) from None
    except LOST:
        raise away() from None
    # The line about the request names the credential, and limits count by it.
    request.scope.setdefault("state", {})["who"] = who
    return who


async def allowed(
    request: Request,
    who: Who,
    action: Action,
    *,
    engagement: str | None = None,
    job_order: str | None = None,
    target: Target | None = None,
) -> Target:
    """Make sure that the caller may, and give what it is about.

    Name an engagement or a job order that exists, or describe the *target* (``targets.owned(...)`` of
    what is being opened; nothing for what has no owner).

    :raises Problem: 403 for what their role may not do there, 404 for what their agency does not have.
    """
    now, targets = datetime.now(UTC), access_of(request).targets
    if "\0" in (engagement or job_order or ""):
        # No id, and nothing that the database could be asked for.
        raise unknown("engagement" if engagement is not None else "job-order")
    try:
        # Who stands in for somebody may what they may.
        hats = await targets.hats(who, now)
        if all(scope(hat.role, action) == "none" for hat in hats):
            raise _forbidden(who, action)
        if who.role == "candidate" and scope(who.role, action) == "self" and engagement != who.engagement:
            # Neither looked up nor told apart: to a candidate there is one engagement.
            raise unknown("engagement" if engagement is not None else "page")
        if engagement is not None:
            target = await targets.engagement(who, engagement, now)
        elif job_order is not None:
            target = await targets.job_order(who, job_order)
        else:
            target = target or Target()
        if target is None:
            raise unknown("engagement" if engagement is not None else "job-order")
        if any(may(hat, action, target) for hat in hats):
            return target
    except LOST:
        raise away() from None
    raise _forbidden(who, action)


async def opens_personal(request: Request, who: Who, target: Target) -> bool:
    """Tell whether the caller may see the personal fields of an engagement that :func:`allowed` gave."""
    hats = await access_of(request).targets.hats(who, datetime.now(UTC))
    return any(may(hat, "see-personal", target) for hat in hats)


async def within_reach(request: Request, who: Who, action: Action) -> frozenset[str] | None:
    """Name the people whose engagements a list may hold; None: everybody's.  Nobody's are anybody's.

    :raises Problem: 403, the role may see no list at all.
    """
    reach = scope(who.role, action)
    if reach == "all":
        return None
    if reach != "own-team":
        raise _forbidden(who, action)
    targets = access_of(request).targets
    hats = await targets.hats(who, datetime.now(UTC))
    if any(scope(hat.role, action) == "all" for hat in hats):
        return None
    return frozenset().union(*[await targets.within_reach(hat) for hat in hats])


def bearer(request: Request) -> str | None:
    """Read what the caller shows; None: nothing, or something else than a bearer's token."""
    kind, _, text = request.headers.get("authorization", "").partition(" ")
    text = text.strip()
    return text if kind.lower() == "bearer" and 0 < len(text) <= _LARGEST else None


def too_often(seconds: float) -> Problem:
    """Say that somebody must wait."""
    wait = max(1, ceil(seconds))
    return Problem(
        429,
        "too-many-requests",
        f"too many requests: wait {wait} s, then go on",
        headers={"Retry-After": str(wait)},
    )


def away() -> Problem:
    """Say that the database does not answer."""
    return Problem(
        503, "database-away", "the database does not answer; try again", headers={"Retry-After": "2"}
    )


def _forbidden(who: Who, action: Action) -> Problem:
    return Problem(403, "not-allowed", refusal(who.role, action))
