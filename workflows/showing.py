"""What Temporal's own pages show of an engagement: search attributes, details, summaries.

They are stored unencrypted or shown to whoever may open Temporal: codes and opaque ids only.
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from temporalio import workflow
from temporalio.common import SearchAttributeKey

from events.canonical import instant
from events.state import Engagement, OpenObligation

AGENCY: Final = SearchAttributeKey.for_keyword("RapportAgency")
STAGE: Final = SearchAttributeKey.for_keyword("RapportStage")
OWNER: Final = SearchAttributeKey.for_keyword("RapportOwner")
LEVEL: Final = SearchAttributeKey.for_int("RapportLevel")


def show_attributes(state: Engagement) -> None:
    """Write the search attributes that differ from those that the workflow has."""
    shown = workflow.info().typed_search_attributes
    wanted: list[tuple[SearchAttributeKey[Any], Any]] = [
        (AGENCY, state.agency),
        (STAGE, state.stage),
        (OWNER, state.candidate_owner),
        (LEVEL, state.level),
    ]
    updates = [
        key.value_unset() if value is None else key.value_set(value)
        for key, value in wanted
        if shown.get(key) != value
    ]
    if updates:
        workflow.upsert_search_attributes(updates)


def details(state: Engagement, now: datetime) -> str:
    """Say in plain words how the engagement stands."""
    lines = [
        f"Stage: {state.stage}. Posture: {state.posture(now)}. Version {state.version} of the record.",
        f"Candidate owner: {state.candidate_owner or 'nobody yet'}.",
    ]
    promises = sorted(state.obligations.values(), key=lambda promise: promise.due_at)
    lines += [f"- {each.rule}: due {_moment(each.due_at)}, level {each.level}" for each in promises]
    return "\n".join(lines) if promises else "\n".join([*lines, "No promise is open."])


def promise(key: UUID, each: OpenObligation) -> dict[str, str | int]:
    """Write an open promise as plain data."""
    return {
        "obligation_id": str(key),
        "rule": each.rule,
        "subject": each.subject,
        "awaits": each.awaits,
        "owner": each.owner_role,
        "due_at": instant(each.due_at),
        "level": each.level,
    }


def timer_summary(state: Engagement, due: datetime) -> str:
    """Say what a timer waits for."""
    rules = {each.rule for each in state.obligations.values() if any(rung.at == due for rung in each.rungs)}
    if not rules:
        return f"A message waits for the end of quiet hours at {_moment(due)}"
    return f"Next step of {', '.join(sorted(rules))} at {_moment(due)}"


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")
