"""When stories begin, so that nobody is forgotten for the rest of the play."""

from datetime import timedelta

from activities.agency_file import read_people
from events.fold import fold
from gateway.demo.curtain import beginnings, look_after
from gateway.demo.dry import DryStage
from gateway.demo.player import play, silent
from gateway.demo.scenario import PEOPLE, chosen_scenarios
from workers.shipped import deploy_policy


class TestBeginnings:
    async def test_let_the_longest_begin_at_once_and_others_within_it(self) -> None:
        begins = await beginnings(chosen_scenarios(["placed", "no-show", "withdraws"]))
        assert begins["placed"] == timedelta()
        assert timedelta(days=20) < begins["withdraws"] < begins["no-show"] < timedelta(days=110)

    async def test_let_one_alone_begin_at_once(self) -> None:
        assert await beginnings(chosen_scenarios(["no-show"])) == {"no-show": timedelta()}

    async def test_let_a_story_that_ends_before_a_first_day_end_last(self) -> None:
        """Whose start nobody tells of would be waited for in vain."""
        begins = await beginnings(chosen_scenarios(["placed", "side-by-side", "rejected", "no-show"]))
        assert begins["side-by-side"] > timedelta(days=90)


class TestLookAfter:
    async def test_calls_in_good_time_for_as_long_as_the_play_goes_on(self) -> None:
        [scenario] = chosen_scenarios(["no-show"])
        stage = DryStage(deploy_policy("starter"))
        await stage.open(read_people(PEOPLE))
        await play(scenario, stage, stage.agency, silent)
        before = len([each for each in await stage.events("no-show") if each.type == "contact-made"])
        end = stage.now() + timedelta(days=40)

        await look_after(scenario, stage, lambda: stage.now() < end)

        events = await stage.events("no-show")
        assert len([each for each in events if each.type == "contact-made"]) == before + 8
        assert fold(events).breaches == {}
