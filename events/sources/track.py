"""What is known of an applicant at a place in a foreign log, from its earlier events alone.

It follows the commands that the mapping gave, and nothing else: so a plan stands before the first is sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from events.copying import replace

# The commands that change anything of what is known.
FOLLOWED: Final = frozenset(
    {
        "assign",
        "reassign",
        "record-application",
        "link-application-to-job-order",
        "record-submission",
        "request-interview",
        "record-interview-held",
        "record-offer",
        "record-client-answer",
        "record-interview-result",
        "decline-application",
        "accept-offer",
        "decline-offer",
    }
)


@dataclass(frozen=True, slots=True)
class TrackedApplication:
    """One application, by the log's own ids; *interviews* counts those requested so far."""

    name: str
    job_order: str | None = None
    submitted: bool = False
    interviews: int = 0
    held: bool = False
    offer: str | None = None
    alive: bool = True


@dataclass(frozen=True, slots=True)
class TrackedApplicant:
    """One applicant with all their applications so far."""

    name: str
    owned: bool = False
    applications: Mapping[str, TrackedApplication] | None = None

    def application(self, name: str) -> TrackedApplication | None:
        """Find an application by its name in the log."""
        return (self.applications or {}).get(name)

    def alive_on(self, job_order: str) -> bool:
        """Tell whether an application to this job order lives."""
        return any(each.alive and each.job_order == job_order for each in (self.applications or {}).values())

    @property
    def anything_alive(self) -> bool:
        """Tell whether any application lives."""
        return any(each.alive for each in (self.applications or {}).values())

    def after(
        self,
        command: str,
        data: Mapping[str, Any],
        application: str,
        *,
        job_order: str | None,
        offer: str | None,
    ) -> "TrackedApplicant":
        """Follow one command; *job_order* and *offer* are those that the source's event names."""
        if command in ("assign", "reassign"):
            return self if self.owned else replace(self, owned=True)
        known = self.application(application)
        if command == "record-application":
            known = TrackedApplication(application, job_order if data.get("job_order_id") else None)
        else:
            before = known
            known = None if before is None else _after(before, command, data, job_order, offer)
            if known is None or known is before:
                return self
        return replace(self, applications={**(self.applications or {}), application: known})


def _after(
    known: TrackedApplication, command: str, data: Mapping[str, Any], job_order: str | None, offer: str | None
) -> TrackedApplication:
    match command:
        case "link-application-to-job-order":
            return replace(known, job_order=known.job_order or job_order)
        case "record-submission":
            return replace(known, submitted=True)
        case "request-interview":
            return replace(known, interviews=known.interviews + 1, held=False)
        case "record-interview-held":
            return replace(known, held=True)
        case "record-offer":
            return replace(known, offer=offer)
        case "record-client-answer":
            return replace(known, alive=data.get("answer") != "no")
        case "record-interview-result":
            return replace(known, alive=data.get("result") != "reject")
        case "decline-application" | "accept-offer" | "decline-offer":
            return replace(known, alive=False)
        case _:
            return known
