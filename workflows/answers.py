"""What a caller is told: the reply to a command, or one sentence that says why there is none.

A refusal must be non-retryable and benign: anything else fails the workflow task and retries for ever.
"""

import json

from temporalio.exceptions import ActivityError, ApplicationError, ApplicationErrorCategory

from activities.types import AppendedReply
from events.errors import CallerError
from workflows.inbox import Entry
from workflows.types import DRAINING, REUSED, CommandReply


def reply(entry: Entry, appended: AppendedReply, version: int) -> CommandReply:
    """Read a command's reply off what the log stored for it, now or long ago."""
    command_id = entry.command_id
    events = [event for event in appended.events if event.command_id == command_id]
    refusal: dict[str, str] = next(
        (json.loads(event.body) for event in events if event.type == "command-refused"), {}
    )
    return CommandReply(
        command_id=command_id,
        outcome=appended.outcomes[command_id],
        version=events[-1].version if events else version,
        refused_by=refusal.get("gate"),
        says=refusal.get("says"),
        remedy=refusal.get("remedy"),
        events=tuple(event.type for event in events),
        digest=entry.letter.digest,
    )


def mistake(entry: Entry, error: CallerError) -> ApplicationError:
    """Tell the caller of a mistake."""
    return refusal(str(error), error.code, entry.letter.digest)


def reused(entry: Entry) -> ApplicationError:
    """Tell the caller that the id belongs to a command of another content."""
    sentence = f"command id '{entry.command_id}' was used before with another content; take a new one"
    return refusal(sentence, REUSED, entry.letter.digest)


def unrecordable(entry: Entry, error: ActivityError) -> ApplicationError:
    """Tell the caller what keeps the log from taking the command."""
    cause = error.cause
    if isinstance(cause, ApplicationError) and cause.type:
        return refusal(cause.message, cause.type, entry.letter.digest)
    return refusal("the log does not take this command; the worker's own log says why", "NotRecorded")


def draining() -> ApplicationError:
    """Ask the caller to send the same command again in a moment."""
    return refusal("the engagement is changing over to its next run; send the command again", DRAINING)


def refusal(sentence: str, kind: str, digest: str = "") -> ApplicationError:
    """Make an error that reaches the caller and harms nobody; *sentence* holds nothing personal."""
    return ApplicationError(
        sentence, digest, type=kind, non_retryable=True, category=ApplicationErrorCategory.BENIGN
    )


def code_of(error: ApplicationError) -> str:
    """Write an error's type as an event's reason code: lower case, with hyphens."""
    kind = error.type or "not-recorded"
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in kind).strip("-")
