"""Whether a message that no rule names may be about somebody of ours all the same.

Only what surely is nobody's may be given up: where it cannot be told, the message waits.
"""

from typing import Any, Final

from events.integrations.mail_meaning import MAIL
from events.integrations.message import MALFORMED, Message
from events.integrations.own_words import GENERIC, PREFIX
from events.integrations.paths import Source
from events.integrations.rules import Mapping

# Of a body with more values than this nobody says whose it is.
MOST: Final = 2000


def is_named(message: Message, mapping: Mapping) -> bool:
    """Tell whether somebody has said, or need not say, what such messages are: then a person can mend it."""
    if message.event == MALFORMED or mapping.provider == MAIL:
        return True
    if mapping.provider == GENERIC and message.event.startswith(PREFIX):
        return True
    return any(rule.names(message.event) for rule in mapping.rule)


def possible_ids(message: Message) -> frozenset[str] | None:
    """Give everything in a body that could be a foreign id, wherever it stands; None: too much to tell."""
    found: set[str] = set()
    left: list[Any] = [message.body]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            left += value.values()
        elif isinstance(value, list):
            left += value
        elif value != "" and (external := Source(message, value).external("item")) is not None:
            found.add(external)
        if len(found) > MOST:
            return None
    return frozenset(found)
