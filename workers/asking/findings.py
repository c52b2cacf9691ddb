"""What polls add to ``stuck``: the connections whose API does not answer as it should.

It names the connection, never who was asked about.
"""

from workers.asking.polled import Polled
from workers.finding import Finding


async def failing_polls(polled: Polled, agency: str) -> list[Finding]:
    """This will list the connections whose last poll failed."""
    return [
        Finding(
            "poll",
            f"connection:{each.connection_id}",
            True,
            each.since,
            f"its poll {each.says}; 'rapport connection poll {each.connection_id}' tries again",
            reason="poll",
        )
        for each in await polled.failing(agency)
    ]
