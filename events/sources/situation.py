"""Where a foreign log stands at one event: what the event names, and what came before it."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from events.sources.mapping import Condition, MappedObjects
from events.sources.ocel import SourceEvent
from events.sources.pseudonyms import Pseudonyms
from events.sources.track import TrackedApplicant, TrackedApplication


class Situation(NamedTuple):
    """One event, whom it concerns, and what is known of them so far."""

    event: SourceEvent
    objects: MappedObjects
    pseudonyms: Pseudonyms
    applicant: TrackedApplicant | None
    application_name: str | None
    """The log's own id of the application that the event names."""
    application: TrackedApplication | None
    """What is known of that application."""

    @property
    def named_job_order(self) -> str | None:
        """Give the log's own id of the job order that the event names."""
        named = self.event.objects.get(self.objects.job_order)
        return named[0] if named else None

    @property
    def named_offer(self) -> str | None:
        """Give the log's own id of the offer that the event names."""
        named = self.event.objects.get(self.objects.offer)
        return named[0] if named else None

    def engagement_of(self, applicant: str) -> str:
        """Derive the engagement's id from the log's own id of an applicant."""
        return self.pseudonyms.of("engagement", applicant)

    def after(self, command: str, data: Mapping[str, Any]) -> "Situation":
        """Follow one command on this applicant's engagement."""
        if self.applicant is None or self.application_name is None:
            return self
        followed = self.applicant.after(
            command, data, self.application_name, job_order=self.named_job_order, offer=self.named_offer
        )
        if followed is self.applicant:
            return self
        name = self.application_name
        return Situation(
            self.event, self.objects, self.pseudonyms, followed, name, followed.application(name)
        )


def situation_at(
    event: SourceEvent, objects: MappedObjects, pseudonyms: Pseudonyms, applicant: TrackedApplicant | None
) -> Situation:
    """Put an event beside what is known of its applicant so far."""
    named = event.objects.get(objects.application)
    name = named[0] if named else None
    known = None if applicant is None or name is None else applicant.application(name)
    return Situation(event, objects, pseudonyms, applicant, name, known)


def holds(condition: Condition, situation: Situation) -> bool:
    """Tell whether a condition of the mapping holds here."""
    return CONDITIONS[condition](situation)


def _first_application(situation: Situation) -> bool:
    return situation.applicant is not None and not situation.applicant.applications


def _no_owner(situation: Situation) -> bool:
    return situation.applicant is not None and not situation.applicant.owned


def _has_owner(situation: Situation) -> bool:
    return situation.applicant is not None and situation.applicant.owned


def _not_submitted(situation: Situation) -> bool:
    return situation.application is not None and not situation.application.submitted


def _submitted(situation: Situation) -> bool:
    known = situation.application
    return known is not None and known.submitted and not known.held


def _interviewed(situation: Situation) -> bool:
    return situation.application is not None and situation.application.held


def _nothing_alive(situation: Situation) -> bool:
    return situation.applicant is not None and not situation.applicant.anything_alive


def _names_another_job_order(situation: Situation) -> bool:
    known = situation.application
    return known is not None and situation.named_job_order not in (None, known.job_order)


CONDITIONS: Final[dict[Condition, Callable[[Situation], bool]]] = {
    "first-application": _first_application,
    "no-owner": _no_owner,
    "has-owner": _has_owner,
    "not-submitted": _not_submitted,
    "submitted": _submitted,
    "interviewed": _interviewed,
    "nothing-alive": _nothing_alive,
    "names-another-job-order": _names_another_job_order,
}
