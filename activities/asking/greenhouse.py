"""Greenhouse Harvest v1: applications, scheduled interviews, scorecards; the key is a user without password.

A scorecard names no interview: the scheduled interview names its interviewers' scorecards, so both are
asked.

V (vendor's documentation): paths, ``Link: <…>; rel="next"``, ``updated_after`` of scorecards and scheduled
interviews, ``last_activity_after`` of applications, ``interviewers[].scorecard_id``, the recommendations
definitely_not, no, yes, strong_yes, no_decision.  M: a 404 for an application without a current offer. S:
Harvest v1 is to be switched off in favour of v3, which asks for OAuth; see DECISIONS.md.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any, Final

from activities.asking.calling import Api, Query, basic, segment
from activities.asking.changes import (
    ABSENT,
    Change,
    Since,
    change,
    external,
    find,
    is_new,
    objects,
    or_absent,
)
from activities.asking.errors import CannotBeAsked, Unknown
from events.integrations.message import Message

_PAGE: Final = 100


class Greenhouse:
    """Stages, rejections and hires by a poll, and what no webhook tells: times and scorecards."""

    usual_base = "https://harvest.greenhouse.io/v1"
    things = ("application", "scheduled-interviews", "scorecards")

    def headers(self, key: str) -> Mapping[str, str]:
        """Give the key as a user's name."""
        return basic(key)

    async def fetch(self, api: Api, what: str, message: Message) -> Any:
        """Ask about the application that a message names."""
        named = find(message.body, "application_id") or find(message.body, "payload", "application", "id")
        application = segment(named or find(message.body, "payload", "application_id"))
        if what == "application":
            return await or_absent(api, f"/applications/{application}")
        try:
            meetings = await _all(api, f"/applications/{application}/scheduled_interviews", {})
            if what == "scheduled-interviews":
                return {"items": meetings}
            cards = await _all(api, f"/applications/{application}/scorecards", {})
        except Unknown:
            return {"items": [], **ABSENT}
        held = {
            external(seat.get("scorecard_id")): each.get("id")
            for each in meetings
            for seat in objects(each.get("interviewers"))
            if external(seat.get("scorecard_id")) is not None
        }
        joined = [
            {**each, "scheduled_interview": {"id": held.get(external(each.get("id")))}} for each in cards
        ]
        return {"items": joined}

    async def greet(self, api: Api) -> None:
        """Ask for one application."""
        await api.get("/applications", {"per_page": 1})

    async def changes(self, api: Api, since: Since) -> AsyncGenerator[Change, None]:
        """List what changed of linked applications, and all of those that were linked since."""
        after, known = since.moment.isoformat(), since.of("application") - since.fresh
        async for each in _list(api, "/applications", {"last_activity_after": after}):
            if external(each.get("id")) in known:
                yield await _application(api, each)
        for named in sorted(since.fresh):
            found = await or_absent(api, f"/applications/{segment(named)}")
            if found is not ABSENT:
                yield await _application(api, found)
                yield _asks("scheduled-interviews", named, named, None)
                yield _asks("scorecards", named, named, None)
        for what, path in (("scheduled-interviews", "/scheduled_interviews"), ("scorecards", "/scorecards")):
            async for each in _list(api, path, {"updated_after": after}):
                named_by = external(each.get("application_id"))
                if named_by in known and is_new(each.get("updated_at"), since):
                    yield _asks(what, str(named_by), external(each.get("id")) or "", each.get("updated_at"))


def _asks(what: str, application: str, thing: str, at: object) -> Change:
    # The rules of a mapping fetch the rest themselves; a later look at the same finds it as it is then.
    body = {"application_id": application}
    return change(f"{what}:{thing}", at, f"poll.{what}", at, body)


async def _application(api: Api, found: Mapping[str, Any]) -> Change:
    """Write an application as its webhook would have been."""
    told, status = dict(found), found.get("status")
    action, at = "candidate_stage_change", found.get("last_activity_at")
    state: object = find(found, "current_stage", "id")
    if status == "rejected":
        action, at = "reject_candidate", found.get("rejected_at") or at
        state = found.get("rejected_at")
    elif status == "hired":
        action = "hire_candidate"
        told["offer"] = await _offer(api, segment(found.get("id")))
        state = find(told["offer"], "id")
    body = {"action": action, "payload": {"application": told}}
    return change(f"application:{found.get('id')}", [status, state], action, at, body)


async def _offer(api: Api, application: str) -> Any:
    # Without it, the application would come to stand for the offer that a webhook has told.
    found = await or_absent(api, f"/applications/{application}/offers/current_offer")
    return None if found is ABSENT else found


async def _list(api: Api, path: str, query: Query) -> AsyncIterator[dict[str, Any]]:
    async for page in api.pages(path, {**query, "per_page": _PAGE}):
        if not isinstance(page, list):
            raise CannotBeAsked("what answers is no Harvest API; correct --api-base")
        for each in objects(page):
            yield each


async def _all(api: Api, path: str, query: Query) -> list[dict[str, Any]]:
    return [each async for each in _list(api, path, query)]
