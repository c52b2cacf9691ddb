from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from activities.agency_load import load_agency
from activities.commands import CommandService
from activities.directory import Directory
from events.codec import ENGAGEMENT_EVENTS
from events.envelope import Actor
from events.fold import fold
from events.log.memory import MemoryLog
from events.steps import next_due
from gateway.cli.causes import Story
from gateway.cli.errors import Wrong
from gateway.cli.filters import matching, row_of, text_of
from gateway.cli.tracing import trace
from gateway.cli.watching import next_steps

if TYPE_CHECKING:
    from tests.events.specification import Life


def version_of(life: "Life", kind: str, place: int = -1) -> int:
    """Give the version of the first or last event of a type."""
    return life.seen(kind)[place][0].version


class TestTrace:
    async def test_follows_a_step_back_to_the_command_that_opened_the_promise(
        self, kept: MemoryLog, lived: "Life"
    ) -> None:
        version = version_of(lived, "escalation-raised")

        told = await trace(kept, "agency-1", "engagement", "e-1", str(version))

        chain = told["chain"]
        assert [link["how"] for link in chain][:3] == [None, "caused by", "step of"]
        assert [link["event"] for link in chain][:2] == ["escalation-raised", "rung-reached"]
        assert chain[2]["event"] in ("obligation-opened", "obligation-moved")
        assert chain[-1]["actor"]["kind"] != "engine"
        assert not chain[-1]["command_id"].startswith("step:")
        assert all(one["version"] > other["version"] for one, other in pairwise(chain))

    async def test_quotes_the_rule_and_names_the_policy_in_force(
        self, kept: MemoryLog, lived: "Life"
    ) -> None:
        version = version_of(lived, "escalation-raised")

        told = await trace(kept, "agency-1", "engagement", "e-1", str(version))

        rule = lived.policy.obligation(told["rule"]["id"])
        assert rule is not None
        assert (told["rule"]["kind"], told["rule"]["says"], told["rule"]["because"]) == (
            "obligation",
            rule.says,
            rule.because,
        )
        assert told["policy"] == {"digest": lived.policy.digest(), "name": "starter"}

    async def test_tells_every_promises_whole_life(self, kept: MemoryLog, lived: "Life") -> None:
        """What was opened, moved, climbed, broken, raised, asked for, met or dropped, and nothing else."""
        for each, event in lived.seen("obligation-opened"):
            told = await trace(kept, "agency-1", "engagement", "e-1", str(each.version))
            life = told["obligation"]
            assert life["life"][0]["version"] == each.version
            expected = [
                stored.version
                for stored in lived.stream
                if str(event.obligation_id) in stored.body
                or any(
                    raised.obligation_id == event.obligation_id and str(raised.escalation_id) in stored.body
                    for _, raised in lived.seen("escalation-raised")
                )
            ]
            assert [row["version"] for row in life["life"]] == expected
            still_open = event.obligation_id in lived.state.obligations
            assert (life["ended"] is None) == still_open
            if still_open:
                ahead = lived.state.obligations[event.obligation_id].rungs
                assert [rung["number"] for rung in life["ahead"]] == [rung.number for rung in ahead]
            else:
                assert life["ahead"] == []

    async def test_gives_the_receipt_of_every_events_command(self, kept: MemoryLog, lived: "Life") -> None:
        for stored in lived.stream:
            told = await trace(kept, "agency-1", "engagement", "e-1", str(stored.event_id))
            command = told["command"]
            assert command["id"] == stored.command_id
            assert command["outcome"] in ("accepted", "refused")
            assert command["first"] <= stored.version <= command["last"]
            assert told["event"]["version"] == stored.version
            assert told["actor"] == stored.actor.model_dump()

    async def test_says_which_events_there_are(self, kept: MemoryLog) -> None:
        for unknown in ("0", "9999", "nonsense"):
            with pytest.raises(Wrong, match="none is"):
                await trace(kept, "agency-1", "engagement", "e-1", unknown)


class TestStory:
    def test_names_what_an_event_led_to(self, lived: "Life") -> None:
        story = Story.of(lived.stream, ENGAGEMENT_EVENTS)
        contact = lived.seen("contact-made")[-1][0]

        led_to = {lived.stream[version - 1].type for version in story.led_to(contact)}

        assert {"obligation-met", "obligation-opened"} <= led_to


class TestMatching:
    @pytest.mark.parametrize(
        ("filters", "kinds"),
        [
            (["type=escalation-raised"], {"escalation-raised"}),
            (["type=escalation-*"], {"escalation-raised", "escalation-settled"}),
            (["rule=keep-in-touch", "type=obligation-breached"], {"obligation-breached"}),
            (["stream=e-1", "ESCALATED to owner"], {"escalation-raised"}),
            (["stream=engagement:e-2"], set()),
            (["rule=*", "type=contact-made"], set()),
        ],
    )
    def test_keeps_what_passes_every_filter(self, lived: "Life", filters: list[str], kinds: set[str]) -> None:
        wanted = matching(filters)
        rows = [row_of(stored) for stored in lived.stream]
        assert {row["type"] for row in rows if wanted(row)} == kinds

    @pytest.mark.parametrize("text", ["level=3", "type="])
    def test_says_what_it_does_not_know(self, text: str) -> None:
        with pytest.raises(Wrong, match="--filter"):
            matching([text])

    def test_shows_nobodys_words(self, lived: "Life") -> None:
        for stored in lived.stream:
            line = text_of(row_of(stored))
            assert "“" not in line
            assert "\n" not in line
            assert stored.type in line


class TestNextSteps:
    async def test_puts_the_soonest_first_and_names_the_person(self, kept: MemoryLog, lived: "Life") -> None:
        from events.agency import Entry

        owner = lived.state.candidate_owner
        assert owner is not None
        people = (
            Entry(person_id=owner, role="recruiter", team_lead="t-1", name="Recruiter One"),
            Entry(person_id="t-1", role="team-lead", director="d-1", name="Lead One"),
            Entry(person_id="d-1", role="director", name="Director One"),
        )
        operator = Actor(kind="operator", id="test")
        await load_agency(CommandService(kept), "agency-1", people=people, actor=operator)
        state = fold(lived.stream)

        rows = await next_steps([state], "agency-1", Directory(kept))

        assert len(rows) == len([each for each in state.obligations.values() if each.rungs])
        assert rows[0]["at"] == next_due(state)
        assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)
        named = {"owner": owner, "team-lead": "t-1", "director": "d-1"}
        for row in rows:
            assert row["person"] == named.get(row["to"])
            assert (
                row["at"] <= row["due_at"] or row["overdue"] or row["at"] - row["due_at"] < timedelta(days=30)
            )
