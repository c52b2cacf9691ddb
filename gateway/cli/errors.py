"""What went wrong, in one sentence and one exit code: 1 refused by a gate, 2 wrong, never a traceback.

What is recognised here is recognised by name, because importing its module costs every command a second.
"""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from gateway.cli.output import complain, emit

DONE: Final = 0
REFUSED: Final = 1
WRONG: Final = 2
INTERRUPTED: Final = 130

_OURS: Final = ("events.", "workflows.", "activities.", "workers.", "gateway.")
# Exceptions of ours whose message is one sentence for people.
_TOLD: Final = frozenset(
    {
        "AccessError",
        "AgencyFileError",
        "BackupError",
        "CallerError",
        "CommandFailed",
        "ComplianceError",
        "EmbeddedError",
        "EvidenceError",
        "Fallen",
        "KeyDestroyed",
        "MappingError",
        "MigrationChanged",
        "TablesInUse",
        "NotAnswered",
        "NotEvidence",
        "NotReady",
        "PolicyChanged",
        "PolicyError",
        "ScenarioError",
        "SettingsError",
        "SourceError",
        "SimulationStuck",
        "StoryBroken",
        "StreamBusy",
        "UnknownEvent",
        "UnknownKek",
        "Wrong",
    }
)


class Wrong(Exception):
    """The command line's own complaint: one sentence that says what to do about it."""


class Refused(Exception):
    """A gate said no; nothing failed."""

    def __init__(self, gate: str, says: str, remedy: str, reply: dict[str, Any]) -> None:
        super().__init__(f"refused by {gate}: {says} {remedy}".strip())
        self.gate, self.says, self.remedy, self.reply = gate, says, remedy, reply


def sentence(error: BaseException) -> str | None:
    """Say in one sentence what went wrong, or None where nobody expected it."""
    names = {kind.__name__ for kind in type(error).__mro__ if kind.__module__.startswith(_OURS)}
    if names & _TOLD:
        return _one_line(str(error))
    if isinstance(error, OSError):
        return _away(error)
    module = type(error).__module__
    if module.startswith("asyncpg"):
        return _database(error)
    if module.startswith("temporalio") or _lost_temporal(error):
        return f"Temporal does not answer ({_kind(error)}); is it running where TEMPORAL_ADDRESS says?"
    return None


def report(error: BaseException, *, as_json: bool, log: Path | None) -> int:
    """Tell the user on stderr and return the exit code; an unexpected error goes to the log as well."""
    if isinstance(error, Refused):
        data = {**error.reply, "gate": error.gate, "reason": error.says, "remedy": error.remedy}
        _tell(data, f"Refused by {error.gate}: {error.says}\nWhat would help: {error.remedy}", as_json)
        return REFUSED
    told = sentence(error)
    if told is None:
        if os.environ.get("RAPPORT_DEBUG") == "1":
            raise error
        told = _unexpected(error, log)
    _tell({"error": getattr(error, "code", "wrong"), "message": told}, f"rapport: {told}", as_json)
    return WRONG


def _tell(data: dict[str, Any], words: str, as_json: bool) -> None:
    complain(words)
    if as_json:
        emit(data)


def _away(error: OSError) -> str:
    if error.filename is not None:
        return f"{error.filename}: {(error.strerror or _kind(error)).lower()}."
    # asyncio's own words quote the address; the plain ones are shorter.
    why = os.strerror(error.errno).lower() if error.errno else _kind(error)
    return (
        f"a server does not answer ({why}); "
        "start the stack with 'rapport up', or mend DATABASE_URL and TEMPORAL_ADDRESS."
    )


def _database(error: BaseException) -> str:
    match _kind(error):
        case (
            "UndefinedTableError"
            | "InvalidSchemaNameError"
            | "UndefinedFunctionError"
            | "UndefinedObjectError"
        ):
            return "the database is not at the level this version needs; run 'rapport migrate'."
        case "InvalidPasswordError" | "InvalidAuthorizationSpecificationError":
            return "the database does not let us in; mend the user and password in DATABASE_URL."
        case "InvalidCatalogNameError":
            return "there is no such database; create it, or mend DATABASE_URL."
        case "InsufficientPrivilegeError":
            return "the database does not allow this user what we need; let it be a member of rapport_app."
        case kind:
            return f"the database gave up ({kind}); is it running where DATABASE_URL says?"


def _lost_temporal(error: BaseException) -> bool:
    # The SDK's bridge raises bare RuntimeErrors where it cannot connect.
    return isinstance(error, RuntimeError) and "server connection" in str(error).lower()


def _unexpected(error: BaseException, log: Path | None) -> str:
    where = _keep(error, log) if log is not None else None
    hint = f"its trace is in {where}" if where else "RAPPORT_DEBUG=1 shows its trace"
    return f"something unexpected went wrong ({_kind(error)}); {hint}."


def _keep(error: BaseException, log: Path) -> Path | None:
    # Types and frames only: a message may repeat what somebody said about a person.
    from workers.logs import describe_exception, mask_personal

    line: dict[str, Any] = {
        "event": "the command line failed",
        "timestamp": datetime.now(UTC).isoformat(),
        "exc_info": (type(error), error, error.__traceback__),
    }
    try:
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "a") as file:
            described = describe_exception(None, "error", line)
            file.write(json.dumps(mask_personal(None, "error", described)) + "\n")
    except OSError:
        return None
    return log


def _kind(error: BaseException) -> str:
    return type(error).__name__


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if line.endswith((".", "?", "!")) else f"{line}."
