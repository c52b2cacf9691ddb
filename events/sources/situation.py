"""Where a foreign log stands at one event: what the event names, and what came before it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, assert_never

from events.copying import replace
from events.sources.mapping import Condition, MappedObjects
from events.sources.ocel import SourceEvent
from events.sources.pseudonyms import Pseudonyms
from events.sources.track import TrackedApplicant, TrackedApplication


@dataclass(frozen=True, slots=True)
class Situation:
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
        return replace(self, applicant=followed, application=followed.application(self.application_name))


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
    applicant, application = situation.applicant, situation.application
    match condition:
        case "first-application":
            return applicant is not None and not applicant.applications
        case "no-owner":
            return applicant is not None and not applicant.owned
        case "has-owner":
            return applicant is not None and applicant.owned
        case "not-submitted":
            return application is not None and not application.submitted
        case "submitted":
            return application is not None and application.submitted and not application.held
        case "interviewed":
            return application is not None and application.held
        case "nothing-alive":
            return applicant is not None and not applicant.anything_alive
        case "names-another-job-order":
            return application is not None and situation.named_job_order not in (None, application.job_order)
        case _:
            assert_never(condition)
