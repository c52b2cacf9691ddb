"""Calendly: scheduled events and their invitees; the key is a bearer token.

Events are listed by when they take place, never by when they changed: a poll looks at those that are near.

V (vendor's documentation): ``/users/me``, ``/scheduled_events`` by ``user`` and ``min_start_time``, its
``/invitees``, ``collection`` and ``pagination.next_page``; ``updated_at``, ``rescheduled``,
``old_invitee``, ``no_show``, ``tracking``.  M: that a no-show leaves the event's ``updated_at`` as it was.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from activities.asking.calling import MOST_PAGES, Api, Query, bearer, segment
from activities.asking.changes import (
    ABSENT,
    Change,
    Since,
    change,
    external,
    find,
    is_new,
    moment,
    objects,
    or_absent,
)
from activities.asking.errors import CannotBeAsked, NotAnswered
from events.integrations.message import Message

_PAGE: Final = 100
# How long after an interview somebody may still say that nobody came.
_AFTERWARDS: Final = timedelta(days=7)
_NOT_IT: Final = "what answers is no Calendly API; correct --api-base"


class Calendly:
    """Bookings: made, moved, cancelled, missed."""

    usual_base = "https://api.calendly.com"
    things = ("event", "invitee")

    def headers(self, key: str) -> Mapping[str, str]:
        """Give the token."""
        return bearer(key)

    async def fetch(self, api: Api, what: str, message: Message) -> Any:
        """Ask about the booking that a message names; its ids are addresses, of which the ends are asked."""
        invitee, event = find(message.body, "payload", "uri"), find(message.body, "payload", "event")
        path = _path(invitee if what == "invitee" else event)
        answer = await or_absent(api, path)
        return answer if answer is ABSENT else _resource(answer)

    async def greet(self, api: Api) -> None:
        """Ask whose the token is."""
        _resource(await api.get("/users/me"))

    async def changes(self, api: Api, since: Since) -> AsyncGenerator[Change, None]:
        """List the bookings of whoever is linked that are near or were changed."""
        me = str(_resource(await api.get("/users/me")).get("uri"))
        first = since.moment - _AFTERWARDS
        query: Query = {"user": me, "min_start_time": first.isoformat(), "count": _PAGE}
        async for event in _list(api, "/scheduled_events", query):
            begins = moment(event.get("start_time"))
            passed = begins is not None and begins <= since.moment + _AFTERWARDS
            if not passed and not since.fresh and not is_new(event.get("updated_at"), since):
                continue
            async for invitee in _list(api, f"{_path(event.get('uri'))}/invitees", {"count": _PAGE}):
                if _is_ours(invitee, since):
                    for told in _told(event, invitee):
                        yield told


def _is_ours(invitee: Mapping[str, Any], since: Since) -> bool:
    tracked = external(find(invitee, "tracking", "utm_content"))
    known = {external(invitee.get("uri")), external(invitee.get("old_invitee"))}
    return tracked in since.of("application") or not known.isdisjoint(since.of("interview"))


def _told(event: Mapping[str, Any], invitee: Mapping[str, Any]) -> list[Change]:
    """Write a booking as its webhooks would have been, in the order in which they would have come."""
    uri = invitee.get("uri")
    payload = {**invitee, "event": event.get("uri"), "scheduled_event": event}
    times = [event.get("start_time"), event.get("end_time")]
    # Its webhook would have come after every booking, also one that was cancelled since.
    found = [_change("invitee.created", f"booked:{uri}", times, invitee.get("created_at"), payload)]
    if invitee.get("status") == "canceled":
        at = find(invitee, "cancellation", "created_at") or invitee.get("updated_at")
        found.append(_change("invitee.canceled", f"off:{uri}", "canceled", at, payload))
    missed = find(invitee, "no_show", "created_at")
    if missed is not None:
        found.append(_change("invitee_no_show.created", f"missed:{uri}", "missed", missed, payload))
    return found


def _change(name: str, thing: str, state: object, at: object, payload: Mapping[str, Any]) -> Change:
    return change(thing, state, name, at, {"event": name, "created_at": at, "payload": payload})


def _path(uri: object) -> str:
    """Read the path of one of Calendly's own addresses, whatever host it names."""
    steps = _steps(uri) if isinstance(uri, str) else []
    if len(steps) not in (2, 4) or steps[0] != "scheduled_events":
        raise CannotBeAsked("the message does not name what the provider is to be asked about")
    return "".join(f"/{segment(each)}" for each in steps)


def _steps(uri: str) -> list[str]:
    try:
        return urlsplit(uri).path.strip("/").split("/")
    except ValueError:
        return []


def _resource(answer: Any) -> dict[str, Any]:
    found = find(answer, "resource")
    if not isinstance(found, dict):
        raise CannotBeAsked(_NOT_IT)
    return found


async def _list(api: Api, path: str, query: Query) -> AsyncIterator[dict[str, Any]]:
    page = await api.get(path, query)
    for _ in range(MOST_PAGES):
        if not isinstance(find(page, "collection"), list):
            raise CannotBeAsked(_NOT_IT)
        for each in objects(page["collection"]):
            yield each
        following = find(page, "pagination", "next_page")
        if not following:
            return
        page = await api.follow(following)
    raise NotAnswered("its list does not end")
