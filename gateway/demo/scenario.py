"""A scenario as data: the steps that the demo plays, the tests accept and the documentation quotes.

A step is a command that anyone could give; a scenario knows no back door.
"""

import re
import tomllib
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from events.codec import ENGAGEMENT_EVENTS
from events.envelope import Actor
from events.kinds import CommandId, Id, Stage

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

SCENARIOS: Final = Path(__file__).resolve().parents[2] / "deploy" / "scenarios"
PEOPLE: Final = SCENARIOS.parent / "agencies" / "example.toml"
OWN_AGENCY: Final = "agency"
_UNTIL: Final = re.compile(r"met|level [0-3]|event [a-z-]+")


class ScenarioError(Exception):
    """A scenario's file is wrong; the message says where and what to do."""


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Step(_Data):
    """One thing that happens, or one condition to wait for."""

    engagement: str | None = Field(default=None, description="whose step it is; the first one's if not given")
    day: float | None = Field(default=None, description="domain days since the story began")
    after: float | None = Field(default=None, description="domain days since the step before")
    until: str | None = Field(default=None, description="'level N', 'event TYPE', or 'met': none is breached")
    say: str | None = None
    stream: str | None = Field(
        default=None, description="where it goes, if not to the engagement; 'agency' is the story's own"
    )
    do: str | None = None
    given: dict[str, Any] = Field(default_factory=dict, alias="with")
    actor: str | None = Field(default=None, description="who does it, as KIND:ID; a person if not given")
    signal: bool = Field(default=False, description="sent as a Temporal signal, as an integration would")
    command_id: CommandId | None = None
    expect: Literal["accepted", "refused", "nothing-to-do", "repeated"] = "accepted"

    @model_validator(mode="after")
    def _whole(self) -> "Step":
        if self.until is None and self.do is None:
            raise ValueError("a step needs 'do' (a command) or 'until' (a condition)")
        if self.until is not None:
            if not _UNTIL.fullmatch(self.until):
                raise ValueError("'until' is 'level N', 'event TYPE' or 'met'")
            known_types([self.until.removeprefix("event ")] if self.until.startswith("event ") else [])
        if self.signal and (self.do is None or self.stream is not None):
            raise ValueError("'signal' needs 'do', and goes to an engagement, never to a stream")
        if self.expect == "repeated" and self.command_id is None:
            raise ValueError("what is repeated has a 'command_id': the one of the first time")
        if self.actor is not None:
            self.who("nobody")
        return self

    def who(self, default: str) -> Actor:
        """Name the acting person or system; *default* is the person where none is named."""
        kind, _, key = (self.actor or f"person:{self.given.get('by', default)}").partition(":")
        return Actor.model_validate({"kind": kind, "id": key})


class Announces(_Data):
    """Where an engagement is said to end, so that a machine can hold the story to that."""

    engagement: str | None = Field(default=None, description="the first one's if not given")
    stage: Stage
    level_reached: int = 0
    kept_late: bool = Field(default=False, description="a promise that climbed so far was kept after all")
    events: tuple[str, ...] = Field(default=(), description="these occur in this order, others between them")
    never: tuple[str, ...] = ()
    may_break: tuple[str, ...] = Field(default=(), description="the rules that this story is about breaking")

    @model_validator(mode="after")
    def _known(self) -> "Announces":
        known_types([*self.events, *self.never])
        return self


class Scenario(_Data):
    """A story of one engagement, or of several that touch each other."""

    title: str
    engagements: tuple[Id, ...] = Field(min_length=1)
    announces: tuple[Announces, ...]
    step: tuple[Step, ...]

    @model_validator(mode="before")
    @classmethod
    def _either(cls, data: Any) -> Any:
        """Take one or several of each; the shorter way is the usual one."""
        if not isinstance(data, dict):
            return data
        data = dict(data)
        if isinstance(data.get("engagement"), str):
            data["engagements"] = [data.pop("engagement")]
        if isinstance(data.get("announces"), dict):
            data["announces"] = [data["announces"]]
        return data

    @model_validator(mode="after")
    def _fits(self) -> "Scenario":
        told = [each.engagement or self.engagement for each in self.announces]
        if sorted(told) != sorted(self.engagements):
            raise ValueError("'announces' says of each engagement, once, where it ends")
        first: dict[str, Step] = {}
        for number, step in enumerate(self.step):
            if step.engagement not in (None, *self.engagements):
                raise ValueError(f"step {number + 1} is of an engagement that is not among 'engagements'")
            if step.command_id is not None:
                _check_repeated(step, first.setdefault(step.command_id, step))
        return self

    @property
    def engagement(self) -> str:
        """Name the story's first engagement, which is the story's own name."""
        return self.engagements[0]

    def of(self, step: Step) -> str:
        """Name the engagement whose step it is."""
        return step.engagement or self.engagement

    def stream(self, step: Step, agency: str) -> str:
        """Name the stream that a step's command goes to when the story is played in an agency."""
        if step.stream == OWN_AGENCY:
            return f"agency:{agency}"
        return step.stream or f"engagement:{self.of(step)}"

    def command_id(self, number: int) -> str:
        """Give the command id of a step, the same in every play."""
        return self.step[number].command_id or f"{self.engagement}-{number}"

    def first_given(self, step: Step) -> Step:
        """Find the step that a repeated one repeats; any other is its own."""
        same = (each for each in self.step if each.command_id == step.command_id)
        return step if step.command_id is None else next(same)


def read_scenario(path: Path) -> Scenario:
    """Read one scenario.

    :raises ScenarioError: the file is missing or says something that no scenario can.
    """
    try:
        return Scenario.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ScenarioError(
            f"{path}: the scenario cannot be read ({error.strerror}); is it installed?"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{path}: no TOML: {error}") from None
    except ValidationError as error:
        every = error.errors(include_url=False, include_input=False)
        raise ScenarioError("\n".join(f"{path}: {_sentence(each)}" for each in every)) from None


def _sentence(error: "ErrorDetails") -> str:
    """Tell one mistake with its place, steps counted from 1 as a reader does."""
    places = [str(part + 1) if isinstance(part, int) else str(part) for part in error["loc"]]
    where, last = " ".join(places) or "the whole", places[-1] if places else ""
    if error["type"] == "extra_forbidden":
        near = get_close_matches(last, sorted({*Step.model_fields, *Scenario.model_fields}), n=1)
        remedy = f"did you mean '{near[0]}'?" if near else "take it out"
        return f"{' '.join(places[:-1]) or 'the scenario'} has no field '{last}'; {remedy}"
    if error["type"] == "missing":
        return f"{' '.join(places[:-1]) or 'the scenario'} needs the field '{last}'; add it"
    return f"{where}: {error['msg'].removeprefix('Value error, ')}"


def shipped_scenarios() -> list[Scenario]:
    """Read the scenarios that ship with Rapport, by file name."""
    return [read_scenario(path) for path in sorted(SCENARIOS.glob("*.toml"))]


def chosen_scenarios(names: Sequence[str]) -> list[Scenario]:
    """Read those that are named: shipped ones by file name, others by their path; all if none is.

    :raises ScenarioError: there is none of that name, or a file is wrong.
    """
    shipped = {path.stem: path for path in sorted(SCENARIOS.glob("*.toml"))}
    for each in names:
        if each not in shipped and not Path(each).is_file():
            raise ScenarioError(f"there is no scenario '{each}'; give a file, or one of {', '.join(shipped)}")
    return [read_scenario(shipped.get(each) or Path(each)) for each in names or shipped]


def known_types(types: list[str]) -> None:
    """Refuse a type of event that does not exist: a story would wait for it for ever.

    :raises ValueError: naming the first that is unknown.
    """
    for each in types:
        if each not in ENGAGEMENT_EVENTS:
            raise ValueError(f"there is no event '{each}'; events/CATALOGUE.md names them all")


def _check_repeated(step: Step, first: Step) -> None:
    if step is first:
        if step.expect == "repeated":
            raise ValueError(f"nothing was given under '{step.command_id}' that could be repeated")
        return
    if step.expect != "repeated":
        raise ValueError(f"'{step.command_id}' is given twice; the second time is to expect = 'repeated'")
    if (step.do, step.given, step.stream) != (first.do, first.given, first.stream):
        raise ValueError(f"'{step.command_id}' says something else the second time: that is no repetition")
    if first.day is None and any(str(each)[:1] in "+-" for each in step.given.values() if each):
        raise ValueError(f"the first '{step.command_id}' needs a 'day' for its times to count from")
