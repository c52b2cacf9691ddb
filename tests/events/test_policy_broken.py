"""Broken policies, each with one mistake, and the one sentence that each is answered with."""

from datetime import date
from pathlib import Path
from typing import Final

import pytest

from events.policy_file import PolicyError, load_policy

BROKEN: Final = sorted((Path(__file__).parent / "policies" / "broken").glob("*.toml"))
_SAYS: Final = "# says: "


class TestLoadPolicy:
    def test_has_at_least_twenty_to_try(self) -> None:
        assert len(BROKEN) >= 20

    @pytest.mark.parametrize("file", BROKEN, ids=lambda each: each.stem)
    def test_answers_each_with_one_precise_sentence(self, file: Path) -> None:
        """Where it is, what is wrong, what would be right: nothing more is needed to mend it."""
        text = file.read_text(encoding="utf-8")
        expected = text.splitlines()[0].removeprefix(_SAYS)
        with pytest.raises(PolicyError) as caught:
            load_policy(text, where=file.name, on=date(2026, 1, 5))
        assert caught.value.problems == [f"{file.name}, {expected}"]
