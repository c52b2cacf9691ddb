"""What a receipt remembers of a command: the same text for ever, whatever door it came through."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

import pytest

from events.commands import Command, RecordContact, RecordMessage, Submit
from events.envelope import Actor
from events.orders import parse_order
from events.receipts import input_of, input_of_step

if TYPE_CHECKING:
    from tests.events.specification import World

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
PRAGUE = timezone(timedelta(hours=1))
PERSON = Actor(kind="person", id="recruiter-1")
CANDIDATE = Actor(kind="candidate", id="candidate-1")


def said(name: str, *, actor: Actor = PERSON, source: str = "cli", **data: Any) -> str:
    """Give the input of a message as a door reads it."""
    order = parse_order(name, data, command_id="command-1", actor_default=actor, source=source)
    return input_of(order.command, order.at)


class TestInputOf:
    """Golden texts: they are digested into receipts, so none of them may ever change."""

    def test_of_a_command_that_gives_what_it_must(self) -> None:
        assert (
            said("submit", job_order_id="j-1")
            == '{"name":"submit","said":{"job_order_id":"j-1"}}'
            == input_of(Submit(job_order_id="j-1"), None)
        )

    def test_of_a_command_with_words_and_a_time(self) -> None:
        assert said("record-message", message_id="m-1", words="Žofie?", at="2026-01-05T12:00:00Z") == (
            '{"at":"2026-01-05T12:00:00.000000Z","name":"record-message",'
            '"said":{"message_id":"m-1","words":"Žofie?"}}'
        )

    def test_of_a_command_with_a_list_and_a_moment_of_its_own(self) -> None:
        contact = said(
            "record-contact", channel="phone", direction="inbound", about=["submission:s-1", "m-1"]
        )
        assert contact == (
            '{"name":"record-contact","said":{"about":["submission:s-1","m-1"],'
            '"channel":"phone","direction":"inbound"}}'
        )
        pause = said("pause", until="2026-01-12T12:00:00+01:00")
        assert pause == '{"name":"pause","said":{"until":"2026-01-12T11:00:00.000000Z"}}'

    def test_is_the_same_for_the_same_moment_in_another_zone(self, world: "World") -> None:
        command = world.command("schedule-interview")
        there = world.command("schedule-interview", starts_at=command.starts_at.astimezone(PRAGUE))
        assert input_of(command, NOON) == input_of(there, NOON.astimezone(PRAGUE))
        assert input_of(command, NOON) != input_of(command, None)
        assert input_of(command, NOON) != input_of(command, NOON + timedelta(microseconds=1))

    def test_is_the_same_with_defaults_given_or_left_out(self) -> None:
        given: dict[str, Any] = {
            "direction": "unknown",
            "evidence": "asserted",
            "purpose": "talk",
            "about": [],
            "note": None,
        }
        assert said("record-contact", channel="phone", **given) == said("record-contact", channel="phone")

    def test_is_the_same_whoever_says_it_through_whatever_door(self) -> None:
        told = said("record-message", message_id="m-1")
        assert told == said(
            "record-message",
            message_id="m-1",
            actor=CANDIDATE,
            source="portal",
            correlation_id="thread-1",
            causation_id=str(UUID(int=1)),
        )

    def test_stays_the_same_when_a_command_learns_to_say_more(self) -> None:
        class Grown(RecordContact):
            """The same command in a later version."""

            mood: Literal["good", "bad", "unknown"] = "unknown"
            place: str | None = None

        early, late = RecordContact(channel="phone", note="Well."), Grown(channel="phone", note="Well.")
        assert input_of(late, NOON) == input_of(early, NOON)
        assert input_of(late.model_copy(update={"mood": "good"}), NOON) != input_of(early, NOON)

    def test_tells_every_two_commands_apart(self, world: "World") -> None:
        texts = {input_of(each, None) for each in world.commands.values()}
        assert len(texts) == len(world.commands)

    def test_tells_two_texts_apart_that_differ_in_words_only(self) -> None:
        assert input_of(RecordMessage(words="Yes."), None) != input_of(RecordMessage(words="No."), None)


class TestInputOfStep:
    def test_is_pinned(self) -> None:
        assert input_of_step(UUID(int=7), 2) == ('{"rung":2,"step":"00000000-0000-0000-0000-000000000007"}')

    def test_resembles_no_command(self, world: "World") -> None:
        every: list[Command] = list(world.commands.values())
        assert all("step" not in json.loads(input_of(each, None)) for each in every)

    @pytest.mark.parametrize(("obligation", "rung"), [(7, 1), (8, 2)])
    def test_differs_for_each_step(self, obligation: int, rung: int) -> None:
        assert input_of_step(UUID(int=obligation), rung) != input_of_step(UUID(int=7), 2)
