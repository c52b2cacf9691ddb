"""Decisions about knowing the person: introduction, facets, playback, confirmation, and honest waiting.

What is learnt says which job suits the person; nothing here ever ranks people for a client.
"""

from events import catalogue as e
from events import commands as c
from events.context import Context
from events.errors import InvalidCommand, NeedsEvidence, NotAllowed, UnknownReference, WrongState
from events.state import Engagement


def introduce_recruiter(command: c.IntroduceRecruiter, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record that the candidate learnt who answers for them, once until somebody else does.

    :raises NotAllowed: the engine claims to have introduced somebody.
    :raises WrongState: nobody is named, and nobody answers for the candidate yet.
    :raises InvalidCommand: nobody is said to have introduced them.
    """
    _a_person_did(ctx, "an automated message introduces nobody; only a person does")
    recruiter = command.recruiter or state.candidate_owner
    if recruiter is None:
        raise WrongState("nobody answers for this candidate yet; name who was introduced: recruiter=PERSON")
    owed = state.introduction_owed and recruiter == state.candidate_owner
    if recruiter in state.introduced and not owed:
        return []
    by = ctx.person(command.by)
    return [e.RecruiterIntroduced(at=ctx.at, recruiter=recruiter, by=by, channel=command.channel)]


def record_facet(command: c.RecordFacet, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record something about the person, with the conversation that it comes from.

    :raises WrongState: nobody has talked with the candidate yet.
    :raises UnknownReference: no such conversation.
    :raises InvalidCommand: it has expired already.
    """
    if not state.conversations:
        raise WrongState(
            "what a person wants is learnt by talking with them; "
            "record the conversation with record-contact first"
        )
    if command.contact_id is not None and command.contact_id not in state.contacts:
        raise UnknownReference("conversation", command.contact_id, "record it with record-contact first")
    if command.expires_at is not None and command.expires_at <= ctx.at:
        raise InvalidCommand("expires_at is past already; give a later time, or leave it out")
    return [
        e.FacetLearnt(
            at=ctx.at,
            facet_id=ctx.new_id("facet", command.facet_id),
            facet=command.facet,
            contact_id=command.contact_id or state.contacts[-1],
            expires_at=command.expires_at,
            words=command.words,
        )
    ]


def retire_facet(command: c.RetireFacet, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record that something is true no longer.

    :raises UnknownReference: nothing was ever learnt under this id.
    """
    _known_facets((command.facet_id,), state)
    return [e.FacetRetired(at=ctx.at, facet_id=command.facet_id, reason=command.reason)]


def play_back_profile(command: c.PlayBackProfile, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record that a person told the candidate how they are understood.

    :raises NotAllowed: the engine claims to have done so.
    :raises WrongState: nothing is known of the person yet.
    :raises UnknownReference: no such facet.
    """
    _a_person_did(ctx, "an automated message plays nothing back; only a person who asks 'is this you?' does")
    _known_facets(command.facets, state)
    facets = command.facets or tuple(sorted(state.facets))
    if not facets:
        raise WrongState("nothing is known of this person yet; record what they said with record-facet first")
    if all(state.facets[each].played_back for each in facets):
        return []
    return [e.ProfilePlayedBack(at=ctx.at, by=ctx.person(command.by), channel=command.channel, facets=facets)]


def confirm_profile(command: c.ConfirmProfile, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record that the candidate was understood rightly.

    :raises NotAllowed: the engine claims to be the candidate's voice.
    :raises WrongState: nothing was played back to them.
    :raises NeedsEvidence: the candidate is said to have confirmed it in writing, and nothing shows it.
    :raises UnknownReference: no such facet.
    """
    _a_person_did(ctx, "only the candidate confirms who they are; tell it as a person heard it from them")
    _known_facets(command.facets, state)
    facets = command.facets or tuple(key for key, each in sorted(state.facets.items()) if each.played_back)
    unheard = [each for each in facets if not state.facets[each].played_back]
    if not facets or unheard:
        raise WrongState(
            "nobody can confirm what they have not heard; play it back first with play-back-profile"
            + (f" facets={unheard[0]}" if unheard else "")
        )
    if command.evidence == "candidate-confirmed" and command.evidence_ref is None:
        raise NeedsEvidence(
            "say where the candidate confirmed it: evidence_ref=ID of the message or recording"
        )
    if all(state.facets[each].confirmed for each in facets):
        return []
    return [
        e.ProfileConfirmed(
            at=ctx.at, facets=facets, evidence=command.evidence, evidence_ref=command.evidence_ref
        )
    ]


def record_no_match(command: c.RecordNoMatch, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record that nothing is good enough yet, once per id; the candidate is owed that word.

    :raises InvalidCommand: the wait is said to be over already.
    """
    no_match_id = ctx.new_id("no-match", command.no_match_id)
    if no_match_id in state.no_matches:
        return []
    if command.expected_by is not None and command.expected_by <= ctx.now:
        raise InvalidCommand("expected_by is past already; say until when the wait may last, or leave it out")
    return [
        e.NoMatchYet(
            at=ctx.at,
            no_match_id=no_match_id,
            by=ctx.person(command.by),
            expected_by=command.expected_by,
            reason=command.reason,
        )
    ]


def decline_match(command: c.DeclineMatch, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record that a job is not put to the candidate.

    :raises WrongState: it was put to them, and they have not answered yet.
    """
    proposal = state.proposals.get(command.job_order_id)
    if proposal is not None and proposal.answer is None:
        raise WrongState(
            f"job order '{command.job_order_id}' was put to the candidate already; tell them, and record "
            "their word with answer-proposal"
        )
    return [
        e.MatchDeclined(
            at=ctx.at,
            job_order_id=command.job_order_id,
            by=ctx.person(command.by),
            fit=command.fit,
            reason=command.reason,
        )
    ]


def _a_person_did(ctx: Context, otherwise: str) -> None:
    if ctx.actor.kind == "engine":
        raise NotAllowed(otherwise)


def _known_facets(keys: tuple[str, ...], state: Engagement) -> None:
    for each in keys:
        if each not in state.facets:
            raise UnknownReference("facet", each, "rapport show lists what is known of the person")
