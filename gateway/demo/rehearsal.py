"""Rehearses scenarios without servers: tells what happens day by day, and whether it comes out as announced.

For whoever writes a scenario: a rehearsal takes a moment where a play takes minutes.
"""

import asyncio
from collections.abc import Sequence

from activities.agency_file import read_people
from events.catalogue import RungReached
from events.codec import decode
from events.envelope import Stored
from gateway import words
from gateway.cli.output import line as tell_line
from gateway.demo.conditions import broken_rules, unfulfilled
from gateway.demo.dry import DryStage
from gateway.demo.player import StoryBroken, play
from gateway.demo.scenario import PEOPLE, Scenario
from workers.shipped import deploy_policy


def rehearse(scenarios: Sequence[Scenario], *, told: bool = True) -> list[str]:
    """Play each in a world of its own and print it; returns what was not as announced, a sentence each."""
    return [sentence for each in scenarios for sentence in asyncio.run(_rehearse(each, told))]


async def _rehearse(scenario: Scenario, told: bool) -> list[str]:
    stage = DryStage(deploy_policy("starter"))
    await stage.open(read_people(PEOPLE))
    lines: list[tuple[int, str]] = []
    wrong: list[str] = []

    async def say(engagement: str, text: str) -> None:
        lines.append((stage.reached, f"{engagement} ▸ {text}"))

    try:
        await play(scenario, stage, stage.agency, say)
    except StoryBroken as error:
        wrong.append(str(error))
    streams = {each: await stage.events(each) for each in scenario.engagements}
    if told:
        _tell(scenario, lines, [each for key in streams for each in await stage.events(key, told=True)])
    return wrong or [*unfulfilled(scenario, streams), *unannounced(scenario, streams)]


def unannounced(scenario: Scenario, streams: dict[str, list[Stored]]) -> list[str]:
    """Say which promises were broken that the story is not about, a sentence an engagement."""
    found = []
    for announced in scenario.announces:
        engagement = announced.engagement or scenario.engagement
        broken = sorted(broken_rules(streams[engagement]) - set(announced.may_break))
        if broken:
            found.append(f"{engagement} broke {', '.join(broken)}, which it does not announce (may_break)")
    return found


def _tell(scenario: Scenario, said: list[tuple[int, str]], events: list[Stored]) -> None:
    tell_line()
    tell_line(scenario.title)
    for stored in sorted(events, key=lambda each: each.position):
        while said and said[0][0] < stored.position:
            tell_line(said.pop(0)[1])
        event = decode(stored)
        if stored.type in ("outreach-requested", "obligation-moved", "policy-adopted"):
            continue
        if isinstance(event, RungReached) and event.level > 0:
            continue
        moment = f"{stored.decided_at:%a %d %b %H:%M}"
        mark = "     " if stored.origin == "engine" else "  "
        tell_line(f"{stored.stream.partition(':')[2]:>12} {moment}{mark}{words.say(event)}")
    for _, line in said:
        tell_line(line)
