"""Ashby: questions by POST, one for each linked application; the key is a user without password.

It has no listing of what changed that names a time, so a poll asks about each application that is linked.

V (vendor's documentation): ``success``, ``results``, ``moreDataAvailable``, ``nextCursor``.  S
(integrators' clients): ``application.info``, ``applicationFeedback.list`` and ``interviewSchedule.list`` by
``applicationId``; the fields of a schedule's events; 401 without and 403 with a wrong key.  M: ``success:
false`` with an error that ends in ``not_found``; a feedback's ``submittedAt`` and ``interviewEventId``.
"""

from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final

from activities.asking.calling import MOST_PAGES, Api, basic, segment
from activities.asking.changes import ABSENT, Change, Since, change, find, objects
from activities.asking.errors import CannotBeAsked, NotAnswered, Unknown
from events.integrations.message import Message

_PAGE: Final = 100


class Ashby:
    """Stages, hires and interview schedules as they are, and feedback that no webhook tells."""

    usual_base = "https://api.ashbyhq.com"
    things = ("application", "feedback", "interview-schedules")

    def headers(self, key: str) -> Mapping[str, str]:
        """Give the key as a user's name."""
        return basic(key)

    async def fetch(self, api: Api, what: str, message: Message) -> Any:
        """Ask about the application that a message names."""
        data = find(message.body, "data")
        named = (
            find(message.body, "application_id")
            or find(data, "application", "id")
            or find(data, "interviewSchedule", "applicationId")
            or find(data, "offer", "applicationId")
        )
        segment(named)
        try:
            if what == "application":
                return await _asked(api, "application.info", {"applicationId": named})
            method = "applicationFeedback.list" if what == "feedback" else "interviewSchedule.list"
            return {"items": await _all(api, method, str(named))}
        except Unknown:
            return ABSENT if what == "application" else {"items": [], **ABSENT}

    async def greet(self, api: Api) -> None:
        """Ask for one application."""
        await _results(api, "application.list", {"limit": 1})

    async def changes(self, api: Api, since: Since) -> AsyncGenerator[Change, None]:
        """Tell how each linked application stands, its schedules, and that there is feedback."""
        for named in sorted(since.of("application")):
            try:
                yield _application(await _asked(api, "application.info", {"applicationId": named}))
                for each in await _all(api, "interviewSchedule.list", named):
                    yield _schedule(each, named)
                for each in await _all(api, "applicationFeedback.list", named):
                    at = each.get("submittedAt")
                    if at is not None:
                        body = {"application_id": named}
                        yield change(f"feedback:{each.get('id')}", at, "poll.feedback", at, body)
            except Unknown:
                continue


def _application(found: Mapping[str, Any]) -> Change:
    stage, status = find(found, "currentInterviewStage", "id"), found.get("status")
    action = "candidateHire" if status == "Hired" else "candidateStageChange"
    state = [status, stage, find(found, "archiveReason", "id")]
    body = {"action": action, "data": {"application": found}}
    return change(f"application:{found.get('id')}", state, action, found.get("updatedAt"), body)


def _schedule(found: Mapping[str, Any], named: str) -> Change:
    events = [
        [each.get("id"), each.get("startTime"), each.get("endTime")]
        for each in objects(found.get("interviewEvents"))
    ]
    told = {**found, "applicationId": found.get("applicationId") or named}
    action = "interviewScheduleUpdate"
    body = {"action": action, "data": {"interviewSchedule": told}}
    at = found.get("updatedAt")
    return change(f"schedule:{found.get('id')}", [found.get("status"), events], action, at, body)


async def _all(api: Api, method: str, named: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: dict[str, Any] = {}
    for _ in range(MOST_PAGES):
        page = await _results(api, method, {"applicationId": named, "limit": _PAGE, **cursor})
        # What a method ignores in the question must not count as another's.
        found += [each for each in objects(page["results"]) if each.get("applicationId") in (named, None)]
        if page.get("moreDataAvailable") is not True or not page.get("nextCursor"):
            return found
        cursor = {"cursor": page["nextCursor"]}
    raise NotAnswered("its list does not end")


async def _asked(api: Api, method: str, question: Mapping[str, Any]) -> dict[str, Any]:
    found = (await _results(api, method, question))["results"]
    if not isinstance(found, dict):
        raise CannotBeAsked("what answers is no Ashby API; correct --api-base")
    return found


async def _results(api: Api, method: str, question: Mapping[str, Any]) -> dict[str, Any]:
    answer = await api.post(f"/{method}", question)
    if find(answer, "success") is True and "results" in answer:
        return dict(answer)
    errors = find(answer, "errors")
    if not isinstance(errors, list):
        raise CannotBeAsked("what answers is no Ashby API; correct --api-base")
    if any(str(each).endswith("not_found") for each in errors):
        raise Unknown
    if any("permission" in str(each) for each in errors):
        raise CannotBeAsked("the provider refuses the key; give one that may read this")
    raise NotAnswered("it answered that it could not answer")
