"""What a provider has to tell: of each engagement a life in which order matters, a message at its own time.

The life is drawn from the seed alone, and is one that could have happened: told in its order, all of it fits.
"""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from events.canonical import instant

EVERY: Final = timedelta(minutes=7)
SUBMISSIONS: Final = ("s-1", "s-2")
# The second one is told by a message, before which nothing about its interview can be applied.
KNOWN_BEFORE: Final = SUBMISSIONS[0]
RECRUITER: Final = "r-1"
_WORDS: Final = 0.35
_TIMES: Final = frozenset(
    {
        "record-interview-scheduled",
        "move-interview",
        "cancel-interview",
        "record-interview-held",
        "record-interview-missed",
    }
)


@dataclass(frozen=True, slots=True)
class Told:
    """One message."""

    id: str
    engagement: str
    name: str
    fields: Mapping[str, Any]
    at: datetime

    @property
    def about(self) -> str | None:
        """Name what it tells the present state of; None: a fact, which nothing newer makes untrue."""
        if self.name in _TIMES:
            return f"{self.engagement} {self.fields['interview_id']} time"
        if self.name == "record-interview-result":
            return f"{self.engagement} {self.fields['interview_id']} result"
        return None

    def body(self) -> str:
        """Write it as the sender does."""
        return json.dumps(
            {
                "type": f"rapport.command.{self.name}",
                "timestamp": instant(self.at),
                "subject": self.engagement,
                "data": dict(self.fields),
            }
        )


def lives(seed: int, messages: int, engagements: int, begin: datetime) -> list[Told]:
    """Tell so many messages of so many engagements, each engagement's in the order of their times."""
    told: list[Told] = []
    for number in range(engagements):
        chance = random.Random(f"life {seed} {number}")
        count = messages // engagements + (number < messages % engagements)
        told += _life(f"e-{number}", count, begin + timedelta(seconds=number), chance)
    return told


def held_back(told: Sequence[Told]) -> list[Told]:
    """Choose of each engagement a message that comes when something newer about the same is long applied."""
    last = {each.about: each for each in told}
    first = {each.about: each for each in reversed(told)}
    # Without the first one the others would have to wait for it.
    within = [each for each in told if each.about is not None]
    within = [each for each in within if each is not first[each.about] and each is not last[each.about]]
    return list({each.engagement: each for each in within}.values())


@dataclass
class _Interview:
    """How an interview stands in the life that is being told."""

    id: str
    submission: str
    status: str = "requested"
    results: list[str] = field(default_factory=list)


def _life(engagement: str, count: int, begin: datetime, chance: random.Random) -> Iterator[Told]:
    interviews = [_Interview(f"i-{number}", each) for number, each in enumerate(SUBMISSIONS, 1)]
    submitted = {KNOWN_BEFORE}
    for number in range(count):
        at = begin + number * EVERY
        one = chance.choice(interviews)
        if one.submission not in submitted:
            submitted.add(one.submission)
            name, fields = "record-submission", {"job_order_id": "j-2", "submission_id": one.submission}
        elif chance.random() < _WORDS and number > 1:
            name, fields = _words(number, chance)
        else:
            name, fields = _next(one, begin, chance)
        yield Told(f"msg_{engagement}_{number}", engagement, name, fields, at)


def _words(number: int, chance: random.Random) -> tuple[str, dict[str, str]]:
    if chance.random() < 0.5:
        return "record-message", {"message_id": f"w-{number}", "words": "Hello?"}
    return "record-contact", {"contact_id": f"k-{number}", "by": RECRUITER, "channel": "phone"}


def _next(one: _Interview, begin: datetime, chance: random.Random) -> tuple[str, dict[str, str]]:
    """Go one step on with an interview: times and results change, and only a held one has any result."""
    about = {"interview_id": one.id}
    # Weeks ahead, so that none of them comes due while this runs.
    starts = {"starts_at": instant(begin + timedelta(days=20, hours=chance.randrange(1000)))}
    match one.status:
        case "requested" | "cancelled":
            one.status = "scheduled"
            return "record-interview-scheduled", {**about, **starts, "submission_id": one.submission}
        case "missed":
            one.status = "scheduled"
            return "move-interview", {**about, **starts}
        case "held":
            others = [each for each in ("advance", "hold", "reject") if each not in one.results[-1:]]
            one.results.append(chance.choice(others))
            return "record-interview-result", {**about, "result": one.results[-1]}
    became = chance.choices(("scheduled", "cancelled", "held", "missed"), (6, 3, 2, 1))[0]
    one.status = became
    if became == "scheduled":
        return "move-interview", {**about, **starts}
    name = "cancel-interview" if became == "cancelled" else f"record-interview-{became}"
    return name, about
