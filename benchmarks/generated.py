"""A recruiting log of any length, written to disk as it is made: OCEL 1.0, every name and date invented.

Run as ``python -m benchmarks.generated FILE EVENTS``.  The same seed gives the same log to the byte.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from heapq import heapify, heappop, heappush
from pathlib import Path
from random import Random
from typing import Final

START: Final = datetime(2015, 1, 5, 8, 0, tzinfo=UTC)
# As in the real log: five people look after forty applications a month, and a vacancy gets six of them.
APPLICATIONS_A_VACANCY: Final = 6.5
TEAMS: Final = 60
COURSES: Final = (("not-submitted", 3), ("submitted", 4), ("interviewed", 4), ("declined", 1), ("hired", 2))
# Applicants who are in the midst of something at the same time, in a log of any length.
ALIVE: Final = 2_000

TYPES: Final = {
    "Applicant": "applicants",
    "Application": "applications",
    "Vacancy": "vacancies",
    "Offer": "offers",
    "Recruiter": "recruiters",
    "Client": "managers",
}
CLIENTS: Final = 40
TIES: Final = 0.3

Event = tuple[datetime, int, str, tuple[str, ...]]


class Generated:
    """One log: read :meth:`events` to their end, then :meth:`objects`."""

    def __init__(self, events: int, seed: int = 7) -> None:
        self._wanted, self._random = events, Random(seed)
        self._waiting: list[Event] = []
        self._made = 0
        self._numbers: Counter[str] = Counter({"Recruiter": TEAMS * 3, "Client": CLIENTS})
        self._open: list[str] = []

    def events(self) -> Iterator[Event]:
        """Make about as many events as were asked for, in order of time."""
        alive = [(self._later(START, 0, 40), self._new("Applicant"), 1) for _ in range(self._abreast)]
        heapify(alive)
        while self._made < self._wanted:
            at, applicant, times = heappop(alive)
            while self._waiting and self._waiting[0][0] <= at:
                yield heappop(self._waiting)
            end = self._application(applicant, at)
            if times < 4 and self._random.random() < 0.75:
                # As in the real log, the next application may come in the very moment of the rejection.
                again = end if self._random.random() < TIES else self._later(end, 1, 20)
                heappush(alive, (again, applicant, times + 1))
            else:
                heappush(alive, (self._later(end, 1, 40), self._new("Applicant"), 1))
        while self._waiting:
            yield heappop(self._waiting)

    def objects(self) -> Iterator[tuple[str, str]]:
        """Name every object with its type."""
        for name, count in self._numbers.items():
            for number in range(1, count + 1):
                yield f"{name} {number}", TYPES[name]

    @property
    def _abreast(self) -> int:
        return min(ALIVE, self._wanted // 25 + 1)

    def _new(self, name: str) -> str:
        self._numbers[name] += 1
        return f"{name} {self._numbers[name]}"

    def _later(self, at: datetime, shortest: float, longest: float) -> datetime:
        return at + timedelta(seconds=round(self._random.uniform(shortest, longest) * 86_400))

    def _add(self, at: datetime, activity: str, *named: str) -> None:
        self._made += 1
        heappush(self._waiting, (at, self._made, activity, named))

    def _vacancy(self, at: datetime) -> str:
        """Name an open vacancy; now and then a new one opens."""
        if not self._open or self._random.random() < 1 / APPLICATIONS_A_VACANCY:
            opened = self._new("Vacancy")
            self._open.append(opened)
            self._add(at, "open vacancy", opened, f"Client {self._random.randint(1, CLIENTS)}")
            self._add(self._later(at, 20, 40), "close vacancy for new applications", opened)
            return opened
        return self._open[-self._random.randint(1, min(len(self._open), self._abreast))]

    def _application(self, applicant: str, at: datetime) -> datetime:
        application, vacancy = self._new("Application"), self._vacancy(at)
        first = 3 * self._random.randrange(TEAMS) + 1
        team = [f"Recruiter {first + seat}" for seat in range(3)]
        both = (applicant, application)
        linked = self._random.random() < 0.5
        self._add(at, "submit application", *both, *([vacancy] if linked else []))
        self._add(at, "assign recruiter", application, *team)
        if not linked:
            at = self._later(at, 0.1, 2)
            self._add(at, "assign vacancy", application, vacancy)
        at = self._later(at, 0.5, 9)
        self._add(at, "first screening", application, team[0])
        course = self._random.choices([each for each, _ in COURSES], [weight for _, weight in COURSES])[0]
        if course != "not-submitted":
            at = self._later(at, 0.5, 4)
            self._add(at, "check references", application, *team[1:])
            at = self._later(at, 0.5, 6)
            self._add(at, "consult manager", application, team[0], "Client 1")
        if course in ("interviewed", "declined", "hired"):
            at = self._later(at, 0.5, 5)
            self._add(at, "invite for interview", *both, vacancy, *team[1:])
            at = self._later(at, 1, 6)
            self._add(at, "conduct interview", *both, vacancy, team[0], "Client 1")
        at = self._later(at, 0.2, 8)
        if course not in ("declined", "hired"):
            self._add(at, "send rejection", *both, team[0])
            return at
        return self._offer(both, vacancy, team[0], at, hired=course == "hired")

    def _offer(
        self, both: tuple[str, str], vacancy: str, recruiter: str, at: datetime, *, hired: bool
    ) -> datetime:
        offer = self._new("Offer")
        self._add(at, "make job offer", *both, offer, vacancy, recruiter, "Client 1")
        at = self._later(at, 0.5, 3)
        outcome = "offer accepted and hired" if hired else "job offer declined"
        self._add(at, outcome, *both, offer, vacancy, recruiter)
        return at


def write(path: Path, events: int, seed: int = 7) -> int:
    """This will write a log to a file and return how many events it holds."""
    log, count = Generated(events, seed), 0
    with path.open("w", encoding="utf-8") as out:
        out.write('{"ocel:global-log":{"ocel:object-types":' + json.dumps(sorted(TYPES.values())))
        out.write('},"ocel:events":{')
        for at, _, activity, named in log.events():
            count += 1
            told = {
                "ocel:activity": activity,
                "ocel:timestamp": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "ocel:omap": named,
                "ocel:vmap": {},
            }
            out.write(f'{"," if count > 1 else ""}\n"{count}":{json.dumps(told)}')
        out.write('},"ocel:objects":{')
        for number, (name, kind) in enumerate(log.objects()):
            told = {"ocel:type": kind, "ocel:ovmap": {}}
            out.write(f"{',' if number else ''}\n{json.dumps(name)}:{json.dumps(told)}")
        out.write("}}\n")
    return count


if __name__ == "__main__":
    print(write(Path(sys.argv[1]), int(sys.argv[2])))
