"""What only the tests of the domain need beside the world and the lives that all tests share."""

from collections.abc import Callable
from types import ModuleType

import pytest

from events.catalogue import Event


@pytest.fixture(scope="session")
def every_event(domain_module: Callable[[str], ModuleType]) -> dict[str, Event]:
    """This will give the canonical example of every event, of every category."""
    made: dict[str, Event] = domain_module("examples").EVERY_EVENT
    return made
