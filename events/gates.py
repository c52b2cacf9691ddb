"""The gates: what an intent needs before the engine allows it, one function each.

A gate never refuses a report: what has happened is recorded, with ``gate-bypassed`` beside it.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from events.commands import Command
from events.policy import GateRule, Policy
from events.state import Engagement

Needs = Mapping[str, Any]
# True: what the gate needs is there.
Gate = Callable[[Command, Engagement, Needs, datetime], bool]

# A report is judged by the gates of the intent that it tells the outcome of.
INTENT_OF_REPORT: Final = {
    "record-proposal": "propose-job",
    "record-submission": "submit",
    "record-interview-scheduled": "schedule-interview",
}


def know_each_other_first(command: Command, state: Engagement, needs: Needs, now: datetime) -> bool:
    """Ask for a real conversation and a completed intake, as far as the policy wants each."""
    talked = state.conversations > 0 or not needs.get("conversation", True)
    return talked and (state.intake_completed or not needs.get("intake", True))


def right_to_represent(command: Command, state: Engagement, needs: Needs, now: datetime) -> bool:
    """Ask for the candidate's agreement to this one job: given, not expired, not revoked."""
    right = state.rights.get(getattr(command, "job_order_id", ""))
    if right is None or right.revoked:
        return False
    return right.expires_at is None or now < right.expires_at


def no_double_submission(command: Command, state: Engagement, needs: Needs, now: datetime) -> bool:
    """Ask that the candidate is not already in front of this client for this job."""
    job_order = getattr(command, "job_order_id", "")
    return all(each.job_order_id != job_order for each in state.live_submissions.values())


def not_while_paused(command: Command, state: Engagement, needs: Needs, now: datetime) -> bool:
    """Ask that the candidate has not wished for quiet."""
    return not state.paused(now)


GATES: Final[Mapping[str, Gate]] = {
    "know-each-other-first": know_each_other_first,
    "right-to-represent": right_to_represent,
    "no-double-submission": no_double_submission,
    "not-while-paused": not_while_paused,
}


def unmet(
    command: Command, name: str, state: Engagement, policy: Policy, now: datetime, taken: str | None = None
) -> list[GateRule]:
    """List the policy's gates that this command does not pass, in the policy's order.

    *taken* names a gate that the log has found unmet, because another stream holds what it guards.
    """
    guarded = INTENT_OF_REPORT.get(name, name)
    return [
        gate
        for gate in policy.gates
        if guarded in gate.guards
        and (gate.id == taken or (gate.id in GATES and not GATES[gate.id](command, state, gate.needs, now)))
    ]
