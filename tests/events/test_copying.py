"""Copies of frozen dataclasses are those that the standard library makes."""

import dataclasses

import pytest

from events.copying import Private, copied_as, put, replace
from events.state import Engagement, Right


class TestReplace:
    def test_makes_what_dataclasses_makes(self) -> None:
        given = Engagement(agency="a-1", version=3, rights={"j-1": Right(None)})
        changes = {"version": 4, "closed": True, "rights": {}}
        assert replace(given, **changes) == dataclasses.replace(given, **changes)  # type: ignore[arg-type]

    def test_leaves_the_given_one_alone(self) -> None:
        given = Right(None)
        assert replace(given, revoked=True) != given
        assert given == Right(None)

    def test_copies_a_class_with_one_field(self) -> None:
        @dataclasses.dataclass(frozen=True, slots=True)
        class One:
            field: int

        assert replace(One(1)) == One(1)

    def test_knows_no_other_field(self) -> None:
        with pytest.raises(KeyError):
            replace(Right(None), revokd=True)


class TestPrivate:
    def test_is_changed_where_it_stands(self) -> None:
        class Mine(Right, Private):
            __slots__ = ()

        mine = Mine(None, evidence_ref="m-1")
        copy = copied_as(Right, mine)
        assert replace(mine, revoked=True) is mine
        assert mine.revoked
        assert copy == Right(None, evidence_ref="m-1")
        assert type(copy) is Right
        assert replace(Right(None), revoked=True) == Right(None, revoked=True)


class TestPut:
    def test_changes_the_given_one(self) -> None:
        given = Right(None)
        put(given, {"revoked": True})
        assert given == Right(None, revoked=True)

    def test_knows_no_other_field(self) -> None:
        with pytest.raises(KeyError):
            put(Right(None), {"revokd": True})
