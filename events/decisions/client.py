"""Decisions about words with the client, and about disputes over who presented the candidate.

A talk with the client is never contact with the candidate: it keeps no promise of ours to hear from us.
"""

from events import catalogue as e
from events import commands as c
from events.context import Context
from events.decisions.placement import known_placement
from events.decisions.submission import known_submission
from events.errors import InvalidCommand, NotAllowed, UnknownReference, WrongState
from events.state import Conflict, Engagement


def record_client_talk(command: c.RecordClientTalk, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record that a person talked with the client, once per id; a client who is not content is a concern.

    :raises NotAllowed: the engine claims to have talked.
    :raises UnknownReference: no such submission or placement.
    :raises InvalidCommand: it says how somebody does and not where, or is a check-in and does not say how.
    """
    if ctx.actor.kind == "engine":
        raise NotAllowed("an automated message is no talk with the client; only a person's words are")
    if command.submission_id is not None:
        known_submission(state, command.submission_id)
    if command.placement_id is not None:
        known_placement(state, command.placement_id)
    if command.excels is not None and command.placement_id is None:
        raise InvalidCommand("excels says how somebody does in a placement; name it: placement_id=ID")
    if command.purpose == "check-in" and command.excels is None:
        raise InvalidCommand(
            "a check-in with the client says whether they excel: excels=yes, partly or no, and "
            "placement_id=ID; a talk that does not ask is purpose=talk"
        )
    key = ctx.new_id("client-talk", command.client_talk_id)
    if key in state.client_talks:
        return []
    told: list[e.AnyEvent] = [
        e.TalkedWithClient(
            at=ctx.at,
            client_talk_id=key,
            by=ctx.person(command.by),
            channel=command.channel,
            purpose=command.purpose,
            submission_id=command.submission_id,
            placement_id=command.placement_id,
            excels=command.excels,
            note=command.note,
        )
    ]
    if command.excels == "no" and command.placement_id is not None and not state.closed:
        told.append(e.ConcernRaised(at=ctx.at, placement_id=command.placement_id, raised_by="client"))
    return told


def open_conflict(command: c.OpenConflict, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record that somebody else claims the candidate on a job, once per id.

    :raises UnknownReference: no such submission.
    :raises WrongState: the id is that of a conflict over another job, or the submission is for another.
    """
    if command.submission_id is not None:
        found = known_submission(state, command.submission_id)
        if found.job_order_id != command.job_order_id:
            raise WrongState(
                f"submission '{command.submission_id}' is for job order '{found.job_order_id}', "
                f"not '{command.job_order_id}'"
            )
    conflict_id = ctx.new_id("conflict", command.conflict_id)
    known = state.conflicts.get(conflict_id)
    if known is not None:
        if known.job_order_id != command.job_order_id:
            raise WrongState(
                f"conflict '{conflict_id}' is over job order '{known.job_order_id}'; "
                "give the new one its own id"
            )
        return []
    return [
        e.OwnershipConflictOpened(
            at=ctx.at,
            conflict_id=conflict_id,
            job_order_id=command.job_order_id,
            submission_id=command.submission_id,
            kind=command.conflict,
            other=command.other,
            details=command.details,
        )
    ]


def add_conflict_evidence(
    command: c.AddConflictEvidence, state: Engagement, ctx: Context
) -> list[e.AnyEvent]:
    """Record something that shows who was first, once per place where it lies.

    :raises UnknownReference: no such conflict.
    """
    if command.evidence_ref in _known_conflict(state, command.conflict_id).evidence:
        return []
    return [
        e.ConflictEvidenceAdded(
            at=ctx.at,
            conflict_id=command.conflict_id,
            kind=command.evidence,
            evidence_ref=command.evidence_ref,
            dated=command.dated,
        )
    ]


def resolve_conflict(command: c.ResolveConflict, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record how a conflict ended; another outcome later is a second event.

    :raises UnknownReference: no such conflict.
    """
    found = _known_conflict(state, command.conflict_id)
    if found.outcome == command.outcome:
        return []
    return [
        e.OwnershipConflictResolved(
            at=ctx.at,
            conflict_id=command.conflict_id,
            job_order_id=found.job_order_id,
            submission_id=found.submission_id,
            outcome=command.outcome,
            reason=command.reason,
        )
    ]


def _known_conflict(state: Engagement, key: str) -> Conflict:
    found = state.conflicts.get(key)
    if found is None:
        raise UnknownReference("conflict", key, "open it with open-conflict first")
    return found
