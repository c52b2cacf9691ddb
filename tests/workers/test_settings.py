"""What the environment may say, and what becomes of it."""

import base64
import os
from pathlib import Path

import pytest

from workers.generated import marks
from workers.settings import KeyEncryptionKey, SettingsError, load_settings, variables
from workers.settings_reading import mistakes, read_settings
from workers.settings_table import main, table

OLD = base64.b64encode(b"o" * 32).decode()
NEW = base64.b64encode(b"n" * 32).decode()


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.startswith(("RAPPORT_", "TEMPORAL_")) or name == "DATABASE_URL":
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("RAPPORT_DATA_DIR", str(tmp_path / "data"))


class TestLoadSettings:
    def test_bypasses_nothing_by_default(self) -> None:
        settings = load_settings()
        assert settings.database_url is None
        assert settings.temporal_address is None
        assert settings.smtp_host is None

    def test_reads_its_own_names(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RAPPORT_SMTP_HOST", "mail.example.org")
        monkeypatch.setenv("RAPPORT_SMTP_PORT", "587")
        settings = load_settings()
        assert (settings.smtp_host, settings.smtp_port) == ("mail.example.org", 587)

    def test_takes_an_empty_variable_for_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DATABASE_URL", "")
        assert load_settings().database_url is None

    def test_shows_no_secret(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DATABASE_URL", "postgresql://me:hidden-words@localhost/rapport")
        monkeypatch.setenv("RAPPORT_KEY_ENCRYPTION_KEYS", f"k1:{OLD}")
        shown = f"{load_settings()!r} {load_settings()} {load_settings().model_dump_json()}"
        assert "hidden-words" not in shown
        assert OLD not in shown
        assert "o" * 32 not in shown

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("RAPPORT_SMTP_PORT", "secret-words"),
            ("RAPPORT_KEY_ENCRYPTION_KEYS", "k1:secret-words"),
            ("RAPPORT_KEY_ENCRYPTION_KEYS", f"k1:{OLD},k1:{NEW}"),
            ("DATABASE_URL", "mysql://me:secret-words@localhost/x"),
            ("RAPPORT_LOG_LEVEL", "secret-words"),
        ],
    )
    def test_says_in_one_sentence_what_is_malformed(
        self, monkeypatch: pytest.MonkeyPatch, name: str, value: str
    ) -> None:
        monkeypatch.setenv(name, value)
        with pytest.raises(SettingsError, match=rf"^{name} is not usable: .*\.$") as raised:
            load_settings()
        assert "secret-words" not in str(raised.value)
        assert OLD not in str(raised.value)


class TestTemporalConnect:
    def test_reads_temporalios_own_names(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TEMPORAL_ADDRESS", "temporal.example.org:7233")
        monkeypatch.setenv("TEMPORAL_NAMESPACE", "ours")
        monkeypatch.setenv("TEMPORAL_API_KEY", "key")
        settings = load_settings()
        assert settings.temporal_address == "temporal.example.org:7233"
        assert settings.temporal_connect() == {
            "target_host": "temporal.example.org:7233",
            "namespace": "ours",
            "api_key": "key",
            "tls": True,
        }

    def test_reads_a_profile_that_the_environment_names(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        profiles = tmp_path / "profiles.toml"
        profiles.write_text('[profile.work]\naddress = "work.example.org:7233"\nnamespace = "work"\n')
        monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(profiles))
        monkeypatch.setenv("TEMPORAL_PROFILE", "work")
        settings = load_settings()
        assert settings.temporal_address == "work.example.org:7233"
        assert settings.temporal_connect()["namespace"] == "work"

    def test_reads_no_profile_that_nobody_named(self, tmp_path: Path) -> None:
        """Somebody's CLI may point to a cluster in production."""
        for place in (".config/temporalio", "Library/Application Support/temporalio"):
            (tmp_path / place).mkdir(parents=True)
            (tmp_path / place / "temporal.toml").write_text(
                '[profile.default]\naddress = "work.example.org:1"\n'
            )
        assert load_settings().temporal_address is None

    def test_keeps_anothers_key_from_our_own_server(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TEMPORAL_API_KEY", "key")
        monkeypatch.setenv("TEMPORAL_NAMESPACE", "ours")
        assert load_settings().temporal_connect("127.0.0.1:7233") == {
            "target_host": "127.0.0.1:7233",
            "namespace": "default",
        }


class TestEncryptionKeys:
    def test_come_from_the_environment_with_the_current_one_first(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("RAPPORT_KEY_ENCRYPTION_KEYS", f"k2:{NEW},k1:{OLD}")
        keys = load_settings().encryption_keys()
        assert [key.id for key in keys] == ["k2", "k1"]
        assert keys[0].secret.get_secret_value() == b"n" * 32

    def test_are_made_once_for_the_embedded_database(self, tmp_path: Path) -> None:
        first = load_settings().encryption_keys()
        assert load_settings().encryption_keys() == first
        assert (tmp_path / "data" / "key-encryption-keys").stat().st_mode & 0o777 == 0o600

    def test_are_never_made_for_a_database_of_your_own(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DATABASE_URL", "postgresql://localhost/rapport")
        with pytest.raises(SettingsError, match="RAPPORT_KEY_ENCRYPTION_KEYS"):
            load_settings().encryption_keys()


class TestParse:
    @pytest.mark.parametrize("text", ["", "k1", ":" + OLD, "k1:short", "k1:" + OLD[:-4], "a b:" + OLD])
    def test_refuses_what_is_no_key(self, text: str) -> None:
        with pytest.raises(ValueError, match="ID:BASE64"):
            KeyEncryptionKey.parse(text)


class TestMistakes:
    def test_names_every_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RAPPORT_SMTP_PORT", "secret-words")
        monkeypatch.setenv("RAPPORT_LOG_LEVEL", "secret-words")
        found = mistakes()
        assert [each.split(" ")[0] for each in found] == ["RAPPORT_SMTP_PORT", "RAPPORT_LOG_LEVEL"]
        monkeypatch.setenv("RAPPORT_SMTP_USERNAME", "me")
        monkeypatch.setenv("RAPPORT_SMTP_PRT", "587")
        monkeypatch.setenv("DATABASE_URL", "postgresql://me@x/y")
        assert [each.split(" ")[0] for each in mistakes()] == [
            "RAPPORT_SMTP_PORT",
            "RAPPORT_LOG_LEVEL",
            "RAPPORT_SMTP_PASSWORD",
            "RAPPORT_KEY_ENCRYPTION_KEYS",
            "RAPPORT_SMTP_PRT",
        ]
        assert "secret-words" not in " ".join(found)

    def test_leave_what_is_right_to_be_used(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RAPPORT_SMTP_PORT", "x")
        monkeypatch.setenv("DATABASE_URL", "mysql://x")
        monkeypatch.setenv("RAPPORT_SMTP_HOST", "mail.example.com")
        reading = read_settings()
        assert reading.wrong == {"RAPPORT_SMTP_PORT", "DATABASE_URL"}
        assert (reading.settings.smtp_host, reading.settings.smtp_port) == ("mail.example.com", 25)
        assert reading.settings.database_url is None

    def test_are_no_names_that_a_client_of_ours_uses(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The README lets a shell have both."""
        monkeypatch.setenv("RAPPORT_URL", "http://127.0.0.1:8080")
        monkeypatch.setenv("RAPPORT_KEY", "rk_x")
        assert mistakes() == []

    def test_are_none_where_all_is_well(self) -> None:
        assert mistakes() == []

    def test_are_slips_of_the_pen_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A name that nobody reads would silently leave a default in place."""
        monkeypatch.setenv("RAPPORT_SMTP_PRT", "587")
        monkeypatch.setenv("RAPPORT_ZZZZZZZZZZ", "1")
        assert mistakes() == [
            "RAPPORT_SMTP_PRT is no setting; did you mean RAPPORT_SMTP_PORT?",
            "RAPPORT_ZZZZZZZZZZ is no setting; take it away",
        ]

    @pytest.mark.parametrize(
        ("name", "value", "says"),
        [
            ("RAPPORT_SMTP_USERNAME", "me", "RAPPORT_SMTP_PASSWORD is missing; the two go together."),
            ("RAPPORT_SMTP_FROM", "nobody", "RAPPORT_SMTP_FROM is not usable: it is no e-mail address."),
            (
                "RAPPORT_PUBLIC_URL",
                "ftp://x",
                "RAPPORT_PUBLIC_URL is not usable: it must start with https://.",
            ),
            *(
                (
                    "RAPPORT_PUBLIC_URL",
                    value,
                    "RAPPORT_PUBLIC_URL is not usable: it must be an address alone, such as "
                    "https://agency.example/rapport.",
                )
                for value in ("https://x//evil", "https://x/a;b", "https://x/a?b", "https://x/..", "https://")
            ),
        ],
    )
    def test_say_what_does_not_fit(
        self, monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
    ) -> None:
        monkeypatch.setenv(name, value)
        assert mistakes() == [says]


class TestTheTable:
    def test_in_the_readme_is_the_settings_own(self) -> None:
        assert main(["--check"]) == 0

    def test_is_written_between_its_marks_alone(self, tmp_path: Path) -> None:
        readme = tmp_path / "README.md"
        begin, end = marks("settings", "workers.settings_table")
        readme.write_text(f"before\n{begin}old\n{end}after\n", "utf-8")
        assert main(["--check"], readme) == 1
        assert main(["--write"], readme) == 0
        assert readme.read_text("utf-8") == f"before\n{begin}{table()}{end}after\n"
        assert main(["--check"], readme) == 0

    def test_tells_what_every_setting_is_for(self) -> None:
        assert all(field.description for field in variables().values())


class TestWebhooks:
    def test_go_to_public_addresses_by_https_unless_it_is_said(self, monkeypatch: pytest.MonkeyPatch) -> None:
        settings = load_settings()
        assert (settings.webhooks_allow_http, settings.webhooks_allow_private) == (False, False)
        monkeypatch.setenv("RAPPORT_WEBHOOKS_ALLOW_PRIVATE", "1")
        monkeypatch.setenv("RAPPORT_WEBHOOKS_ALLOW_HTTP", "1")
        settings = load_settings()
        assert (settings.webhooks_allow_http, settings.webhooks_allow_private) == (True, True)
