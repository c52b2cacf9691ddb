"""What the log must be told of one command beside its events: what it claims, releases and closes.

A claim that the stream holds already is not made again: the log counts claims by their change.
"""

from collections.abc import Sequence

from events.commands import Order
from events.decisions.submission import live_claims
from events.envelope import Claim, CommandGroup, Draft
from events.receipts import input_of
from events.state import Engagement


def group_of(
    order: Order,
    drafts: Sequence[Draft],
    outcome: str,
    before: Engagement,
    after: Engagement,
    taken: Claim | None = None,
    said: str | None = None,
) -> CommandGroup:
    """Make a command's group from the states around it; *said* is the input of what is no command."""
    held, holds = live_claims(before), live_claims(after)
    opened = before.opened_at is None and after.opened_at is not None
    closes = after.closed and not before.closed
    person = {Claim(kind="engagement-of-candidate", key=after.candidate_id)}
    claims = {claim for claim in (holds - held) | (person if opened else set()) if claim != taken}
    return CommandGroup(
        command_id=order.command_id,
        input=said or input_of(order.command, order.at),
        outcome=outcome,
        drafts=tuple(drafts),
        claims=_sorted(claims),
        # Who comes back later is taken on anew: a closed engagement holds its person no longer.
        releases=_sorted((held - holds) | (person if closes else set())),
        closes=closes,
    )


def _sorted(claims: set[Claim]) -> tuple[Claim, ...]:
    return tuple(sorted(claims, key=lambda claim: (claim.kind, claim.key)))
