"""Ids are those that the standard library derives, as objects and written out."""

from uuid import uuid5

from hypothesis import given
from hypothesis import strategies as st

from events.envelope import NAMESPACE, derived_id, derived_text


class TestDerivedId:
    @given(parts=st.lists(st.text(), min_size=1, max_size=4))
    def test_is_the_uuid_of_its_parts(self, parts: list[str]) -> None:
        """Each part goes with its length, so that no two lists of parts are one name."""
        name = "".join(f"{len(part)}:{part}" for part in parts)
        assert derived_id(*parts) == uuid5(NAMESPACE, name)


class TestDerivedText:
    @given(parts=st.lists(st.text(), min_size=1, max_size=4))
    def test_is_the_same_id(self, parts: list[str]) -> None:
        assert derived_text(*parts) == str(derived_id(*parts))
