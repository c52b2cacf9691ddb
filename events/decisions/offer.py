"""Decisions about offers: what the client offered and what the candidate said.

All are reports; the candidate's word, once given, is not ours to refuse.
"""

from datetime import datetime

from events import catalogue as e
from events import commands as c
from events.context import Context
from events.decisions.submission import known_submission
from events.errors import InvalidCommand, UnknownReference, WrongState
from events.state import Engagement, Offer


def record_offer(command: c.RecordOffer, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record that the candidate has an offer, once per id.

    :raises UnknownReference: no such submission.
    :raises WrongState: the id is that of an offer for another submission.
    """
    known_submission(state, command.submission_id)
    offer_id = ctx.new_id("offer", command.offer_id)
    found = state.offers.get(offer_id)
    if found is not None:
        if found.submission_id != command.submission_id:
            raise WrongState(
                f"offer '{offer_id}' belongs to submission '{found.submission_id}'; "
                "give the new one its own id"
            )
        return []
    _in_order(command.starts_on, command.ends_on)
    return [
        e.OfferExtended(
            at=ctx.at,
            offer_id=offer_id,
            submission_id=command.submission_id,
            terms=command.terms,
            kind=command.placement_kind,
            starts_on=command.starts_on,
            ends_on=command.ends_on,
            expires_at=command.expires_at,
        )
    ]


def revise_offer(command: c.ReviseOffer, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record the offer's new terms; what is not given stays as it was.

    :raises UnknownReference: no such offer.
    :raises WrongState: the candidate has answered it.
    :raises InvalidCommand: it would end before it starts.
    """
    found = known_offer(state, command.offer_id)
    if found.answer is not None:
        raise WrongState(
            f"offer '{command.offer_id}' was {found.answer}; record a new offer with record-offer"
        )
    kind = command.placement_kind or found.kind
    starts_on, ends_on = command.starts_on or found.starts_on, command.ends_on or found.ends_on
    expires_at = command.expires_at or found.expires_at
    same = (kind, starts_on, ends_on, expires_at) == (
        found.kind,
        found.starts_on,
        found.ends_on,
        found.expires_at,
    )
    if same and command.terms is None:
        return []
    _in_order(starts_on, ends_on)
    return [
        e.OfferRevised(
            at=ctx.at,
            offer_id=command.offer_id,
            submission_id=found.submission_id,
            revision=found.revision + 1,
            kind=kind,
            starts_on=starts_on,
            ends_on=ends_on,
            expires_at=expires_at,
            terms=command.terms,
        )
    ]


def note_counter_offer(command: c.NoteCounterOffer, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record that somebody else wants the candidate; they are owed a talk about it.

    :raises UnknownReference: no such offer.
    """
    found = known_offer(state, command.offer_id)
    return [
        e.CounterOfferNoted(
            at=ctx.at,
            offer_id=command.offer_id,
            submission_id=found.submission_id,
            made_by=command.made_by,
            words=command.words,
        )
    ]


def accept_offer(command: c.AcceptOffer, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record the candidate's yes; what else is alive, the candidate is to choose about.

    :raises UnknownReference: no such offer.
    :raises WrongState: it was declined or withdrawn.
    :raises InvalidCommand: it would end before it starts.
    """
    found = known_offer(state, command.offer_id)
    if found.answer == "accepted":
        return []
    if found.answer is not None:
        raise WrongState(f"offer '{command.offer_id}' was {found.answer}; record the new offer first")
    starts_on, ends_on = command.starts_on or found.starts_on, command.ends_on or found.ends_on
    _in_order(starts_on, ends_on)
    accepted = e.OfferAccepted(
        at=ctx.at,
        offer_id=command.offer_id,
        submission_id=found.submission_id,
        starts_on=starts_on,
        placement_id=found.submission_id,
        kind=command.placement_kind or found.kind,
        ends_on=ends_on,
    )
    others = [key for key in sorted(state.live_submissions) if key != found.submission_id]
    left = [e.SubmissionLeftOpen(at=ctx.at, submission_id=key, offer_id=command.offer_id) for key in others]
    return [accepted, *left]


def withdraw_offer(command: c.WithdrawOffer, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record that an offer stands no longer, once.

    :raises UnknownReference: no such offer.
    :raises WrongState: the candidate has answered it.
    """
    found = known_offer(state, command.offer_id)
    if found.answer == "withdrawn":
        return []
    if found.answer == "accepted":
        raise WrongState(
            f"offer '{command.offer_id}' was accepted; if the client backs out, tell it with "
            f"end-placement placement_id={found.submission_id} how=no-start ended_by=client"
        )
    if found.answer == "declined":
        raise WrongState(f"offer '{command.offer_id}' was declined; there is nothing to take back")
    return [
        e.OfferWithdrawn(
            at=ctx.at,
            offer_id=command.offer_id,
            submission_id=found.submission_id,
            why=command.why,
            reason=command.reason,
        )
    ]


def settle_submission(command: c.SettleSubmission, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record what the candidate chose for a submission that was alive beside an accepted offer.

    :raises UnknownReference: no such submission.
    :raises WrongState: there is nothing to choose about.
    """
    found = known_submission(state, command.submission_id)
    if command.choice == "withdraw":
        if found.status != "live":
            return []
        return [
            e.CandidateWithdrew(
                at=ctx.at, scope="submission", submission_id=command.submission_id, reason=command.reason
            )
        ]
    if found.status != "live":
        raise WrongState(
            f"submission '{command.submission_id}' is over ({found.status}); it cannot be kept any more"
        )
    if not found.unsettled:
        return []
    return [e.SubmissionKept(at=ctx.at, submission_id=command.submission_id, reason=command.reason)]


def decline_offer(command: c.DeclineOffer, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record the candidate's no.

    :raises UnknownReference: no such offer.
    :raises WrongState: it was accepted.
    """
    found = known_offer(state, command.offer_id)
    if found.answer == "declined":
        return []
    if found.answer == "accepted":
        raise WrongState(
            f"offer '{command.offer_id}' was accepted; if the candidate backs out, tell it with "
            f"end-placement placement_id={found.submission_id} how=reneged"
        )
    return [
        e.OfferDeclined(
            at=ctx.at,
            offer_id=command.offer_id,
            submission_id=found.submission_id,
            reason=command.reason,
        )
    ]


def _in_order(starts_on: datetime | None, ends_on: datetime | None) -> None:
    if starts_on is not None and ends_on is not None and ends_on <= starts_on:
        raise InvalidCommand("ends_on is not after starts_on; correct one of them, or leave it out")


def known_offer(state: Engagement, key: str) -> Offer:
    """Find an offer.

    :raises UnknownReference: there is none of this id.
    """
    found = state.offers.get(key)
    if found is None:
        raise UnknownReference("offer", key, "record it with record-offer first")
    return found
