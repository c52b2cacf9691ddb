"""What the mail server got, held against what the log says was sent.

A message that came twice is only forgiven where its sender was killed before it could know of the answer.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from tests.crash.soak.kills import WORKER, Kill
from tests.crash.soak.mail import Delivery

# Seconds between the kill of a process and what our server sees of it, on a machine that is busy.
SEEN_WITHIN: Final = 1.0

Kind = Literal["inside-data", "before-its-record", "elsewhere"]


@dataclass(frozen=True)
class Post:
    """What the messages came to.

    *lost*: the log says sent, and nobody got it; *untold*: it came more often than the log has attempts.
    """

    received: int
    duplicates: Mapping[Kind, int]
    lost: tuple[str, ...]
    untold: tuple[str, ...]
    unknown_to_log: tuple[str, ...]
    elsewhere: tuple[str, ...]


def examine(
    deliveries: Iterable[Delivery],
    kills: Sequence[Kill],
    sent: Mapping[str, int],
    requested: set[str],
    *,
    read_at: float,
) -> Post:
    """Compare deliveries with the Message-IDs of what was sent (at which attempt) and ever asked for.

    *read_at*: when the reading of the log began; it need not know of what came later.
    """
    got: dict[str, list[Delivery]] = defaultdict(list)
    for each in sorted(deliveries, key=lambda each: each.received):
        got[each.message_id].append(each)
    struck = [kill.at for kill in kills if kill.target == WORKER]
    duplicates: Counter[Kind] = Counter()
    elsewhere = []
    for message_id, several in got.items():
        for earlier in several[:-1]:
            kind = excuse(earlier, struck)
            duplicates[kind] += 1
            if kind == "elsewhere":
                held = (earlier.over or earlier.received) - earlier.received
                elsewhere.append(f"{message_id} (the first was {earlier.fate} after {held:.1f} s)")
    received = sum(len(each) for each in got.values())
    return Post(
        received=received,
        duplicates=duplicates,
        lost=tuple(sorted(sent.keys() - got.keys())),
        untold=tuple(sorted(each for each, attempt in sent.items() if len(got.get(each, ())) > attempt)),
        unknown_to_log=tuple(
            sorted(each for each in got.keys() - requested if got[each][0].received < read_at)
        ),
        elsewhere=tuple(elsewhere),
    )


def excuse(delivery: Delivery, struck: Sequence[float]) -> Kind:
    """Say what excuses that a message which had come in whole was sent once more."""
    over = delivery.received if delivery.over is None else delivery.over
    read = delivery.fate == "ended"
    since = over if read else delivery.received
    if not any(since - SEEN_WITHIN <= at <= over + SEEN_WITHIN for at in struck):
        return "elsewhere"
    # Once the answer was read, its record is one commit away: no order of the two can close that gap.
    return "before-its-record" if read else "inside-data"
