"""The JSON Schema of mappings: true of what ships, and of the mistakes that it can see."""

import json
import tomllib
from datetime import date
from typing import Any, Final

import pytest
from jsonschema import Draft7Validator

from events.integrations.mapping import MappingError, parse
from events.integrations.mapping_schema import PAGE, page, schema
from events.integrations.vocabulary import PROVIDERS, REPORTS

SCHEMA: Final = Draft7Validator(schema())
GREENHOUSE: Final = (PAGE.parent / "greenhouse.toml").read_text(encoding="utf-8")


def problems(text: str) -> list[str]:
    # An editor hands dates over as text.
    data = json.loads(json.dumps(tomllib.loads(text), default=date.isoformat))
    return [each.message for each in SCHEMA.iter_errors(data)]


def uncommented(text: str) -> str:
    lines = text.split("\n")
    return "\n".join(each[2:].removeprefix(" ") if each.startswith("#|") else each for each in lines)


class TestSchema:
    def test_is_a_schema(self) -> None:
        Draft7Validator.check_schema(schema())

    def test_is_the_one_that_ships(self) -> None:
        assert PAGE.read_text(encoding="utf-8") == page()

    @pytest.mark.parametrize("provider", PROVIDERS)
    def test_finds_nothing_wrong_with_what_ships_and_is_named_there(self, provider: str) -> None:
        text = (PAGE.parent / f"{provider}.toml").read_text(encoding="utf-8")
        assert problems(text) == problems(uncommented(text)) == []
        assert text.startswith("#:schema ./mapping.schema.json\n")

    def test_offers_every_report_with_words(self) -> None:
        made: dict[str, Any] = schema()
        offered = made["definitions"]["command"]["properties"]["name"]["oneOf"]
        assert {each["const"] for each in offered} == set(REPORTS)
        assert all(each["description"] for each in offered)

    @pytest.mark.parametrize(
        ("was", "now"),
        [
            ('provider = "greenhouse"', 'provider = "greenhaus"'),
            ('kind = "application"', 'kind = "submission"'),
            ('path = "body.payload.application.id"', 'path = "payload.application.id"'),
            ('name = "withdraw"', 'name = "withdrawal"'),
            ('name = "withdraw"', 'name = "schedule-interview"'),
            ('answer = { value = "no" }', 'answer = { value = "never" }'),
            ('answer = { value = "no" }', 'reply = { value = "no" }'),
            ("\n    submission_id = {", "\n    interview_id = {"),
            (", new = true }", ", fresh = true }"),
            ('fetch = "scheduled-interviews"', 'fetch = "interviews"'),
            ('ignore = "the candidate', 'because = "the candidate'),
        ],
    )
    def test_sees_what_the_parser_refuses(self, was: str, now: str) -> None:
        text = GREENHOUSE.replace(was, now, 1)
        assert text != GREENHOUSE
        assert problems(text)
        with pytest.raises(MappingError, match=r"line \d+"):
            parse(text)
