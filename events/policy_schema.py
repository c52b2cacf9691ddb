"""The JSON Schema of a policy file, for editors: ``python -m events.policy_schema --write`` or ``--check``.

It is generated from the same vocabularies as the compiler; only ``rapport policy check`` has the last word.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from events.calendar import WEEKDAYS
from events.catalogue import Event
from events.gates import NEEDS_CHECK
from events.personal import personal_fields
from events.policy import GateRule, LadderStep, ObligationRule, Span
from events.policy_checks import EVENTS, KNOWN_TEMPLATES, guardable, key, texts_of
from events.policy_needs import ABOUT, CHECKS, KNOWN_GATES, MOST
from events.policy_words import COMMAND_WORDS, EVENT_WORDS

PAGE: Final = Path(__file__).resolve().parent.parent / "deploy" / "policies" / "policy.schema.json"
Schema = dict[str, Any]

_CODE: Final = "^[a-z0-9][a-z0-9-]{0,59}$"
_WALL: Final = r"([01][0-9]|2[0-3]):[0-5][0-9]"
_SPAN: Final = (
    r"^(-?[0-9]{1,5} +(minute|hour|day)s?|-?[0-9]{1,3} +working +(day|hour)s?"
    rf"|by +{_WALL} +on +the +(next|[0-9]{{1,3}}(st|nd|rd|th)) +working +day)$"
)
_DAY: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
# What each key means, for whoever hovers over it.
_MEANS: Final[Mapping[str, str]] = {
    "says": "the promise or the condition in one sentence",
    "because": "where it comes from, with its mark: V read in the source, S second hand, M memory",
    "remedy": "what would help whoever is refused",
    "kind": "contact: only a talk keeps it; answer: a letter with the answer too; duty: something to be done",
    "subject": "what the promise is about",
    "opens-on": "what starts the clock",
    "met-by": "what keeps the promise",
    "dropped-by": "what ends it, because nobody waits any more",
    "planned": "count from this planned time of the opening event",
    "counts-from": "known: when the agency learnt of it; happened: when it happened",
    "within": "how long there is; negative: before the planned time",
    "at-least": "how much time there is at any rate",
    "not-before": "what is done sooner than this before the due time does not keep it yet",
    "unless-dormant": "no clock for an engagement that sleeps",
    "while-placed": "whether it opens while they work in a job of ours",
    "while-paused": "whether it waits while the candidate wants quiet",
    "owner": "whose duty it is",
    "awaits": "who has to move",
    "mode": "observe: record; remind: tell the owner; enforce: climb the ladder, refuse at a gate",
    "applies": "whether a new version of the rule moves promises that are open",
    "useful-for": "how late a message to the candidate still helps",
    "ladder": "who hears when",
    "guards": "the commands it stands before",
    "needs": "what it asks for",
}


def schema() -> Schema:
    """Give the whole schema."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A policy of Rapport",
        "description": "What an agency promises its candidates, and what it asks before it acts for them.",
        "type": "object",
        "additionalProperties": False,
        "required": ["name"],
        "properties": {
            "name": _text("the policy's name", _CODE),
            "quiet-hours": _text(
                "when candidates are not written to, by their own clock", f"^{_WALL}-{_WALL}$"
            ),
            "calendar": {
                "type": "object",
                "description": "each office's working time, by its name",
                "propertyNames": {"pattern": _CODE},
                "additionalProperties": {"$ref": "#/definitions/calendar"},
            },
            "gate": _gates(),
            "obligation": {
                "type": "object",
                "description": "the promises, by ids that are permanent",
                "propertyNames": {"pattern": _CODE},
                "additionalProperties": {"$ref": "#/definitions/obligation"},
            },
        },
        "definitions": {
            "span": _text('a length of time, like "7 days" or "2 working days"', _SPAN),
            "calendar": _calendar(),
            "trigger": _trigger(opening=False),
            "opening": _trigger(opening=True),
            **{f"where-{name}": _where(name) for name in sorted(EVENTS)},
            "step": _step(),
            "obligation": _obligation(),
        },
    }


def page() -> str:
    """Give the schema as the text of its file."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def _text(description: str, pattern: str = r"\S") -> Schema:
    return {"type": "string", "pattern": pattern, "description": description}


def _one_of(words: Any, description: str = "") -> Schema:
    told = {"description": description} if description else {}
    return {"enum": sorted(words), **told}


def _table(properties: Schema, *required: str) -> Schema:
    described = {
        name: {**each, "description": _MEANS[name]} if name in _MEANS and "$ref" not in each else each
        for name, each in properties.items()
    }
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(required),
        "properties": described,
    }


def _choice(model: type[BaseModel], field: str) -> Schema:
    return _one_of(key(each) for each in texts_of(model, field) or ())


def _gates() -> Schema:
    plain = {gate: _gate(gate) for gate in KNOWN_GATES if gate != NEEDS_CHECK}
    checks = {f"{NEEDS_CHECK}:{each}": _gate(f"{NEEDS_CHECK}:{each}") for each in CHECKS}
    return {
        "type": "object",
        "description": "conditions on what people ask Rapport to do",
        "additionalProperties": False,
        "properties": plain | checks,
        "patternProperties": {f"^{NEEDS_CHECK}:{_CODE[1:]}": _gate(f"{NEEDS_CHECK}:identity")},
    }


def _gate(gate: str) -> Schema:
    return _table(
        {
            "guards": {"type": "array", "minItems": 1, "items": _described(guardable(gate), COMMAND_WORDS)},
            "says": _text(""),
            "remedy": _text(""),
            "because": _text(""),
            "needs": _table({name: _need(name, kind) for name, kind in _known(gate).items()}),
            "mode": _choice(GateRule, "mode"),
        },
        "guards",
        "says",
        "remedy",
        "because",
    )


def _known(gate: str) -> Mapping[str, type[Any]]:
    return KNOWN_GATES[gate.partition(":")[0]]


def _need(name: str, kind: type[Any]) -> Schema:
    if kind is bool:
        return {"type": "boolean"}
    if kind is int:
        most = {"maximum": MOST[name]} if name in MOST else {}
        return {"type": "integer", "minimum": 1 if name == "within-days" else 0, **most}
    if kind is Span:
        return {"$ref": "#/definitions/span"}
    if name == "about":
        return _one_of(ABOUT)
    outcome = {"type": "string", "pattern": _CODE}
    return {"anyOf": [outcome, {"type": "array", "minItems": 1, "items": outcome}]}


def _obligation() -> Schema:
    span = {"$ref": "#/definitions/span"}
    triggers = {"type": "array", "items": {"$ref": "#/definitions/trigger"}}
    properties: Schema = {}
    for field, info in ObligationRule.model_fields.items():
        if field in ("opens_on", "met_by", "dropped_by"):
            each = "opening" if field == "opens_on" else "trigger"
            least = 0 if field == "dropped_by" else 1
            properties[key(field)] = {
                **triggers,
                "items": {"$ref": f"#/definitions/{each}"},
                "minItems": least,
            }
        elif field == "ladder":
            properties[field] = {"type": "array", "items": {"$ref": "#/definitions/step"}}
        elif info.annotation in (Span, Span | None):
            properties[key(field)] = span
        elif info.annotation is bool:
            properties[key(field)] = {"type": "boolean"}
        elif field in ("says", "because"):
            properties[field] = _text("")
        elif field != "id":
            properties[key(field)] = _choice(ObligationRule, field)
    required = ("says", "because", "kind", "subject", "opens-on", "met-by", "within")
    return _table(properties, *required)


def _step() -> Schema:
    return _table(
        {
            "after": {"$ref": "#/definitions/span"},
            "do": _choice(LadderStep, "do"),
            "to": _choice(LadderStep, "to"),
            "level": {"type": "integer", "minimum": 0, "maximum": 3},
            "template": _one_of(KNOWN_TEMPLATES),
        },
        "after",
        "do",
        "to",
        "template",
    )


def _described(names: list[str], words: Mapping[str, str]) -> Schema:
    return {"oneOf": [{"const": each, "description": words[each]} for each in names]}


def _trigger(*, opening: bool) -> Schema:
    """Describe an event by its name alone, or with what is asked of it."""
    # What opens a promise is what gives it its subject.
    about: Schema = {} if opening else {"about-subject": {"type": "boolean"}}
    narrowed = [
        _table({"event": {"const": name}, "where": {"$ref": f"#/definitions/where-{name}"}, **about}, "event")
        for name in sorted(EVENTS)
    ]
    return {"anyOf": [_described(sorted(EVENTS), EVENT_WORDS), *narrowed]}


def _where(name: str) -> Schema:
    """Describe what may be asked of one event's plain fields."""
    event: type[Event] = EVENTS[name]
    personal = personal_fields(event)
    where: Schema = {}
    for field in event.model_fields:
        known = texts_of(event, field)
        if field not in ("type", "at") and field not in personal and known is not None:
            where[key(field)] = _one_of(known) if known else {"type": "string"}
    return _table(where)


def _calendar() -> Schema:
    hours = _text("when work begins and ends", f"^{_WALL}-{_WALL}$")
    day = rf"^{_DAY}(\.\.{_DAY})?$"
    return _table(
        {
            "zone": _text("an IANA time zone, like Europe/London"),
            "hours": hours,
            "days": {"type": "array", "minItems": 1, "items": {"enum": list(WEEKDAYS)}},
            "hours-on": _table(dict.fromkeys(WEEKDAYS, hours)),
            "holidays": _table(
                {"country": _text("like GB"), "subdivision": _text("like ENG")},
                "country",
            ),
            "closures": {
                "type": "array",
                "items": _text('a day or days, like "2026-12-28..2026-12-31"', day),
            },
        },
        "zone",
        "hours",
    )


def main(arguments: list[str]) -> int:
    """Do what ``--write`` or ``--check`` says; the exit code is 1 where the file is not true any more."""
    if arguments == ["--write"]:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    if arguments == ["--check"]:
        if PAGE.exists() and PAGE.read_text(encoding="utf-8") == page():
            return 0
        print(f"{PAGE.name} is out of date; run: python -m events.policy_schema --write", file=sys.stderr)
        return 1
    print("say --write or --check", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
