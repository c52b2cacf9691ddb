"""State and event to the next state: the one place that says what each event means.

A case may never look at a personal value, a clock or the policy, and may never raise.
"""

from collections.abc import Mapping
from typing import Any, Literal, TypeVar, assert_never
from uuid import UUID

from events import catalogue as e
from events.copying import replace
from events.state import (
    Application,
    Breach,
    Engagement,
    Escalation,
    Interview,
    Offer,
    OpenObligation,
    OwedOutreach,
    Proposal,
    Right,
    Submission,
    SubmissionStatus,
)

K = TypeVar("K")
V = TypeVar("V")


def evolve(state: Engagement, event: e.AnyEvent) -> Engagement:
    """Fold one event in.  Never raises: the past is not open to objection."""
    match event:
        case e.EngagementOpened():
            return replace(
                state, engagement_id=event.engagement_id, candidate_id=event.candidate_id, opened_at=event.at
            )
        case e.PolicyAdopted():
            return replace(state, policy_digest=event.digest)
        case e.Assigned() | e.Reassigned():
            return replace(state, candidate_owner=event.owner, team=event.team)
        case e.IntakeCompleted():
            return replace(state, intake_completed=True)
        case e.Paused():
            return replace(state, paused_until=event.until)
        case e.Resumed():
            return replace(state, paused_until=None, dormant=False, withdrawn=False)
        case e.WentDormant():
            return replace(state, dormant=True)
        case e.CandidateWithdrew():
            return _withdrawn(state, event)
        case e.EngagementClosed():
            return replace(state, closed=True)
        case e.ContactMade():
            return _contacted(state, event)
        case e.AttemptMade():
            return replace(
                state,
                attempts_since_contact=state.attempts_since_contact + 1,
                contacts=(*state.contacts, event.attempt_id),
            )
        case e.CandidateWrote() | e.CallRequested():
            return replace(
                state, messages=(*state.messages, event.message_id), dormant=False, attempts_since_contact=0
            )
        case e.ApplicationRecorded():
            application = Application(event.job_order_id)
            return replace(
                state, applications={**state.applications, event.application_id: application}, dormant=False
            )
        case e.ApplicationLinked():
            return _application(state, event.application_id, job_order_id=event.job_order_id)
        case e.ApplicationDeclined():
            return _application(state, event.application_id, status="declined")
        case e.CheckRecorded():
            return replace(state, checks=(*state.checks, event.check_id))
        case e.JobProposed():
            proposal = Proposal(event.job_order_owner)
            return replace(state, proposals={**state.proposals, event.job_order_id: proposal})
        case e.ProposalAnswered():
            proposal = replace(state.proposals.get(event.job_order_id, Proposal(None)), answer=event.answer)
            return replace(state, proposals={**state.proposals, event.job_order_id: proposal})
        case e.RightToRepresentGranted():
            return replace(state, rights={**state.rights, event.job_order_id: Right(event.expires_at)})
        case e.RightToRepresentRevoked():
            right = replace(state.rights.get(event.job_order_id, Right(None)), revoked=True)
            return replace(state, rights={**state.rights, event.job_order_id: right})
        case e.Submitted():
            submission = Submission(event.job_order_id, event.application_id, event.job_order_owner)
            return replace(
                state, submissions={**state.submissions, event.submission_id: submission}, dormant=False
            )
        case e.ClientAnswered():
            return _answered(state, event.submission_id, event.answer)
        case e.InterviewRequested():
            return _interview(state, event.interview_id, event.submission_id, status="requested")
        case e.InterviewScheduled() | e.InterviewMoved():
            return _interview(
                state,
                event.interview_id,
                event.submission_id,
                status="scheduled",
                starts_at=event.starts_at,
                ends_at=event.ends_at,
            )
        case e.InterviewCancelled():
            return _interview(state, event.interview_id, event.submission_id, status="cancelled")
        case e.InterviewHeld():
            return _interview(state, event.interview_id, event.submission_id, status="held")
        case e.InterviewMissed():
            return _interview(state, event.interview_id, event.submission_id, status="missed")
        case e.InterviewResultRecorded():
            return _judged(state, event)
        case e.OfferExtended():
            return replace(state, offers={**state.offers, event.offer_id: Offer(event.submission_id)})
        case e.OfferAccepted():
            state = _offer(state, event.offer_id, event.submission_id, "accepted")
            state = _submission(state, event.submission_id, status="placed", answer="yes")
            return replace(state, placed_on=event.submission_id)
        case e.OfferDeclined():
            state = _offer(state, event.offer_id, event.submission_id, "declined")
            # Declining one offer of a submission leaves a placement by another as it is.
            return _ended(state, event.submission_id, "offer-declined")
        case e.PositionFilled():
            return _submission(state, event.submission_id, status="position-filled")
        case e.ObligationOpened():
            return _opened(state, event)
        case e.ObligationMoved():
            return _moved(state, event)
        case e.ObligationMet():
            state = _breach(state, event.obligation_id, met_at=event.met_at)
            return replace(state, obligations=_without(state.obligations, event.obligation_id))
        case e.ObligationBreached():
            return _breached(state, event)
        case e.ObligationExcused():
            return _breach(state, event.obligation_id, excused=True)
        case e.ObligationDropped():
            return replace(state, obligations=_without(state.obligations, event.obligation_id))
        case e.RungReached():
            return _climbed(state, event)
        case e.EscalationRaised():
            escalation = Escalation(event.obligation_id, event.level, event.to)
            state = _raised(state, event.obligation_id, event.level)
            return replace(state, escalations={**state.escalations, event.escalation_id: escalation})
        case e.EscalationAcknowledged():
            return _acknowledged(state, event)
        case e.EscalationSettled():
            return replace(state, escalations=_without(state.escalations, event.escalation_id))
        case e.OutreachRequested():
            return replace(state, owed={**state.owed, event.effect_id: _owed(event)})
        case e.OutreachSent() | e.OutreachFailed() | e.OutreachWithheld():
            return replace(state, owed=_without(state.owed, event.effect_id))
        case (
            e.FeedbackPassedOn()
            | e.CommandRefused()
            | e.GateBypassed()
            | e.MessageRefused()
            | e.EventAnnulled()
        ):
            return state
        case _:
            assert_never(event)


def _without(mapping: Mapping[K, V], key: K) -> dict[K, V]:
    return {each: value for each, value in mapping.items() if each != key}


def _contacted(state: Engagement, event: e.ContactMade) -> Engagement:
    last = state.last_contact_at
    return replace(
        state,
        conversations=state.conversations + 1,
        last_contact_at=event.at if last is None or event.at > last else last,
        attempts_since_contact=0,
        contacts=(*state.contacts, event.contact_id),
        dormant=False,
    )


def _withdrawn(state: Engagement, event: e.CandidateWithdrew) -> Engagement:
    if event.scope == "submission":
        return _submission(state, event.submission_id or "", status="withdrawn")
    return replace(
        state,
        withdrawn=True,
        submissions={
            key: replace(each, status="withdrawn") if each.status == "live" else each
            for key, each in state.submissions.items()
        },
        applications={
            key: replace(each, status="withdrawn") if each.status == "live" else each
            for key, each in state.applications.items()
        },
    )


def _application(state: Engagement, key: str, **changes: Any) -> Engagement:
    found = state.applications.get(key)
    if found is None:
        return state
    return replace(state, applications={**state.applications, key: replace(found, **changes)})


def _submission(state: Engagement, key: str, **changes: Any) -> Engagement:
    found = state.submissions.get(key)
    if found is None:
        return state
    return replace(state, submissions={**state.submissions, key: replace(found, **changes)})


def _answered(state: Engagement, key: str, answer: Literal["yes", "no"]) -> Engagement:
    found = state.submissions.get(key)
    if found is None or found.status not in ("live", "rejected"):
        # A withdrawn or placed candidate stays so, whatever the client says afterwards.
        return _submission(state, key, answer=answer)
    status: SubmissionStatus = "rejected" if answer == "no" else "live"
    return _submission(state, key, answer=answer, status=status)


def _judged(state: Engagement, event: e.InterviewResultRecorded) -> Engagement:
    earlier = state.interviews.get(event.interview_id)
    state = _interview(state, event.interview_id, event.submission_id, result=event.result)
    if event.result == "reject":
        return _answered(state, event.submission_id, "no")
    found = state.submissions.get(event.submission_id)
    if earlier is None or earlier.result != "reject" or found is None or found.status != "rejected":
        return state
    # The rejection was a mistake: the submission is alive as it was before it.
    answer = "yes" if event.result == "advance" else None
    return _submission(state, event.submission_id, status="live", answer=answer)


def _ended(state: Engagement, key: str, status: SubmissionStatus) -> Engagement:
    found = state.submissions.get(key)
    return _submission(state, key, status=status) if found is not None and found.status == "live" else state


def _interview(state: Engagement, key: str, submission_id: str, **changes: Any) -> Engagement:
    found = state.interviews.get(key, Interview(submission_id))
    state = replace(state, interviews={**state.interviews, key: replace(found, **changes)})
    if changes.get("status") in ("requested", "scheduled", "held"):
        return _submission(state, submission_id, interviewed=True)
    return state


def _offer(
    state: Engagement, key: str, submission_id: str, answer: Literal["accepted", "declined"]
) -> Engagement:
    found = state.offers.get(key, Offer(submission_id))
    return replace(state, offers={**state.offers, key: replace(found, answer=answer)})


def _opened(state: Engagement, event: e.ObligationOpened) -> Engagement:
    opened = OpenObligation(
        rule=event.rule,
        subject=event.subject,
        kind=event.kind,
        mode=event.mode,
        owner_role=event.owner_role,
        awaits=event.awaits,
        since=event.since,
        due_at=event.due_at,
        rungs=event.rungs,
        numbered=max((rung.number + 1 for rung in event.rungs), default=0),
        opened_at=event.opened_at,
        waited=event.waited,
        useful_for=event.useful_for,
        # Opened again by an annulment, with the breach that stands already on record.
        breached=all(rung.do != "breach" for rung in event.rungs),
    )
    return replace(state, obligations={**state.obligations, event.obligation_id: opened})


def _obligation(state: Engagement, key: UUID, **changes: Any) -> Engagement:
    found = state.obligations.get(key)
    if found is None:
        return state
    return replace(state, obligations={**state.obligations, key: replace(found, **changes)})


def _moved(state: Engagement, event: e.ObligationMoved) -> Engagement:
    found = state.obligations.get(event.obligation_id)
    if found is None:
        return state
    numbered = max((found.numbered, *(rung.number + 1 for rung in event.rungs)))
    return _obligation(
        state,
        event.obligation_id,
        due_at=event.due_at,
        rungs=event.rungs,
        numbered=numbered,
        waited=event.waited,
    )


def _breach(state: Engagement, key: UUID, **changes: Any) -> Engagement:
    found = state.breaches.get(key)
    if found is None:
        return state
    return replace(state, breaches={**state.breaches, key: replace(found, **changes)})


def _breached(state: Engagement, event: e.ObligationBreached) -> Engagement:
    found = state.obligations.get(event.obligation_id)
    if found is None:
        return state
    breach = Breach(found.rule, found.subject, found.since, event.due_at, found.level)
    state = replace(state, breaches={**state.breaches, event.obligation_id: breach})
    rungs = tuple(rung for rung in found.rungs if rung.do != "breach")
    return _obligation(state, event.obligation_id, breached=True, rungs=rungs)


def _climbed(state: Engagement, event: e.RungReached) -> Engagement:
    found = state.obligations.get(event.obligation_id)
    if found is None:
        return state
    level = max(found.level, event.level)
    rungs = tuple(rung for rung in found.rungs if rung.number != event.rung)
    return _breach(
        _obligation(state, event.obligation_id, level=level, rungs=rungs), event.obligation_id, level=level
    )


def _raised(state: Engagement, key: UUID, level: int) -> Engagement:
    found = state.obligations.get(key)
    return state if found is None else _obligation(state, key, level=max(found.level, level))


def _acknowledged(state: Engagement, event: e.EscalationAcknowledged) -> Engagement:
    found = state.escalations.get(event.escalation_id)
    if found is None:
        return state
    taken = replace(found, acknowledged_by=event.by, plan_by=event.plan_by)
    return replace(state, escalations={**state.escalations, event.escalation_id: taken})


def _owed(event: e.OutreachRequested) -> OwedOutreach:
    return OwedOutreach(
        channel=event.channel,
        to=event.to,
        owner=event.owner,
        template=event.template,
        rule=event.rule,
        obligation_id=event.obligation_id,
        subject=event.subject,
        level=event.level,
        due_at=event.due_at,
        useful_until=event.useful_until,
    )
