"""What of the deliveries needs a person: parked messages, receivers that are gone.

A finding names ids and answers, never a URL: who listens is nobody's business but the agency's.
"""

from workers.delivering.subscription import Parked
from workers.delivering.subscriptions import Subscriptions
from workers.finding import Finding


async def undelivered(subscriptions: Subscriptions, agency: str) -> list[Finding]:
    """This will list the messages that are parked and the subscriptions whose receiver is gone."""
    found = [_parked(each) for each in await subscriptions.parked(agency)]
    for standing in await subscriptions.standing(agency):
        of = standing.subscription
        if of.state == "gone":
            says = (
                f"its receiver answered 410 and is told nothing more; 'rapport subscription resume "
                f"{of.subscription_id}' goes on, 'rapport subscription remove {of.subscription_id}' ends it"
            )
            found.append(Finding("delivery", of.subscription_id, True, of.answered_at, says))
        elif of.state == "active" and of.failures and standing.pending:
            messages = "1 message waits" if standing.pending == 1 else f"{standing.pending} messages wait"
            says = f"its receiver did not take the last message, and {messages}"
            found.append(Finding("delivery", of.subscription_id, False, of.answered_at, says, reason=of.says))
    return found


def _parked(each: Parked) -> Finding:
    says = (
        f"webhook {each.event_id} to subscription {each.subscription_id} is parked after attempt "
        f"{each.attempt}; 'rapport subscription retry {each.subscription_id}' tries it again"
    )
    return Finding("delivery", each.stream, True, each.settled_at, says, each.attempt, reason=each.says)
