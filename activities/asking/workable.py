"""Workable (SPI v3): candidates as they are now; the key is a bearer token.

A candidate belongs to one job there, and is linked as an application here.

V (vendor's documentation): ``updated_after``, ``limit``, times in UTC, the fields of a candidate.  S:
``stage`` and ``disqualified``.  M: ``paging.next``, ``/candidates/{id}`` answers ``{"candidate": {…}}``,
and a key that is taken may read ``/jobs``.
"""

from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final

from activities.asking.calling import MOST_PAGES, Api, bearer, segment
from activities.asking.changes import ABSENT, Change, Since, change, external, find, objects, or_absent
from activities.asking.errors import CannotBeAsked, NotAnswered
from events.integrations.message import Message

_PAGE: Final = 100
_NOT_IT: Final = "what answers is no Workable API; correct --api-base"


class Workable:
    """Candidates: their stage, and whether they are disqualified."""

    usual_base = "https://ACCOUNT.workable.com/spi/v3"
    things = ("candidate",)

    def headers(self, key: str) -> Mapping[str, str]:
        """Give the token."""
        return bearer(key)

    async def fetch(self, api: Api, what: str, message: Message) -> Any:
        """Ask about the candidate that a message names."""
        return await _candidate(api, segment(find(message.body, "data", "id")))

    async def greet(self, api: Api) -> None:
        """Ask for one job."""
        await api.get("/jobs", {"limit": 1})

    async def changes(self, api: Api, since: Since) -> AsyncGenerator[Change, None]:
        """List what changed of linked candidates, and how those stand that were linked since."""
        page = await api.get("/candidates", {"updated_after": since.moment.isoformat(), "limit": _PAGE})
        for _ in range(MOST_PAGES):
            if not isinstance(find(page, "candidates"), list):
                raise CannotBeAsked(_NOT_IT)
            for each in objects(page["candidates"]):
                if external(each.get("id")) in since.of("application"):
                    yield _moved(each)
            following = find(page, "paging", "next")
            if not following:
                break
            page = await api.follow(following)
        else:
            raise NotAnswered("its list does not end")
        for named in sorted(since.fresh):
            found = await _candidate(api, segment(named))
            if found is not ABSENT:
                yield _moved(found)


async def _candidate(api: Api, named: str) -> Any:
    answer = await or_absent(api, f"/candidates/{named}")
    if answer is ABSENT:
        return ABSENT
    found = find(answer, "candidate")
    if not isinstance(found, dict):
        raise CannotBeAsked(_NOT_IT)
    return found


def _moved(found: Mapping[str, Any]) -> Change:
    state = [found.get("stage"), found.get("disqualified")]
    body = {"event_type": "candidate_moved", "data": found}
    return change(f"candidate:{found.get('id')}", state, "candidate_moved", found.get("updated_at"), body)
