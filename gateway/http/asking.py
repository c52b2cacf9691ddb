"""What most routes begin with: the doors, who is known, and what they may see of an engagement.

Nothing is looked up before it is known who asks.
"""

import asyncio
import time
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Path, Query
from pydantic import AfterValidator, Field, TypeAdapter, ValidationError
from starlette.requests import Request

from events.envelope import Stored
from events.kinds import Id
from gateway.access.who import Who
from gateway.http.doors import Doors
from gateway.http.permits import What
from gateway.http.problems import Problem, unknown

# How long a read waits for what the caller knows to have been written.
WAITS: Final = 5.0
_FIRST_PAUSE: Final = 0.01
_LONGEST_PAUSE: Final = 0.2
_ID: Final[TypeAdapter[str]] = TypeAdapter(Id)


# What a request is given is made by coroutines: the framework sends a plain function through a thread.
async def _doors(request: Request) -> Doors:
    doors: Doors = request.app.state.doors
    return doors


async def known(request: Request) -> Who:
    """Say who calls; one function for every route, so that it is asked once in a request.

    :raises Problem: 401 or 429.
    """
    return await (await _doors(request)).permits.known(request)


TheDoors = Annotated[Doors, Depends(_doors)]
Known = Annotated[Who, Depends(known)]
EngagementId = Annotated[str, Path(description="The engagement's id.", examples=["e-1"])]
JobOrderId = Annotated[str, Path(description="The job order's id.", examples=["jo-1"])]
MinVersion = Annotated[
    int | None,
    Query(ge=0, le=2**53, description="Wait, up to 5 s, until the stream has reached this version."),
]
Limit = Annotated[int, Query(ge=1, le=200, description="At most so many items.")]
Cursor = Annotated[str | None, Query(max_length=400, description="Where to go on: the last page's 'next'.")]


def _without_nul(text: str) -> str:
    # No name holds one, and no database takes one.
    if "\x00" in text:
        raise ValueError("nothing is called so")
    return text


Named = Annotated[str, Field(max_length=80), AfterValidator(_without_nul)]
"""What a list is narrowed to."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody who is known, at the doors, with what they ask."""

    doors: Doors
    who: Who
    request: Request

    async def sees_engagement(self, engagement: str) -> bool:
        """Make sure that they may see an engagement; returns whether its personal values too.

        :raises Problem: 403 or 404.
        """
        must_be_id(engagement, "engagement")
        return await self.doors.permits.see_engagement(self.request, self.who, engagement)

    async def sees(self, what: What) -> bool:
        """Make sure that they may see something of the whole agency; returns whether names too.

        :raises Problem: 403.
        """
        return await self.doors.permits.see(self.request, self.who, what)


async def _asker(doors: TheDoors, who: Known, request: Request) -> Asker:
    return Asker(doors, who, request)


Asking = Annotated[Asker, Depends(_asker)]


async def stream_of(asker: Asker, category: str, key: str, *, personal: bool) -> list[Stored]:
    """Read a stream that must exist.

    :raises Problem: 404, there is none.
    """
    must_be_id(key, category)
    events = await asker.doors.having.log.read_stream(
        asker.who.agency, f"{category}:{key}", open_personal=personal
    )
    if not events:
        raise unknown(category)
    return events


async def has_reached(asker: Asker, stream: str, version: int | None) -> None:
    """Wait until a stream has reached a version.

    :raises Problem: 425, it has not in time.
    """
    if version is None:
        return
    until = time.monotonic() + WAITS
    pause = _FIRST_PAUSE
    while True:
        head = await asker.doors.having.log.head(asker.who.agency, stream)
        if head is not None and head.version >= version:
            return
        if time.monotonic() + pause > until:
            says = f"version {version} is not there yet; ask again, or for a version that a write returned"
            raise Problem(425, "not-there-yet", says, headers={"Retry-After": "1"})
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


def must_be_id(text: str, category: str) -> None:
    """Make sure that a text could name something.

    :raises Problem: 404, nothing can have that name.
    """
    try:
        _ID.validate_python(text)
    except ValidationError:
        raise unknown(category) from None
