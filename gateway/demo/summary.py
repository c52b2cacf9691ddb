"""What a demo came to, in figures that a machine can hold it to.

Every figure is counted from the log, none from what the player believes it did.
"""

import json
from collections import Counter
from collections.abc import Sequence

from pydantic import BaseModel

from events.codec import decode
from events.envelope import Stored
from events.fold import fold


class Summary(BaseModel):
    """The last line of ``rapport demo --once --json``."""

    engagements: int
    events: int
    stages: dict[str, int]
    escalations_by_level: dict[str, int]
    breaches: int
    outreach_sent: int
    verified: int
    mismatches: int
    seconds: float


def summarise(
    streams: Sequence[list[Stored]], *, events: int, verified: int, mismatches: int, seconds: float
) -> Summary:
    """Count what the engagements' streams hold; *events* counts the whole log's."""
    everything = [stored for stream in streams for stored in stream]
    levels = Counter(str(decode(each).level) for each in everything if each.type == "escalation-raised")
    return Summary(
        engagements=len(streams),
        events=events,
        stages=dict(sorted(Counter(fold(stream).stage for stream in streams).items())),
        escalations_by_level=dict(sorted(levels.items())),
        breaches=sum(each.type == "obligation-breached" for each in everything),
        outreach_sent=sum(each.type == "outreach-sent" for each in everything),
        verified=verified,
        mismatches=mismatches,
        seconds=round(seconds, 1),
    )


def last_line(summary: Summary) -> str:
    """Write the summary as one line of JSON."""
    return json.dumps(summary.model_dump())
