"""State and event to the next state: the one place that says what each event means.

A case may never look at a personal value, a clock or the policy, and may never raise.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal, assert_never

from events import catalogue as e
from events.copying import replace
from events.promises import changes, without
from events.state import (
    Application,
    Check,
    Conflict,
    Engagement,
    Interview,
    KnownFacet,
    Offer,
    Placement,
    Proposal,
    Right,
    Submission,
    SubmissionStatus,
)


def evolve(state: Engagement, event: e.AnyEvent) -> Engagement:
    """Fold one event in.  Never raises: the past is not open to objection."""
    # By its word: to ask for fifty classes in turn takes longer than most of what follows.
    match event.type:
        case (
            "rung-reached"
            | "outreach-requested"
            | "escalation-raised"
            | "escalation-settled"
            | "obligation-opened"
            | "obligation-mode-changed"
            | "obligation-moved"
            | "obligation-met"
            | "obligation-breached"
            | "obligation-excused"
            | "obligation-dropped"
        ):
            return replace(state, **changes(state, event))
        case "engagement-opened":
            return replace(
                state,
                engagement_id=event.engagement_id,
                candidate_id=event.candidate_id,
                opened_at=event.at,
                zone=event.zone,
                office=event.office,
            )
        case "policy-adopted":
            return replace(state, policy_digest=event.digest, usual_quiet_hours=event.quiet_hours)
        case "office-noted":
            return replace(state, offices={**state.offices, event.person: event.office})
        case "quiet-hours-set":
            return replace(state, quiet_hours=event.quiet_hours, zone=event.zone or state.zone)
        case "outreach-stopped":
            return replace(state, outreach_stopped=True)
        case "outreach-allowed":
            return replace(state, outreach_stopped=False)
        case "assigned" | "reassigned":
            return replace(state, candidate_owner=event.owner, team=event.team, introduction_owed=True)
        case "intake-completed":
            return replace(state, intake_completed=True)
        case "paused":
            # A pause that joins the one before makes one long pause of both.
            joins = state.paused_since is not None and state.paused(event.at)
            since = state.paused_since if joins else event.at
            return replace(state, paused_until=event.until, paused_since=since)
        case "resumed":
            return replace(state, paused_until=None, paused_since=None, dormant=False, withdrawn=False)
        case "went-dormant":
            return replace(state, dormant=True)
        case "candidate-withdrew":
            return _withdrawn(state, event)
        case "engagement-closed":
            return replace(state, closed=True)
        case "contact-made":
            return _contacted(state, event)
        case "attempt-made":
            return replace(
                state,
                attempts_since_contact=state.attempts_since_contact + 1,
                attempts=(*state.attempts, event.attempt_id),
            )
        case "candidate-wrote" | "call-requested":
            return replace(
                state, messages=(*state.messages, event.message_id), dormant=False, attempts_since_contact=0
            )
        case "recruiter-introduced":
            return _introduced(state, event.recruiter)
        case "facet-learnt":
            facet = KnownFacet(event.facet, event.contact_id, event.expires_at)
            return replace(state, facets={**state.facets, event.facet_id: facet})
        case "facet-retired":
            return replace(state, facets=without(state.facets, event.facet_id))
        case "profile-played-back":
            return _facets(state, event.facets, played_back=True)
        case "profile-confirmed":
            return _facets(state, event.facets, played_back=True, confirmed=True)
        case "no-match-yet":
            return replace(state, no_matches=(*state.no_matches, event.no_match_id))
        case "application-recorded":
            application = Application(event.job_order_id)
            return replace(
                state, applications={**state.applications, event.application_id: application}, dormant=False
            )
        case "application-linked":
            return _application(state, event.application_id, job_order_id=event.job_order_id)
        case "application-declined":
            return _application(state, event.application_id, status="declined")
        case "check-recorded":
            check = Check(event.kind, event.outcome, event.at, event.expires_at, event.about)
            return replace(
                state,
                checks=(*state.checks, event.check_id),
                checked={**state.checked, event.check_id: check},
            )
        case "job-proposed":
            proposal = Proposal(
                event.job_order_owner, fit=event.fit, overridden=event.override_by is not None
            )
            return replace(state, proposals={**state.proposals, event.job_order_id: proposal})
        case "proposal-answered":
            proposal = replace(state.proposals.get(event.job_order_id, Proposal(None)), answer=event.answer)
            return replace(state, proposals={**state.proposals, event.job_order_id: proposal})
        case "right-to-represent-granted":
            right = Right(event.expires_at, exclusive=event.exclusive, evidence_ref=event.evidence_ref)
            return replace(state, rights={**state.rights, event.job_order_id: right})
        case "right-to-represent-revoked":
            right = replace(state.rights.get(event.job_order_id, Right(None)), revoked=True)
            return replace(state, rights={**state.rights, event.job_order_id: right})
        case "submitted":
            submission = Submission(event.job_order_id, event.application_id, event.job_order_owner)
            return replace(
                state, submissions={**state.submissions, event.submission_id: submission}, dormant=False
            )
        case "client-answered":
            return _answered(state, event.submission_id, event.answer)
        case "talked-with-client":
            return replace(state, client_talks=(*state.client_talks, event.client_talk_id))
        case "ownership-conflict-opened":
            conflict = Conflict(event.job_order_id, event.submission_id)
            return replace(state, conflicts={**state.conflicts, event.conflict_id: conflict})
        case "conflict-evidence-added":
            return _evidence(state, event)
        case "ownership-conflict-resolved":
            found = state.conflicts.get(event.conflict_id, Conflict(event.job_order_id, event.submission_id))
            resolved = replace(found, outcome=event.outcome)
            return replace(state, conflicts={**state.conflicts, event.conflict_id: resolved})
        case "interview-requested":
            return _interview(state, event.interview_id, event.submission_id, status="requested")
        case "interview-scheduled" | "interview-moved":
            return _interview(
                state,
                event.interview_id,
                event.submission_id,
                status="scheduled",
                starts_at=event.starts_at,
                ends_at=event.ends_at,
                earlier=_earlier(state, event),
            )
        case "interview-cancelled":
            return _interview(state, event.interview_id, event.submission_id, status="cancelled")
        case "interview-held":
            return _interview(state, event.interview_id, event.submission_id, status="held")
        case "interview-missed":
            before = state.interviews.get(event.interview_id, Interview(event.submission_id))
            return _interview(
                state,
                event.interview_id,
                event.submission_id,
                status="missed",
                missed=before.missed + 1,
                explained=False,
            )
        case "no-show-explained":
            return _interview(state, event.interview_id, event.submission_id, explained=True)
        case "interview-result-recorded":
            return _judged(state, event)
        case "offer-extended" | "offer-revised":
            return _offered(state, event)
        case "offer-accepted":
            return _accepted(state, event)
        case "offer-declined":
            state = _offer(state, event.offer_id, event.submission_id, "declined")
            # Declining one offer of a submission leaves a placement by another as it is.
            return _ended(state, event.submission_id, "offer-declined")
        case "offer-withdrawn":
            return _offer(state, event.offer_id, event.submission_id, "withdrawn")
        case "submission-left-open":
            return _submission(state, event.submission_id, unsettled=True)
        case "submission-kept":
            return _submission(state, event.submission_id, unsettled=False)
        case "position-held":
            return _submission(state, event.submission_id, held=True, held_until=event.until)
        case "position-resumed":
            return _submission(state, event.submission_id, held=False, held_until=None)
        case "position-owner-changed":
            return _followed(state, event)
        case "placement-terms-recorded":
            return _terms(state, event)
        case "start-moved":
            return _placement(state, event.placement_id, starts_on=event.starts_on)
        case "placement-started":
            return _placement(state, event.placement_id, started_on=event.started_on)
        case "contract-extended":
            return _placement(state, event.placement_id, ends_on=event.ends_on)
        case "placement-converted":
            return _placement(state, event.placement_id, kind="permanent", ends_on=None)
        case "placement-ended":
            return _over(state, event)
        case "guarantee-invoked":
            return _placement(state, event.placement_id, invoked=event.remedy)
        case "position-filled":
            return _submission(state, event.submission_id, status="position-filled")
        case "escalation-acknowledged":
            return _acknowledged(state, event)
        case "outreach-sent" | "outreach-failed" | "outreach-withheld":
            return replace(state, owed=without(state.owed, event.effect_id))
        case (
            "outreach-bounced"
            | "feedback-passed-on"
            | "match-declined"
            | "counter-offer-noted"
            | "concern-raised"
            | "excuse-granted"
            | "command-refused"
            | "gate-bypassed"
            | "message-refused"
            | "event-annulled"
            | "went-live"
        ):
            return state
        case _:
            assert_never(event)


def _introduced(state: Engagement, recruiter: str) -> Engagement:
    known = (*(each for each in state.introduced if each != recruiter), recruiter)
    owed = state.introduction_owed and recruiter != state.candidate_owner
    return replace(state, introduced=known, introduction_owed=owed)


def _contacted(state: Engagement, event: e.ContactMade) -> Engagement:
    if "introduction" in (event.purpose, *event.also):
        state = _introduced(state, event.by)
    last = state.last_contact_at
    return replace(
        state,
        conversations=state.conversations + 1,
        last_contact_at=event.at if last is None or event.at > last else last,
        attempts_since_contact=0,
        contacts=(*state.contacts, event.contact_id),
        dormant=False,
        talk_owed_since=None if _talked(state.talk_owed_since, event.at) else state.talk_owed_since,
    )


def _talked(since: datetime | None, at: datetime) -> bool:
    return since is not None and at >= since


def _facets(state: Engagement, keys: Iterable[str], **changes: Any) -> Engagement:
    named = {key: replace(state.facets[key], **changes) for key in keys if key in state.facets}
    return replace(state, facets={**state.facets, **named})


def _evidence(state: Engagement, event: e.ConflictEvidenceAdded) -> Engagement:
    found = state.conflicts.get(event.conflict_id)
    if found is None:
        return state
    added = replace(found, evidence=(*found.evidence, event.evidence_ref))
    return replace(state, conflicts={**state.conflicts, event.conflict_id: added})


def _earlier(state: Engagement, event: e.InterviewScheduled | e.InterviewMoved) -> tuple[datetime, ...]:
    found = state.interviews.get(event.interview_id)
    if found is None:
        return ()
    return found.earlier if found.starts_at in (None, event.starts_at) else (*found.earlier, found.starts_at)


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


def _followed(state: Engagement, event: e.PositionOwnerChanged) -> Engagement:
    def followed(owner: str | None) -> str | None:
        return event.owner if owner in event.previous else owner

    proposal = state.proposals.get(event.job_order_id)
    if proposal is not None:
        proposal = replace(proposal, job_order_owner=followed(proposal.job_order_owner))
        state = replace(state, proposals={**state.proposals, event.job_order_id: proposal})
    return replace(
        state,
        submissions={
            key: replace(each, job_order_owner=followed(each.job_order_owner))
            if each.job_order_id == event.job_order_id
            else each
            for key, each in state.submissions.items()
        },
    )


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
    state: Engagement, key: str, submission_id: str, answer: Literal["accepted", "declined", "withdrawn"]
) -> Engagement:
    found = state.offers.get(key, Offer(submission_id))
    return replace(state, offers={**state.offers, key: replace(found, answer=answer)})


def _offered(state: Engagement, event: e.OfferExtended | e.OfferRevised) -> Engagement:
    found = state.offers.get(event.offer_id, Offer(event.submission_id))
    offer = replace(
        found,
        revision=event.revision if isinstance(event, e.OfferRevised) else 1,
        kind=event.kind,
        starts_on=event.starts_on,
        ends_on=event.ends_on,
        expires_at=event.expires_at,
    )
    return replace(state, offers={**state.offers, event.offer_id: offer})


def _accepted(state: Engagement, event: e.OfferAccepted) -> Engagement:
    state = _offer(state, event.offer_id, event.submission_id, "accepted")
    state = _submission(state, event.submission_id, status="placed", answer="yes", unsettled=False)
    found = state.placements.get(event.placement_id, Placement())
    # A second offer on a submission that came to nothing begins its placement anew.
    placement = found if found.ended_how is None else Placement()
    placement = replace(placement, kind=event.kind, starts_on=event.starts_on, ends_on=event.ends_on)
    return replace(
        state,
        placements={**state.placements, event.placement_id: placement},
        placed_on=event.submission_id,
    )


def _placement(state: Engagement, key: str, **changes: Any) -> Engagement:
    found = state.placements.get(key)
    if found is None:
        return state
    return replace(state, placements={**state.placements, key: replace(found, **changes)})


def _terms(state: Engagement, event: e.PlacementTermsRecorded) -> Engagement:
    found = state.placements.get(event.placement_id, Placement())
    return _placement(
        state,
        event.placement_id,
        kind=found.kind if event.kind == "unknown" else event.kind,
        agreed=True,
        guarantee_days=event.guarantee_days,
        remedy=event.remedy,
        refund_steps=event.refund_steps,
    )


def _over(state: Engagement, event: e.PlacementEnded) -> Engagement:
    if event.placement_id not in state.placements:
        # Its acceptance was annulled: there was nothing to end.
        return state
    state = _placement(state, event.placement_id, ended_on=event.ended_on, ended_how=event.how)
    state = _submission(state, event.submission_id, status="placement-ended")
    others = [key for key, each in state.placements.items() if each.ended_how is None]
    state = replace(state, placed_on=others[-1] if others else None)
    return state if event.how == "completed" else _talk_owed(state, event.at)


def _talk_owed(state: Engagement, since: datetime) -> Engagement:
    """Owe a talk since a time, unless one was had after it that was only recorded sooner."""
    last, owed = state.last_contact_at, state.talk_owed_since
    if last is not None and last > since:
        return state
    return replace(state, talk_owed_since=since if owed is None else max(owed, since))


def _acknowledged(state: Engagement, event: e.EscalationAcknowledged) -> Engagement:
    found = state.escalations.get(event.escalation_id)
    if found is None:
        return state
    taken = replace(found, acknowledged_by=event.by, plan_by=event.plan_by)
    return replace(state, escalations={**state.escalations, event.escalation_id: taken})
