"""What an inbox adds to ``stuck``: how many messages of each connection do not get on by themselves.

It only counts: what a message says is for whoever may look into the inbox.
"""

from datetime import timedelta

from workers.finding import Finding
from workers.inbox.store import Inbox


async def held_up(inbox: Inbox, agency: str, patience: timedelta) -> list[Finding]:
    """This will count, for each connection, what waits for a person and what is tried again and again."""
    found = []
    for each in await inbox.held_up(agency, patience):
        name = f"connection:{each.connection_id}"
        look = f"'rapport inbox list --connection {each.connection_id}' says what"
        if each.waiting:
            waits = f"{_messages(each.waiting)} for a mapping, or for what a person must tell; {look}"
            found.append(
                Finding("inbox", name, True, each.waiting_since, f"waiting: {waits}", reason="waiting")
            )
        if each.unmatched:
            # Not stuck: another system tells of many who are nobody's here, and that may stay so.
            says = (
                f"unmatched: {_messages(each.unmatched)} about nobody of ours; "
                f"'rapport inbox list --state unmatched --connection {each.connection_id}' names them: "
                "link whom one is about with 'rapport connection link', or discard it"
            )
            found.append(Finding("inbox", name, False, each.unmatched_since, says, reason="unmatched"))
        if each.late:
            attempt = (each.attempts or 0) + 1
            says = f"not applied yet: {_messages(each.late)}, at attempt {attempt}; {look}"
            found.append(Finding("inbox", name, True, each.late_since, says, attempt, reason="received"))
    return found


def _messages(count: int) -> str:
    return f"{count} {'message' if count == 1 else 'messages'}"
