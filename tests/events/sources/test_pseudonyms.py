"""Opaque ids: the same under the same key, and nothing of the source in them."""

import pytest
from pydantic import TypeAdapter

from events.kinds import Id
from events.sources.errors import SourceError
from events.sources.pseudonyms import Pseudonyms

KEY = b"sixteen bytes...."


class TestPseudonyms:
    def test_are_the_same_under_the_same_key(self) -> None:
        assert Pseudonyms(KEY).of("engagement", "A Name") == Pseudonyms(KEY).of("engagement", "A Name")

    def test_differ_by_key_by_kind_and_by_name(self) -> None:
        known = Pseudonyms(KEY)
        others = {
            known.of("engagement", "B"),
            known.of("candidate", "A"),
            Pseudonyms(KEY + b"!").of("engagement", "A"),
        }
        assert known.of("engagement", "A") not in others
        assert len(others) == 3

    def test_keep_parts_apart(self) -> None:
        assert Pseudonyms(KEY).of("interview", "a1", "1") != Pseudonyms(KEY).of("interview", "a", "11")

    @pytest.mark.parametrize("name", ["Ünïcode Name", "", "a" * 5000, "with:colon\n"])
    def test_are_ids_of_ours_whatever_the_name(self, name: str) -> None:
        TypeAdapter(Id).validate_python(Pseudonyms(KEY).of("client-contact", name))

    def test_hold_nothing_of_the_name_or_the_key(self) -> None:
        known = Pseudonyms(KEY)
        assert "Name" not in known.of("engagement", "Name")
        assert "sixteen" not in repr(known)

    def test_need_a_key_worth_its_name(self) -> None:
        with pytest.raises(SourceError, match="at least 16 bytes"):
            Pseudonyms(b"short")

    def test_give_way_to_whoever_stands_for_somebody(self) -> None:
        """The agency's people have ids already; a candidate of the same name is somebody else."""
        known = Pseudonyms(KEY).standing_in({"A Name": "r-1"})
        assert known.of("recruiter", "A Name") == "r-1"
        assert known.of("recruiter", "Another") == Pseudonyms(KEY).of("recruiter", "Another")
        assert known.of("candidate", "A Name") == Pseudonyms(KEY).of("candidate", "A Name")
        assert "A Name" not in repr(known)
