"""Which reports tell how a thing stands now, so that an older one must not undo a newer one.

A fact (a talk, a message, a start) has no aspect: it is always applied, at its own time.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from events.integrations.meaning import Wanted

# The field that names the thing, and what of it is told. Two reports with one aspect contradict each other:
# of an interview, whether and when it takes place is one thing, so an old "scheduled" never revives what was
# cancelled, held or missed since. What an offer says and what became of it are two: an old revision must not
# hide the candidate's yes.
_OF_A_THING: Final[Mapping[str, tuple[str, str, str]]] = {
    "record-interview-scheduled": ("interview", "interview_id", "time"),
    "move-interview": ("interview", "interview_id", "time"),
    "cancel-interview": ("interview", "interview_id", "time"),
    "record-interview-held": ("interview", "interview_id", "time"),
    "record-interview-missed": ("interview", "interview_id", "time"),
    "record-interview-result": ("interview", "interview_id", "result"),
    "record-client-answer": ("submission", "submission_id", "answer"),
    "settle-submission": ("submission", "submission_id", "choice"),
    "revise-offer": ("offer", "offer_id", "terms"),
    "accept-offer": ("offer", "offer_id", "answer"),
    "decline-offer": ("offer", "offer_id", "answer"),
    "withdraw-offer": ("offer", "offer_id", "answer"),
    "record-placement-terms": ("placement", "placement_id", "terms"),
    "move-start": ("placement", "placement_id", "start"),
    "confirm-start": ("placement", "placement_id", "start"),
    "extend-contract": ("placement", "placement_id", "end"),
    "answer-proposal": ("job-order", "job_order_id", "proposal"),
    "grant-right-to-represent": ("job-order", "job_order_id", "right-to-represent"),
    "revoke-right-to-represent": ("job-order", "job_order_id", "right-to-represent"),
    "record-position-held": ("job-order", "job_order_id", "position"),
    "record-position-resumed": ("job-order", "job_order_id", "position"),
    "record-position-filled": ("job-order", "job_order_id", "position"),
    "record-position-owner": ("job-order", "job_order_id", "owner"),
    "resolve-conflict": ("conflict", "conflict_id", "outcome"),
    "record-facet": ("facet", "facet_id", "words"),
    "retire-facet": ("facet", "facet_id", "words"),
    "note-office": ("person", "person", "office"),
}
_OF_THE_ENGAGEMENT: Final[Mapping[str, str]] = {
    "assign": "owner",
    "reassign": "owner",
    "record-pause": "posture",
    "resume": "posture",
    "go-dormant": "posture",
    "set-quiet-hours": "quiet-hours",
}


def _opening(fields: Mapping[str, Any]) -> str:
    # An opening is taken and freed by a submission; naming nobody, the client does it itself.
    return f"opening:{fields.get('submission_id') or fields.get('engagement_id') or ''}"


_OF_A_JOB_ORDER: Final[Mapping[str, str | Callable[[Mapping[str, Any]], str]]] = {
    "hold-job-order": "state",
    "resume-job-order": "state",
    "close-job-order": "state",
    "fill-job-order": _opening,
    "reopen-job-order": _opening,
    "change-openings": "openings",
    "record-job-order-terms": "terms",
    "change-client-contact": "contact",
    "change-job-order-owner": "owner",
}


def aspect(wanted: Wanted) -> str | None:
    """Name what a report tells the present state of, such as ``interview:e-1/i-1:time``; None: a fact."""
    if wanted.job_order is not None:
        what = _OF_A_JOB_ORDER.get(wanted.name)
        told = what(wanted.fields) if callable(what) else what
        return None if told is None else f"job-order:{wanted.job_order}:{told}"
    if (told := _OF_THE_ENGAGEMENT.get(wanted.name)) is not None:
        return f"engagement:{wanted.engagement}:{told}"
    if (found := _OF_A_THING.get(wanted.name)) is None:
        return None
    thing, name, what_of_it = found
    key = wanted.fields.get(name)
    # Without an id it makes a thing of its own, which nothing older can be about.
    return None if key is None else f"{thing}:{wanted.engagement}/{key}:{what_of_it}"
