"""What a person should look at in an engagement's record, computed from its events.

A finding is never an event: another version of this file may find more in the same past.
"""

from collections.abc import Iterator, Sequence

from events import catalogue as e
from events.codec import decode
from events.envelope import Stored
from events.evidence.records import FindingTold
from events.fold import annulled_ids


def findings(events: Sequence[Stored]) -> Iterator[FindingTold]:
    """List what stands out in a whole stream; what was annulled stands out no more."""
    annulled = annulled_ids(events)
    for stored in events:
        if stored.event_id not in annulled and (found := _found(decode(stored))) is not None:
            kind, says = found
            yield FindingTold(kind=kind, version=stored.version, says=says)


def _found(event: e.AnyEvent) -> tuple[str, str] | None:
    match event:
        case e.GateBypassed():
            why = "it had happened already" if event.why == "report" else f"it is in mode {event.mode}"
            return (
                "gate-bypassed",
                f"Gate {event.gate} was not met by {event.command} and did not stop it: {why}.",
            )
        case e.MessageRefused():
            return "message-refused", f"A message could not be applied ({event.reason})."
        case e.CheckRecorded(consent="unknown"):
            return (
                "consent-unknown",
                f"Nobody recorded whether the candidate agreed to the check {event.kind}.",
            )
        case e.Submitted() if event.right_to_represent != "held":
            right = event.right_to_represent
            return "right-to-represent", f"Submission {event.submission_id} went out with that right {right}."
        case e.PlacementEnded(within_guarantee=True):
            return "fall-off", f"Placement {event.placement_id} ended within its guarantee ({event.how})."
        case _:
            return None
