"""``/v1/subscriptions``: who is told of an agency's events by webhook; the command line's twin.

A secret is in the answer that makes it, and in no other.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, ConfigDict, Field

from gateway.access.refusals import refusal
from gateway.access.roles import Action, scope
from gateway.access.who import Who
from gateway.http.describing import problems
from gateway.http.problems import Problem, unknown
from workers.delivering.addresses import AddressRefused
from workers.delivering.desk import LONGEST_NAME, Desk
from workers.delivering.subscription import NameTaken, SubscriptionError, UnknownSubscription
from workers.delivering.telling import tell

Known = Callable[[Request], Awaitable[Who]]
_ID: Final = "s-q2VtJx0mTzW1bHnK"
_SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="
Which = Annotated[
    str,
    Path(
        min_length=1,
        max_length=LONGEST_NAME,
        description="The subscription's id, or its name if no other has it.",
        examples=[_ID],
    ),
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Add(_Strict):
    """A receiver, and what it is told of."""

    url: str = Field(max_length=2000, examples=["https://hr.example.org/hooks/rapport"])
    types: tuple[str, ...] = Field(
        default=(),
        max_length=200,
        description="None: every type.",
        examples=[["rapport.interview-scheduled"]],
    )
    personal: bool = Field(default=False, description="Personal fields leave the agency as well.")
    name: str = Field(default="", max_length=LONGEST_NAME, examples=["HR system"])


class Rotate(_Strict):
    """How long the old secret signs beside the new one."""

    keep_hours: float = Field(default=24, ge=0, le=720, examples=[24])


class Replay(_Strict):
    """Where telling begins again."""

    position: int = Field(ge=1, lt=2**62, description="The first to be told again.", examples=[17])


class Subscribed(BaseModel):
    """A subscription, and how far it has come."""

    subscription: str = Field(examples=[_ID])
    name: str = Field(examples=["HR system"])
    url: str = Field(examples=["https://hr.example.org/hooks/rapport"])
    types: list[str] = Field(examples=[["interview-scheduled"]])
    personal: bool = Field(examples=[False])
    state: Literal["active", "paused", "gone"] = Field(description="gone: its receiver answered 410")
    created_at: datetime
    failures: int = Field(description="messages in a row that were not taken", examples=[0])
    answered_at: datetime | None
    status: int | None = Field(description="of the last answer", examples=[204])
    says: str | None = Field(examples=["it answered 204"])
    settled: int = Field(description="all up to this position is dealt with", examples=[17])
    behind: int = Field(description="how many events of the log lie after that", examples=[0])
    pending: int = Field(examples=[0])
    parked: int = Field(description="tried to the end of the schedule", examples=[0])
    next_at: datetime | None


class Page(BaseModel):
    """Every subscription of the agency."""

    items: list[Subscribed]
    next: None = None


class Secret(BaseModel):
    """The secret that signs; it is not shown again."""

    subscription: str = Field(examples=[_ID])
    secret: str = Field(examples=[_SECRET])


class Tested(BaseModel):
    """What came back."""

    delivered: bool = Field(examples=[True])
    status: int | None = Field(examples=[204])
    says: str = Field(examples=["it answered 204"])


class Again(BaseModel):
    """How many events or messages are told or tried again."""

    count: int = Field(examples=[3])


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
