"""What ``stuck`` finds: one thing that waits, in plain data.

A finding names ids, codes and classes, never what a failure said: that may be about a person.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

Kind = Literal[
    "hold",
    "sweep",
    "no-workflow",
    "workflow-task",
    "activity",
    "stream-ahead",
    "effect",
    "inbox",
    "poll",
    "projection",
    "delivery",
]
ORDER: Final[tuple[Kind, ...]] = (
    "hold",
    "sweep",
    "no-workflow",
    "workflow-task",
    "activity",
    "stream-ahead",
    "effect",
    "inbox",
    "poll",
    "projection",
    "delivery",
)

# A stream trails by one append until the next sweep, which comes every minute: after two it is late.
PATIENCE: Final = timedelta(seconds=150)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that waits; *stuck* is false where it is only on its way.

    Of a stream ahead: *version* is the log's, *folded* what its workflow has acknowledged.
    """

    kind: Kind
    name: str
    stuck: bool
    since: datetime | None
    says: str
    attempt: int | None = None
    run_id: str | None = None
    reason: str | None = None
    poked: bool | None = None
    version: int | None = None
    folded: int | None = None
    poked_version: int | None = None
    poked_at: datetime | None = None
