"""What comes through any door becomes an order, or one sentence that quotes nothing personal."""

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from events.commands import INTERNAL, Order
from events.envelope import ENGINE, Actor
from events.errors import InvalidCommand
from events.gates import GATES, INTENT_OF_REPORT
from events.orders import COMMANDS, PUBLIC, RESERVED, check_command_id, parse_order, personal_content
from events.personal import personal_fields

if TYPE_CHECKING:
    from tests.events.specification import World

PERSON = Actor(kind="person", id="recruiter-1")
SECRET = "Žofie"


def parse(name: str, **data: Any) -> Order:
    """Parse as a door does."""
    return parse_order(name, data, command_id="command-1", actor_default=PERSON, source="cli")


def sentence(name: str, **data: Any) -> str:
    """Give what is said of a message that is no order."""
    with pytest.raises(InvalidCommand) as caught:
        parse(name, **data)
    return str(caught.value)


class TestParseOrder:
    def test_tells_the_command_s_own_fields_from_the_reserved_ones(self) -> None:
        order = parse(
            "record-message",
            message_id="m-1",
            words="Any news?",
            at="2026-01-05T09:00:00+01:00",
            actor={"kind": "candidate", "id": "candidate-1"},
            source="portal",
            command_id="ignored",
            correlation_id="thread-1",
        )
        assert order.command.model_dump(exclude_defaults=True) == {"message_id": "m-1", "words": "Any news?"}
        assert (order.command_id, order.source, order.correlation_id) == ("command-1", "portal", "thread-1")
        assert order.actor.kind == "candidate"

    def test_fills_in_who_and_where_from(self) -> None:
        order = parse("complete-intake")
        assert (order.actor, order.source, order.at) == (PERSON, "cli", None)

    def test_reads_every_canonical_command(self, world: "World") -> None:
        for name, command in world.commands.items():
            order = parse_order(
                name,
                command.model_dump(mode="json", exclude={"name"}),
                command_id="command-1",
                actor_default=PERSON,
                source="cli",
                internal=True,
            )
            assert order.command == command
            assert Order.model_validate_json(order.model_dump_json()) == order

    @pytest.mark.parametrize(
        ("name", "data", "says"),
        [
            ("sumbit", {}, "there is no command 'sumbit'; did you mean 'submit'?"),
            ("refuse-message", {"message": "x", "reason": "x", "says": "x"}, "there is no command"),
            ("submit", {}, "submit needs the field 'job_order_id'; add it"),
            ("submit", {"job_order": "j-1"}, "submit has no field 'job_order'; did you mean 'job_order_id'?"),
            (
                "submit",
                {"job_order_id": "j-1", "aplication_id": "a-1"},
                "submit has no field 'aplication_id'; did you mean 'application_id'?",
            ),
            (
                "pause",
                {"until": "2026-01-05T09:00:00"},
                "pause: 'until' is a time without a zone; add an offset such as +01:00 or Z",
            ),
            (
                "pause",
                {"until": "tomorrow"},
                "pause: 'until' is no time; write one like 2026-01-05T09:00:00+01:00",
            ),
            ("pause", {"until": "0026-01-05T09:00:00Z"}, "pause: 'until' is no time"),
            ("pause", {"until": "9999-12-31T23:59:59-12:00"}, "pause: 'until' is no time"),
            (
                "complete-intake",
                {"at": "2026-01-05T09:00:00"},
                "complete-intake: 'at' is a time without a zone",
            ),
            (
                "record-contact",
                {"channel": "pigeon"},
                "record-contact: 'channel' must be one of 'in-person', ",
            ),
            ("assign", {"owner": "two words"}, "assign: 'owner' must be an id or code of letters, digits"),
            ("annul-event", {"event_id": "zebra"}, "annul-event: 'event_id' must be an id like 0000"),
            ("pause", {"until": "2026-01-05T09:00:00Z", "reason": 5}, "pause: 'reason' must be a text"),
            ("record-message", {"words": {"sealed": "ab"}}, "record-message: 'words' must be a text"),
            (
                "assign",
                {"owner": "x", "actor": {"kind": "dog", "id": "x"}},
                "assign: 'actor.kind' must be one of",
            ),
            (
                "set-quiet-hours",
                {"quiet_hours": "8pm-9am"},
                "set-quiet-hours: 'quiet_hours' must be two times of day like 21:00-09:00",
            ),
        ],
    )
    def test_says_in_one_sentence_what_is_wrong(self, name: str, data: dict[str, Any], says: str) -> None:
        said = sentence(name, **data)
        assert said.startswith(says)
        assert "\n" not in said

    @pytest.mark.parametrize("name", sorted(PUBLIC))
    def test_quotes_no_value(self, name: str) -> None:
        """Values can be personal, names of fields cannot."""
        said = []
        for field in {*COMMANDS[name].model_fields, *RESERVED} - {"name", "command_id"}:
            for value in (f"{SECRET} Ønskeby", [SECRET], {SECRET: SECRET}, {"sealed": SECRET}):
                try:
                    parse(name, **{field: value})
                except InvalidCommand as error:
                    said.append(str(error))
        assert said
        assert not [each for each in said if SECRET in each]

    @pytest.mark.parametrize("begins", ["step:", "effect:", "follow:"])
    def test_leaves_the_engine_s_own_command_ids_to_the_engine(self, begins: str) -> None:
        """Whoever took one would take the engine's turn."""
        for taken in (begins, f"{begins}00000000-0000-5000-8000-000000000001:0"):
            with pytest.raises(InvalidCommand, match=f"may not begin with .*{begins}"):
                check_command_id(taken)
            with pytest.raises(InvalidCommand, match="may not begin with"):
                parse_order("resume", {}, command_id=taken, actor_default=PERSON, source="cli")
            if taken != begins:
                inner = parse_order(
                    "resume", {}, command_id=taken, actor_default=ENGINE, source="engine", internal=True
                )
                assert inner.command_id == taken
        check_command_id(f"x-{begins}")

    def test_lets_nobody_act_as_the_engine(self) -> None:
        says = "complete-intake: only the engine itself acts as 'engine'; say who does this"
        assert sentence("complete-intake", actor={"kind": "engine", "id": "rapport"}) == says
        with pytest.raises(InvalidCommand, match="acts as 'engine'"):
            parse_order("resume", {}, command_id="command-1", actor_default=ENGINE, source="cli")

    @pytest.mark.parametrize(
        "command_id", ["", "two words", "me@example.com", "-x", ":x", "x" * 201, "č", "x\n", "a?b"]
    )
    def test_takes_no_command_id_that_could_be_somebody_s_address_or_words(self, command_id: str) -> None:
        with pytest.raises(InvalidCommand) as caught:
            parse_order("resume", {}, command_id=command_id, actor_default=PERSON, source="cli")
        assert "command_id" in str(caught.value)
        assert not command_id or command_id not in str(caught.value)

    @pytest.mark.parametrize("command_id", ["1", "a.b_c-d:e~f/g+h=", "X" * 200])
    def test_takes_any_other_command_id(self, command_id: str) -> None:
        order = parse_order("resume", {}, command_id=command_id, actor_default=PERSON, source="cli")
        assert order.command_id == command_id

    @pytest.mark.parametrize("who", ["Ida Fine", "ida@example.com", "", "x" * 81])
    def test_knows_actors_by_opaque_ids_only(self, who: str) -> None:
        said = sentence("resume", actor={"kind": "person", "id": who})
        assert said.startswith("resume: 'actor.id' must be an id")
        with pytest.raises(ValidationError):
            Actor(kind="person", id=who)

    @pytest.mark.parametrize("name", sorted(name for name in COMMANDS if personal_fields(COMMANDS[name])))
    def test_takes_words_that_fit_an_e_mail(self, world: "World", name: str) -> None:
        canonical = world.command(name).model_dump(mode="json", exclude={"name"})
        for field in personal_fields(COMMANDS[name]):
            assert parse(name, **{**canonical, field: "x" * 20_000})
            said = sentence(name, **{**canonical, field: "x" * 20_001})
            assert said.startswith(f"{name}: '{field}' must be at most ")
            assert "20000" in said

    def test_says_how_to_name_what_a_talk_is_about(self) -> None:
        assert parse("record-contact", channel="phone", about=["s-1", "interview:i-1"])
        for wrong in ("offers:o-1", "two words", ":s-1", "submission:"):
            said = sentence("record-contact", channel="phone", about=[wrong])
            assert said.startswith("record-contact: 'about' must be an id or code")

    def test_quotes_no_name_that_is_none(self) -> None:
        assert SECRET not in sentence(f"{SECRET} wrote: where are you?")
        assert SECRET not in sentence("complete-intake", **{f"{SECRET}'s secret": 1})


class TestPersonalContent:
    def test_names_the_personal_fields_that_are_filled_in(self) -> None:
        data = {"message_id": "m-1", "words": "Any news?"}
        assert personal_content("record-message", data) == ("words",)
        assert personal_content("record-message", {"words": None}) == ()
        assert personal_content("no-such", data) == ()


class TestRegistries:
    def test_know_every_command_by_its_name(self, world: "World") -> None:
        assert set(COMMANDS) == set(world.commands)
        assert set(COMMANDS) - INTERNAL == PUBLIC
        assert set(COMMANDS) > INTERNAL

    def test_pair_reports_with_intents(self) -> None:
        for report, intent in INTENT_OF_REPORT.items():
            assert COMMANDS[report].kind == "report"
            assert COMMANDS[intent].kind == "intent"

    def test_guard_intents_by_gates_that_exist(self, world: "World") -> None:
        for gate in world.starter.gates:
            assert gate.id in GATES
            assert all(COMMANDS[name].kind == "intent" for name in gate.guards)

    def test_let_no_command_use_a_reserved_field(self) -> None:
        for model in COMMANDS.values():
            assert not set(RESERVED) & set(model.model_fields)
