"""A story is played step by step, and broken where a step does not come out as it says."""

from typing import Any

import pytest

from activities.agency_file import read_people
from gateway.demo.dry import DryStage
from gateway.demo.player import StoryBroken, play
from gateway.demo.scenario import PEOPLE, Scenario
from workers.shipped import deploy_policy

OPEN = {"day": 0, "do": "open-engagement", "with": {"candidate_id": "c-1", "owner": "r-1"}}
WROTE = {
    "day": 1,
    "do": "record-message",
    "actor": "integration:mail",
    "signal": True,
    "command_id": "mail-1",
    "with": {"message_id": "m-1", "at": "-2 hours"},
}


def story(*steps: dict[str, Any]) -> Scenario:
    """Write a story of one engagement."""
    return Scenario.model_validate(
        {"title": "t", "engagement": "e-1", "announces": {"stage": "intake"}, "step": [OPEN, *steps]}
    )


async def played(*steps: dict[str, Any]) -> tuple[DryStage, list[str]]:
    """Play a story on the core alone; gives the stage and what was said."""
    stage, said = DryStage(deploy_policy("starter")), []

    async def say(engagement: str, text: str) -> None:
        said.append(f"{engagement}: {text}")

    await stage.open(read_people(PEOPLE))
    await play(story(*steps), stage, stage.agency, say)
    return stage, said


class TestPlay:
    async def test_takes_a_repetition_for_what_it_is(self) -> None:
        """The same message a week later: the same answer, and not one event more."""
        once, _ = await played(WROTE, {"day": 8, "do": "resume", "expect": "nothing-to-do"})
        twice, _ = await played(
            WROTE,
            {"day": 8, "do": "resume", "expect": "nothing-to-do"},
            {**WROTE, "day": 8, "expect": "repeated"},
        )
        told = [[each.type for each in await stage.events("e-1")] for stage in (once, twice)]
        assert told[0] == told[1]
        assert told[0].count("candidate-wrote") == 1

    async def test_records_who_acted_and_when_it_happened(self) -> None:
        stage, _ = await played(WROTE)
        [wrote] = [each for each in await stage.events("e-1") if each.type == "candidate-wrote"]
        assert (wrote.actor.kind, wrote.actor.id, wrote.command_id) == ("integration", "mail", "mail-1")
        assert (wrote.decided_at - wrote.occurred_at).total_seconds() == 7200

    async def test_waits_for_an_event_or_a_level(self) -> None:
        stage, said = await played(
            {"until": "event obligation-breached", "say": "broken"}, {"until": "level 2", "say": "the lead"}
        )
        assert said == ["e-1: broken", "e-1: the lead"]
        assert (stage.now() - stage.origin).days == 5

    @pytest.mark.parametrize(
        ("step", "told"),
        [
            ({"day": 1, "do": "resume"}, "step 2, resume: came out as nothing-to-do, not accepted"),
            ({"day": 1, "do": "accept-offer", "with": {"offer_id": "o-1"}}, "no offer"),
            ({**WROTE, "with": {"message_id": "m 1"}}, "recorded as refused"),
            ({"until": "event paused"}, "'event paused' never came"),
            (
                {"day": 1, "do": "annul-event", "with": {"event_id": "$event:paused"}},
                "there is no event:paused now",
            ),
        ],
    )
    async def test_says_which_step_came_out_otherwise(self, step: dict[str, Any], told: str) -> None:
        with pytest.raises(StoryBroken, match=r"^e-1") as caught:
            await played(step)
        assert told in str(caught.value)

    async def test_plays_no_step_again_that_left_a_receipt(self) -> None:
        steps = (WROTE, {"day": 2, "say": "once", "do": "request-call"})
        stage, said = await played(*steps)
        before = await stage.events("e-1")

        async def say(engagement: str, text: str) -> None:
            said.append(text)

        await play(story(*steps), stage, stage.agency, say)
        assert await stage.events("e-1") == before
        assert said == ["e-1: once"]
