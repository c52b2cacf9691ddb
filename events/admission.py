"""A command and a state to the events of the world it leads to: may it be decided, and what do the gates say.

No promise has heard of them yet: whoever records them lets :func:`events.obligations.react` follow each.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from events import catalogue as e
from events import commands as c
from events.canonical import canonical
from events.context import Context
from events.decide import decide
from events.envelope import Claim, Stored
from events.errors import ClosedEngagement, InvalidCommand, StaleVersion, UnknownEngagement, WrongState
from events.gates import INTENT_OF_REPORT, unmet
from events.making import made
from events.offices import with_offices
from events.personal import personal_fields
from events.policy import GateRule, Policy
from events.state import Engagement

FUTURE_TOLERANCE: Final = timedelta(minutes=5)
LATE_REPORTS: Final = frozenset(
    {
        "record-contact",
        "record-attempt",
        "stop-outreach",
        "allow-outreach",
        "record-bounce",
        "record-message",
        "request-call",
        "record-check",
        "record-client-talk",
        "annul-event",
        "excuse-obligation",
        "record-outreach",
        "refuse-message",
    }
)


def decided_by(
    command: c.AnyCommand,
    state: Engagement,
    policy: Policy,
    ctx: Context,
    history: Sequence[Stored] = (),
    taken: Claim | None = None,
) -> tuple[list[e.AnyEvent], str]:
    """Say what a command leads to before any promise hears of it, gates asked; and its outcome.

    :raises CallerError: a caller's mistake; nothing happens.
    """
    may_be_decided(command, state, ctx)
    if taken is not None and taken.kind == "engagement-of-candidate":
        raise WrongState("this candidate has an engagement with the agency already; rapport list names it")
    # Decided first: a caller's mistake is one whatever the gates say, and a repeat has nothing to pass.
    decided = decide(command, state, ctx, policy, history)
    if not decided:
        return [], "nothing-to-do"
    failing = _unmet(command, state, policy, ctx, taken)
    if type(command).kind == "intent":
        blocked = next((gate for gate in failing if gate.mode == "enforce"), None)
        if blocked is not None:
            return [_refusal(command, blocked, ctx)], "refused"
    outcome = "message-refused" if isinstance(command, c.RefuseMessage) else "accepted"
    return [*_bypassed(command, failing, ctx), *with_offices(decided, command, state, ctx)], outcome


def must_be_at(version: int, expected: int | None) -> None:
    """Refuse a command that its caller gave for another version of the stream; None: for any.

    Steps that are due before the command count only once they are recorded: nobody can have seen them.

    :raises StaleVersion: the stream is elsewhere.
    """
    if expected is not None and version != expected:
        raise StaleVersion(expected, version)


def may_be_decided(command: c.AnyCommand, state: Engagement, ctx: Context) -> None:
    """Make sure that the engagement can have the command at all, whatever the gates say.

    :raises CallerError: it was never opened, is closed, or the command speaks of the future.
    """
    if state.opened_at is None and command.name != "open-engagement":
        raise UnknownEngagement(ctx.stream.partition(":")[2])
    if state.closed and command.name not in LATE_REPORTS:
        raise ClosedEngagement(state.engagement_id)
    if ctx.at > ctx.now + FUTURE_TOLERANCE:
        raise InvalidCommand(
            f"{command.name}: 'at' says when it happened, and that is in the future; "
            "leave it out or correct it"
        )


def _unmet(
    command: c.AnyCommand, state: Engagement, policy: Policy, ctx: Context, taken: Claim | None
) -> list[GateRule]:
    guard = "no-double-submission" if taken is not None and taken.kind == "live-submission" else None
    return unmet(command, command.name, state, policy, ctx.now, guard)


def _bypassed(command: c.AnyCommand, failing: Sequence[GateRule], ctx: Context) -> list[e.AnyEvent]:
    report = type(command).kind == "report"
    if report and command.name not in INTENT_OF_REPORT:
        return []
    return [
        made(
            e.GateBypassed,
            at=ctx.at,
            command=command.name,
            gate=gate.id,
            mode=gate.mode,
            why="report" if report else "mode",
            job_order_id=getattr(command, "job_order_id", None),
            submission_id=getattr(command, "submission_id", None),
        )
        for gate in failing
    ]


def _refusal(command: c.AnyCommand, gate: GateRule, ctx: Context) -> e.CommandRefused:
    personal = set(personal_fields(type(command)))
    words = command.model_dump(include=personal, exclude_none=True)
    return e.CommandRefused(
        at=ctx.at,
        command=command.name,
        gate=gate.id,
        says=gate.says,
        remedy=gate.remedy,
        job_order_id=getattr(command, "job_order_id", None),
        submission_id=getattr(command, "submission_id", None),
        given=canonical(command.model_dump(exclude=personal)),
        content=canonical(words) if words else None,
    )
