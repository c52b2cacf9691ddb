"""Names for the ids on a candidate's page: colleagues, jobs, promises; and why one job was proposed.

Only of what the candidate's own engagement names: nothing of a client's job is read but its title.
"""

from events import job_order
from events.catalogue import JobProposed
from events.codec import decode
from events.fold import annulled_ids
from events.policy import read_policy
from events.state import Engagement
from gateway.http.asking import Asker, stream_of
from gateway.pages.standing import Known, jobs_of, people_of

# A job order's opening is among its first events.
_OPENING = 5


async def known_of(asker: Asker, state: Engagement) -> Known:
    """Read the names that a page needs."""
    return Known(
        people={each: await _called(asker, each) for each in people_of(state)},
        jobs={each: await _title(asker, each) for each in jobs_of(state)},
        rules=await _rules(asker, state.policy_digest),
    )


async def reason_of(asker: Asker, job: str) -> str:
    """Read what the recruiter wrote to the candidate about a job; only with a code may this be shown."""
    assert asker.who.engagement is not None
    events = await stream_of(asker, "engagement", asker.who.engagement, personal=True)
    annulled = annulled_ids(events)
    for stored in reversed(events):
        stands = stored.type == "job-proposed" and stored.event_id not in annulled
        proposed = decode(stored) if stands else None
        if isinstance(proposed, JobProposed) and proposed.job_order_id == job:
            return proposed.reason if isinstance(proposed.reason, str) else ""
    return ""


async def _called(asker: Asker, person: str) -> str:
    found = await asker.doors.having.directory.person(asker.who.agency, person)
    name = found.name if found is not None else None
    return " ".join(name.split()) if isinstance(name, str) and name.strip() else person


async def _title(asker: Asker, job: str) -> str:
    stream = f"job-order:{job}"
    log = asker.doors.having.log
    for stored in await log.read_stream(asker.who.agency, stream, limit=_OPENING, open_personal=True):
        opened = decode(stored, job_order.EVENTS)
        if isinstance(opened, job_order.JobOrderOpened) and isinstance(opened.title, str):
            return " ".join(opened.title.split())
    return ""


async def _rules(asker: Asker, digest: str | None) -> dict[str, str]:
    if digest is None:
        return {}
    body = await asker.doors.having.log.load_policy(asker.who.agency, digest)
    return {each.id: each.says for each in read_policy(body).obligations} if body is not None else {}
