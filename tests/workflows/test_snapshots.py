"""Snapshots: a shortcut for code of their own edition, nothing for any other."""

from dataclasses import replace

from events.state import Engagement
from workflows import snapshots
from workflows.types import Snapshot

STATE = replace(Engagement(), agency="acme", engagement_id="e-1", version=7)


class TestRead:
    def test_gives_back_what_was_taken(self) -> None:
        assert snapshots.read(snapshots.take(STATE)) == STATE

    def test_gives_nothing_for_none(self) -> None:
        assert snapshots.read(None) == Engagement()

    def test_gives_an_older_edition_its_new_shape(self) -> None:
        """Replay of a run that is under way has its snapshot, and what was loaded on top of it."""
        kept = snapshots.take(STATE)
        old = kept.model_copy(
            update={"edition": "2", "state": kept.state.replace('"checks":{}', '"checks":["c-1"]')}
        )
        found = snapshots.read(old)
        assert (found.version, [*found.checks], found.checks["c-1"].outcome) == (7, ["c-1"], "")
        assert snapshots.loaded_from(snapshots.take(found, old.edition)) == 0

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
