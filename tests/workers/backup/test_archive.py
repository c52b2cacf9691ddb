"""The file of a backup: whole under its name or not there, and never taken for what it is not."""

import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from workers.backup import archive
from workers.backup.archive import AgencyHead, Facts, Writer
from workers.backup.errors import BackupError

FACTS = Facts(
    created_at=datetime(2026, 1, 5, 12, tzinfo=UTC),
    postgres="18.6",
    level="0001_roles",
    agencies=(AgencyHead(agency="acme", position=7, head_hash="00"),),
    key_encryption_keys=(),
)


def written(path: Path) -> Path:
    with Writer(path) as writer:
        writer.write(b"some")
        writer.write(b" rows")
        writer.complete(FACTS)
    return path


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-30])


def changed(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"some rows", b"sown rows"))


def without_manifest(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(archive.DUMP, b"some rows")


def replaced_dump(path: Path) -> None:
    manifest = zipfile.ZipFile(path).read(archive.MANIFEST)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(archive.DUMP, b"sown rows")
        file.writestr(archive.MANIFEST, manifest)


def something_else(path: Path) -> None:
    path.write_text("some words")


class TestWriter:
    def test_gives_what_was_written(self, tmp_path: Path) -> None:
        path = written(tmp_path / "b")
        manifest = archive.check(path)
        assert b"".join(archive.dump(path)) == b"some rows"
        assert (manifest.agencies, manifest.events, manifest.dump_bytes) == (FACTS.agencies, 7, 9)

    def test_lets_only_the_owner_read_it(self, tmp_path: Path) -> None:
        assert written(tmp_path / "b").stat().st_mode & 0o777 == 0o600

    def test_never_overwrites(self, tmp_path: Path) -> None:
        path = written(tmp_path / "b")
        with pytest.raises(BackupError, match="is there already"):
            written(path)
        archive.check(path)

    def test_leaves_nothing_where_it_was_given_up(self, tmp_path: Path) -> None:
        with Writer(tmp_path / "b") as writer:
            writer.write(b"some")
        assert not list(tmp_path.iterdir())

    def test_says_in_one_sentence_where_it_cannot_write(self, tmp_path: Path) -> None:
        with pytest.raises(BackupError, match=r"cannot be written \(no such file"):
            written(tmp_path / "nowhere" / "b")


class TestCheck:
    @pytest.mark.parametrize("damage", [cut_off, changed, without_manifest, replaced_dump, something_else])
    def test_notices_damage(self, tmp_path: Path, damage: Callable[[Path], None]) -> None:
        path = written(tmp_path / "b")
        damage(path)
        with pytest.raises(BackupError, match="is no backup of Rapport, or it is damaged"):
            archive.check(path)

    def test_says_in_one_sentence_what_cannot_be_read(self, tmp_path: Path) -> None:
        for path in (tmp_path / "none", tmp_path):
            with pytest.raises(BackupError, match="cannot be read"):
                archive.check(path)

    def test_leaves_a_newer_format_to_a_newer_version(self, tmp_path: Path) -> None:
        path = tmp_path / "b"
        with zipfile.ZipFile(path, "w") as file:
            file.writestr(archive.DUMP, b"")
            newer = archive.Manifest(**FACTS.model_dump(), format=2, dump_bytes=0, dump_sha256="")
            file.writestr(archive.MANIFEST, newer.model_dump_json())
        with pytest.raises(BackupError, match="has format 2"):
            archive.check(path)
