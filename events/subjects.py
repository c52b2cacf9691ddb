"""What an event speaks of, in the terms a policy uses: which application, submission, interview, message.

Naming a submission also names its application, its placement, its offers and all its interviews; naming an
interview names its submission too, but never the submission's other interviews.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Final

from pydantic import BaseModel

from events.errors import InvalidCommand, UnknownReference
from events.policy import SUBJECT_FIELDS, Trigger
from events.state import Engagement

Named = frozenset[tuple[str, str]]
NOBODY: Named = frozenset()
ENGAGEMENT = "engagement"


def named_by(event: BaseModel, state: Engagement) -> Named:
    """Collect every (kind, id) that the event speaks of, by its own fields or its ``about``."""
    fields, about = _subjects_of(type(event))
    found = {(kind, key) for kind, name in fields if (key := getattr(event, name)) is not None}
    for reference in event.about if about else ():  # type: ignore[attr-defined]  # such an event has it
        kind, _, key = reference.partition(":")
        found.add((kind, key))
    if not found:
        return NOBODY
    # What has happened to one interview says nothing of the others of its submission.
    whole = {key for kind, key in found if kind == "submission" and _as_a_whole(event, key)}
    for kind, key in tuple(found):
        if kind == "interview" and key in state.interviews:
            found.add(("submission", state.interviews[key].submission_id))
    for kind, key in tuple(found):
        submission = state.submissions.get(key) if kind == "submission" else None
        if submission is not None and submission.application_id is not None:
            found.add(("application", submission.application_id))
    found |= {("placement", each) for each in whole if each in state.placements}
    found |= {("offer", each) for each, offer in state.offers.items() if offer.submission_id in whole}
    meetings = state.interviews.items()
    found |= {("interview", each) for each, meeting in meetings if meeting.submission_id in whole}
    return frozenset(found)


@cache
def _subjects_of(kind: type[BaseModel]) -> tuple[tuple[tuple[str, str], ...], bool]:
    """Look up which fields of an event name something, and whether it can tell what else it is about."""
    fields = kind.model_fields
    return tuple(each for each in SUBJECT_FIELDS.items() if each[1] in fields), "about" in fields


def _as_a_whole(event: BaseModel, submission_id: str) -> bool:
    return getattr(event, "interview_id", None) is None or f"submission:{submission_id}" in getattr(
        event, "about", ()
    )


def own_subject(event: BaseModel, kind: str) -> str | None:
    """Name the one subject of this kind that the event itself is of, e.g. ``interview:i-1``."""
    if kind == ENGAGEMENT:
        return ENGAGEMENT
    name = SUBJECT_FIELDS[kind]
    if name not in type(event).model_fields:
        return None
    key = getattr(event, name)
    return None if key is None else f"{kind}:{key}"


def speaks_of(subject: str, named: Named) -> bool:
    """Tell whether a subject is among what an event named."""
    kind, _, key = subject.partition(":")
    return kind == ENGAGEMENT or (kind, key) in named


def fires(trigger: Trigger, event: BaseModel, subject: str, named: Named) -> bool:
    """Tell whether an event is what a trigger waits for, for this subject."""
    if getattr(event, "type", None) != trigger.event or not narrowed(trigger, event):
        return False
    return not trigger.about_subject or speaks_of(subject, named)


def narrowed(trigger: Trigger, event: BaseModel) -> bool:
    """Tell whether the event's plain fields are as the trigger's ``where`` asks."""
    return all(
        str(getattr(event, name, None)) == value
        or (name == "purpose" and value in getattr(event, "also", ()))
        for name, value in trigger.where.items()
    )


def resolve(about: Sequence[str], state: Engagement) -> tuple[str, ...]:
    """Write each thing that a caller names by its kind and id; a bare id must belong to one kind only.

    :raises UnknownReference: there is no such thing here.
    :raises InvalidCommand: the id belongs to several kinds.
    """
    return tuple([_located(each, state) for each in about])


def _heard_of(state: Engagement, job_order: str) -> bool:
    if job_order in state.proposals or job_order in state.rights:
        return True
    if any(each.job_order_id == job_order for each in state.applications.values()):
        return True
    return any(each.job_order_id == job_order for each in state.submissions.values())


# Every kind of thing that an engagement knows, and whether it knows one.
_KNOWN: Final[Mapping[str, Callable[[Engagement, str], bool]]] = {
    "application": lambda state, key: key in state.applications,
    "submission": lambda state, key: key in state.submissions,
    "interview": lambda state, key: key in state.interviews,
    "offer": lambda state, key: key in state.offers,
    "message": lambda state, key: key in state.messages,
    "job-order": _heard_of,
    "placement": lambda state, key: key in state.placements,
    "conflict": lambda state, key: key in state.conflicts,
    "no-match": lambda state, key: key in state.no_matches,
}
# A placement has its submission's id: without its kind the id means the submission, which names both.
_BARE: Final = tuple([each for each in _KNOWN if each != "placement"])


def _located(given: str, state: Engagement) -> str:
    kind, _, key = given.rpartition(":")
    likely = _BARE if not kind else (kind,) if kind in _KNOWN else ()
    kinds = [each for each in likely if _KNOWN[each](state, key)]
    if not kinds:
        raise UnknownReference(
            kind or "application, submission, interview, offer or message",
            key,
            "rapport show lists what there is",
        )
    if len(kinds) > 1:
        ways = " or ".join(f"about={each}:{key}" for each in kinds)
        raise InvalidCommand(f"'{key}' is the id of several things here; say which: {ways}")
    return f"{kinds[0]}:{key}"
