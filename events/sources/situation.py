"""Where a foreign log stands at one event: what the event names, and what came before it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, assert_never

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

    @property
    def application_name(self) -> str | None:
        """Give the log's own id of the application that the event names."""
        return next(iter(self.event.named(self.objects.application)), None)

    @property
    def application(self) -> TrackedApplication | None:
        """Give what is known of that application."""
        if self.applicant is None or self.application_name is None:
            return None
        return self.applicant.application(self.application_name)

    @property
    def named_job_order(self) -> str | None:
        """Give the log's own id of the job order that the event names."""
        return next(iter(self.event.named(self.objects.job_order)), None)

    @property
    def named_offer(self) -> str | None:
        """Give the log's own id of the offer that the event names."""
        return next(iter(self.event.named(self.objects.offer)), None)

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
        return replace(self, applicant=followed)


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
