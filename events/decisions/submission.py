"""Decisions from a proposed job to the client's answer.

The candidate alone decides where their name goes: a right to represent is given by them or proved.
"""

from events import catalogue as e
from events import commands as c
from events.context import Context
from events.decisions.application import known_application
from events.envelope import Claim
from events.errors import InvalidCommand, NeedsEvidence, NotAllowed, UnknownReference, WrongState
from events.making import made
from events.state import Engagement, Right, Submission


def propose_job(
    command: c.ProposeJob | c.RecordProposal, state: Engagement, ctx: Context
) -> list[e.AnyEvent]:
    """Put a job to the candidate, once until they have answered.

    :raises InvalidCommand: an override of the floor lacks its person or its reason.
    :raises NotAllowed: something that is no person overrides the floor.
    """
    if (command.override_by is None) != (command.override_reason is None):
        raise InvalidCommand(
            "to put forward a job below the floor takes a person and their reason: give override_by and "
            "override_reason, or neither"
        )
    if isinstance(command, c.ProposeJob) and command.override_by is not None and ctx.actor.kind != "person":
        raise NotAllowed("only a person of the agency puts a job forward below the floor")
    earlier = state.proposals.get(command.job_order_id)
    if earlier is not None and earlier.answer is None:
        return []
    return [
        e.JobProposed(
            at=ctx.at,
            job_order_id=command.job_order_id,
            by=ctx.person(command.by),
            job_order_owner=command.job_order_owner,
            reason=command.reason,
            fit=command.fit,
            override_by=command.override_by,
            override_reason=command.override_reason,
        )
    ]


def answer_proposal(command: c.AnswerProposal, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record the candidate's yes or no.

    :raises UnknownReference: the job was never proposed.
    """
    found = state.proposals.get(command.job_order_id)
    if found is None:
        raise UnknownReference(
            "proposed job order", command.job_order_id, "propose it with propose-job first"
        )
    if found.answer == command.answer:
        return []
    return [
        e.ProposalAnswered(
            at=ctx.at, job_order_id=command.job_order_id, answer=command.answer, reason=command.reason
        )
    ]


def grant_right(command: c.GrantRightToRepresent, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record the agreement to one job; another agreement (new pay, new wording) has evidence of its own.

    :raises UnknownReference: the candidate has never heard of the job.
    :raises NeedsEvidence: somebody else merely says so.
    """
    if not _heard_of(state, command.job_order_id):
        raise UnknownReference(
            "proposed job order", command.job_order_id, "propose it, or link an application to it, first"
        )
    # Whoever gives the command: a candidate's own door brings the proof that it was them.
    if command.evidence == "asserted":
        raise NeedsEvidence(
            "a right to represent comes from the candidate or with evidence: "
            "give evidence=candidate-confirmed or evidence=system, and evidence_ref=WHERE-IT-IS"
        )
    if command.evidence_ref is None:
        raise NeedsEvidence(
            "say where the evidence is: evidence_ref=ID of the message, recording or document"
        )
    right = state.rights.get(command.job_order_id)
    same = Right(command.expires_at, exclusive=command.exclusive, evidence_ref=command.evidence_ref)
    if right == same:
        return []
    return [
        e.RightToRepresentGranted(
            at=ctx.at,
            job_order_id=command.job_order_id,
            evidence=command.evidence,
            evidence_ref=command.evidence_ref,
            expires_at=command.expires_at,
            wording=command.wording,
            pay=command.pay,
            exclusive=command.exclusive,
        )
    ]


def revoke_right(command: c.RevokeRightToRepresent, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record that the agreement is taken back; a client who has the candidate already must be told.

    :raises UnknownReference: there was none.
    """
    right = state.rights.get(command.job_order_id)
    if right is None:
        raise UnknownReference(
            "right to represent for job order", command.job_order_id, "none was ever granted"
        )
    if right.revoked:
        return []
    alive = [key for key, each in state.live_submissions.items() if each.job_order_id == command.job_order_id]
    return [
        e.RightToRepresentRevoked(
            at=ctx.at,
            job_order_id=command.job_order_id,
            reason=command.reason,
            submission_id=alive[0] if alive else None,
        )
    ]


def submit(command: c.Submit | c.RecordSubmission, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Present the candidate to the client; the gates have had their say before.

    :raises UnknownReference: the application named is unknown.
    :raises WrongState: the id is that of a submission for another job order.
    """
    submission_id = ctx.new_id("submission", command.submission_id)
    found = state.submissions.get(submission_id)
    if found is not None:
        if found.job_order_id != command.job_order_id:
            raise WrongState(
                f"submission '{submission_id}' is for job order '{found.job_order_id}'; "
                "give the new one its own id"
            )
        return []
    if command.application_id is not None:
        known_application(state, command.application_id)
    proposal = state.proposals.get(command.job_order_id)
    owner = command.job_order_owner or (proposal.job_order_owner if proposal else None)
    by = command.by or (ctx.actor.id if ctx.actor.kind == "person" else None)
    right = state.rights.get(command.job_order_id)
    held = (
        right is not None and not right.revoked and (right.expires_at is None or ctx.now < right.expires_at)
    )
    unheld = "unknown" if isinstance(command, c.RecordSubmission) and right is None else "missing"
    return [
        made(
            e.Submitted,
            at=ctx.at,
            submission_id=submission_id,
            job_order_id=command.job_order_id,
            application_id=command.application_id,
            by=by,
            job_order_owner=owner,
            right_to_represent="held" if held else unheld,
        )
    ]


def record_client_answer(command: c.RecordClientAnswer, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record the client's yes or no.

    :raises UnknownReference: no such submission.
    """
    found = known_submission(state, command.submission_id)
    if found.answer == command.answer:
        return []
    return [
        made(
            e.ClientAnswered,
            at=ctx.at,
            submission_id=command.submission_id,
            answer=command.answer,
            reason=command.reason,
            reason_code=command.reason_code,
        )
    ]


def record_position_filled(
    command: c.RecordPositionFilled, state: Engagement, ctx: Context
) -> list[e.AnyEvent]:
    """Record that the job is gone, for every submission still alive on it."""
    return [
        e.PositionFilled(at=ctx.at, job_order_id=command.job_order_id, submission_id=key, how=command.how)
        for key, each in state.live_submissions.items()
        if each.job_order_id == command.job_order_id
    ]


def record_position_held(command: c.RecordPositionHeld, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record that the job is on hold, and until when, for each submission alive on it that does not know."""
    return [
        e.PositionHeld(at=ctx.at, job_order_id=command.job_order_id, submission_id=key, until=command.until)
        for key, each in state.live_submissions.items()
        if each.job_order_id == command.job_order_id and (each.held, each.held_until) != (True, command.until)
    ]


def record_position_resumed(
    command: c.RecordPositionResumed, state: Engagement, ctx: Context
) -> list[e.AnyEvent]:
    """Record that the job goes on, for every submission that was on hold."""
    return [
        e.PositionResumed(at=ctx.at, job_order_id=command.job_order_id, submission_id=key)
        for key, each in state.live_submissions.items()
        if each.job_order_id == command.job_order_id and each.held
    ]


def record_position_owner(
    command: c.RecordPositionOwner, state: Engagement, ctx: Context
) -> list[e.AnyEvent]:
    """Record who answers for a job now, where one of the previous ones did; whatever is owed goes with it."""
    proposal = state.proposals.get(command.job_order_id)
    owners = {proposal.job_order_owner if proposal is not None else None}
    owners |= {
        each.job_order_owner
        for each in state.submissions.values()
        if each.job_order_id == command.job_order_id
    }
    followed = [each for each in dict.fromkeys(command.previous) if each in owners and each != command.owner]
    if not followed:
        return []
    return [
        e.PositionOwnerChanged(
            at=ctx.at, job_order_id=command.job_order_id, owner=command.owner, previous=tuple(followed)
        )
    ]


def live_claims(state: Engagement) -> set[Claim]:
    """Give what an engagement holds against all others: one live submission per person and job order."""
    return {
        Claim(kind="live-submission", key=f"{each.job_order_id}:{state.candidate_id}")
        for each in state.live_submissions.values()
    }


def known_submission(state: Engagement, key: str) -> Submission:
    """Find a submission.

    :raises UnknownReference: there is none of this id.
    """
    found = state.submissions.get(key)
    if found is None:
        raise UnknownReference("submission", key, "rapport show lists the ones there are")
    return found


def _heard_of(state: Engagement, job_order_id: str) -> bool:
    return job_order_id in state.proposals or any(
        each.job_order_id == job_order_id for each in state.applications.values()
    )
