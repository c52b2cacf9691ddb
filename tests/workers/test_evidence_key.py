"""One key an installation: made once, kept for its owner only, or given by the settings."""

import base64
import stat
from pathlib import Path

import pytest
from pydantic import SecretStr

from events.evidence.signing import fingerprint, key_named
from workers.evidence_key import KEY_FILE, evidence_key
from workers.settings import Settings, SettingsError


class TestEvidenceKey:
    def test_is_made_once_and_kept(self, tmp_path: Path) -> None:
        settings = Settings(data_dir=tmp_path / "data")
        first, again = evidence_key(settings), evidence_key(settings)
        assert first.public == again.public
        kept = tmp_path / "data" / KEY_FILE
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert [each.name for each in kept.parent.iterdir()] == [KEY_FILE]
        assert evidence_key(Settings(data_dir=tmp_path / "other")).public != first.public

    def test_of_the_settings_wins_and_nothing_is_kept(self, tmp_path: Path) -> None:
        given = SecretStr(base64.b64encode(bytes(range(32))).decode())
        settings = Settings(data_dir=tmp_path / "data", evidence_key=given)
        assert evidence_key(settings).public == evidence_key(settings).public
        assert not (tmp_path / "data").exists()

    def test_that_is_none_is_told_without_its_value(self, tmp_path: Path) -> None:
        with pytest.raises(SettingsError, match=r"RAPPORT_EVIDENCE_KEY is not usable: .* 32 bytes") as told:
            evidence_key(Settings(data_dir=tmp_path, evidence_key=SecretStr("hunter2")))
        assert "hunter2" not in str(told.value)
        (tmp_path / KEY_FILE).write_text("hunter2")
        with pytest.raises(SettingsError, match=f"{KEY_FILE} is not usable"):
            evidence_key(Settings(data_dir=tmp_path))

    def test_that_cannot_be_made_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "data").write_text("a file")
        with pytest.raises(SettingsError, match=r"cannot be used \(.*\); set RAPPORT_EVIDENCE_KEY"):
            evidence_key(Settings(data_dir=tmp_path / "data"))


class TestKeyNamed:
    def test_reads_a_fingerprint_or_what_the_command_prints(self, tmp_path: Path) -> None:
        key = evidence_key(Settings(data_dir=tmp_path))
        name = fingerprint(key.public)
        for text in (
            name,
            f"sha256:{name}",
            f" {name.upper()}\n",
            f"{key.told()}\nfingerprint sha256:{name}\n",
        ):
            assert key_named(text) == name, text

    def test_takes_nothing_else(self) -> None:
        for text in ("", "key.txt", "sha256:12", f"ed25519:{'0' * 64} ed25519:{'1' * 64}"):
            assert key_named(text) is None
