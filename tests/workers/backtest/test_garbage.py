"""The collector of cycles rests for a piece of work, and comes back."""

import gc

import pytest

from workers.backtest.garbage import uncollected


class TestUncollected:
    def test_rests_meanwhile(self) -> None:
        with uncollected():
            assert not gc.isenabled()
        assert gc.isenabled()

    def test_comes_back_after_a_mistake(self) -> None:
        with pytest.raises(ValueError, match="a mistake"), uncollected():
            raise ValueError("a mistake")
        assert gc.isenabled()

    def test_leaves_off_what_was_off(self) -> None:
        gc.disable()
        try:
            with uncollected():
                pass
            assert not gc.isenabled()
        finally:
            gc.enable()
