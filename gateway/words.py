"""Events in plain words, one sentence each, for people at a terminal or on a page.

A sentence shows what was opened for its reader, so it may go to a screen and never to a log.
"""

from datetime import UTC, datetime
from typing import Any, assert_never

from events import absences as b
from events import agency as a
from events import caseloads as f
from events import catalogue as e
from events import glass as g
from events import job_order as j
from events.personal import Erased

ERASED = "(erased)"


def moment(at: datetime) -> str:
    """Write a moment, e.g. ``12 Feb 2026 09:00 UTC``; seconds only where there are any."""
    at = at.astimezone(UTC)
    return f"{at.day} {at:%b %Y %H:%M:%S} UTC" if at.second else f"{at.day} {at:%b %Y %H:%M} UTC"


def subject(text: str) -> str:
    """Write what a promise is about: ``interview i-1``, or ``the engagement``."""
    kind, _, key = text.partition(":")
    return f"{kind} {key}" if key else f"the {kind}"


def say(event: e.AnyEvent, *, erased: str = ERASED) -> str:
    """Tell an engagement's event; *erased* stands where a personal value was not opened."""

    def quote(value: Any) -> str:
        return _quote(value, erased)

    match event:
        case e.EngagementOpened():
            return _opened(event, erased)
        case e.PolicyAdopted():
            return f"Policy {event.name} adopted"
        case e.Assigned():
            return f"Candidate assigned to {event.owner}"
        case e.Reassigned():
            return (
                f"Candidate handed over from {event.previous} to {event.owner}"
                f"{_because(event.reason)}{quote(event.handover)}"
            )
        case e.WentLive():
            return f"Went live; events imported of its past: {event.imported}"
        case e.OfficeNoted():
            return f"{event.person} works in {event.office}"
        case e.QuietHoursSet():
            lives = f", lives by {event.zone} time" if event.zone else ""
            return f"Not to be written to: {event.quiet_hours or 'as the agency does'}{lives}"
        case e.OutreachStopped():
            return "Candidate wants no automated messages any more"
        case e.OutreachAllowed():
            return "Candidate takes automated messages again"
        case e.OutreachBounced():
            return f"A message came back ({event.reason})"
        case e.IntakeCompleted():
            return "Intake completed"
        case e.Paused():
            approved = f", approved by {event.approved_by}" if event.approved_by else ""
            return (
                f"Paused until {moment(event.until)} at the candidate's wish{approved}{quote(event.reason)}"
            )
        case e.Resumed():
            return "Resumed"
        case e.WentDormant():
            return f"Went dormant{_because(event.reason)}"
        case e.CandidateWithdrew():
            what = f"submission {event.submission_id}" if event.submission_id else f"the {event.scope}"
            return f"Candidate withdrew from {what}{quote(event.reason)}"
        case e.EngagementClosed():
            return f"Engagement closed{_because(event.reason)}"
        case e.ContactMade():
            return (
                f"{event.by} talked with the candidate by {_channel(event.channel)}"
                f"{_purpose(event.purpose, *event.also)}{_about(event.about)}{_heard(event)}"
                f"{quote(event.note)}"
            )
        case e.AttemptMade():
            return (
                f"{event.by} tried to reach the candidate by {_channel(event.channel)}"
                f"{_about(event.about)}{quote(event.note)}"
            )
        case e.CandidateWrote():
            by = _channel(event.channel)
            return f"Candidate wrote by {by} (message {event.message_id}){quote(event.words)}"
        case e.CallRequested():
            return f"Candidate asked to be called (message {event.message_id}){quote(event.words)}"
        case e.RecruiterIntroduced():
            return f"{event.recruiter} was introduced to the candidate"
        case e.FacetLearnt():
            return f"Learnt of the person ({event.facet}, {event.facet_id}){quote(event.words)}"
        case e.FacetRetired():
            return f"No longer true of the person: {event.facet_id}{_because(event.reason)}"
        case e.ProfilePlayedBack():
            return f"{event.by} played the profile back to the candidate ({len(event.facets)} facets)"
        case e.ProfileConfirmed():
            return f"Candidate confirmed the profile ({len(event.facets)} facets, {event.evidence})"
        case e.NoMatchYet():
            wait = f", expected by {moment(event.expected_by)}" if event.expected_by else ""
            return f"{event.by} found nothing good enough yet{wait}{quote(event.reason)}"
        case e.MatchDeclined():
            return (
                f"{event.by} did not put job order {event.job_order_id} forward{_fit(event.fit)}"
                f"{quote(event.reason)}"
            )
        case e.ApplicationRecorded():
            return f"Candidate applied (application {event.application_id}{_for_job(event.job_order_id)})"
        case e.ApplicationLinked():
            return f"Application {event.application_id} is for job order {event.job_order_id}"
        case e.ApplicationDeclined():
            return f"Application {event.application_id} declined{_because(event.reason)}"
        case e.CheckRecorded():
            consent = ", consent unknown" if event.consent == "unknown" else ""
            return f"Check {event.kind}: {event.outcome}{consent}{_about(event.about)}"
        case e.JobProposed():
            over = f", below the floor on {event.override_by}'s word" if event.override_by else ""
            return (
                f"{event.by} proposed job order {event.job_order_id}{_fit(event.fit)}{over}"
                f"{quote(event.reason)}{quote(event.override_reason)}"
            )
        case e.ProposalAnswered():
            return f"Candidate said {event.answer} to job order {event.job_order_id}{quote(event.reason)}"
        case e.RightToRepresentGranted():
            until = f", until {moment(event.expires_at)}" if event.expires_at else ""
            return (
                f"Candidate agreed to be represented for job order {event.job_order_id} "
                f"({event.evidence}{until}{', exclusively' if event.exclusive else ''})"
                f"{quote(event.wording)}{quote(event.pay)}"
            )
        case e.RightToRepresentRevoked():
            return (
                f"Candidate took back the agreement for job order {event.job_order_id}{quote(event.reason)}"
            )
        case e.Submitted():
            doubt = (
                ""
                if event.right_to_represent == "held"
                else f", right to represent {event.right_to_represent}"
            )
            sender = f" by {event.by}" if event.by else ""
            return f"Submission {event.submission_id} sent for job order {event.job_order_id}{sender}{doubt}"
        case e.ClientAnswered():
            return (
                f"Client said {event.answer} to submission {event.submission_id}"
                f"{_because(event.reason_code)}{quote(event.reason)}"
            )
        case e.TalkedWithClient():
            about = f" about submission {event.submission_id}" if event.submission_id else ""
            about = f" about placement {event.placement_id}" if event.placement_id else about
            excels = f", excels: {event.excels}" if event.excels else ""
            return (
                f"{event.by} talked with the client by {_channel(event.channel)}{_purpose(event.purpose)}"
                f"{about}{excels}{quote(event.note)}"
            )
        case e.OwnershipConflictOpened():
            return (
                f"Conflict {event.conflict_id} over job order {event.job_order_id} ({event.kind}, "
                f"{event.other.replace('-', ' ')}){quote(event.details)}"
            )
        case e.ConflictEvidenceAdded():
            dated = f" of {moment(event.dated)}" if event.dated else ""
            return f"Evidence for conflict {event.conflict_id}: {event.kind} {event.evidence_ref}{dated}"
        case e.OwnershipConflictResolved():
            return f"Conflict {event.conflict_id} {event.outcome}{quote(event.reason)}"
        case e.InterviewRequested():
            return f"Interview {event.interview_id} requested for submission {event.submission_id}"
        case e.InterviewScheduled():
            return (
                f"Interview {event.interview_id} for submission {event.submission_id} scheduled for "
                f"{moment(event.starts_at)}{quote(event.place)}"
            )
        case e.InterviewMoved():
            return (
                f"Interview {event.interview_id} moved to {moment(event.starts_at)}{_by(event.moved_by)}"
                f"{quote(event.reason)}"
            )
        case e.InterviewCancelled():
            return f"Interview {event.interview_id} cancelled{_by(event.cancelled_by)}{quote(event.reason)}"
        case e.InterviewHeld():
            return f"Interview {event.interview_id} held"
        case e.InterviewMissed():
            return f"Interview {event.interview_id} missed{_by(event.missed_by)}"
        case e.NoShowExplained():
            return (
                f"Why interview {event.interview_id} was missed{_because(event.reason_code)}"
                f"{quote(event.reason)}"
            )
        case e.InterviewResultRecorded():
            return f"Result of interview {event.interview_id}: {event.result}{quote(event.feedback)}"
        case e.FeedbackPassedOn():
            return (
                f"{event.by} told the candidate the client's word on submission {event.submission_id}"
                f"{quote(event.words)}"
            )
        case e.OfferExtended():
            return (
                f"Offer {event.offer_id} made on submission {event.submission_id}{_terms(event)}"
                f"{quote(event.terms)}"
            )
        case e.OfferRevised():
            return (
                f"Offer {event.offer_id} changed, version {event.revision}{_terms(event)}{quote(event.terms)}"
            )
        case e.CounterOfferNoted():
            return f"Counter-offer to offer {event.offer_id} by {_whom(event.made_by)}{quote(event.words)}"
        case e.OfferAccepted():
            start = f", to start {moment(event.starts_on)}" if event.starts_on else ""
            return f"Candidate accepted offer {event.offer_id}{start}"
        case e.OfferDeclined():
            return f"Candidate declined offer {event.offer_id}{quote(event.reason)}"
        case e.OfferWithdrawn():
            why = "" if event.why == "unknown" else f" ({event.why.replace('-', ' ')})"
            return f"Offer {event.offer_id} stands no longer{why}{quote(event.reason)}"
        case e.SubmissionLeftOpen():
            return (
                f"Submission {event.submission_id} is still alive beside offer {event.offer_id}: "
                "the candidate chooses"
            )
        case e.SubmissionKept():
            return f"Candidate keeps submission {event.submission_id} alive{quote(event.reason)}"
        case e.PositionHeld():
            held = f" until {moment(event.until)}" if event.until else ""
            return (
                f"Job order {event.job_order_id} went on hold{held} while submission {event.submission_id} "
                "was alive"
            )
        case e.PositionOwnerChanged():
            after = ", ".join(event.previous)
            return f"{event.owner} answers for job order {event.job_order_id} now, after {after}"
        case e.PositionResumed():
            return f"Job order {event.job_order_id} goes on, and submission {event.submission_id} with it"
        case e.PositionFilled():
            return (
                f"Job order {event.job_order_id} was {event.how} while submission {event.submission_id} "
                "was still alive"
            )
        case e.PlacementTermsRecorded():
            days = f", guarantee {event.guarantee_days} days" if event.guarantee_days is not None else ""
            remedy = f", {event.remedy}" if event.remedy != "none" else ""
            return f"Terms of placement {event.placement_id}: {event.kind}{days}{remedy}"
        case e.StartMoved():
            return (
                f"Start of placement {event.placement_id} is {moment(event.starts_on)}{_by(event.moved_by)}"
                f"{quote(event.reason)}"
            )
        case e.PlacementStarted():
            kept = f", guarantee until {moment(event.guarantee_until)}" if event.guarantee_until else ""
            return f"Placement {event.placement_id} started on {moment(event.started_on)}{kept}"
        case e.ContractExtended():
            return f"Placement {event.placement_id} ends on {moment(event.ends_on)}{quote(event.reason)}"
        case e.PlacementConverted():
            return f"Placement {event.placement_id} is permanent since {moment(event.converted_on)}"
        case e.ConcernRaised():
            return f"Concern about placement {event.placement_id}{_by(event.raised_by)}{quote(event.words)}"
        case e.PlacementEnded():
            within = {True: ", within the guarantee", False: ", after the guarantee", None: ""}
            return (
                f"Placement {event.placement_id} ended: {event.how}{_by(event.ended_by)}"
                f"{within[event.within_guarantee]}{_because(event.reason_code)}{quote(event.reason)}"
            )
        case e.GuaranteeInvoked():
            percent = f", {event.refund_percent}%" if event.refund_percent is not None else ""
            return f"Guarantee of placement {event.placement_id} invoked: {event.remedy}{percent}"
        case e.CommandRefused():
            return f"Refused {event.command} by gate {event.gate}: {event.says} {event.remedy}"
        case e.GateBypassed():
            why = "it had happened already" if event.why == "report" else f"the gate is in mode {event.mode}"
            return f"Gate {event.gate} was not met by {event.command}, and did not stop it: {why}"
        case e.MessageRefused():
            under = f" under the name {event.name}" if event.name != "?" else ""
            return f"A message{under} could not be applied ({event.reason}): {event.says}"
        case e.EventAnnulled():
            return f"An earlier {event.annulled_type} was declared wrong{quote(event.reason)}"
        case e.ObligationOpened():
            return f"Promise {event.rule} opened for {subject(event.subject)}, due {moment(event.due_at)}"
        case e.ObligationMoved():
            return (
                f"Promise {event.rule} for {subject(event.subject)} moved to {moment(event.due_at)}"
                f"{_because(event.reason)}"
            )
        case e.ObligationModeChanged():
            return f"Promise {event.rule} for {subject(event.subject)} is in mode {event.mode} now"
        case e.ObligationMet():
            kept = "kept" if event.timely else "kept late"
            return f"Promise {event.rule} for {subject(event.subject)} {kept}"
        case e.ObligationBreached():
            return f"Promise {event.rule} for {subject(event.subject)} broken: due {moment(event.due_at)}"
        case e.ObligationExcused():
            what = "Promise" if event.reason == "by-a-lead" else "Breach of"
            return f"{what} {event.rule} for {subject(event.subject)} excused{_because(event.reason)}"
        case e.ExcuseGranted():
            return (
                f"{event.by} excused promise {event.rule} for {subject(event.subject)}"
                f"{_because(event.reason)}{quote(event.words)}"
            )
        case e.ObligationDropped():
            return f"Promise {event.rule} for {subject(event.subject)} dropped{_because(event.reason)}"
        case e.RungReached():
            step = f"climbed to level {event.level} ({event.do})"
            return f"Promise {event.rule} for {subject(event.subject)} {step}"
        case e.EscalationRaised():
            return f"Escalated to {event.to} (level {event.level}): {event.rule} for {subject(event.subject)}"
        case e.EscalationAcknowledged():
            plan = f", to be done by {moment(event.plan_by)}" if event.plan_by else ""
            return f"{event.by} took on the escalation{plan}{quote(event.plan)}"
        case e.EscalationSettled():
            return f"Escalation settled: the promise was {event.how}"
        case e.OutreachRequested():
            about = f" about {event.rule}" if event.rule else ""
            return f"E-mail {event.template} to {event.to} owed{about}"
        case e.OutreachSent():
            again = f", attempt {event.attempt}" if event.attempt > 1 else ""
            return f"E-mail sent to {event.person or 'the candidate'}{again}"
        case e.OutreachFailed():
            return f"E-mail failed{_because(event.reason)}: {event.says}"
        case e.OutreachWithheld():
            return f"E-mail withheld{_because(event.rule)}"
        case _:
            assert_never(event)


def say_job_order(event: j.AnyJobOrderEvent, *, erased: str = ERASED) -> str:
    """Tell a job order's event."""
    match event:
        case j.JobOrderOpened():
            client = f" for client {event.client_id}" if event.client_id else ""
            openings = "1 opening" if event.openings == 1 else f"{event.openings} openings"
            return f"Job order {event.job_order_id} opened{client} ({openings}){_quote(event.title, erased)}"
        case j.IntakeStopped():
            return "The client takes no new candidates"
        case j.SubmissionReceived():
            return f"Submission {event.submission_id} received (engagement {event.engagement_id})"
        case j.JobOrderHeld():
            until = f" until {moment(event.until)}" if event.until else ""
            return f"The client put the job on hold{until}{_because(event.reason)}"
        case j.JobOrderResumed():
            return "The client goes on with the job"
        case j.OpeningsChanged():
            openings = "1 opening" if event.openings == 1 else f"{event.openings} openings"
            return f"The client wants {openings} filled in all, {event.openings_left} left"
        case j.JobOrderReopened():
            whose = (
                f"The hire of engagement {event.engagement_id}"
                if event.engagement_id
                else ("What the client had filled itself")
            )
            return f"{whose} came to nothing{_because(event.reason)}: {event.openings_left} to fill"
        case j.JobOrderTermsRecorded():
            return _agreement(event)
        case j.JobOrderFilled():
            whom = f" by engagement {event.engagement_id}" if event.engagement_id else " by the client itself"
            return f"Opening filled{whom}, {event.openings_left} left"
        case j.JobOrderClosed():
            return f"Job order closed{_because(event.reason)}"
        case j.ClientContactChanged():
            return f"The client's contact is {event.contact} now"
        case j.JobOrderOwnerChanged():
            after = f", after {event.previous}" if event.previous else ""
            return f"{event.owner} answers for the job now{after}{_because(event.reason)}"
        case _:
            assert_never(event)


def say_agency(event: a.AnyAgencyEvent, *, erased: str = ERASED) -> str:
    """Tell an event of an agency's own stream."""
    match event:
        case a.PersonJoined():
            return f"{event.person_id} joined as {event.role}{_place(event)}{_quote(event.name, erased)}"
        case a.PersonChanged():
            return f"{event.person_id} is {event.role} now{_place(event)}{_quote(event.name, erased)}"
        case a.PersonLeft():
            return f"{event.person_id} left"
        case e.PolicyAdopted():
            return f"Policy {event.name} adopted"
        case a.OutreachHeld():
            by = f" by {event.by}" if event.by else ""
            return f"All outreach held{by}{_because(event.reason)}{_quote(event.words, erased)}"
        case a.OutreachReleased():
            return f"Outreach released{f' by {event.by}' if event.by else ''}"
        case b.AbsenceRecorded():
            span = f"from {moment(event.starts_at)} until {moment(event.ends_at)}"
            cover = f"; {event.cover} stands in" if event.cover else ""
            return f"{event.person_id} is away {span} ({event.kind}){cover}"
        case b.AbsenceEnded():
            return f"Absence {event.absence_id} ended at {moment(event.ended_at)}"
        case f.CaseloadReassignmentStarted():
            return (
                f"{event.from_person} is being handed over{_because(event.reason)}: "
                f"{len(event.allotment)} engagements, {len(event.job_orders)} job orders"
            )
        case f.CaseloadReassignmentCompleted():
            skipped = f", {len(event.skipped)} skipped" if event.skipped else ""
            return (
                f"Handing over {event.reassignment_id} is finished: {event.moved} engagements and "
                f"{event.job_orders_moved} job orders moved{skipped}"
            )
        case g.BreakGlassUsed():
            by = f" by {event.by}" if event.by else ""
            return (
                f"Glass of engagement {event.engagement} broken{by} with credential {event.credential}, "
                f"open until {moment(event.until)}{_quote(event.reason, erased)}"
            )
        case _:
            assert_never(event)


def _place(event: a.PersonJoined | a.PersonChanged) -> str:
    team = f" in team {event.team}" if event.team else ""
    return f"{team}, office {event.office}" if event.office else team


def _opened(event: e.EngagementOpened, erased: str) -> str:
    values = (event.name, event.email, event.phone)
    known = [erased if isinstance(each, Erased) else each for each in values]
    who = ", ".join(dict.fromkeys(each for each in known if each))
    return f"Engagement opened with candidate {event.candidate_id}" + (f": {who}" if who else "")


def _agreement(event: j.JobOrderTermsRecorded) -> str:
    days = f", guarantee {event.guarantee_days} days" if event.guarantee_days is not None else ""
    remedy = f", {event.remedy}" if event.remedy != "none" else ""
    steps = "".join(f", {step.percent}% until day {step.until_day}" for step in event.refund_steps)
    return f"Terms of every placement: {event.kind}{days}{remedy}{steps}"


def _quote(value: Any, erased: str) -> str:
    if isinstance(value, Erased):
        return f": {erased}" if erased else ""
    return f": “{value}”" if value else ""


def _because(reason: str) -> str:
    return "" if reason == "unspecified" else f" ({reason.replace('-', ' ')})"


def _by(who: str) -> str:
    return "" if who == "unknown" else f" by {_whom(who)}"


def _whom(who: str) -> str:
    return {"unknown": "somebody", "both": "both sides", "another-client": "another client"}.get(
        who, f"the {who.replace('-', ' ')}"
    )


def _fit(fit: int | None) -> str:
    return "" if fit is None else f" (fit {fit} of 100)"


def _heard(event: e.ContactMade) -> str:
    likes = f", likes it: {event.likes}" if event.likes else ""
    return (f", they are {event.sentiment}" if event.sentiment else "") + likes


def _terms(event: e.OfferExtended | e.OfferRevised) -> str:
    kind = f" ({event.kind})" if event.kind != "unknown" else ""
    return kind + (f", to start {moment(event.starts_on)}" if event.starts_on else "")


def _about(keys: tuple[str, ...]) -> str:
    return f" about {', '.join(subject(each) for each in keys)}" if keys else ""


def _for_job(job_order_id: str | None) -> str:
    return f" for job order {job_order_id}" if job_order_id else ""


def _channel(channel: str) -> str:
    return {
        "email": "e-mail",
        "sms": "SMS",
        "unknown": "an unknown way",
        "in-person": "meeting in person",
    }.get(channel, channel)


def _purpose(*purposes: str) -> str:
    told = [each.replace("-", " ") for each in purposes if each != "talk"]
    return f" ({', '.join(told)})" if told else ""
