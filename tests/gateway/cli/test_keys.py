"""``rapport keys`` on a database of its own: rotating the key that wraps all others."""

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from events.log.keys import Kek, Keyring
from events.log.keys_postgres import PostgresKeys
from gateway.cli import app
from gateway.cli.errors import DONE, WRONG

pytestmark = pytest.mark.postgres

OLD, NEW = Kek("old", b"o" * 32), Kek("new", b"n" * 32)


def _setting(*keks: Kek) -> str:
    return ",".join(f"{kek.id}:{base64.b64encode(kek.secret).decode()}" for kek in keks)


@pytest.fixture
def database(new_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> str:
    """This will give the URL of a migrated database, which the environment names."""
    url = new_database()
    monkeypatch.setattr("workers.logs.configure_logging", lambda *_: None)  # pytest's own stays
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("RAPPORT_DATA_DIR", str(tmp_path))
    return url


@pytest.fixture
def rapport(
    database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """This will run a command under a list of keys; gives its code and what it said."""

    def run(keks: tuple[Kek, ...], *arguments: str) -> tuple[int, str]:
        monkeypatch.setenv("RAPPORT_KEY_ENCRYPTION_KEYS", _setting(*keks))
        code = app.run(arguments)
        told = capsys.readouterr()
        return code, told.out + told.err

    return run


def _use(database: str, kek: Kek, *subjects: str) -> list[bytes]:
    """Ask for subjects' keys as a process that knows one key-encryption key only."""

    async def ask() -> list[bytes]:
        keys = PostgresKeys(database, Keyring([kek]))
        found = [(await keys.get_or_create("a-1", subject)).secret for subject in subjects]
        await keys.close()
        return found

    return asyncio.run(ask())


class TestRewrap:
    def test_lets_the_old_key_go(self, database: str, rapport: Callable[..., tuple[int, str]]) -> None:
        subjects = ("agency", "engagement:e-1")
        secrets = _use(database, OLD, *subjects)

        code, told = rapport((NEW, OLD), "keys", "rewrap", "--json")

        assert code == DONE
        done = json.loads(told)
        assert done["key_id"] == "new"
        assert done["rewrapped"] == len(subjects)
        assert _use(database, NEW, *subjects) == secrets

    def test_says_what_it_did_and_when_there_is_nothing_to_do(
        self, database: str, rapport: Callable[..., tuple[int, str]]
    ) -> None:
        _use(database, OLD, "agency", "engagement:e-1")
        assert rapport((NEW, OLD), "keys", "rewrap") == (DONE, "rewrapped 2 keys under 'new'\n")
        assert rapport((NEW,), "keys", "rewrap") == (
            DONE,
            "nothing to do: every key is wrapped under 'new' already\n",
        )

    def test_names_a_key_that_is_missing(
        self, database: str, rapport: Callable[..., tuple[int, str]]
    ) -> None:
        _use(database, OLD, "agency")
        code, told = rapport((NEW,), "keys", "rewrap")
        assert (code, told.count("\n")) == (WRONG, 1)
        assert "'old', which the settings do not name" in told
