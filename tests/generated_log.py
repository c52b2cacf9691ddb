"""A recruiting log of the real one's shape, made by the tests: OCEL 1.0, its ids and its dates invented.

The same seed gives the same log to the byte.
"""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

START = datetime(2021, 3, 1, 8, 0, tzinfo=UTC)
TEAMS = 6
# How an application may go, and how often (as in the real log, roughly).
COURSES = (
    ("not-submitted", 3),
    ("submitted", 4),
    ("interviewed", 4),
    ("declined", 1),
    ("hired", 2),
)


@dataclass
class GeneratedLog:
    """The events so far, in the order in which they were made."""

    random: Random
    made: list[tuple[datetime, str, tuple[str, ...]]] = field(default_factory=list)
    kinds: dict[str, str] = field(default_factory=dict)
    free: list[str] = field(default_factory=list)

    def add(self, at: datetime, activity: str, **objects: str | list[str]) -> None:
        """Note an event; keywords are object types with the names of their objects."""
        named: list[str] = []
        for kind, names in objects.items():
            for name in [names] if isinstance(names, str) else names:
                self.kinds[name] = kind
                named.append(name)
        self.made.append((at, activity, tuple(named)))

    def after(self, at: datetime, shortest: float, longest: float) -> datetime:
        """Give a moment some days later, to the second."""
        return at + timedelta(seconds=round(self.random.uniform(shortest, longest) * 86_400))

    def document(self) -> dict[str, Any]:
        """Write the log as OCEL 1.0."""
        events = sorted(self.made, key=lambda event: event[0])
        return {
            "ocel:global-log": {"ocel:object-types": sorted(set(self.kinds.values()))},
            "ocel:events": {
                str(number): {
                    "ocel:activity": activity,
                    "ocel:timestamp": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                    "ocel:omap": list(named),
                    "ocel:vmap": {},
                }
                for number, (at, activity, named) in enumerate(events, start=1)
            },
            "ocel:objects": {
                name: {"ocel:type": kind, "ocel:ovmap": {}} for name, kind in self.kinds.items()
            },
        }


def generate(applicants: int = 20, vacancies: int = 12, seed: int = 7) -> bytes:
    """Make a log: vacancies open first, applicants come one after the other, every application ends."""
    log = GeneratedLog(Random(seed))
    names = [f"Vacancy[{number}] - Made Up" for number in range(1, vacancies + 1)]
    for name in names:
        log.add(START, "open vacancy", vacancies=name, managers=f"Client {log.random.randint(1, 3)}")
    log.free = list(names)
    last = START
    for number in range(1, applicants + 1):
        begin = log.after(START, 0, 40)
        for _ in range(log.random.choice((1, 1, 2, 3))):
            end = _application(log, f"Applicant {number}", begin, names)
            # As in the real log, the next application may come in the very moment of the rejection.
            begin = end if log.random.random() < 0.3 else log.after(end, 1, 20)
        last = max(last, begin)
    for name in names:
        _end_vacancy(log, name, last)
    return json.dumps(log.document()).encode()


def _application(log: GeneratedLog, applicant: str, at: datetime, vacancies: list[str]) -> datetime:
    application = f"Application[{sum(kind == 'applications' for kind in log.kinds.values()) + 1}]"
    vacancy = log.random.choice(vacancies)
    team = [f"Recruiter {log.random.randint(0, TEAMS - 1) * 3 + seat}" for seat in range(3)]
    both = {"applicants": applicant, "applications": application}
    linked = log.random.random() < 0.5
    log.add(at, "submit application", **both, **({"vacancies": vacancy} if linked else {}))
    # The real log has ties in time: here the team is named in the very moment of the application.
    log.add(at, "assign recruiter", applications=application, recruiters=team)
    if not linked:
        at = log.after(at, 0.1, 2)
        log.add(at, "assign vacancy", applications=application, vacancies=vacancy)
    at = log.after(at, 0.5, 9)
    log.add(at, "first screening", applications=application, recruiters=team[0])
    course = log.random.choices([each for each, _ in COURSES], [weight for _, weight in COURSES])[0]
    if course != "not-submitted":
        at = log.after(at, 0.5, 4)
        log.add(at, "check references", applications=application, recruiters=team[1:])
        at = log.after(at, 0.5, 6)
        log.add(at, "consult manager", applications=application, recruiters=team[0], managers="Client 1")
    if course in ("interviewed", "declined", "hired"):
        at = log.after(at, 0.5, 5)
        log.add(at, "invite for interview", **both, vacancies=vacancy, recruiters=team[1:])
        at = log.after(at, 1, 6)
        log.add(at, "conduct interview", **both, vacancies=vacancy, recruiters=team[0], managers="Client 1")
    at = log.after(at, 0.2, 8)
    if course in ("declined", "hired"):
        return _offer(log, both, vacancy, team[0], at, hired=course == "hired")
    log.add(at, "send rejection", **both, recruiters=team[0])
    return at


def _offer(
    log: GeneratedLog, both: dict[str, str], vacancy: str, recruiter: str, at: datetime, *, hired: bool
) -> datetime:
    offer = f"Offer[{sum(kind == 'offers' for kind in log.kinds.values()) + 1}]"
    log.add(
        at,
        "make job offer",
        **both,
        offers=offer,
        vacancies=vacancy,
        recruiters=recruiter,
        managers="Client 1",
    )
    at = log.after(at, 0.5, 3)
    if hired and log.free:
        # Often another vacancy than the offer's own: the contradiction that the real log is full of.
        filled = vacancy if vacancy in log.free and log.random.random() < 0.3 else log.random.choice(log.free)
        log.free.remove(filled)
        log.add(at, "offer accepted and hired", **both, offers=offer, vacancies=filled, recruiters=recruiter)
    else:
        log.add(at, "job offer declined", **both, offers=offer, vacancies=vacancy, recruiters=recruiter)
    return at


def _end_vacancy(log: GeneratedLog, name: str, last: datetime) -> None:
    if log.random.random() < 0.3:
        log.add(log.after(START, 1, 20), "change manager", vacancies=name, managers=["Client 1", "Client 4"])
    log.add(START + timedelta(days=1), "close vacancy for new applications", vacancies=name)
    if name in log.free:
        log.add(log.after(last, 1, 5), "close vacancy (no hire)", vacancies=name)
