"""Command and state to events: the one place that says which decision serves which command.

Pure and total: the same command on the same state always gives the same events, or the same error.
"""

from collections.abc import Sequence
from typing import assert_never

from events import catalogue as e
from events import commands as c
from events.context import Context
from events.decisions import (
    application,
    client,
    contact,
    intake,
    interview,
    offer,
    placement,
    profile,
    record,
    submission,
)
from events.envelope import Stored
from events.policy import Policy
from events.state import Engagement


def decide(
    command: c.AnyCommand,
    state: Engagement,
    ctx: Context,
    policy: Policy,
    history: Sequence[Stored] = (),
) -> list[e.AnyEvent]:
    """Give the business events a command leads to; gates and promises are the decider's concern.

    :raises CallerError: the command contradicts the state or names what it does not know.
    """
    match command:
        case c.OpenEngagement():
            return intake.open_engagement(command, state, ctx, policy)
        case c.AdoptPolicy():
            return intake.adopt_policy(command, state, ctx, policy)
        case c.Assign():
            return intake.assign(command, state, ctx)
        case c.Reassign():
            return intake.reassign(command, state, ctx)
        case c.GoLive():
            return intake.go_live(command, state, ctx, policy, history)
        case c.NoteOffice():
            return intake.note_office(command, state, ctx)
        case c.SetQuietHours():
            return intake.set_quiet_hours(command, state, ctx)
        case c.StopOutreach():
            return contact.stop_outreach(command, state, ctx)
        case c.AllowOutreach():
            return contact.allow_outreach(command, state, ctx)
        case c.RecordBounce():
            return contact.record_bounce(command, state, ctx)
        case c.CompleteIntake():
            return intake.complete_intake(command, state, ctx)
        case c.Pause() | c.RecordPause():
            return intake.pause(command, state, ctx)
        case c.Resume():
            return intake.resume(command, state, ctx)
        case c.GoDormant():
            return intake.go_dormant(command, state, ctx)
        case c.Withdraw():
            return intake.withdraw(command, state, ctx)
        case c.CloseEngagement():
            return intake.close_engagement(command, state, ctx)
        case c.RecordContact():
            return contact.record_contact(command, state, ctx)
        case c.RecordAttempt():
            return contact.record_attempt(command, state, ctx)
        case c.RecordMessage():
            return contact.record_message(command, state, ctx)
        case c.RequestCall():
            return contact.request_call(command, state, ctx)
        case c.IntroduceRecruiter():
            return profile.introduce_recruiter(command, state, ctx)
        case c.RecordFacet():
            return profile.record_facet(command, state, ctx)
        case c.RetireFacet():
            return profile.retire_facet(command, state, ctx)
        case c.PlayBackProfile():
            return profile.play_back_profile(command, state, ctx)
        case c.ConfirmProfile():
            return profile.confirm_profile(command, state, ctx)
        case c.RecordNoMatch():
            return profile.record_no_match(command, state, ctx)
        case c.DeclineMatch():
            return profile.decline_match(command, state, ctx)
        case c.RecordApplication():
            return application.record_application(command, state, ctx)
        case c.LinkApplication():
            return application.link_application(command, state, ctx)
        case c.DeclineApplication():
            return application.decline_application(command, state, ctx)
        case c.RecordCheck():
            return application.record_check(command, state, ctx)
        case c.ProposeJob() | c.RecordProposal():
            return submission.propose_job(command, state, ctx)
        case c.AnswerProposal():
            return submission.answer_proposal(command, state, ctx)
        case c.GrantRightToRepresent():
            return submission.grant_right(command, state, ctx)
        case c.RevokeRightToRepresent():
            return submission.revoke_right(command, state, ctx)
        case c.Submit() | c.RecordSubmission():
            return submission.submit(command, state, ctx)
        case c.RecordClientAnswer():
            return submission.record_client_answer(command, state, ctx)
        case c.RecordClientTalk():
            return client.record_client_talk(command, state, ctx)
        case c.OpenConflict():
            return client.open_conflict(command, state, ctx)
        case c.AddConflictEvidence():
            return client.add_conflict_evidence(command, state, ctx)
        case c.ResolveConflict():
            return client.resolve_conflict(command, state, ctx)
        case c.RecordPositionHeld():
            return submission.record_position_held(command, state, ctx)
        case c.RecordPositionResumed():
            return submission.record_position_resumed(command, state, ctx)
        case c.RecordPositionOwner():
            return submission.record_position_owner(command, state, ctx)
        case c.RecordPositionFilled():
            return submission.record_position_filled(command, state, ctx)
        case c.RequestInterview():
            return interview.request_interview(command, state, ctx)
        case c.ScheduleInterview() | c.RecordInterviewScheduled():
            return interview.schedule_interview(command, state, ctx)
        case c.MoveInterview():
            return interview.move_interview(command, state, ctx)
        case c.CancelInterview():
            return interview.cancel_interview(command, state, ctx)
        case c.RecordInterviewHeld():
            return interview.record_held(command, state, ctx)
        case c.RecordInterviewMissed():
            return interview.record_missed(command, state, ctx)
        case c.ExplainNoShow():
            return interview.explain_no_show(command, state, ctx)
        case c.RecordInterviewResult():
            return interview.record_result(command, state, ctx)
        case c.PassOnFeedback():
            return interview.pass_on_feedback(command, state, ctx)
        case c.RecordOffer():
            return offer.record_offer(command, state, ctx)
        case c.ReviseOffer():
            return offer.revise_offer(command, state, ctx)
        case c.NoteCounterOffer():
            return offer.note_counter_offer(command, state, ctx)
        case c.AcceptOffer():
            return offer.accept_offer(command, state, ctx)
        case c.DeclineOffer():
            return offer.decline_offer(command, state, ctx)
        case c.WithdrawOffer():
            return offer.withdraw_offer(command, state, ctx)
        case c.SettleSubmission():
            return offer.settle_submission(command, state, ctx)
        case c.RecordPlacementTerms():
            return placement.record_terms(command, state, ctx)
        case c.MoveStart():
            return placement.move_start(command, state, ctx)
        case c.ConfirmStart():
            return placement.confirm_start(command, state, ctx)
        case c.ExtendContract():
            return placement.extend_contract(command, state, ctx)
        case c.ConvertPlacement():
            return placement.convert_placement(command, state, ctx)
        case c.RaiseConcern():
            return placement.raise_concern(command, state, ctx)
        case c.EndPlacement():
            return placement.end_placement(command, state, ctx)
        case c.InvokeGuarantee():
            return placement.invoke_guarantee(command, state, ctx)
        case c.AnnulEvent():
            return record.annul_event(command, state, ctx, history)
        case c.AcknowledgeEscalation():
            return record.acknowledge_escalation(command, state, ctx)
        case c.ExcuseObligation():
            return record.excuse_obligation(command, state, ctx)
        case c.RecordOutreach():
            return record.record_outreach(command, state, ctx)
        case c.RefuseMessage():
            return record.refuse_message(command, state, ctx)
        case _:
            assert_never(command)
