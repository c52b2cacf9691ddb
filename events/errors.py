"""What only a caller's mistake can cause: one clear sentence each, never with personal data in it.

What can happen in the business is an event, not one of these.
"""


class CallerError(Exception):
    """The command cannot be decided; nothing was written."""

    code = "caller-error"


class InvalidCommand(CallerError):
    """The command is malformed."""

    code = "invalid-command"


class UnknownReference(CallerError):
    """The command names something that this stream has never heard of."""

    code = "unknown-reference"

    def __init__(self, what: str, which: str, remedy: str) -> None:
        super().__init__(f"there is no {what} '{which}' here; {remedy}")


class UnknownEngagement(CallerError):
    """The command is for an engagement that was never opened."""

    code = "unknown-engagement"

    def __init__(self, engagement_id: str) -> None:
        super().__init__(
            f"there is no engagement '{engagement_id}'; open it first: 'rapport open' gives open-engagement"
        )


class ClosedEngagement(CallerError):
    """The command is for an engagement that is over."""

    code = "closed-engagement"

    def __init__(self, engagement_id: str) -> None:
        super().__init__(
            f"engagement '{engagement_id}' is closed; it takes late reports of contacts and messages only"
        )


class WrongState(CallerError):
    """The command contradicts what has happened already."""

    code = "wrong-state"


class NeedsEvidence(CallerError):
    """Only the candidate, or evidence, can bring this about."""

    code = "needs-evidence"


class StaleVersion(CallerError):
    """The command is meant for a version at which its stream no longer is, or not yet."""

    code = "stale-version"

    def __init__(self, expected: int, version: int) -> None:
        super().__init__(
            f"the stream is at version {version}, and the command is for version {expected}; "
            "read it again and decide anew"
        )


class NotAllowed(CallerError):
    """This actor may not give this command."""

    code = "not-allowed"
