"""A restored log takes its place as a whole, also where the move was cut off at any step."""

from pathlib import Path

import pytest

from workers.embedded import swap
from workers.embedded.lock import DirectoryLock

NEW = {"postgres": "new", "postgres.password": "new", "key-encryption-keys": "new"}
OLD = {"temporal": "old", "postgres": "old", "postgres.password": "old", "key-encryption-keys": "old"}


def fill(directory: Path, parts: dict[str, str]) -> Path:
    directory.mkdir(exist_ok=True)
    for name, content in parts.items():
        (directory / name).write_text(content)
    return directory


def content(directory: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in directory.iterdir() if path.is_file()}


def committed(data_dir: Path, new: dict[str, str] = NEW) -> None:
    swap.commit(fill(swap.stage(data_dir, "1"), new))


class TestFinish:
    def test_moves_the_former_state_aside(self, tmp_path: Path) -> None:
        committed(fill(tmp_path, OLD))
        assert swap.finish(tmp_path) == tmp_path / "before-restore-1"
        assert content(tmp_path) == NEW
        assert content(tmp_path / "before-restore-1") == OLD

    def test_keeps_nothing_where_nothing_was(self, tmp_path: Path) -> None:
        committed(tmp_path)
        assert swap.finish(tmp_path) is None
        assert content(tmp_path) == NEW
        assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == []

    def test_leaves_what_a_restore_does_not_bring(self, tmp_path: Path) -> None:
        fill(tmp_path, {"key-encryption-keys": "mine"})
        committed(tmp_path, {"postgres": "new"})
        swap.finish(tmp_path)
        assert content(tmp_path) == {"key-encryption-keys": "mine", "postgres": "new"}

    @pytest.mark.parametrize("step", range(7))
    def test_is_taken_up_again_after_a_crash(
        self, tmp_path: Path, step: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        committed(fill(tmp_path, OLD))
        done, rename = 0, Path.rename

        def crash(path: Path, target: Path) -> Path:
            nonlocal done
            if done == step:
                raise KeyboardInterrupt
            done += 1
            return rename(path, target)

        monkeypatch.setattr(Path, "rename", crash)
        with pytest.raises(KeyboardInterrupt):
            swap.finish(tmp_path)
        monkeypatch.undo()

        assert swap.holds_log(tmp_path)
        swap.finish(tmp_path)
        assert content(tmp_path) == NEW
        assert content(tmp_path / "before-restore-1") == OLD

    def test_does_nothing_where_nothing_was_restored(self, tmp_path: Path) -> None:
        fill(tmp_path, OLD)
        assert swap.finish(tmp_path) is None
        assert content(tmp_path) == OLD


class TestStage:
    def test_clears_what_a_restore_that_was_cut_off_has_left(self, tmp_path: Path) -> None:
        """Until it is committed it counts for nothing."""
        fill(swap.stage(tmp_path, "1"), NEW)
        assert swap.finish(tmp_path) is None
        assert not swap.holds_log(tmp_path)
        assert not swap.stage(tmp_path, "2").exists()
        assert list(tmp_path.iterdir()) == []

    def test_waits_for_nobody_who_still_restores(self, tmp_path: Path) -> None:
        lock = DirectoryLock(fill(swap.stage(tmp_path, "1"), NEW))
        lock.take()
        try:
            with pytest.raises(Exception, match="is in use by process"):
                swap.stage(tmp_path, "2")
        finally:
            lock.release()
