"""One byte-exact way to write JSON: what is hashed must never be written otherwise."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.canonical import canonical, instant, parse_instant

LEAVES: Final = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
PLAIN: Final = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


class TestInstant:
    def test_is_in_utc_with_six_decimals(self) -> None:
        assert instant(datetime(2026, 1, 5, 9, tzinfo=UTC)) == "2026-01-05T09:00:00.000000Z"
        east = timezone(timedelta(hours=2))
        assert instant(datetime(2026, 1, 5, 9, 0, 0, 1, tzinfo=east)) == "2026-01-05T07:00:00.000001Z"

    @pytest.mark.parametrize("year", [1, 999, 1000, 2026, 9999])
    def test_is_what_it_always_was(self, year: int) -> None:
        """Bodies and hashes hold it: years of fewer than four digits are not padded everywhere."""
        moment = datetime(year, 6, 1, 12, tzinfo=UTC)
        assert instant(moment) == moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def test_needs_a_zone(self) -> None:
        with pytest.raises(ValueError, match="without a zone"):
            instant(datetime(2026, 1, 5, 9))  # noqa: DTZ001 - what it must refuse

    def test_is_read_back_as_it_was(self) -> None:
        moment = datetime(2026, 1, 5, 9, 0, 0, 123456, tzinfo=UTC)
        assert parse_instant(instant(moment)) == moment


class TestCanonical:
    def test_sorts_keys_and_leaves_no_space(self) -> None:
        assert (
            canonical({"b": [1, None], "a": {"d": True, "c": "x"}}) == '{"a":{"c":"x","d":true},"b":[1,null]}'
        )

    def test_keeps_letters_as_they_are(self) -> None:
        assert canonical({"name": "Ønskeby ✓"}) == '{"name":"Ønskeby ✓"}'

    def test_writes_moments_and_ids_plainly(self) -> None:
        assert canonical([datetime(2026, 1, 5, tzinfo=UTC), UUID(int=1)]) == (
            '["2026-01-05T00:00:00.000000Z","00000000-0000-0000-0000-000000000001"]'
        )

    @pytest.mark.parametrize("value", [object(), {1, 2}, b"x"])
    def test_refuses_what_has_no_one_form(self, value: object) -> None:
        with pytest.raises(TypeError, match="no canonical form"):
            canonical({"value": value})

    @given(PLAIN)
    def test_is_what_the_standard_library_writes(self, value: Any) -> None:
        """Bodies and digests hold it: the short cut to the encoder's core must not differ by a byte."""
        plainly = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert canonical(value) == plainly

    def test_refuses_numbers_that_are_none(self) -> None:
        with pytest.raises(ValueError, match="JSON"):
            canonical(float("nan"))
