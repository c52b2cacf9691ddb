"""What a story waits for, and what it announces to reach: both judged by an engagement's events alone.

Nothing here asks the player what it did: a story is as true as its log.
"""

from collections.abc import Mapping, Sequence

from events.codec import decode
from events.envelope import Stored
from events.fold import fold
from events.state import Engagement
from gateway.demo.scenario import Announces, Scenario


def holds(condition: str, events: Sequence[Stored]) -> bool:
    """Tell whether what a step waits for has come about: ever (a level, an event) or now (met)."""
    if condition.startswith("event "):
        return any(each.type == condition.removeprefix("event ") for each in events)
    state = fold(events)
    if condition == "met":
        return not any(each.breached for each in state.obligations.values())
    return level_reached(state) >= int(condition.removeprefix("level "))


def level_reached(state: Engagement) -> int:
    """Give the highest level that any promise of this engagement ever climbed to."""
    return max((state.level, *(each.level for each in state.breaches.values())))


def broken_rules(events: Sequence[Stored]) -> set[str]:
    """Name the rules whose promise was broken, excused afterwards or not."""
    return {decode(each).rule for each in events if each.type == "obligation-breached"}


def unfulfilled(scenario: Scenario, streams: Mapping[str, Sequence[Stored]]) -> list[str]:
    """Say what a scenario announced and its engagements did not reach, a sentence each."""
    missed: list[str] = []
    for announced in scenario.announces:
        engagement = announced.engagement or scenario.engagement
        events = streams[engagement]
        state = fold(events)
        for wrong in (*_ending(announced, state), *_course(announced, [each.type for each in events])):
            missed.append(f"{engagement} {wrong}")
    return missed


def _ending(wanted: Announces, state: Engagement) -> list[str]:
    missed = []
    if state.stage != wanted.stage:
        missed.append(f"is at stage {state.stage}, not {wanted.stage}")
    if level_reached(state) < wanted.level_reached:
        missed.append(f"climbed to level {level_reached(state)}, not {wanted.level_reached}")
    if wanted.kept_late and not any(
        each.met_at is not None and each.level >= wanted.level_reached for each in state.breaches.values()
    ):
        missed.append("has no broken promise that was kept in the end")
    return missed


def _course(wanted: Announces, types: Sequence[str]) -> list[str]:
    missed = [f"has an event '{each}', which was never to be" for each in wanted.never if each in types]
    ahead = iter(types)
    for each in wanted.events:
        if each not in ahead:
            missed.append(f"has no event '{each}' where it was announced")
            break
    return missed
