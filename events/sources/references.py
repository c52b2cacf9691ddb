"""What a ``$reference`` in a mapping stands for at one event: always one of our ids, never the log's own."""

from collections.abc import Callable
from typing import Any

from events.sources.situation import Situation

Reading = Callable[[Situation], Any]


class Unknown(Exception):
    """The log has not told what a command needs; its event is left aside with this as the reason."""


def resolve(value: Any, situation: Situation) -> Any:
    """Give the value of a mapping's field; None where an optional reference is unknown.

    :raises Unknown: a reference that the command cannot do without.
    """
    return reading(value)(situation)


def reading(value: Any) -> Reading:
    """Prepare :func:`resolve` for a value that is asked for again and again."""
    if isinstance(value, list):
        inner = [reading(each) for each in value]
        return lambda situation: [found for read in inner if (found := read(situation)) is not None]
    if not isinstance(value, str) or not value.startswith("$"):
        return lambda _: value
    name = value[1:].removesuffix("?")
    look_up = _REFERENCES[name]

    def needed(situation: Situation) -> Any:
        known = look_up(situation)
        if known is None:
            raise Unknown(f"needs the {name} it concerns, which no event up to it tells")
        return known

    return look_up if value.endswith("?") else needed


def refers(value: Any) -> bool:
    """Tell whether a mapping's value stands for ids of ours, or holds one."""
    if isinstance(value, list):
        return any(refers(each) for each in value)
    return isinstance(value, str) and value.startswith("$")


def _engagement(situation: Situation) -> str | None:
    return situation.engagement_of(situation.applicant.name) if situation.applicant else None


def _candidate(situation: Situation) -> str | None:
    return situation.pseudonyms.of("candidate", situation.applicant.name) if situation.applicant else None


def _application(situation: Situation) -> str | None:
    name = situation.application_name
    return situation.pseudonyms.of("application", name) if name else None


def _job_order(situation: Situation) -> str | None:
    known = situation.application and situation.application.job_order
    return situation.pseudonyms.of("job-order", known) if known else None


def _named_job_order(situation: Situation) -> str | None:
    named = situation.named_job_order
    return situation.pseudonyms.of("job-order", named) if named else None


def _submission(situation: Situation) -> str | None:
    known = situation.application
    return situation.pseudonyms.of("submission", known.name) if known and known.submitted else None


def _new_submission(situation: Situation) -> str | None:
    known = situation.application
    return situation.pseudonyms.of("submission", known.name) if known else None


def _interview(situation: Situation) -> str | None:
    known = situation.application
    if known is None or not known.interviews:
        return None
    return situation.pseudonyms.of("interview", known.name, str(known.interviews))


def _new_interview(situation: Situation) -> str | None:
    known = situation.application
    return situation.pseudonyms.of("interview", known.name, str(known.interviews + 1)) if known else None


def _offer(situation: Situation) -> str | None:
    known = situation.application and situation.application.offer
    return situation.pseudonyms.of("offer", known) if known else None


def _named_offer(situation: Situation) -> str | None:
    named = situation.named_offer
    return situation.pseudonyms.of("offer", named) if named else None


def _recruiter(situation: Situation) -> str | None:
    named = situation.event.named(situation.objects.recruiter)
    return situation.pseudonyms.of("recruiter", named[0]) if named else None


def _recruiters(situation: Situation) -> list[str] | None:
    named = situation.event.named(situation.objects.recruiter)
    return [situation.pseudonyms.of("recruiter", each) for each in named] or None


def _contact(situation: Situation) -> str | None:
    named = situation.event.named(situation.objects.client_contact)
    return situation.pseudonyms.of("client-contact", named[-1]) if named else None


_REFERENCES: dict[str, Reading] = {
    "engagement": _engagement,
    "candidate": _candidate,
    "application": _application,
    "job-order": _job_order,
    "named-job-order": _named_job_order,
    "submission": _submission,
    "new-submission": _new_submission,
    "interview": _interview,
    "new-interview": _new_interview,
    "offer": _offer,
    "named-offer": _named_offer,
    "recruiter": _recruiter,
    "recruiters": _recruiters,
    "contact": _contact,
}
