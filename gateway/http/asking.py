"""What most routes begin with: the doors, who is known, and what they may see of an engagement.

Whether somebody may see an engagement is told by who answers for it, never by what is in it.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final

from fastapi import Depends, Path, Query
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request

from events.agency import Agency
from events.envelope import Stored
from events.fold import fold
from events.kinds import Id
from gateway.access.targets import OWNERS
from gateway.access.who import Who
from gateway.http.doors import Doors
from gateway.http.permits import Action, Target
from gateway.http.problems import Problem

# How long a read waits for what the caller knows to have been written.
WAITS: Final = 5.0
_FIRST_PAUSE: Final = 0.01
_LONGEST_PAUSE: Final = 0.2
_ID: Final[TypeAdapter[str]] = TypeAdapter(Id)


def _doors(request: Request) -> Doors:
    doors: Doors = request.app.state.doors
    return doors


async def _known(request: Request) -> Who:
    return await _doors(request).identify(request)


TheDoors = Annotated[Doors, Depends(_doors)]
Known = Annotated[Who, Depends(_known)]
EngagementId = Annotated[str, Path(description="The engagement's id.", examples=["e-1"])]
JobOrderId = Annotated[str, Path(description="The job order's id.", examples=["jo-1"])]
MinVersion = Annotated[
    int | None,
    Query(ge=0, le=2**53, description="Wait, up to 5 s, until the stream has reached this version."),
]
Limit = Annotated[int, Query(ge=1, le=200, description="At most so many items.")]
Cursor = Annotated[str | None, Query(max_length=400, description="Where to go on: the last page's 'next'.")]


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody who is known, at the doors."""

    doors: Doors
    who: Who
    office: Agency
    """Their agency, as it was some seconds ago at most."""

    def may(self, action: Action, target: Target) -> bool:
        """Tell whether they may."""
        return self.doors.may(self.who, action, replace(target, office=self.office))

    def must(self, action: Action, target: Target) -> None:
        """Make sure that they may.

        :raises Problem: 403.
        """
        if not self.may(action, target):
            raise Problem(403, "not-allowed", f"your role, {self.who.role}, does not allow this here")


async def _asker(doors: TheDoors, who: Known) -> Asker:
    directory = doors.having.directory
    # A glass that was broken a moment ago is open: asked from the log.
    seen = await (directory.agency if who.role == "operator" else directory.recent)(who.agency)
    return Asker(doors, who, seen)


Asking = Annotated[Asker, Depends(_asker)]


async def target_of(
    asker: Asker, engagement: str, *, command: str | None = None, fields: Mapping[str, Any] | None = None
) -> Target:
    """Say who answers for an engagement: from its table where that holds its last event, else from the log.

    :raises Problem: 404, there is none.
    """
    agency = asker.who.agency
    must_be_id(engagement, "engagement")
    if asker.who.role == "candidate" and engagement != asker.who.engagement:
        # To a candidate there is one engagement.
        raise unknown("engagement")
    rows = await asker.doors.having.read_models.fetch(agency, OWNERS, agency, f"engagement:{engagement}")
    told = Target(engagement, command=command, fields=fields or {})
    if rows and rows[0]["told"] == rows[0]["version"]:
        [row] = rows
        return replace(told, owner=row["owner"], team=tuple(row["team"]), owing=tuple(row["owing"]))
    state = fold(await stream_of(asker, "engagement", engagement, personal=False))
    owing = tuple(rows[0]["owing"]) if rows else ()
    return replace(told, owner=state.candidate_owner, team=state.team, owing=owing)


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


def unknown(category: str) -> Problem:
    """Say that there is none."""
    what = category.replace("-", " ")
    return Problem(404, f"unknown-{category}", f"there is no {what} of that id in your agency")
