"""Decisions about words exchanged: contacts, attempts, and what the candidate says.

Only people make contact: whatever the engine sends is neither contact nor attempt.
"""

from events import catalogue as e
from events import commands as c
from events.context import Context
from events.errors import InvalidCommand, NeedsEvidence, NotAllowed
from events.making import made
from events.state import Engagement
from events.subjects import resolve


def record_contact(command: c.RecordContact, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record a two-way exchange, once per contact id; somebody unhappy in their placement is a concern.

    :raises NotAllowed: the engine claims to have talked.
    :raises InvalidCommand: nobody of the agency is named, or a check-in does not say whether they like it.
    :raises NeedsEvidence: the candidate is said to have confirmed it, and nothing shows it.
    :raises UnknownReference: it is about something that is not here.
    """
    if ctx.actor.kind == "engine":
        raise NotAllowed("an automated message is no contact; only a person's exchange with the candidate is")
    if command.evidence == "candidate-confirmed" and command.evidence_ref is None:
        raise NeedsEvidence(
            "say where the candidate confirmed it: evidence_ref=ID of the message or recording"
        )
    contact_id = ctx.new_id("contact", command.contact_id)
    if contact_id in (*state.contacts, *state.attempts):
        return []
    about = resolve(command.about, state)
    checks_in = "check-in" in (command.purpose, *command.also)
    if checks_in and command.likes is None:
        raise InvalidCommand(
            "a check-in says whether they like the job: likes=yes, partly or no; "
            "a talk that does not ask is purpose=talk"
        )
    alive = _placements_of(about, state) if checks_in else []
    if len(alive) == 1 and not {f"placement:{alive[0]}", f"submission:{alive[0]}"} & set(about):
        # Said, so that whoever counts what was liked need not guess.
        about = (*about, f"placement:{alive[0]}")
    contact: list[e.AnyEvent] = [
        made(
            e.ContactMade,
            at=ctx.at,
            contact_id=contact_id,
            by=ctx.person(command.by),
            channel=command.channel,
            direction=command.direction,
            evidence=command.evidence,
            evidence_ref=command.evidence_ref,
            purpose=command.purpose,
            about=about,
            note=command.note,
            also=command.also,
            sentiment=command.sentiment,
            likes=command.likes,
        )
    ]
    # A closed engagement takes the late report of the talk, and opens nothing any more.
    if command.likes == "no" and not state.closed:
        contact += [e.ConcernRaised(at=ctx.at, placement_id=each, raised_by="candidate") for each in alive]
    return contact


def _placements_of(about: tuple[str, ...], state: Engagement) -> list[str]:
    """Name the placements that a check-in is about: those named, else all that are not over."""
    alive = [key for key, each in sorted(state.placements.items()) if each.ended_how is None]
    named = [key for key in alive if {f"placement:{key}", f"submission:{key}"} & set(about)]
    return named or alive


def record_attempt(command: c.RecordAttempt, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record a person's one-way try, once per attempt id.

    :raises NotAllowed: the engine claims to have tried.
    """
    if ctx.actor.kind == "engine":
        raise NotAllowed("an automated message is no attempt; only a person's try is")
    attempt_id = ctx.new_id("attempt", command.attempt_id)
    if attempt_id in (*state.contacts, *state.attempts):
        return []
    return [
        made(
            e.AttemptMade,
            at=ctx.at,
            attempt_id=attempt_id,
            by=ctx.person(command.by),
            channel=command.channel,
            about=resolve(command.about, state),
            note=command.note,
        )
    ]


def record_message(command: c.RecordMessage, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record that the candidate wrote, once per message id."""
    message_id = ctx.new_id("message", command.message_id)
    if message_id in state.messages:
        return []
    return [e.CandidateWrote(at=ctx.at, message_id=message_id, channel=command.channel, words=command.words)]


def request_call(command: c.RequestCall, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record that the candidate asks for a call, once per message id."""
    message_id = ctx.new_id("message", command.message_id)
    if message_id in state.messages:
        return []
    return [e.CallRequested(at=ctx.at, message_id=message_id, words=command.words)]


def stop_outreach(command: c.StopOutreach, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Note that automated messages must not reach the candidate any more, once."""
    if state.outreach_stopped:
        return []
    return [e.OutreachStopped(at=ctx.at, evidence_ref=command.evidence_ref)]


def allow_outreach(command: c.AllowOutreach, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Note that automated messages may reach the candidate again.

    :raises NotAllowed: the engine says so; only people know what the candidate wants.
    """
    if ctx.actor.kind == "engine":
        raise NotAllowed("only a person can say that the candidate takes automated messages again")
    if not state.outreach_stopped:
        return []
    return [e.OutreachAllowed(at=ctx.at, evidence_ref=command.evidence_ref)]


def record_bounce(command: c.RecordBounce, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Note that a message came back; whose it was, the effect says."""
    return [e.OutreachBounced(at=ctx.at, effect_id=command.effect_id, reason=command.reason)]
