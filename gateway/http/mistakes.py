"""Which problem an error of ours is: every one that a request may end with, in one table.

An error that is not known here is unexpected: it is logged by its class and place, and its words go nowhere.
"""

from typing import Final

import asyncpg
from starlette.exceptions import HTTPException
from temporalio.service import RPCError

from activities.agency_file import AgencyFileError
from activities.commands import StreamBusy
from events.errors import CallerError
from events.log.connect import LOST
from events.policy_file import PolicyError
from gateway.http.problems import Problem
from gateway.http.wording import over_http
from workers.client import CommandFailed, NotAnswered
from workers.compliance import ComplianceError
from workflows.types import REUSED

STATUS: Final[dict[str, int]] = {
    "unknown-engagement": 404,
    "closed-engagement": 409,
    "wrong-state": 409,
    "command-id-reused": 409,
    "person-erased": 409,
    "unknown-policy": 409,
    "already-linked": 409,
    "not-allowed": 403,
    "stale-version": 412,
}
# What the engine calls by a class's name, and its code here.
_CODES: Final = {
    REUSED: "command-id-reused",
    "KeyDestroyed": "person-erased",
    "UnknownPolicy": "unknown-policy",
}
SOON: Final = {"Retry-After": "2"}


def problem_of(error: Exception) -> Problem | None:
    """Say which problem an error is; None: nobody expected it."""
    match error:
        case Problem():
            return error
        case CommandFailed():
            return _failed(error)
        case NotAnswered():
            return Problem(503, "not-answered", _sentence(error), headers=SOON)
        case StreamBusy():
            return Problem(503, "stream-busy", _sentence(error), headers=SOON)
        case CallerError():
            return Problem(STATUS.get(error.code, 422), error.code, _sentence(error))
        case PolicyError() | AgencyFileError():
            return Problem(422, "invalid-file", _sentence(error))
        case ComplianceError():
            return Problem(503, "read-models-away", _sentence(error), headers=SOON)
        case HTTPException():
            return _of_http(error)
        case asyncpg.CharacterNotInRepertoireError() | asyncpg.UntranslatableCharacterError():
            return Problem(
                422, "invalid-request", "a text holds a character that no text can hold; leave it out"
            )
    return _away(error)


def _failed(error: CommandFailed) -> Problem:
    code = _CODES.get(error.code, error.code)
    if code[:1].isupper():
        # A class's name: the log did not take it, and may later.
        return Problem(503, "not-recorded", _sentence(error), headers=SOON)
    return Problem(STATUS.get(code, 422), code, _sentence(error))


def _of_http(error: HTTPException) -> Problem:
    match error.status_code:
        case 404:
            return Problem(404, "no-such-place", "there is nothing at this address; /openapi.json lists all")
        case 405:
            says = "this address does not take that method; the header Allow names those it takes"
            return Problem(405, "no-such-method", says, headers=error.headers)
    return Problem(error.status_code, "wrong-request", "the request is not understood", headers=error.headers)


def _away(error: Exception) -> Problem | None:
    if isinstance(error, RPCError) or (isinstance(error, RuntimeError) and _lost_temporal(error)):
        says = "Temporal does not answer; send the same request again under the same id"
        return Problem(503, "temporal-away", says, headers=SOON)
    if isinstance(error, (*LOST, asyncpg.PostgresConnectionError, asyncpg.TooManyConnectionsError)):
        says = "the database does not answer; send the same request again under the same id"
        return Problem(503, "database-away", says, headers=SOON)
    return None


def _lost_temporal(error: RuntimeError) -> bool:
    # The SDK's bridge raises bare RuntimeErrors where it cannot connect.
    return "client connect" in str(error).lower() or "server connection" in str(error).lower()


def _sentence(error: Exception) -> str:
    return over_http(" ".join(str(error).split()))
