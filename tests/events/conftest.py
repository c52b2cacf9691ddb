"""What the tests of the domain share: canonical examples, the specification, and a policy of our own."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, cast

import pytest

from events.policy import Policy
from events.policy_file import load_policy

if TYPE_CHECKING:
    from tests.events import examples as examples_module
    from tests.events import specification

HERE = Path(__file__).parent
STARTER = HERE.parents[1] / "deploy" / "policies" / "starter.toml"


def _module(name: str) -> ModuleType:
    found = sys.modules.get(f"rapport_tests_{name}")
    if found is not None:
        return found
    spec = importlib.util.spec_from_file_location(f"rapport_tests_{name}", HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # A dataclass looks its own module up by name.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def spec() -> "type[specification]":
    """This will give the specification: ``spec.given(...)``, ``spec.Life()``."""
    return cast("type[specification]", _module("specification"))
