"""``/v1/subscriptions``: who is told of an agency's events by webhook; the command line's twin.

A secret is in the answer that makes it, and in no other.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request

from gateway.access.refusals import refusal
from gateway.access.roles import Action, scope
from gateway.access.who import Who
from gateway.http.describing import problems
from gateway.http.problems import Problem, unknown
from gateway.http.subscribed import ID, Add, Again, Page, Replay, Rotate, Secret, Subscribed, Tested
from workers.delivering.addresses import AddressRefused
from workers.delivering.desk import LONGEST_NAME, Desk
from workers.delivering.subscription import NameTaken, SubscriptionError, UnknownSubscription
from workers.delivering.telling import tell

Known = Callable[[Request], Awaitable[Who]]
Which = Annotated[
    str,
    Path(
        min_length=1,
        max_length=LONGEST_NAME,
        description="The subscription's id, or its name if no other has it.",
        examples=[ID],
    ),
]


def routes(desk: Desk, known: Known) -> APIRouter:
    """This will make the router."""
    router = APIRouter(prefix="/v1/subscriptions", tags=["subscriptions"])
    Caller = Annotated[Who, Depends(known)]

    @router.post(
        "",
        status_code=201,
        summary="Subscribe a receiver",
        responses=problems(409),
        operation_id="add-subscription",
    )
    async def add(who: Caller, body: Add) -> Secret:
        """It is told of what happens from now on."""
        _allow(who, "operate")
        if body.personal:
            _allow(who, "let-personal-out")
        with _as_problems():
            added, secret = await desk.add(
                who.agency, body.url, types=body.types, personal=body.personal, name=body.name
            )
        return Secret(subscription=added.subscription_id, secret=secret)

    @router.get("", summary="List the agency's subscriptions", operation_id="list-subscriptions")
    async def listed(who: Caller) -> Page:
        """And how far each has come."""
        _allow(who, "see-operations")
        every = await desk.subscriptions.standing(who.agency)
        return Page(items=[Subscribed(**tell(each)) for each in every])

    @router.get(
        "/{which}",
        summary="Read a subscription",
        responses=problems(404),
        operation_id="show-subscription",
    )
    async def show(who: Caller, which: Which) -> Subscribed:
        """How far it has come, and what its receiver answered last."""
        _allow(who, "see-operations")
        return await _shown(desk, who, which)

    @router.delete(
        "/{which}",
        status_code=204,
        summary="End a subscription",
        responses=problems(404),
        operation_id="remove-subscription",
    )
    async def remove(who: Caller, which: Which) -> None:
        """What still waits is not sent."""
        _allow(who, "operate")
        with _as_problems():
            await desk.subscriptions.remove(who.agency, await _found(desk, who, which))

    _add_acts(router, desk, known)
    return router


def _add_acts(router: APIRouter, desk: Desk, known: Known) -> None:
    Caller = Annotated[Who, Depends(known)]
    answers = problems(404)

    @router.post(
        "/{which}/test", summary="Try a subscription", responses=answers, operation_id="test-subscription"
    )
    async def test(who: Caller, which: Which) -> Tested:
        """A rapport.test event is sent now; the answer is what came back."""
        _allow(who, "operate")
        with _as_problems():
            answer = await desk.test(who.agency, await _found(desk, who, which))
        return Tested(delivered=answer.verdict == "delivered", status=answer.status, says=answer.says)

    @router.post(
        "/{which}/rotate", summary="Make a new secret", responses=answers, operation_id="rotate-subscription"
    )
    async def rotate(who: Caller, which: Which, body: Rotate) -> Secret:
        """Until the old one expires, both sign."""
        _allow(who, "operate")
        with _as_problems():
            keeps = timedelta(hours=body.keep_hours)
            found = await _found(desk, who, which)
            secret = await desk.subscriptions.rotate(who.agency, found, desk.clock(), keeps)
        return Secret(subscription=found, secret=secret)

    @router.post(
        "/{which}/replay", summary="Tell events again", responses=answers, operation_id="replay-subscription"
    )
    async def replay(who: Caller, which: Which, body: Replay) -> Again:
        """Everything from a position on, under the same ids."""
        _allow(who, "operate")
        with _as_problems():
            found, now = await _found(desk, who, which), desk.clock()
            return Again(count=await desk.subscriptions.replay(who.agency, found, body.position, now))

    @router.post(
        "/{which}/retry",
        summary="Try what is parked again",
        responses=answers,
        operation_id="retry-subscription",
    )
    async def retry(who: Caller, which: Which) -> Again:
        """Also what waits for its next attempt."""
        _allow(who, "operate")
        with _as_problems():
            found = await _found(desk, who, which)
            return Again(count=await desk.subscriptions.retry(who.agency, found, desk.clock()))

    @router.post(
        "/{which}/pause", summary="Pause a subscription", responses=answers, operation_id="pause-subscription"
    )
    async def pause(who: Caller, which: Which) -> Subscribed:
        """Nothing is sent until it is resumed, and nothing is lost meanwhile."""
        _allow(who, "operate")
        with _as_problems():
            found = await _found(desk, who, which)
            await desk.subscriptions.turn(who.agency, found, "paused", desk.clock())
        return await _shown(desk, who, found)

    @router.post(
        "/{which}/resume",
        summary="Resume a subscription",
        responses=answers,
        operation_id="resume-subscription",
    )
    async def resume(who: Caller, which: Which) -> Subscribed:
        """It goes on where it stopped, also after its receiver answered 410."""
        _allow(who, "operate")
        with _as_problems():
            found = await _found(desk, who, which)
            await desk.subscriptions.turn(who.agency, found, "active", desk.clock())
        return await _shown(desk, who, found)


async def _shown(desk: Desk, who: Who, which: str) -> Subscribed:
    with _as_problems():
        [standing] = await desk.subscriptions.standing(who.agency, await _found(desk, who, which))
    return Subscribed(**tell(standing))


async def _found(desk: Desk, who: Who, which: str) -> str:
    if "\x00" in which:
        raise unknown("subscription")
    return await desk.find(who.agency, which)


def _allow(who: Who, action: Action) -> None:
    if scope(who.role, action) != "all":
        raise Problem(403, "not-allowed", refusal(who.role, action))


@contextmanager
def _as_problems() -> Iterator[None]:
    try:
        yield
    except UnknownSubscription:
        raise unknown("subscription") from None
    except NameTaken as error:
        raise Problem(409, error.code, str(error)) from None
    except (SubscriptionError, AddressRefused) as error:
        raise Problem(422, error.code, str(error)) from None
