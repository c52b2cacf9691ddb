"""The one canonical example of every event and every command that the tests share.

Golden files are made from the events here: changing one changes no file, and no file may change.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from events import agency, job_order
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
    e.PolicyAdopted(at=AT, digest="0" * 64, name="starter"),
    e.Assigned(at=AT, owner="recruiter-1", team=("recruiter-1", "recruiter-2")),
    e.Reassigned(
        at=AT, owner="recruiter-2", previous="recruiter-1", reason="left", handover="Likes short calls."
    ),
    e.IntakeCompleted(at=AT),
    e.Paused(at=AT, until=STARTS, reason="A wedding."),
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
    ),
    e.AttemptMade(at=AT, attempt_id="attempt-1", by="recruiter-1", channel="phone", note="Voicemail."),
    e.CandidateWrote(at=AT, message_id="m-1", channel="email", words="Any news?"),
    e.CallRequested(at=AT, message_id="m-2", words="After six, please."),
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
    ),
    e.JobProposed(
        at=AT, job_order_id="j-1", by="recruiter-1", job_order_owner="recruiter-9", reason="A team to lead."
    ),
    e.ProposalAnswered(at=AT, job_order_id="j-1", answer="yes", reason="Sounds right."),
    e.RightToRepresentGranted(
        at=AT,
        job_order_id="j-1",
        evidence="candidate-confirmed",
        evidence_ref="m-1",
        expires_at=AT + timedelta(days=90),
        wording="I agree to be presented for this job.",
    ),
    e.RightToRepresentRevoked(at=AT, job_order_id="j-1", reason="Changed my mind."),
    e.Submitted(
        at=AT,
        submission_id="s-1",
        job_order_id="j-1",
        application_id="a-1",
        by="recruiter-1",
        job_order_owner="recruiter-9",
    ),
    e.ClientAnswered(at=AT, submission_id="s-1", answer="yes", reason="Strong references."),
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
    e.OfferExtended(at=AT, offer_id="o-1", submission_id="s-1", terms="52,000 a year"),
    e.OfferAccepted(at=AT, offer_id="o-1", submission_id="s-1", starts_on=STARTS),
    e.OfferDeclined(at=AT, offer_id="o-1", submission_id="s-1", reason="The commute."),
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
    job_order.JobOrderFilled(at=AT, engagement_id="e-1", submission_id="s-1", openings_left=1),
    job_order.JobOrderClosed(at=AT, reason="budget"),
    job_order.ClientContactChanged(at=AT, contact="contact-8"),
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
    ),
    agency.PersonChanged(at=AT, person_id="recruiter-1", role="team-lead", name="Ida Fåberg"),
    agency.PersonLeft(at=AT, person_id="recruiter-1"),
    agency.OutreachHeld(
        at=AT, reason="wrong-template", by="lead-1", words="The apology names the wrong client."
    ),
    agency.OutreachReleased(at=AT, by="lead-1"),
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
    c.AdoptPolicy(digest="1" * 64, policy_name="kinder"),
    c.Assign(owner="recruiter-1", team=("recruiter-1", "recruiter-2")),
    c.Reassign(owner="recruiter-2", reason="left", handover="Likes short calls."),
    c.CompleteIntake(),
    c.Pause(until=STARTS, reason="A wedding."),
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
    ),
    c.RecordAttempt(attempt_id="attempt-1", channel="phone", note="Voicemail."),
    c.RecordMessage(message_id="m-1", words="Any news?"),
    c.RequestCall(message_id="m-2", words="After six, please."),
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
    ),
    c.ProposeJob(job_order_id="j-1", job_order_owner="recruiter-9", reason="A team to lead."),
    c.RecordProposal(job_order_id="j-1", job_order_owner="recruiter-9", reason="A team to lead."),
    c.AnswerProposal(job_order_id="j-1", answer="yes", reason="Sounds right."),
    c.GrantRightToRepresent(
        job_order_id="j-1",
        evidence="candidate-confirmed",
        evidence_ref="m-1",
        expires_at=AT + timedelta(days=90),
        wording="I agree to be presented for this job.",
    ),
    c.RevokeRightToRepresent(job_order_id="j-1", reason="Changed my mind."),
    c.Submit(job_order_id="j-1", submission_id="s-1", application_id="a-1"),
    c.RecordSubmission(job_order_id="j-1", submission_id="s-1", application_id="a-1"),
    c.RecordClientAnswer(submission_id="s-1", answer="yes", reason="Strong references."),
    c.RequestInterview(submission_id="s-1", interview_id="i-1"),
    c.ScheduleInterview(submission_id="s-1", interview_id="i-1", starts_at=STARTS, place="Room 4"),
    c.RecordInterviewScheduled(submission_id="s-1", interview_id="i-1", starts_at=STARTS, place="Room 4"),
    c.MoveInterview(
        interview_id="i-1", starts_at=STARTS + timedelta(days=1), moved_by="client", reason="A sick child."
    ),
    c.CancelInterview(interview_id="i-1", cancelled_by="client", reason="Budget."),
    c.RecordInterviewHeld(interview_id="i-1"),
    c.RecordInterviewMissed(interview_id="i-1", missed_by="client"),
    c.RecordInterviewResult(interview_id="i-1", result="advance", feedback="Asked good questions."),
    c.PassOnFeedback(submission_id="s-1", interview_id="i-1", channel="phone", words="They liked it."),
    c.RecordOffer(submission_id="s-1", offer_id="o-1", terms="52,000 a year"),
    c.AcceptOffer(offer_id="o-1", starts_on=STARTS),
    c.DeclineOffer(offer_id="o-1", reason="The commute."),
    c.RecordPositionFilled(job_order_id="j-1", how="filled"),
    c.AnnulEvent(event_id=EVENT, reason="The wrong person."),
    c.AcknowledgeEscalation(escalation_id=ESCALATION, plan_by=STARTS, plan="Call tonight."),
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
