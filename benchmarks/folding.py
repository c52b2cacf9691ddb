"""Stored events folded a second, against reading the same bodies as bare JSON.

Both sides hold the events in memory already: no database is timed.
"""

import json
import statistics
import time
from collections.abc import Callable

from benchmarks.drafting import life
from benchmarks.figures import Figure, Rounds
from benchmarks.sizes import Sizes
from events.codec import decode
from events.fold import fold
from workers.shipped import deploy_policy

ROUND = 0.5


async def folding(_ground: object, sizes: Sizes) -> list[Figure]:
    """This will fold one engagement's stream over and over."""
    policy = deploy_policy("starter")
    events = life(policy, sizes.folded)
    ours, floor, decoded = list[float](), list[float](), list[float]()
    for _ in range(max(sizes.rounds, 5)):
        ours.append(_rate(lambda: fold(events), len(events)))
        floor.append(_rate(lambda: [json.loads(each.body) for each in events], len(events)))
        decoded.append(_rate(lambda: [decode(each) for each in events], len(events)))
    rounds = Rounds(ours, floor)
    assert fold(events).version == len(events)
    return [
        Figure(
            name="fold",
            unit="events/s",
            ours=rounds.mine,
            floor=rounds.least,
            floor_is="json.loads of each body",
            ratio=rounds.ratio,
            note=f"a stream of {len(events)} events; decoding alone goes at "
            f"{statistics.median(decoded):.0f}/s",
            rounds=rounds.pairs,
        )
    ]


def _rate(work: Callable[[], object], events: int) -> float:
    began, times = time.perf_counter(), 0
    while time.perf_counter() - began < ROUND:
        work()
        times += 1
    return times * events / (time.perf_counter() - began)
