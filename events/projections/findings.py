"""One row for each thing that a person should look at: computed from an event, and never one itself.

An event may be found for two reasons, so the key is reason and event.
"""

from collections.abc import Iterator
from typing import Any, Final

from events import catalogue as e
from events.projections.life import Life
from events.projections.projection import Projection, Told, as_it_is, itself, types
from events.state import Engagement

COLUMNS = (
    "finding",
    "kind",
    "event_id",
    "position",
    "type",
    "rule",
    "mode",
    "command",
    "detail",
    "subject",
    "at",
    "known_at",
    "stage",
    "owner",
    "actor_kind",
    "actor_id",
    "origin",
)
Row = tuple[Any, ...]
Account = dict[str, Row]
PAST: Final = "past-partly-judged"
# Kind, rule, mode, command, detail, subject.
What = tuple[str, str | None, str | None, str | None, str | None, str | None]
LOOKED_AT = types(
    e.GateBypassed,
    e.CommandRefused,
    e.MessageRefused,
    e.ContactMade,
    e.ProfileConfirmed,
    e.RightToRepresentGranted,
    e.CheckRecorded,
    e.Submitted,
    e.JobProposed,
    e.WentLive,
    e.OutreachBounced,
)


def found_in(event: Any, state: Engagement) -> Iterator[What]:
    """This will give what there is to look at in one event; *state* is the engagement after it."""
    match event:
        case e.GateBypassed():
            about = _about(event.job_order_id, event.submission_id)
            yield ("gate-bypassed", event.gate, event.mode, event.command, event.why, about)
        case e.CommandRefused():
            about = _about(event.job_order_id, event.submission_id)
            yield ("command-refused", event.gate, "enforce", event.command, None, about)
        case e.MessageRefused():
            yield ("message-refused", None, None, event.name, event.reason, None)
        case e.OutreachBounced():
            yield ("outreach-bounced", None, None, None, event.reason, None)
        case e.Submitted() if event.right_to_represent != "held":
            about = f"submission:{event.submission_id}"
            yield (f"right-to-represent-{event.right_to_represent}", None, None, None, None, about)
        case e.JobProposed() if event.override_by is not None:
            about = f"job-order:{event.job_order_id}"
            yield ("fit-overridden", None, None, None, event.override_by, about)
        case e.CheckRecorded() if event.consent == "unknown":
            yield ("consent-unknown", None, None, None, event.kind, f"check:{event.check_id}")
        case e.WentLive() if event.observes is not None:
            # Of the rules of that policy the source of the past shows these alone.
            yield (PAST, None, None, None, " ".join(event.observes), f"policy:{state.policy_digest}")
    if getattr(event, "evidence", None) == "asserted":
        yield ("evidence-asserted", None, None, None, None, _evidenced(event))


def _about(job_order_id: str | None, submission_id: str | None) -> str | None:
    if submission_id is not None:
        return f"submission:{submission_id}"
    return None if job_order_id is None else f"job-order:{job_order_id}"


def _evidenced(event: Any) -> str | None:
    match event:
        case e.ContactMade():
            return f"contact:{event.contact_id}"
        case e.RightToRepresentGranted():
            return f"job-order:{event.job_order_id}"
        case e.CheckRecorded():
            return f"check:{event.check_id}"
    return None


def _apply(account: Account, event: Any, told: Told, life: Life) -> None:
    state = life.engagement
    for kind, *what in found_in(event, state):
        key = f"{kind}:{told.event_id}"
        account[key] = (
            key,
            kind,
            told.event_id,
            told.position,
            told.type,
            *what,
            event.at,
            told.decided_at,
            state.stage,
            state.candidate_owner,
            told.actor_kind,
            told.actor_id,
            told.origin,
        )


PROJECTION = Projection("findings", 3, "engagement", COLUMNS, itself, as_it_is, LOOKED_AT, _apply)
