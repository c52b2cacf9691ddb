"""What a message will give, as it is kept before anything of it is given.

Once begun, a message is carried out by its plan, whatever its mapping says by then: so a crash in the middle
gives the same commands under the same ids, and never half of one meaning and half of another.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from events.canonical import canonical, instant, parse_instant
from events.integrations.meaning import Means, Wanted
from events.log.boxes import find_and_open, shut
from events.log.keys import KeyStore
from workers.inbox.connections import subject
from workers.inbox.links import Link, Target

_JOB_ORDER: Final = "job-order:"


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a message; its place among them makes its id, also where another is left out."""

    ordinal: int
    engagement: str | None
    job_order: str | None
    name: str
    fields: Mapping[str, Any] = field(repr=False)
    at: datetime

    @property
    def about(self) -> str:
        """Name what it is about, as the inbox lists it: an engagement's id, or a job order's stream."""
        return self.engagement if self.engagement is not None else f"{_JOB_ORDER}{self.job_order}"

    def command_id(self, message_id: UUID) -> str:
        """Give the id under which it is given, at every try."""
        return f"hook:{message_id}:{self.ordinal}"

    def data(self) -> dict[str, Any]:
        """Write it as flat fields, as any door gets them; who says it is not among them."""
        return {**self.fields, "at": instant(self.at)}


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a message gives and teaches."""

    steps: tuple[Step, ...]
    learns: tuple[Link, ...] = ()
    left_out: int = 0
    """How many commands something newer has overtaken."""

    @property
    def about(self) -> frozenset[str]:
        """Name everything that its commands are about."""
        return frozenset(each.about for each in self.steps)

    def without(self, steps: Iterable[Step]) -> "Plan":
        """Leave commands out that something newer has overtaken."""
        gone = set(map(id, steps))
        left = tuple(each for each in self.steps if id(each) not in gone)
        return replace(self, steps=left, left_out=self.left_out + len(self.steps) - len(left))


def plan_of(means: Means, occurred_at: datetime, told_at: datetime) -> Plan:
    """Write down what a message means; a command without a time of its own has the message's.

    *told_at* is when we heard of it: what is told to lie ahead of that has happened by then.
    """
    steps = tuple(
        _step(number, each, min(each.at or occurred_at, told_at))
        for number, each in enumerate(means.commands)
    )
    learns = tuple(
        Link(each.kind, each.external, Target(each.engagement, each.ours, each.job_order))
        for each in means.learns
    )
    return Plan(steps, learns)


async def seal_plan(keys: KeyStore, agency: str, connection_id: str, message_id: UUID, plan: Plan) -> bytes:
    """Seal a plan as the body that it comes from."""
    key = await keys.get_or_create(agency, subject(connection_id))
    return shut(key, _write(plan).encode(), agency, str(message_id), "plan")


async def open_plan(keys: KeyStore, agency: str, message_id: UUID, box: bytes) -> Plan | None:
    """Open a plan; None: the connection's key is destroyed."""
    plain = await find_and_open(keys, agency, box, str(message_id), "plan")
    return None if plain is None else _read(plain.decode())


def _step(number: int, wanted: Wanted, at: datetime) -> Step:
    job_order = wanted.job_order.removeprefix(_JOB_ORDER) if wanted.job_order is not None else None
    # Through JSON once, so that a plan that was kept and one that was not give the same content.
    fields = json.loads(canonical(dict(wanted.fields)))
    return Step(number, wanted.engagement, job_order, wanted.name, fields, at)


def _write(plan: Plan) -> str:
    steps = [
        {
            "ordinal": each.ordinal,
            "engagement": each.engagement,
            "job_order": each.job_order,
            "name": each.name,
            "fields": dict(each.fields),
            "at": each.at,
        }
        for each in plan.steps
    ]
    learns = [
        [each.kind, each.external, each.target.engagement, each.target.ours, each.target.job_order]
        for each in plan.learns
    ]
    return canonical({"steps": steps, "learns": learns, "left_out": plan.left_out})


def _read(text: str) -> Plan:
    kept = json.loads(text)
    steps = tuple(Step(**{**each, "at": parse_instant(each["at"])}) for each in kept["steps"])
    learns = tuple(Link(kind, external, Target(*target)) for kind, external, *target in kept["learns"])
    return Plan(steps, learns, kept["left_out"])
