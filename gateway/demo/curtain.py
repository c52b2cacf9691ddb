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
from gateway.demo.player import PLAYER, SOURCE, play, silent
from gateway.demo.scenario import PEOPLE, Scenario
from gateway.demo.stage import Stage
from workers.shipped import deploy_policy

# The promise is a week; a day or two may be lost on a slow machine.
CALL_EVERY: Final = timedelta(days=5)
LOOK_EVERY: Final = timedelta(days=1)
# A broken promise is noticed a day late at most, and the others may end some days late on a busy machine.
SPARE: Final = timedelta(days=5)
NO_TIME: Final = timedelta()


async def beginnings(scenarios: Sequence[Scenario]) -> dict[str, timedelta]:
    """Say how long after the play each story begins: they overlap evenly, and none outlasts the longest.

    One whose people could not wait afterwards, as for a first day, ends when the play ends.

    :raises StoryBroken: one does not come out as it says.
    """
    stages = {each.engagement: await _rehearsed(each) for each in scenarios}
    lengths = {each: stage.now() - stage.origin for each, stage in stages.items()}
    longest = max(lengths.values(), default=NO_TIME)
    order = sorted(scenarios, key=lambda each: (-lengths[each.engagement], each.engagement))
    begins = {}
    for place, each in enumerate(order):
        spare = longest - lengths[each.engagement]
        after = spare - spare * place / max(len(order) - 1, 1)
        begins[each.engagement] = spare - await _quiet(each, stages[each.engagement], after)
    return begins


async def _rehearsed(scenario: Scenario) -> DryStage:
    stage = DryStage(deploy_policy("starter"))
    await stage.open(read_people(PEOPLE))
    await play(scenario, stage, stage.agency, silent)
    return stage


async def _quiet(scenario: Scenario, stage: DryStage, wanted: timedelta) -> timedelta:
    """Tell how much of a time may follow a story before a promise is broken; negative: it must come last."""
    ended, broken = stage.now(), stage.breaches
    await look_after(scenario, stage, lambda: stage.breaches == broken and stage.now() < ended + wanted)
    if stage.breaches == broken:
        return wanted
    return stage.now() - ended - SPARE


async def look_after(scenario: Scenario, stage: Stage, goes_on: Callable[[], bool]) -> None:
    """Call each person of a story that is over, in good time, for as long as the play goes on."""
    while goes_on():
        moment = stage.now() + CALL_EVERY
        for engagement in scenario.engagements:
            state = fold(await stage.events(engagement))
            if state.closed or state.dormant or state.paused(stage.now()):
                continue
            if state.last_contact_at is not None and stage.now() < state.last_contact_at + CALL_EVERY:
                moment = min(moment, state.last_contact_at + CALL_EVERY)
                continue
            by = state.candidate_owner or PLAYER.id
            data = {"by": by, "channel": "phone", "source": SOURCE, "actor": {"kind": "person", "id": by}}
            await stage.give(engagement, "record-contact", data, f"{engagement}-{uuid4()}")
        while goes_on() and stage.now() < moment:
            await stage.wait_for(min(moment, stage.now() + LOOK_EVERY))
