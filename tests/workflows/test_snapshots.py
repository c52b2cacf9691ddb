"""Snapshots: a shortcut for code of their own edition, nothing for any other."""

from dataclasses import replace

import pytest

from events.clock import ClockSpec
from events.state import Engagement
from workflows import snapshots
from workflows.types import RunSettings, Snapshot
from workflows.writer import Writer

STATE = replace(Engagement(), agency="acme", engagement_id="e-1", version=7)


class TestRead:
    def test_gives_back_what_was_taken(self) -> None:
        assert snapshots.read(snapshots.take(STATE)) == STATE

    def test_gives_nothing_for_none(self) -> None:
        assert snapshots.read(None) == Engagement()

    def test_gives_nothing_for_one_of_another_shape(self) -> None:
        assert snapshots.read(Snapshot(edition="0", version=7, state='{"odd": 1')) == Engagement()


class TestLoadedFrom:
    def test_is_the_version_of_a_snapshot_of_this_edition(self) -> None:
        assert snapshots.loaded_from(snapshots.take(STATE)) == 7

    def test_is_the_beginning_without_one(self) -> None:
        assert snapshots.loaded_from(None) == 0

    def test_is_the_beginning_for_another_edition(self) -> None:
        other = snapshots.take(STATE).model_copy(update={"edition": "another"})
        assert snapshots.loaded_from(other) == 0


class OldLog:
    """What replay gives a run that an older edition began: nothing came on top of its snapshot."""

    version = STATE.version

    async def load(self, after: int, *, begin: bool) -> tuple[()]:
        """Load nothing."""
        return ()


class TestRun:
    async def test_hands_on_the_edition_that_its_state_is_of(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What an older edition did not fold is missing until some run loads the stream anew."""
        monkeypatch.setattr("workflows.writer.Recorder", lambda *_: OldLog())
        begun = snapshots.take(STATE, "2")
        writer = Writer("acme", "e-1", begun, ClockSpec(), RunSettings())
        await writer.begin(snapshots.loaded_from(begun))
        handed = snapshots.take(writer.state, writer.edition)
        assert handed.version == STATE.version
        assert snapshots.loaded_from(handed) == 0
