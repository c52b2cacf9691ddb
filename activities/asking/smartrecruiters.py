"""SmartRecruiters: bodies are thin, and what happened is read where the header ``Link`` points.

That link is written by others: it is followed on the connection's own host only, or the key goes elsewhere.

V (vendor's documentation): the thin body, ``Link`` (absent on deletions), ``X-SmartToken``.  M: that
``/applications/{id}`` is what an application's link points at, with ``id``, ``status``, ``updatedOn``,
``candidate.id`` and ``job.id`` (or ``candidateId`` and ``jobId``), and ``limit`` of ``/candidates``.
"""

from collections.abc import AsyncGenerator, Mapping
from typing import Any

from activities.asking.calling import Api, segment
from activities.asking.changes import ABSENT, Change, Since, change, external, find, or_absent
from activities.asking.errors import CannotBeAsked, Unknown
from events.integrations.message import Message


class SmartRecruiters:
    """Whatever a message's link leads to, and linked applications by a poll."""

    usual_base = "https://api.smartrecruiters.com"
    things = ("link",)

    def headers(self, key: str) -> Mapping[str, str]:
        """Give the key in the provider's own header."""
        return {"x-smarttoken": key}

    async def fetch(self, api: Api, what: str, message: Message) -> Any:
        """Follow the message's link."""
        link = message.headers.get("link", "").strip()
        if not link:
            raise CannotBeAsked("the message has no link to follow")
        try:
            return await api.follow(_target(link))
        except Unknown:
            return ABSENT

    async def greet(self, api: Api) -> None:
        """Ask for one candidate."""
        await api.get("/candidates", {"limit": 1})

    async def changes(self, api: Api, since: Since) -> AsyncGenerator[Change, None]:
        """Tell how each linked application stands."""
        for named in sorted(since.of("application")):
            path = f"/applications/{segment(named)}"
            found = await or_absent(api, path)
            if found is ABSENT:
                continue
            at, name = found.get("updatedOn"), "application.status.updated"
            headers = {"event-name": name, "link": api.at(path)}
            yield change(f"application:{named}", found.get("status"), name, at, _thin(found), headers)


def _thin(found: Mapping[str, Any]) -> dict[str, str]:
    candidate = external(found.get("candidateId") or find(found, "candidate", "id"))
    job = external(found.get("jobId") or find(found, "job", "id"))
    told = {"candidate_id": candidate, "job_id": job}
    return {key: each for key, each in told.items() if each is not None}


def _target(link: str) -> str:
    """Read the URL of a link, bare or as RFC 8288 writes it."""
    if link.startswith("<"):
        return link[1:].partition(">")[0]
    return link
