"""A scenario as data: the steps that the demo plays, the tests accept and the documentation quotes.

A step is a command that anyone could give; a scenario knows no back door.
"""

import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from events.canonical import instant
from events.durations import DurationError, parse_span

SCENARIOS = Path(__file__).resolve().parents[2] / "deploy" / "scenarios"


class ScenarioError(Exception):
    """A scenario's file is wrong; the message says where and what to do."""


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Step(_Data):
    """One thing that happens, or one condition to wait for."""

    day: float | None = Field(default=None, description="domain days since the story began")
    after: float | None = Field(default=None, description="domain days since the step before")
    until: str | None = Field(default=None, description="'level N', or 'met': no open promise is breached")
    say: str | None = None
    stream: str | None = None
    do: str | None = None
    given: dict[str, Any] = Field(default_factory=dict, alias="with")
    expect: Literal["accepted", "refused", "nothing-to-do"] = "accepted"

    @model_validator(mode="after")
    def _whole(self) -> "Step":
        if self.until is None and self.do is None:
            raise ValueError("a step needs 'do' (a command) or 'until' (a condition)")
        if self.until is not None and self.until != "met" and not self.until.startswith("level "):
            raise ValueError("'until' is 'level N' or 'met'")
        return self

    def fields(self, now: datetime) -> dict[str, Any]:
        """Give the command's fields, with times that begin with ``+`` counted from *now*."""
        return {key: _moment(value, now) for key, value in self.given.items()}


class Announces(_Data):
    """Where a scenario says it ends, so that a machine can hold it to that."""

    stage: str
    level_reached: int = 0
    kept_late: bool = Field(default=False, description="a promise that climbed so far was kept after all")


class Scenario(_Data):
    """One engagement's story."""

    title: str
    engagement: str
    announces: Announces
    step: tuple[Step, ...]


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
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ScenarioError(f"{path}: {where}: {first['msg']}") from None


def shipped_scenarios() -> list[Scenario]:
    """Read the scenarios that ship with Rapport, by file name."""
    return [read_scenario(path) for path in sorted(SCENARIOS.glob("*.toml"))]


def _moment(value: Any, now: datetime) -> Any:
    if not (isinstance(value, str) and value.startswith("+")):
        return value
    try:
        return instant(now + parse_span(value[1:]).delta)
    except DurationError:
        return value
