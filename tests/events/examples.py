"""The one canonical example of every event and every command that the tests share.

Golden files are made from the events here: changing one changes no file, and no file may change.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from events import absences, agency, caseloads, glass, job_order
from events import catalogue as e
from events import commands as c
from events.catalogue import Event
from events.commands import Command

AT: Final = datetime(2026, 1, 5, 12, tzinfo=UTC)
STARTS: Final = AT + timedelta(days=7)
ENDS: Final = STARTS + timedelta(hours=1)
DUE: Final = AT + timedelta(days=2)
OBLIGATION: Final = UUID("00000000-0000-5000-8000-000000000001")
ESCALATION: Final = UUID("00000000-0000-5000-8000-000000000002")
EFFECT: Final = UUID("00000000-0000-5000-8000-000000000003")
EVENT: Final = UUID("00000000-0000-5000-8000-000000000004")

RUNGS: Final = (
    e.Rung(number=0, at=DUE, do="breach", level=0),
    e.Rung(number=1, at=DUE, do="escalate", level=1, to="owner", template="escalation"),
    e.Rung(
        number=2, at=DUE + timedelta(days=1), do="escalate", level=2, to="team-lead", template="escalation"
    ),
)

_ENGAGEMENT: Final[tuple[Event, ...]] = (
    e.EngagementOpened(
        at=AT,
        engagement_id="e-1",
        candidate_id="candidate-1",
        name="Žofie Ønskeby",
        email="zofie@example.com",
        phone="+44 20 7946 0000",
        zone="Europe/London",
    ),
    e.PolicyAdopted(at=AT, digest="0" * 64, name="starter", modes="open"),
    e.Assigned(at=AT, owner="recruiter-1", team=("recruiter-1", "recruiter-2")),
    e.Reassigned(
        at=AT, owner="recruiter-2", previous="recruiter-1", reason="left", handover="Likes short calls."
    ),
    e.WentLive(at=AT, imported=12, observes=("keep-in-touch",)),
    e.OfficeNoted(at=AT, person="recruiter-2", office="london"),
    e.QuietHoursSet(at=AT, quiet_hours="21:30-09:00", zone="Europe/London"),
    e.OutreachStopped(at=AT, evidence_ref="mail-9"),
    e.OutreachAllowed(at=AT, evidence_ref="mail-10"),
    e.OutreachBounced(at=AT, effect_id=UUID(int=7), reason="mail-5-1-1"),
    e.IntakeCompleted(at=AT),
    e.Paused(at=AT, until=STARTS, reason="A wedding.", approved_by="lead-1"),
    e.Resumed(at=AT),
    e.WentDormant(at=AT, reason="no-job-in-sight"),
    e.CandidateWithdrew(at=AT, scope="submission", submission_id="s-1", reason="Too far from home."),
    e.EngagementClosed(at=AT, reason="moved-away"),
    e.ContactMade(
        at=AT,
        contact_id="contact-1",
        by="recruiter-1",
        channel="phone",
        evidence="system",
        evidence_ref="call-1",
        purpose="talk",
        note="Wants to lead people.",
        sentiment="good",
    ),
    e.AttemptMade(at=AT, attempt_id="attempt-1", by="recruiter-1", channel="phone", note="Voicemail."),
    e.CandidateWrote(at=AT, message_id="m-1", channel="email", words="Any news?"),
    e.CallRequested(at=AT, message_id="m-2", words="After six, please."),
    e.RecruiterIntroduced(at=AT, recruiter="recruiter-1", by="recruiter-1", channel="phone"),
    e.FacetLearnt(
        at=AT,
        facet_id="facet-1",
        facet="goal",
        contact_id="contact-1",
        expires_at=AT + timedelta(days=365),
        words="To lead a team of her own.",
    ),
    e.FacetRetired(at=AT, facet_id="facet-1", reason="moved"),
    e.ProfilePlayedBack(at=AT, by="recruiter-1", channel="phone", facets=("facet-1",)),
    e.ProfileConfirmed(at=AT, facets=("facet-1",), evidence="candidate-confirmed", evidence_ref="m-1"),
    e.NoMatchYet(
        at=AT, no_match_id="n-1", by="recruiter-1", expected_by=STARTS, reason="No team lead role is open."
    ),
    e.MatchDeclined(
        at=AT, job_order_id="j-2", by="recruiter-1", fit=40, reason="Shift work, which she is leaving."
    ),
    e.ApplicationRecorded(at=AT, application_id="a-1", job_order_id="j-1"),
    e.ApplicationLinked(at=AT, application_id="a-2", job_order_id="j-1"),
    e.ApplicationDeclined(at=AT, application_id="a-1", reason="role-filled"),
    e.CheckRecorded(
        at=AT,
        check_id="check-1",
        kind="identity",
        outcome="passed",
        evidence="system",
        consent="given",
        about=("application:a-1",),
        expires_at=DUE,
    ),
    e.JobProposed(
        at=AT,
        job_order_id="j-1",
        by="recruiter-1",
        job_order_owner="recruiter-9",
        reason="A team to lead.",
        fit=80,
    ),
    e.ProposalAnswered(at=AT, job_order_id="j-1", answer="yes", reason="Sounds right."),
    e.RightToRepresentGranted(
        at=AT,
        job_order_id="j-1",
        evidence="candidate-confirmed",
        evidence_ref="m-1",
        expires_at=AT + timedelta(days=90),
        wording="I agree to be presented for this job.",
        pay="52,000 a year or more",
        exclusive=True,
    ),
    e.RightToRepresentRevoked(at=AT, job_order_id="j-1", reason="Changed my mind.", submission_id="s-1"),
    e.Submitted(
        at=AT,
        submission_id="s-1",
        job_order_id="j-1",
        application_id="a-1",
        by="recruiter-1",
        job_order_owner="recruiter-9",
    ),
    e.ClientAnswered(
        at=AT, submission_id="s-1", answer="yes", reason="Strong references.", reason_code="experience"
    ),
    e.TalkedWithClient(
        at=AT,
        client_talk_id="cc-1",
        by="recruiter-9",
        channel="phone",
        purpose="check-in",
        placement_id="s-1",
        excels="yes",
        note="Has taken over the stand-up.",
    ),
    e.OwnershipConflictOpened(
        at=AT,
        conflict_id="x-1",
        job_order_id="j-1",
        submission_id="s-1",
        kind="duplicate",
        other="another-agency",
        details="They say they sent her in March.",
    ),
    e.ConflictEvidenceAdded(
        at=AT, conflict_id="x-1", kind="right-to-represent", evidence_ref="m-1", dated=AT
    ),
    e.OwnershipConflictResolved(
        at=AT,
        conflict_id="x-1",
        job_order_id="j-1",
        submission_id="s-1",
        outcome="won",
        reason="Her agreement with us is older.",
    ),
    e.InterviewRequested(at=AT, interview_id="i-1", submission_id="s-1"),
    e.InterviewScheduled(
        at=AT, interview_id="i-1", submission_id="s-1", starts_at=STARTS, ends_at=ENDS, place="Room 4"
    ),
    e.InterviewMoved(
        at=AT,
        interview_id="i-1",
        submission_id="s-1",
        starts_at=STARTS + timedelta(days=1),
        ends_at=ENDS + timedelta(days=1),
        moved_by="client",
        reason="A sick child.",
    ),
    e.InterviewCancelled(
        at=AT, interview_id="i-1", submission_id="s-1", cancelled_by="client", reason="Budget."
    ),
    e.InterviewHeld(at=AT, interview_id="i-1", submission_id="s-1"),
    e.InterviewMissed(at=AT, interview_id="i-1", submission_id="s-1", missed_by="client"),
    e.NoShowExplained(
        at=AT, interview_id="i-1", submission_id="s-1", reason_code="illness", reason="A night in hospital."
    ),
    e.InterviewResultRecorded(
        at=AT, interview_id="i-1", submission_id="s-1", result="advance", feedback="Asked good questions."
    ),
    e.FeedbackPassedOn(
        at=AT,
        submission_id="s-1",
        interview_id="i-1",
        by="recruiter-1",
        channel="phone",
        words="They liked it.",
    ),
    e.OfferExtended(
        at=AT,
        offer_id="o-1",
        submission_id="s-1",
        terms="52,000 a year",
        kind="permanent",
        starts_on=STARTS,
        expires_at=STARTS,
    ),
    e.OfferRevised(
        at=AT,
        offer_id="o-1",
        submission_id="s-1",
        revision=2,
        kind="contract",
        starts_on=STARTS,
        ends_on=STARTS + timedelta(days=180),
        expires_at=STARTS,
        terms="54,000 a year",
    ),
    e.CounterOfferNoted(
        at=AT, offer_id="o-1", submission_id="s-1", made_by="present-employer", words="They offer 53,000."
    ),
    e.OfferAccepted(
        at=AT,
        offer_id="o-1",
        submission_id="s-1",
        starts_on=STARTS,
        placement_id="s-1",
        kind="permanent",
    ),
    e.OfferDeclined(at=AT, offer_id="o-1", submission_id="s-1", reason="The commute."),
    e.OfferWithdrawn(
        at=AT, offer_id="o-1", submission_id="s-1", why="taken-back", reason="A freeze on hiring."
    ),
    e.SubmissionLeftOpen(at=AT, submission_id="s-2", offer_id="o-1"),
    e.SubmissionKept(at=AT, submission_id="s-2", reason="Until the first day."),
    e.PositionHeld(at=AT, job_order_id="j-1", submission_id="s-1", until=STARTS),
    e.PositionOwnerChanged(at=AT, job_order_id="j-1", owner="recruiter-4", previous=("recruiter-9",)),
    e.PositionResumed(at=AT, job_order_id="j-1", submission_id="s-1"),
    e.PlacementTermsRecorded(
        at=AT,
        placement_id="s-1",
        kind="permanent",
        guarantee_days=90,
        remedy="pro-rata",
        refund_steps=(
            e.RefundStep(until_day=30, percent=100),
            e.RefundStep(until_day=90, percent=50),
        ),
        guarantee_until=STARTS + timedelta(days=90),
    ),
    e.StartMoved(
        at=AT,
        placement_id="s-1",
        starts_on=STARTS + timedelta(days=7),
        moved_by="client",
        reason="The desk is not ready.",
    ),
    e.PlacementStarted(
        at=STARTS,
        placement_id="s-1",
        submission_id="s-1",
        started_on=STARTS,
        kind="permanent",
        guarantee_until=STARTS + timedelta(days=90),
    ),
    e.ContractExtended(
        at=STARTS, placement_id="s-1", ends_on=STARTS + timedelta(days=270), reason="The project goes on."
    ),
    e.PlacementConverted(at=STARTS, placement_id="s-1", converted_on=STARTS),
    e.ConcernRaised(at=STARTS, placement_id="s-1", raised_by="candidate", words="Nobody has time for me."),
    e.PlacementEnded(
        at=STARTS + timedelta(days=47),
        placement_id="s-1",
        submission_id="s-1",
        job_order_id="j-1",
        how="fall-off",
        ended_by="candidate",
        ended_on=STARTS + timedelta(days=47),
        within_guarantee=True,
        reason_code="not-as-described",
        reason="Not the work that was promised.",
    ),
    e.GuaranteeInvoked(
        at=STARTS + timedelta(days=48),
        placement_id="s-1",
        submission_id="s-1",
        remedy="pro-rata",
        refund_percent=50,
    ),
    e.PositionFilled(at=AT, job_order_id="j-1", submission_id="s-1", how="filled"),
    e.CommandRefused(
        at=AT,
        command="submit",
        gate="right-to-represent",
        says="The candidate has not agreed.",
        remedy="Ask the candidate.",
        job_order_id="j-1",
        given='{"job_order_id":"j-1","name":"submit"}',
        content='{"reason":"It suits them."}',
    ),
    e.GateBypassed(
        at=AT, command="record-submission", gate="right-to-represent", mode="enforce", why="report"
    ),
    e.MessageRefused(at=AT, name="record-contact", reason="unreadable", says="It came without the codec."),
    e.EventAnnulled(at=AT, event_id=EVENT, annulled_type="contact-made", reason="The wrong person."),
    e.ObligationOpened(
        at=AT,
        obligation_id=OBLIGATION,
        rule="answer-candidate",
        subject="message:m-1",
        kind="answer",
        mode="enforce",
        owner_role="candidate-owner",
        awaits="recruiter",
        opened_at=AT,
        since=AT,
        due_at=DUE,
        rungs=RUNGS,
        useful_for=3600,
    ),
    e.ObligationModeChanged(
        at=AT,
        obligation_id=OBLIGATION,
        rule="keep-in-touch",
        subject="engagement",
        mode="observe",
    ),
    e.ObligationMoved(
        at=AT,
        obligation_id=OBLIGATION,
        rule="answer-candidate",
        subject="message:m-1",
        due_at=DUE,
        rungs=RUNGS,
        reason="paused",
    ),
    e.ObligationMet(
        at=AT,
        obligation_id=OBLIGATION,
        rule="answer-candidate",
        subject="message:m-1",
        met_at=AT,
        due_at=DUE,
        timely=True,
    ),
    e.ObligationBreached(
        at=DUE, obligation_id=OBLIGATION, rule="answer-candidate", subject="message:m-1", due_at=DUE
    ),
    e.ObligationExcused(
        at=AT,
        obligation_id=OBLIGATION,
        rule="answer-candidate",
        subject="message:m-1",
        reason="recorded-late",
    ),
    e.ExcuseGranted(
        at=AT,
        obligation_id=OBLIGATION,
        rule="answer-candidate",
        subject="message:m-1",
        by="lead-1",
        reason="recruiter-ill",
        words="In hospital; nobody knew.",
    ),
    e.ObligationDropped(
        at=AT, obligation_id=OBLIGATION, rule="answer-candidate", subject="message:m-1", reason="closed"
    ),
    e.RungReached(
        at=DUE,
        obligation_id=OBLIGATION,
        rule="answer-candidate",
        subject="message:m-1",
        rung=1,
        do="escalate",
        level=1,
        due_at=DUE,
    ),
    e.EscalationRaised(
        at=DUE,
        escalation_id=ESCALATION,
        obligation_id=OBLIGATION,
        rule="answer-candidate",
        subject="message:m-1",
        level=1,
        to="owner",
        owner="recruiter-1",
    ),
    e.EscalationAcknowledged(
        at=DUE, escalation_id=ESCALATION, by="recruiter-1", plan_by=STARTS, plan="Call tonight."
    ),
    e.EscalationSettled(at=DUE, escalation_id=ESCALATION, obligation_id=OBLIGATION, how="met"),
    e.OutreachRequested(
        at=DUE,
        effect_id=EFFECT,
        to="owner",
        owner="recruiter-1",
        template="escalation",
        rule="answer-candidate",
        obligation_id=OBLIGATION,
        subject="message:m-1",
        level=1,
        due_at=DUE,
        useful_until=STARTS,
    ),
    e.OutreachSent(at=DUE, effect_id=EFFECT, person="recruiter-1", message_id="<1@rapport.example>"),
    e.OutreachFailed(at=DUE, effect_id=EFFECT, attempt=2, reason="rejected", says="No such mailbox."),
    e.OutreachWithheld(at=DUE, effect_id=EFFECT, rule="quiet-hours"),
)

_JOB_ORDER: Final[tuple[Event, ...]] = (
    job_order.JobOrderOpened(
        at=AT,
        job_order_id="j-1",
        client_id="client-1",
        contact="contact-7",
        title="Head of Research",
        openings=2,
        owner="recruiter-9",
    ),
    job_order.IntakeStopped(at=AT),
    job_order.SubmissionReceived(at=AT, engagement_id="e-1", submission_id="s-1"),
    job_order.JobOrderHeld(at=AT, until=STARTS, reason="budget"),
    job_order.JobOrderResumed(at=AT),
    job_order.OpeningsChanged(at=AT, openings=3, openings_left=2),
    job_order.JobOrderFilled(at=AT, engagement_id="e-1", submission_id="s-1", openings_left=1),
    job_order.JobOrderReopened(
        at=AT, engagement_id="e-1", submission_id="s-1", openings_left=2, reason="fall-off"
    ),
    job_order.JobOrderTermsRecorded(
        at=AT,
        kind="permanent",
        guarantee_days=90,
        remedy="pro-rata",
        refund_steps=(e.RefundStep(until_day=30, percent=100), e.RefundStep(until_day=90, percent=50)),
    ),
    job_order.JobOrderClosed(at=AT, reason="budget"),
    job_order.ClientContactChanged(at=AT, contact="contact-8"),
    job_order.JobOrderOwnerChanged(
        at=AT, owner="recruiter-4", previous="recruiter-3", reason="recruiter-left"
    ),
)

_AGENCY: Final[tuple[Event, ...]] = (
    agency.PersonJoined(
        at=AT,
        person_id="recruiter-1",
        role="recruiter",
        team_lead="lead-1",
        director="director-1",
        name="Ida Fåberg",
        email="ida@example.com",
        team="north",
        office="zurich",
    ),
    agency.PersonChanged(
        at=AT, person_id="recruiter-1", role="team-lead", name="Ida Fåberg", team="north", office="lisbon"
    ),
    agency.PersonLeft(at=AT, person_id="recruiter-1"),
    agency.OutreachHeld(
        at=AT, reason="wrong-template", by="lead-1", words="The apology names the wrong client."
    ),
    agency.OutreachReleased(at=AT, by="lead-1"),
    absences.AbsenceRecorded(
        at=AT,
        absence_id="absence-1",
        person_id="recruiter-1",
        starts_at=AT,
        ends_at=STARTS,
        cover="recruiter-2",
        kind="leave",
    ),
    absences.AbsenceEnded(at=AT, absence_id="absence-1", ended_at=DUE),
    caseloads.CaseloadReassignmentStarted(
        at=AT,
        reassignment_id="handing-1",
        from_person="recruiter-1",
        reason="recruiter-left",
        allotment=(
            caseloads.Handed(engagement="e-1", to="recruiter-2"),
            caseloads.Handed(engagement="e-2", to="recruiter-4"),
        ),
        job_orders=(caseloads.HandedJob(job_order="j-1", to="recruiter-2"),),
    ),
    caseloads.CaseloadReassignmentCompleted(
        at=AT,
        reassignment_id="handing-1",
        moved=1,
        job_orders_moved=1,
        skipped=(caseloads.Skipped(stream="engagement:e-2", why="closed"),),
    ),
    glass.BreakGlassUsed(
        at=AT,
        engagement="e-1",
        credential="Kx3fT0aPq9LmZr27",
        by="operator-1",
        until=DUE,
        reason="The candidate reports a letter with another person's name.",
    ),
)

_COMMANDS: Final[tuple[Command, ...]] = (
    c.OpenEngagement(
        candidate_id="candidate-1",
        candidate_name="Žofie Ønskeby",
        email="zofie@example.com",
        phone="+44 20 7946 0000",
        zone="Europe/London",
        owner="recruiter-1",
        team=("recruiter-1", "recruiter-2"),
    ),
    c.AdoptPolicy(digest="1" * 64, policy_name="kinder", modes="open"),
    c.Assign(owner="recruiter-1", team=("recruiter-1", "recruiter-2")),
    c.Reassign(owner="recruiter-2", reason="left", handover="Likes short calls."),
    c.GoLive(observes=("keep-in-touch",)),
    c.NoteOffice(person="recruiter-2", office="london"),
    c.SetQuietHours(quiet_hours="21:30-09:00", zone="Europe/London"),
    c.StopOutreach(evidence_ref="mail-9"),
    c.AllowOutreach(evidence_ref="mail-10"),
    c.RecordBounce(effect_id=UUID(int=7), reason="mail-5-1-1"),
    c.CompleteIntake(),
    c.Pause(until=STARTS, reason="A wedding.", approved_by="lead-1"),
    c.RecordPause(until=STARTS, reason="A wedding.", approved_by="lead-1"),
    c.Resume(),
    c.GoDormant(reason="no-job-in-sight"),
    c.Withdraw(submission_id="s-1", reason="Too far from home."),
    c.CloseEngagement(reason="moved-away"),
    c.RecordContact(
        contact_id="contact-1",
        channel="phone",
        evidence="system",
        evidence_ref="call-1",
        note="Wants to lead people.",
        sentiment="good",
    ),
    c.RecordAttempt(attempt_id="attempt-1", channel="phone", note="Voicemail."),
    c.RecordMessage(message_id="m-1", words="Any news?"),
    c.RequestCall(message_id="m-2", words="After six, please."),
    c.IntroduceRecruiter(channel="phone"),
    c.RecordFacet(
        facet_id="facet-1",
        facet="goal",
        contact_id="contact-1",
        expires_at=AT + timedelta(days=365),
        words="To lead a team of her own.",
    ),
    c.RetireFacet(facet_id="facet-1", reason="moved"),
    c.PlayBackProfile(channel="phone", facets=("facet-1",)),
    c.ConfirmProfile(facets=("facet-1",), evidence="candidate-confirmed", evidence_ref="m-1"),
    c.RecordNoMatch(no_match_id="n-1", expected_by=STARTS, reason="No team lead role is open."),
    c.DeclineMatch(job_order_id="j-2", fit=40, reason="Shift work, which she is leaving."),
    c.RecordApplication(application_id="a-1", job_order_id="j-1"),
    c.LinkApplication(application_id="a-2", job_order_id="j-1"),
    c.DeclineApplication(application_id="a-1", reason="role-filled"),
    c.RecordCheck(
        check_id="check-1",
        check="identity",
        outcome="passed",
        evidence="system",
        consent="given",
        about=("a-1",),
        expires_at=DUE,
    ),
    c.ProposeJob(job_order_id="j-1", job_order_owner="recruiter-9", reason="A team to lead.", fit=80),
    c.RecordProposal(job_order_id="j-1", job_order_owner="recruiter-9", reason="A team to lead.", fit=80),
    c.AnswerProposal(job_order_id="j-1", answer="yes", reason="Sounds right."),
    c.GrantRightToRepresent(
        job_order_id="j-1",
        evidence="candidate-confirmed",
        evidence_ref="m-1",
        expires_at=AT + timedelta(days=90),
        wording="I agree to be presented for this job.",
        pay="52,000 a year or more",
        exclusive=True,
    ),
    c.RevokeRightToRepresent(job_order_id="j-1", reason="Changed my mind."),
    c.Submit(job_order_id="j-1", submission_id="s-1", application_id="a-1"),
    c.RecordSubmission(job_order_id="j-1", submission_id="s-1", application_id="a-1"),
    c.RecordClientAnswer(
        submission_id="s-1", answer="yes", reason="Strong references.", reason_code="experience"
    ),
    c.RecordClientTalk(
        client_talk_id="cc-1", channel="phone", purpose="chase", submission_id="s-1", note="By Friday."
    ),
    c.OpenConflict(
        conflict_id="x-1", job_order_id="j-1", submission_id="s-1", details="They sent her in March."
    ),
    c.AddConflictEvidence(conflict_id="x-1", evidence="right-to-represent", evidence_ref="m-1", dated=AT),
    c.ResolveConflict(conflict_id="x-1", outcome="won", reason="Her agreement with us is older."),
    c.RequestInterview(submission_id="s-1", interview_id="i-1"),
    c.ScheduleInterview(submission_id="s-1", interview_id="i-1", starts_at=STARTS, place="Room 4"),
    c.RecordInterviewScheduled(submission_id="s-1", interview_id="i-1", starts_at=STARTS, place="Room 4"),
    c.MoveInterview(
        interview_id="i-1", starts_at=STARTS + timedelta(days=1), moved_by="client", reason="A sick child."
    ),
    c.CancelInterview(interview_id="i-1", cancelled_by="client", reason="Budget."),
    c.RecordInterviewHeld(interview_id="i-1"),
    c.RecordInterviewMissed(interview_id="i-1", missed_by="client"),
    c.ExplainNoShow(interview_id="i-1", reason_code="illness", reason="A night in hospital."),
    c.RecordInterviewResult(interview_id="i-1", result="advance", feedback="Asked good questions."),
    c.PassOnFeedback(submission_id="s-1", interview_id="i-1", channel="phone", words="They liked it."),
    c.RecordOffer(
        submission_id="s-1",
        offer_id="o-1",
        terms="52,000 a year",
        placement_kind="permanent",
        starts_on=STARTS,
        expires_at=STARTS,
    ),
    c.ReviseOffer(offer_id="o-1", terms="54,000 a year"),
    c.NoteCounterOffer(offer_id="o-1", made_by="present-employer", words="They offer 53,000."),
    c.AcceptOffer(offer_id="o-1", starts_on=STARTS),
    c.DeclineOffer(offer_id="o-1", reason="The commute."),
    c.WithdrawOffer(offer_id="o-1", why="taken-back", reason="A freeze on hiring."),
    c.SettleSubmission(submission_id="s-2", choice="withdraw", reason="This one is the one."),
    c.RecordPlacementTerms(
        placement_id="s-1",
        placement_kind="permanent",
        guarantee_days=90,
        remedy="pro-rata",
        refund_steps=(
            e.RefundStep(until_day=30, percent=100),
            e.RefundStep(until_day=90, percent=50),
        ),
    ),
    c.MoveStart(
        placement_id="s-1",
        starts_on=STARTS + timedelta(days=7),
        moved_by="client",
        reason="The desk is not ready.",
    ),
    c.ConfirmStart(placement_id="s-1"),
    c.ExtendContract(placement_id="s-1", ends_on=STARTS + timedelta(days=270), reason="The project goes on."),
    c.ConvertPlacement(placement_id="s-1"),
    c.RaiseConcern(placement_id="s-1", words="Nobody has time for me."),
    c.EndPlacement(
        placement_id="s-1",
        how="fall-off",
        ended_by="candidate",
        reason_code="not-as-described",
        reason="Not the work that was promised.",
    ),
    c.InvokeGuarantee(placement_id="s-1"),
    c.RecordPositionHeld(job_order_id="j-1", until=STARTS),
    c.RecordPositionOwner(job_order_id="j-1", owner="recruiter-4", previous=("recruiter-9",)),
    c.RecordPositionResumed(job_order_id="j-1"),
    c.RecordPositionFilled(job_order_id="j-1", how="filled"),
    c.AnnulEvent(event_id=EVENT, reason="The wrong person."),
    c.AcknowledgeEscalation(escalation_id=ESCALATION, plan_by=STARTS, plan="Call tonight."),
    c.ExcuseObligation(
        obligation_id=OBLIGATION, by="lead-1", reason="recruiter-ill", words="In hospital; nobody knew."
    ),
    c.RecordOutreach(
        effect_id=EFFECT, outcome="sent", person="recruiter-1", message_id="<1@rapport.example>"
    ),
    c.RefuseMessage(message="record-contact", reason="unreadable", says="It came without the codec."),
)


def _by_type(events: Iterable[Event]) -> dict[str, Event]:
    return {type(each).model_fields["type"].default: each for each in events}


EVENTS: Final = _by_type(_ENGAGEMENT)
JOB_ORDER_EVENTS: Final = _by_type(_JOB_ORDER)
AGENCY_EVENTS: Final = _by_type(_AGENCY)
EVERY_EVENT: Final = {**EVENTS, **JOB_ORDER_EVENTS, **AGENCY_EVENTS}
COMMANDS: Final = {type(each).model_fields["name"].default: each for each in _COMMANDS}
