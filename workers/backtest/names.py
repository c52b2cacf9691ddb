"""What a foreign log's names stand for: so many of them at hand, all others on disk.

There are as many as the log likes, so nothing here may grow with them but the file.
"""

import sqlite3
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Final

from events.sources.errors import SourceError
from events.sources.ocel import TWICE

AT_HAND: Final = 250_000
_KEPT: Final = 50_000
_WAITING: Final = 10_000
_SCHEMA: Final = """
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    PRAGMA cache_size = -8192;
    CREATE TABLE objects (name TEXT PRIMARY KEY, kind TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE events (name TEXT PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE applications (
        name TEXT PRIMARY KEY, at INTEGER NOT NULL, place INTEGER NOT NULL, applicant TEXT NOT NULL
    ) WITHOUT ROWID;
"""
_FIRST: Final = """
    INSERT INTO applications VALUES (?, ?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET at = excluded.at, place = excluded.place, applicant = excluded.applicant
    WHERE (excluded.at, excluded.place) < (at, place)
"""

Claim = tuple[int, int, str]


class _Kinds(dict[str, str]):
    """The kinds at hand; asked for another, it looks on disk."""

    on_disk: Callable[[str], str | None]

    def __missing__(self, name: str) -> str | None:
        return self.on_disk(name)


class Names:
    """The objects of one log, the ids of its events, and whose its applications are."""

    def __init__(self, path: Path, *, at_hand: int = AT_HAND) -> None:
        self._database = sqlite3.connect(path)
        self._database.executescript(_SCHEMA)
        self._at_hand = at_hand
        self._kinds = _Kinds()
        self._claims: dict[str, Claim] = {}
        self.disputed = False
        """Whether an application turned out to be somebody else's than an event before had said."""
        self._ids: list[tuple[str]] = []
        self._kinds.on_disk = lru_cache(maxsize=_KEPT)(self._look_up_kind)
        self.kind_of: Callable[[str], str | None] = self._kinds.__getitem__
        """Give the type of an object; None: the log holds none of this name."""
        self._applicant_on_disk = lru_cache(maxsize=_KEPT)(self._look_up_applicant)

    def close(self) -> None:
        """Let the file go."""
        self._database.close()

    def learn_objects(self, found: Iterable[tuple[str, str]]) -> None:
        """Note every object with its type.

        :raises SourceError: a name comes twice.
        """
        for name, kind in found:
            if name in self._kinds:
                raise SourceError(TWICE)
            if len(self._kinds) < self._at_hand:
                self._kinds[name] = kind
            else:
                self._insert("INSERT INTO objects VALUES (?, ?)", [(name, kind)])

    def learn_event(self, identity: str) -> None:
        """Note an event's id.

        :raises SourceError: it comes twice (perhaps not before :meth:`settle`).
        """
        self._ids.append((identity,))
        if len(self._ids) >= _WAITING:
            self.settle()

    def learn_application(self, name: str, at: int, place: int, applicant: str) -> None:
        """Note whose an application is: the first event that names both says so."""
        claim = (at, place, applicant)
        known = self._claims.get(name)
        if known is not None:
            if claim < known:
                self._claims[name] = claim
                self.disputed = self.disputed or applicant != known[2]
        elif len(self._claims) < self._at_hand:
            self._claims[name] = claim
        else:
            self._database.execute(_FIRST, (name, *claim))

    def settle(self) -> None:
        """Write the ids that wait.

        :raises SourceError: one came twice.
        """
        ids, self._ids = self._ids, []
        self._insert("INSERT INTO events VALUES (?)", ids)

    def claimed(self, application: str) -> str | None:
        """Tell whose an application is by the events so far; None: by no event that is at hand.

        Where :attr:`disputed` comes true later, some of these answers were wrong.
        """
        known = self._claims.get(application)
        return None if known is None else known[2]

    def applicant_of(self, application: str) -> str | None:
        """Tell whose an application is, once all events are learnt."""
        known = self._claims.get(application)
        return known[2] if known is not None else self._applicant_on_disk(application)

    def __bool__(self) -> bool:
        """Tell whether the log holds any object."""
        return bool(self._kinds)

    def _insert(self, query: str, rows: Iterable[tuple[str, ...]]) -> None:
        try:
            self._database.executemany(query, rows)
        except sqlite3.IntegrityError:
            raise SourceError(TWICE) from None

    def _look_up_kind(self, name: str) -> str | None:
        return self._one("SELECT kind FROM objects WHERE name = ?", name)

    def _look_up_applicant(self, application: str) -> str | None:
        return self._one("SELECT applicant FROM applications WHERE name = ?", application)

    def _one(self, query: str, name: str) -> str | None:
        found = self._database.execute(query, (name,)).fetchone()
        return None if found is None else str(found[0])
