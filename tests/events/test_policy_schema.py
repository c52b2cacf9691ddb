"""The JSON Schema of policy files: true of what ships, and of the mistakes that it can see."""

import json
import tomllib
from datetime import date
from pathlib import Path
from typing import Any, Final

import pytest
from jsonschema import Draft7Validator

from events.policy_checks import COMMANDS, EVENTS, INTENTS
from events.policy_file import load_policy
from events.policy_schema import PAGE, page, schema

SHIPPED: Final = sorted(PAGE.parent.glob("*.toml"))
SCHEMA: Final = Draft7Validator(schema())
STARTER: Final = (PAGE.parent / "starter.toml").read_text(encoding="utf-8")
# A calendar in a shipped file would do as well; this one has every key.
CALENDAR: Final = """
quiet-hours = "20:00-08:00"
[calendar.london]
zone = "Europe/London"
hours = "09:00-17:30"
days = ["mon", "tue", "wed", "thu", "fri"]
hours-on = { fri = "09:00-13:00" }
holidays = { country = "GB", subdivision = "ENG" }
closures = ["2026-12-24", "2026-12-28..2026-12-31"]
[gate."needs-check:right-to-work"]
says = "No."
remedy = "Check."
because = "M: x"
guards = ["submit"]
needs = { within-days = 90, outcome = ["passed", "waived"], about = "job-order" }
"""


def problems(text: str) -> list[str]:
    # An editor hands dates over as text.
    data = json.loads(json.dumps(tomllib.loads(text), default=date.isoformat))
    return [each.message for each in SCHEMA.iter_errors(data)]


def spoilt(was: str, now: str) -> str:
    text = STARTER.replace(was, now, 1)
    assert text != STARTER
    return text


class TestSchema:
    def test_is_a_schema(self) -> None:
        Draft7Validator.check_schema(schema())

    def test_is_the_one_that_ships(self) -> None:
        assert PAGE.read_text(encoding="utf-8") == page()

    @pytest.mark.parametrize("file", SHIPPED, ids=lambda each: each.name)
    def test_finds_nothing_wrong_with_what_ships_and_is_named_there(self, file: Path) -> None:
        text = file.read_text(encoding="utf-8")
        assert problems(text) == []
        assert text.startswith("#:schema ./policy.schema.json\n")

    def test_knows_calendars_quiet_hours_and_checks(self) -> None:
        text = 'name = "ours"\n' + CALENDAR
        assert problems(text) == []
        load_policy(text, where="ours.toml", on=date(2026, 1, 5))

    @pytest.mark.parametrize(
        ("was", "now"),
        [
            ('name = "starter"', 'nam = "starter"'),
            ('within = "7 days"', 'within = "1 week"'),
            ('kind = "answer"', 'kind = "reply"'),
            ('opens-on = ["application-recorded"]', 'opens-on = ["application-recieved"]'),
            ('where = { scope = "engagement" }', 'where = { scope = "everything" }'),
            ('where = { scope = "engagement" }', 'where = { reason = "engagement" }'),
            ('do = "escalate", to = "team-lead"', 'do = "escalate", to = "boss"'),
            ('template = "escalation"', 'template = "shouting"'),
            ("[gate.right-to-represent]", "[gate.right-to-be-represented]"),
            ('guards = ["pause"]', 'guards = ["submit"]'),
            ("needs = { floor = 60 }", "needs = { floor = 101 }"),
            ('says = "The candidate has asked for quiet."', ""),
        ],
    )
    def test_sees_what_the_compiler_refuses(self, was: str, now: str) -> None:
        text = spoilt(was, now)
        assert problems(text)
        with pytest.raises(Exception, match=r"line \d+"):
            load_policy(text, where="ours.toml", on=date(2026, 1, 5))

    def test_offers_every_event_and_every_guarded_command_with_words(self) -> None:
        made: dict[str, Any] = schema()
        offered = made["definitions"]["trigger"]["anyOf"][0]["oneOf"]
        assert {each["const"] for each in offered} == set(EVENTS)
        guards = made["properties"]["gate"]["properties"]["not-while-paused"]["properties"]["guards"]
        assert {each["const"] for each in guards["items"]["oneOf"]} == INTENTS
        assert set(COMMANDS) >= INTENTS
