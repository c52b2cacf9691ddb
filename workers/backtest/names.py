"""The objects of a foreign log by name, on disk: their types, and whose application is whose.

There are as many as the log likes, so only the ones used last are in memory.
"""

import sqlite3
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from events.sources.errors import SourceError
from events.sources.ocel import TWICE

_KEPT: Final = 50_000
_WAITING: Final = 10_000
_SCHEMA: Final = """
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    PRAGMA cache_size = -8192;
    CREATE TABLE objects (name TEXT PRIMARY KEY, kind TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE events (id TEXT PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE applications (
        name TEXT PRIMARY KEY, at INTEGER NOT NULL, place INTEGER NOT NULL, applicant TEXT NOT NULL
    ) WITHOUT ROWID;
"""
_FIRST: Final = """
    INSERT INTO applications VALUES (?, ?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET at = excluded.at, place = excluded.place, applicant = excluded.applicant
    WHERE (excluded.at, excluded.place) < (at, place)
"""


class Names:
    """What a log's names stand for; one for a run."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path)
        self._database.executescript(_SCHEMA)
        self._first: dict[str, tuple[int, int]] = {}
        self._claims: list[tuple[str, int, int, str]] = []
        self._ids: list[tuple[str]] = []
        self.kind_of = lru_cache(maxsize=_KEPT)(self._kind_of)
        self.applicant_of = lru_cache(maxsize=_KEPT)(self._applicant_of)

    def close(self) -> None:
        """Let the file go."""
        self._database.close()

    def learn_objects(self, found: Iterable[tuple[str, str]]) -> int:
        """Note every object with its type; returns how many there are.

        :raises SourceError: a name comes twice.
        """
        return self._insert("INSERT INTO objects VALUES (?, ?)", found)

    def learn_event(self, identity: str) -> None:
        """Note an event's id.

        :raises SourceError: it comes twice (perhaps not before :meth:`settle`).
        """
        self._ids.append((identity,))
        if len(self._ids) >= _WAITING:
            self._settle_ids()

    def learn_application(self, name: str, at: int, place: int, applicant: str) -> None:
        """Note whose an application is: the first event that names both says so."""
        known = self._first.get(name)
        if known is not None and known <= (at, place):
            return
        if len(self._first) >= _KEPT:
            self._first.clear()
        self._first[name] = (at, place)
        self._claims.append((name, at, place, applicant))
        if len(self._claims) >= _WAITING:
            self._settle_claims()

    def settle(self) -> None:
        """Write what waits, before anything is looked up.

        :raises SourceError: an event's id came twice.
        """
        self._settle_ids()
        self._settle_claims()

    def _settle_ids(self) -> None:
        self._insert("INSERT INTO events VALUES (?)", self._ids)
        self._ids = []

    def _settle_claims(self) -> None:
        self._database.executemany(_FIRST, self._claims)
        self._claims = []

    def _insert(self, query: str, rows: Iterable[Any]) -> int:
        try:
            return self._database.executemany(query, rows).rowcount
        except sqlite3.IntegrityError:
            raise SourceError(TWICE) from None

    def _kind_of(self, name: str) -> str | None:
        found = self._database.execute("SELECT kind FROM objects WHERE name = ?", (name,)).fetchone()
        return None if found is None else str(found[0])

    def _applicant_of(self, application: str) -> str | None:
        query = "SELECT applicant FROM applications WHERE name = ?"
        found = self._database.execute(query, (application,)).fetchone()
        return None if found is None else str(found[0])
