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
    match command.name:
        case "open-engagement":
            return intake.open_engagement(command, state, ctx, policy)
        case "adopt-policy":
            return intake.adopt_policy(command, state, ctx, policy)
        case "assign":
            return intake.assign(command, state, ctx)
        case "reassign":
            return intake.reassign(command, state, ctx)
        case "go-live":
            return intake.go_live(command, state, ctx, policy, history)
        case "note-office":
            return intake.note_office(command, state, ctx)
        case "set-quiet-hours":
            return intake.set_quiet_hours(command, state, ctx)
        case "stop-outreach":
            return contact.stop_outreach(command, state, ctx)
        case "allow-outreach":
            return contact.allow_outreach(command, state, ctx)
        case "record-bounce":
            return contact.record_bounce(command, state, ctx)
        case "complete-intake":
            return intake.complete_intake(command, state, ctx)
        case "pause" | "record-pause":
            return intake.pause(command, state, ctx)
        case "resume":
            return intake.resume(command, state, ctx)
        case "go-dormant":
            return intake.go_dormant(command, state, ctx)
        case "withdraw":
            return intake.withdraw(command, state, ctx)
        case "close-engagement":
            return intake.close_engagement(command, state, ctx)
        case "record-contact":
            return contact.record_contact(command, state, ctx)
        case "record-attempt":
            return contact.record_attempt(command, state, ctx)
        case "record-message":
            return contact.record_message(command, state, ctx)
        case "request-call":
            return contact.request_call(command, state, ctx)
        case "introduce-recruiter":
            return profile.introduce_recruiter(command, state, ctx)
        case "record-facet":
            return profile.record_facet(command, state, ctx)
        case "retire-facet":
            return profile.retire_facet(command, state, ctx)
        case "play-back-profile":
            return profile.play_back_profile(command, state, ctx)
        case "confirm-profile":
            return profile.confirm_profile(command, state, ctx)
        case "record-no-match":
            return profile.record_no_match(command, state, ctx)
        case "decline-match":
            return profile.decline_match(command, state, ctx)
        case "record-application":
            return application.record_application(command, state, ctx)
        case "link-application-to-job-order":
            return application.link_application(command, state, ctx)
        case "decline-application":
            return application.decline_application(command, state, ctx)
        case "record-check":
            return application.record_check(command, state, ctx)
        case "propose-job" | "record-proposal":
            return submission.propose_job(command, state, ctx)
        case "answer-proposal":
            return submission.answer_proposal(command, state, ctx)
        case "grant-right-to-represent":
            return submission.grant_right(command, state, ctx)
        case "revoke-right-to-represent":
            return submission.revoke_right(command, state, ctx)
        case "submit" | "record-submission":
            return submission.submit(command, state, ctx)
        case "record-client-answer":
            return submission.record_client_answer(command, state, ctx)
        case "record-client-talk":
            return client.record_client_talk(command, state, ctx)
        case "open-conflict":
            return client.open_conflict(command, state, ctx)
        case "add-conflict-evidence":
            return client.add_conflict_evidence(command, state, ctx)
        case "resolve-conflict":
            return client.resolve_conflict(command, state, ctx)
        case "record-position-held":
            return submission.record_position_held(command, state, ctx)
        case "record-position-resumed":
            return submission.record_position_resumed(command, state, ctx)
        case "record-position-owner":
            return submission.record_position_owner(command, state, ctx)
        case "record-position-filled":
            return submission.record_position_filled(command, state, ctx)
        case "request-interview":
            return interview.request_interview(command, state, ctx)
        case "schedule-interview" | "record-interview-scheduled":
            return interview.schedule_interview(command, state, ctx)
        case "move-interview":
            return interview.move_interview(command, state, ctx)
        case "cancel-interview":
            return interview.cancel_interview(command, state, ctx)
        case "record-interview-held":
            return interview.record_held(command, state, ctx)
        case "record-interview-missed":
            return interview.record_missed(command, state, ctx)
        case "explain-no-show":
            return interview.explain_no_show(command, state, ctx)
        case "record-interview-result":
            return interview.record_result(command, state, ctx)
        case "pass-on-feedback":
            return interview.pass_on_feedback(command, state, ctx)
        case "record-offer":
            return offer.record_offer(command, state, ctx)
        case "revise-offer":
            return offer.revise_offer(command, state, ctx)
        case "note-counter-offer":
            return offer.note_counter_offer(command, state, ctx)
        case "accept-offer":
            return offer.accept_offer(command, state, ctx)
        case "decline-offer":
            return offer.decline_offer(command, state, ctx)
        case "withdraw-offer":
            return offer.withdraw_offer(command, state, ctx)
        case "settle-submission":
            return offer.settle_submission(command, state, ctx)
        case "record-placement-terms":
            return placement.record_terms(command, state, ctx)
        case "move-start":
            return placement.move_start(command, state, ctx)
        case "confirm-start":
            return placement.confirm_start(command, state, ctx)
        case "extend-contract":
            return placement.extend_contract(command, state, ctx)
        case "convert-placement":
            return placement.convert_placement(command, state, ctx)
        case "raise-concern":
            return placement.raise_concern(command, state, ctx)
        case "end-placement":
            return placement.end_placement(command, state, ctx)
        case "invoke-guarantee":
            return placement.invoke_guarantee(command, state, ctx)
        case "annul-event":
            return record.annul_event(command, state, ctx, history)
        case "acknowledge-escalation":
            return record.acknowledge_escalation(command, state, ctx)
        case "excuse-obligation":
            return record.excuse_obligation(command, state, ctx)
        case "record-outreach":
            return record.record_outreach(command, state, ctx)
        case "refuse-message":
            return record.refuse_message(command, state, ctx)
        case _:
            assert_never(command)
