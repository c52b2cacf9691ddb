"""One row for each message that the engine ever owed, and what became of it.

It says what the log says; an attempt under way is in the ledger of effects alone.
"""

from typing import Any
from uuid import UUID

from events import catalogue as e
from events.projections.projection import Projection, Told, itself, types

COLUMNS = (
    "effect_id",
    "state",
    "channel",
    "recipient",
    "owner",
    "person",
    "template",
    "rule",
    "obligation_id",
    "subject",
    "level",
    "due_at",
    "not_before",
    "requested_at",
    "settled_at",
    "attempt",
    "reason",
    "requested_position",
    "settled_position",
)
Row = tuple[Any, ...]
Account = dict[UUID, dict[str, Any]]


def _apply(account: Account, event: Any, told: Told, _life: object) -> None:
    match event:
        case e.OutreachRequested():
            account[event.effect_id] = {
                "effect_id": event.effect_id,
                "state": "owed",
                "channel": event.channel,
                "recipient": event.to,
                "owner": event.owner,
                "template": event.template,
                "rule": event.rule,
                "obligation_id": event.obligation_id,
                "subject": event.subject,
                "level": event.level,
                "due_at": event.due_at,
                "not_before": event.not_before,
                "requested_at": event.at,
                "attempt": 0,
                "requested_position": told.position,
            }
        case e.OutreachSent():
            _settle(account, event, told, "sent", person=event.person, attempt=event.attempt)
        case e.OutreachFailed():
            _settle(account, event, told, "failed", reason=event.reason, attempt=event.attempt)
        case e.OutreachWithheld():
            _settle(account, event, told, "withheld", reason=event.rule)


def _settle(account: Account, event: Any, told: Told, state: str, **changes: Any) -> None:
    before = account.get(event.effect_id)
    if before is not None:
        settled = {"state": state, "settled_at": event.at, "settled_position": told.position}
        account[event.effect_id] = {**before, **settled, **changes}


def _row(_key: str, item: dict[str, Any]) -> Row:
    return tuple(item.get(name) for name in COLUMNS)


PROJECTION = Projection(
    "outreach",
    1,
    "engagement",
    COLUMNS,
    itself,
    _row,
    types(e.OutreachRequested, e.OutreachSent, e.OutreachFailed, e.OutreachWithheld),
    _apply,
    key_type="uuid",
)
