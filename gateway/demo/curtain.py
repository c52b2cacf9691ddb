"""When each story of a play begins, and who looks after its people once it has been told.

The clock is one for all: whose story ends early would be neglected for the rest, were nobody to call.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final
from uuid import uuid4

from activities.agency_file import read_people
from events.fold import fold
from gateway.demo.dry import DryStage
from gateway.demo.player import SOURCE, play, silent
from gateway.demo.scenario import PEOPLE, Scenario
from gateway.demo.stage import Stage
from workers.shipped import deploy_policy

# The promise is a week; a day or two may be lost on a slow machine.
CALL_EVERY: Final = timedelta(days=5)
LOOK_EVERY: Final = timedelta(days=1)
NO_TIME: Final = timedelta()
LONGEST_QUIET: Final = timedelta(days=120)


async def beginnings(scenarios: Sequence[Scenario]) -> dict[str, timedelta]:
    """Say how long after the play each story begins: they overlap evenly, and none outlasts the longest.

    One whose people could not wait afterwards, as for a first day, ends when the play ends.

    :raises StoryBroken: one does not come out as it says.
    """
    lengths = {each.engagement: await _rehearsed(each) for each in scenarios}
    longest = max((length for length, _ in lengths.values()), default=timedelta())
    order = sorted(lengths, key=lambda each: (-lengths[each][0], each))
    begins = {}
    for place, each in enumerate(order):
        length, quiet = lengths[each]
        spare = longest - length
        begins[each] = max(spare * place / max(len(order) - 1, 1), spare - max(quiet - LOOK_EVERY, NO_TIME))
    return begins


async def _rehearsed(scenario: Scenario) -> tuple[timedelta, timedelta]:
    """Tell how long a story is, and how long no promise is broken after it."""
    stage = DryStage(deploy_policy("starter"))
    await stage.open(read_people(PEOPLE))
    await play(scenario, stage, stage.agency, silent)
    ended, broken = stage.now(), stage.breaches
    await look_after(
        scenario, stage, lambda: stage.breaches == broken and stage.now() < ended + LONGEST_QUIET
    )
    return ended - stage.origin, stage.now() - ended - LOOK_EVERY


async def look_after(scenario: Scenario, stage: Stage, goes_on: Callable[[], bool]) -> None:
    """Call each person of a story that is over, in good time, for as long as the play goes on."""
    while goes_on():
        for engagement in scenario.engagements:
            state = fold(await stage.events(engagement))
            quiet = state.closed or state.dormant or state.paused(stage.now())
            last = state.last_contact_at or stage.origin
            if quiet or stage.now() < last + CALL_EVERY:
                continue
            by = state.candidate_owner or "demo"
            data = {"by": by, "channel": "phone", "source": SOURCE, "actor": {"kind": "person", "id": by}}
            await stage.give(engagement, "record-contact", data, f"{engagement}-{uuid4()}")
        await stage.wait_for(stage.now() + LOOK_EVERY)
