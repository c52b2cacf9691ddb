"""Lever: opportunities, their interviews and feedback; the key is a user without password.

Its webhooks' data are not signed, so what a message says is believed only as far as this API says it too.

V (vendor's documentation): base, authentication, ``data``.  S (a published client's types): ``hasNext``,
``stage``, ``stageChanges``, ``archived.reason``, ``archived.archivedAt``, an interview's ``date`` and
``canceledAt``.  M: ``next`` as ``offset``, ``expand``, ``updated_at_start``, the ``type`` of an archive
reason ("hired"), an interview's ``updatedAt``, the score as the ``value`` of a feedback's field of the type
``score-system``.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any, Final

from activities.asking.calling import MOST_PAGES, Api, Query, basic, segment
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
from activities.asking.errors import CannotBeAsked, NotAnswered, Unknown
from events.integrations.message import Message

_PAGE: Final = 100


class Lever:
    """Stages, archiving and hires as they truly are; interviews, and feedback that no webhook tells."""

    usual_base = "https://api.lever.co/v1"
    things = ("feedback", "interview", "opportunity")

    def headers(self, key: str) -> Mapping[str, str]:
        """Give the key as a user's name."""
        return basic(key)

    async def fetch(self, api: Api, what: str, message: Message) -> Any:
        """Ask about the opportunity that a message names."""
        named = find(message.body, "data", "opportunityId") or find(message.body, "application_id")
        path = f"/opportunities/{segment(named)}"
        if what == "opportunity":
            return _data(await or_absent(api, path, {"expand": "stage"}))
        if what == "interview":
            interview = segment(find(message.body, "data", "interviewId"))
            return _data(await or_absent(api, f"{path}/interviews/{interview}"))
        try:
            return {"items": [_scored(each) async for each in _list(api, f"{path}/feedback", {})]}
        except Unknown:
            return {"items": [], **ABSENT}

    async def greet(self, api: Api) -> None:
        """Ask for one opportunity."""
        await api.get("/opportunities", {"limit": 1})

    async def changes(self, api: Api, since: Since) -> AsyncGenerator[Change, None]:
        """List what changed of linked opportunities; interviews and feedback of each that is linked."""
        hired: frozenset[str] | None = None
        milli = int(since.moment.timestamp() * 1000)
        query: Query = {"updated_at_start": milli, "expand": "stage", "limit": _PAGE}
        seen = [each async for each in _list(api, "/opportunities", query)]
        for named in sorted(since.fresh):
            found = _data(await or_absent(api, f"/opportunities/{segment(named)}", {"expand": "stage"}))
            seen += [found] if found is not ABSENT else []
        for each in seen:
            if external(each.get("id")) not in since.of("application"):
                continue
            if find(each, "archived", "reason") is not None and hired is None:
                hired = await _hired(api)
            yield _opportunity(each, hired or frozenset())
        # M: whether an interview or feedback touches its opportunity, so each one is asked.
        for named in sorted(since.of("application")):
            async for told in _within(api, named, since):
                yield told


async def _within(api: Api, named: str, since: Since) -> AsyncGenerator[Change, None]:
    path, anew = f"/opportunities/{segment(named)}", named in since.fresh
    try:
        async for each in _list(api, f"{path}/interviews", {}):
            at = each.get("updatedAt") or each.get("canceledAt") or each.get("createdAt")
            state = [each.get("date"), each.get("canceledAt")]
            data = {"opportunityId": named, "interviewId": each.get("id")}
            body = {"event": "interviewUpdated", "triggeredAt": at, "data": data}
            yield change(f"interview:{each.get('id')}", state, "interviewUpdated", at, body)
        async for each in _list(api, f"{path}/feedback", {}):
            at = each.get("updatedAt") or each.get("completedAt")
            if each.get("completedAt") is not None and (anew or is_new(at, since)):
                state = [each.get("completedAt"), each.get("updatedAt"), each.get("deletedAt")]
                yield change(
                    f"feedback:{each.get('id')}", state, "poll.feedback", at, {"application_id": named}
                )
    except Unknown:
        return


def _opportunity(found: Mapping[str, Any], hired: frozenset[str]) -> Change:
    stage, archived = find(found, "stage", "id") or found.get("stage"), found.get("archived")
    reason = find(archived, "reason")
    data: dict[str, Any] = {"opportunityId": found.get("id"), "toStageId": stage}
    moves = objects(found.get("stageChanges"))
    event, at = "candidateStageChange", found.get("lastAdvancedAt") or found.get("updatedAt")
    at = moves[-1].get("updatedAt") or at if moves else at
    if isinstance(archived, dict):
        event = "candidateHired" if external(reason) in hired else "candidateArchiveChange"
        at, data["toArchived"] = archived.get("archivedAt") or at, archived
    body = {"event": event, "triggeredAt": at, "data": data}
    return change(f"opportunity:{found.get('id')}", [stage, archived], event, at, body)


async def _hired(api: Api) -> frozenset[str]:
    found = [each async for each in _list(api, "/archive_reasons", {})]
    return frozenset(str(each.get("id")) for each in found if each.get("type") == "hired")


def _scored(feedback: dict[str, Any]) -> dict[str, Any]:
    """Give a feedback with its score, if its form asks for one, where a mapping's path can find it."""
    scores = [
        each.get("value") for each in objects(feedback.get("fields")) if each.get("type") == "score-system"
    ]
    return {**feedback, "score": scores[0] if len(scores) == 1 else None}


def _data(answer: Any) -> Any:
    if answer is ABSENT:
        return ABSENT
    found = find(answer, "data")
    if not isinstance(found, dict):
        raise CannotBeAsked("what answers is no Lever API; correct --api-base")
    return found


async def _list(api: Api, path: str, query: Query) -> AsyncIterator[dict[str, Any]]:
    offset: dict[str, str | int] = {}
    for _ in range(MOST_PAGES):
        page = await api.get(path, {**query, **offset})
        if not isinstance(find(page, "data"), list):
            raise CannotBeAsked("what answers is no Lever API; correct --api-base")
        for each in objects(page["data"]):
            yield each
        if page.get("hasNext") is not True or not page.get("next"):
            return
        offset = {"offset": str(page["next"])}
    raise NotAnswered("its list does not end")
