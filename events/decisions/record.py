"""Decisions about the record itself: annulments, escalations taken on, outreach reported, messages refused.

Nothing here ever changes or removes an event; it adds one that says what to make of it.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from events import catalogue as e
from events import commands as c
from events.codec import ENGAGEMENT_EVENTS, decode
from events.context import Context
from events.envelope import Stored
from events.errors import NotAllowed, UnknownReference, WrongState
from events.fold import annulled_ids
from events.obligations import job_order_owner
from events.state import Engagement

# What one report may bring with it: declared wrong together with it.
BRINGS: Final[Mapping[str, str]] = {
    "offer-accepted": "submission-left-open",
    "contact-made": "concern-raised",
    "talked-with-client": "concern-raised",
}
LASTING: Final = frozenset(
    {
        "engagement-opened",
        "engagement-closed",
        "policy-adopted",
        "went-live",
        "event-annulled",
        "outreach-sent",
        "outreach-failed",
        "outreach-withheld",
    }
)


def annul_event(
    command: c.AnnulEvent, state: Engagement, ctx: Context, history: Sequence[Stored]
) -> list[e.AnyEvent]:
    """Declare an event of the world wrong, and what the same report had brought with it.

    :raises UnknownReference: this stream has no such event.
    :raises WrongState: it is the engine's own, or one that others rest on.
    """
    found = next((stored for stored in history if stored.event_id == command.event_id), None)
    if found is None:
        raise UnknownReference("event", str(command.event_id), "rapport show prints the ids there are")
    gone = annulled_ids(history)
    if command.event_id in gone:
        return []
    if found.type in LASTING or ENGAGEMENT_EVENTS[found.type].by_engine:
        raise WrongState(
            f"a '{found.type}' cannot be annulled; annul what led to it, or close the engagement"
        )
    _nothing_rests_on(decode(found), state)
    brought = (
        each
        for each in history
        if each.command_id == found.command_id
        and each.type == BRINGS.get(found.type)
        and each.event_id not in gone
    )
    return [
        e.EventAnnulled(at=ctx.at, event_id=each.event_id, annulled_type=each.type, reason=command.reason)
        for each in (found, *brought)
    ]


def _nothing_rests_on(event: e.AnyEvent, state: Engagement) -> None:
    """Keep the order of undoing: check-ins on a placement that nobody accepted would be nonsense."""
    if isinstance(event, e.OfferAccepted):
        found = state.placements.get(event.placement_id)
        if found is not None and (found.started_on is not None or found.ended_how is not None):
            last = "placement-ended" if found.ended_how is not None else "placement-started"
            raise WrongState(f"the placement has gone on since this was accepted; annul its '{last}' first")
    if isinstance(event, e.Submitted) and event.submission_id in state.placements:
        raise WrongState("a placement came of this submission; annul its 'offer-accepted' first")


def acknowledge_escalation(
    command: c.AcknowledgeEscalation, state: Engagement, ctx: Context
) -> list[e.AnyEvent]:
    """Note who takes an escalation on; the obligation stays open until it is kept.

    :raises UnknownReference: no such escalation is open.
    """
    found = state.escalations.get(command.escalation_id)
    if found is None:
        raise UnknownReference(
            "open escalation", str(command.escalation_id), "rapport show prints the ids there are"
        )
    by = ctx.person(command.by)
    if (found.acknowledged_by, found.plan_by) == (by, command.plan_by):
        return []
    return [
        e.EscalationAcknowledged(
            at=ctx.at,
            escalation_id=command.escalation_id,
            by=by,
            plan_by=command.plan_by,
            plan=command.plan,
        )
    ]


def excuse_obligation(command: c.ExcuseObligation, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Note why a promise need not be kept or its breach does not count, once; it never counts as kept.

    :raises UnknownReference: no such promise is open, or was broken.
    :raises NotAllowed: who owes it excuses themselves, or something that is no person does.
    """
    promise = state.obligations.get(command.obligation_id)
    breach = state.breaches.get(command.obligation_id)
    found = promise or breach
    if found is None:
        raise UnknownReference(
            "open or broken promise", str(command.obligation_id), "rapport show prints the ids there are"
        )
    if ctx.actor.kind == "engine":
        raise NotAllowed("only a person excuses a promise")
    by = ctx.person(command.by)
    ours = found.owner_role == "candidate-owner"
    owners = (state.candidate_owner, None if ours else job_order_owner(state, found.subject))
    themselves = [each for each in (by, ctx.actor.id) if each in owners]
    if themselves:
        raise NotAllowed(
            f"'{themselves[0]}' owes this promise, and nobody excuses themselves; another lead does: by=LEAD"
        )
    if promise is None and breach is not None and breach.excused:
        return []
    return [
        e.ExcuseGranted(
            at=ctx.at,
            obligation_id=command.obligation_id,
            rule=found.rule,
            subject=found.subject,
            by=by,
            reason=command.reason,
            words=command.words,
        )
    ]


def record_outreach(command: c.RecordOutreach, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Note what became of a message, once."""
    if command.effect_id not in state.owed:
        return []
    if command.outcome == "sent":
        return [
            e.OutreachSent(
                at=ctx.at,
                effect_id=command.effect_id,
                person=command.person,
                attempt=command.attempt,
                message_id=command.message_id,
            )
        ]
    if command.outcome == "withheld":
        return [e.OutreachWithheld(at=ctx.at, effect_id=command.effect_id, rule=command.reason)]
    return [
        e.OutreachFailed(
            at=ctx.at,
            effect_id=command.effect_id,
            attempt=command.attempt,
            reason=command.reason,
            says=command.says,
        )
    ]


def refuse_message(command: c.RefuseMessage, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Note that a message came and could not be applied."""
    return [e.MessageRefused(at=ctx.at, name=command.message, reason=command.reason, says=command.says)]
