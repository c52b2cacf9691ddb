"""What is told of a subscription to people and programs alike; its secrets are no part of it."""

from typing import Any

from workers.delivering.subscription import Standing, Subscription


def tell(standing: Standing) -> dict[str, Any]:
    """This will write down a subscription and how far it has come."""
    return {
        **tell_plainly(standing.subscription),
        "settled": standing.settled,
        "behind": standing.behind,
        "pending": standing.pending,
        "parked": standing.parked,
        "next_at": standing.next_at,
    }


def tell_plainly(of: Subscription) -> dict[str, Any]:
    """This will write down a subscription."""
    return {
        "subscription": of.subscription_id,
        "name": of.name,
        "url": of.url,
        "types": list(of.types),
        "personal": of.personal,
        "state": of.state,
        "created_at": of.created_at,
        "failures": of.failures,
        "answered_at": of.answered_at,
        "status": of.status,
        "says": of.says,
    }
