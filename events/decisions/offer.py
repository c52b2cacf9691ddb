"""Decisions about offers: what the client offered and what the candidate said.

All are reports; the candidate's word, once given, is not ours to refuse.
"""

from events import catalogue as e
from events import commands as c
from events.context import Context
from events.decisions.submission import known_submission
from events.errors import UnknownReference, WrongState
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
    return [
        e.OfferExtended(
            at=ctx.at, offer_id=offer_id, submission_id=command.submission_id, terms=command.terms
        )
    ]


def accept_offer(command: c.AcceptOffer, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record the candidate's yes.

    :raises UnknownReference: no such offer.
    :raises WrongState: it was declined.
    """
    found = _known_offer(state, command.offer_id)
    if found.answer == "accepted":
        return []
    if found.answer == "declined":
        raise WrongState(f"offer '{command.offer_id}' was declined; record the new offer first")
    return [
        e.OfferAccepted(
            at=ctx.at,
            offer_id=command.offer_id,
            submission_id=found.submission_id,
            starts_on=command.starts_on,
        )
    ]


def decline_offer(command: c.DeclineOffer, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record the candidate's no.

    :raises UnknownReference: no such offer.
    :raises WrongState: it was accepted.
    """
    found = _known_offer(state, command.offer_id)
    if found.answer == "declined":
        return []
    if found.answer == "accepted":
        raise WrongState(f"offer '{command.offer_id}' was accepted; it cannot be declined any more")
    return [
        e.OfferDeclined(
            at=ctx.at,
            offer_id=command.offer_id,
            submission_id=found.submission_id,
            reason=command.reason,
        )
    ]


def _known_offer(state: Engagement, key: str) -> Offer:
    found = state.offers.get(key)
    if found is None:
        raise UnknownReference("offer", key, "record it with record-offer first")
    return found
