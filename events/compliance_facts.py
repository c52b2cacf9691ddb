"""Rows of the read models, or of the same fold made on the spot, as the facts of a compliance report.

Both ways lead through here, so that a report from the log and one from the tables can only agree.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from events.compliance import Fact, Happening, Kind, Promise, is_counted
from events.envelope import Stored
from events.projections import contacts, findings, obligations
from events.projections.folding import fold_stream, rows_of
from events.projections.projection import Projection, Told

Row = Mapping[str, Any]
Rules = Mapping[str, Sequence[str]]
NO_RULES: Final[Rules] = {}
PROJECTIONS: Final = (obligations.PROJECTION, contacts.PROJECTION, findings.PROJECTION)
# What is read of each table, beside its stream.
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "obligations": (
        "obligation_id",
        "rule",
        "subject",
        "outcome",
        "stage",
        "owner",
        "breach_owner",
        "due_at",
        "met_at",
        "ended_at",
        *(f"{what}_{of}" for of in ("position", "event") for what in obligations.TOLD_BY),
    ),
    "contacts": (
        "event_id",
        "position",
        "kind",
        "by_person",
        "evidence",
        "placements",
        "at",
        "stage",
        "owner",
        "likes",
        "excels",
    ),
    "findings": ("kind", "event_id", "position", "rule", "detail", "subject", "at", "stage", "owner"),
}
_GATES: Final[Mapping[str, Kind]] = {"command-refused": "refused", "gate-bypassed": "bypassed"}


def facts_of(events: Sequence[Stored], rules: Rules = NO_RULES) -> Iterator[Fact]:
    """Fold one whole stream of an engagement and tell its facts.

    :raises ValueError: an event cannot be folded.
    """
    folded = fold_stream([told_of(each) for each in events], PROJECTIONS)
    for broken in folded.broken.values():
        raise ValueError(broken.says)
    for projection in PROJECTIONS:
        for row in rows_of(folded, projection):
            yield from facts_from(projection.name, folded.stream, _named(projection, row), rules)


def facts_from(table: str, stream: str, row: Row, rules: Rules = NO_RULES) -> Iterator[Fact]:
    """Tell the facts of one row of a table; *rules* are those of the policies that rows ask for."""
    engagement = stream.partition(":")[2]
    match table:
        case "obligations":
            if is_counted(row["outcome"]):
                yield _promise(engagement, row)
        case "contacts":
            yield from _contact(engagement, row)
        case "findings":
            kind = _GATES.get(row["kind"])
            if kind is not None:
                yield _happening(kind, engagement, row["rule"], row["owner"], row)
            elif (digest := policy_asked(row)) is not None:
                shown = row["detail"].split()
                for rule in rules.get(digest, ()):
                    if rule not in shown:
                        yield _happening("not-judgeable", engagement, rule, row["owner"], row)


def policy_asked(row: Row) -> str | None:
    """Name the policy whose rules a row of the findings asks for, by its digest."""
    return row["subject"].removeprefix("policy:") if row["kind"] == findings.PAST else None


def told_of(stored: Stored) -> Told:
    """Give an event as the projector reads it."""
    shared = {
        name: getattr(stored, name) for name in Told._fields if hasattr(stored, name) and name != "opened"
    }
    return Told(**shared, actor_kind=stored.actor.kind, actor_id=stored.actor.id)


def _named(projection: Projection, row: tuple[Any, ...]) -> Row:
    return dict(zip(projection.columns, row, strict=True))


def _promise(engagement: str, row: Row) -> Promise:
    told = [(row[f"{what}_position"], row[f"{what}_event"]) for what in obligations.TOLD_BY]
    breached = row["breach_event"] is not None
    return Promise(
        engagement=engagement,
        obligation_id=str(row["obligation_id"]),
        rule=row["rule"],
        subject=row["subject"],
        outcome=row["outcome"],
        stage=row["stage"],
        owner=row["breach_owner"] if breached else row["owner"],
        breached=breached,
        due_at=row["due_at"],
        ended_at=row["ended_at"],
        met_at=row["met_at"],
        events=tuple(
            dict.fromkeys(event for _, event in sorted(each for each in told if each[1] is not None))
        ),
    )


def _contact(engagement: str, row: Row) -> Iterator[Happening]:
    if row["kind"] == "contact":
        kind: Kind = "asserted" if row["evidence"] == "asserted" else "contact"
        yield _happening(kind, engagement, None, row["by_person"], row)
    for said in ("likes", "excels"):
        if row[said] is None:
            continue
        side: Kind = "likes" if said == "likes" else "excels"
        for placement in row["placements"] or (None,):
            yield _happening(side, engagement, placement, row["owner"], row, row[said])


def _happening(
    kind: Kind, engagement: str, what: str | None, owner: str | None, row: Row, verdict: str | None = None
) -> Happening:
    at: datetime = row["at"]
    event: UUID = row["event_id"]
    return Happening(kind, engagement, what, at, row["stage"], owner, event, verdict)
