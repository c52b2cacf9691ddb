"""Looking for garbage: seldom at the start, as usual afterwards, and never at what stays."""

import gc
from collections.abc import Iterator

import pytest

from workers import garbage


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """This will leave the test run's own collector as it was."""
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


class TestGarbage:
    def test_is_looked_for_seldom_while_a_process_starts(self) -> None:
        garbage.while_starting()
        assert gc.get_threshold()[0] > 700

    def test_is_looked_for_as_usual_afterwards_but_not_among_what_stays(self) -> None:
        garbage.while_starting()
        garbage.once_started()
        assert gc.get_threshold() == (700, 10, 10)
        assert gc.get_freeze_count() > 0
