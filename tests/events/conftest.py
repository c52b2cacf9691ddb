"""What the tests of the domain share: the canonical examples, the specification, the shipped policy."""

import importlib.util
import sys
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from events.catalogue import Event
from events.policy_file import load_policy

if TYPE_CHECKING:
    from tests.events.specification import World

HERE = Path(__file__).parent
STARTER = HERE.parents[1] / "deploy" / "policies" / "starter.toml"


def _beside(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"rapport_tests_{name}", HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # A dataclass looks its own module up by name.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def world() -> "World":
    """This will give the examples and the specification: ``world.given("submitted").when("submit")``."""
    examples = _beside("examples")
    policy = load_policy(STARTER.read_text(encoding="utf-8"), where="starter.toml", on=date(2026, 1, 5))
    made: World = _beside("specification").World(examples.EVENTS, examples.COMMANDS, policy)
    return made


@pytest.fixture(scope="session")
def lives() -> ModuleType:
    """This will give the maker of random lives."""
    return _beside("lives")


@pytest.fixture(scope="session")
def every_event() -> dict[str, Event]:
    """This will give the canonical example of every event, of every category."""
    made: dict[str, Event] = _beside("examples").EVERY_EVENT
    return made
