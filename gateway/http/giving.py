"""Gives a request's command to its stream and writes what it came to as the answer.

A gate's refusal is a problem here, though an event in the record: for the caller nothing was done.
"""

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from events.orders import parse_order
from gateway import giving
from gateway.http.asking import Asker
from gateway.http.bodies import command_id_of, expected_version_of
from gateway.http.problems import Problem
from gateway.http.replies import reply
from workers.inbox.external import FIELD, External, read_external

SOURCE: Final = "http"


async def to_engagement(
    asker: Asker,
    engagement: str,
    name: str,
    fields: Mapping[str, Any],
    *,
    command_id: str | None = None,
) -> giving.Given:
    """Give a command to an engagement, in its turn, if the asker may.

    :raises Problem: 409, a gate refused it; others as permits, the engagement or its turn have it.
    """
    who, doors, request = asker.who, asker.doors, asker.request
    command_id = command_id or command_id_of(request)
    said: tuple[External, ...] = ()
    if FIELD in fields:
        said = read_external(name, fields[FIELD])
        fields = {key: value for key, value in fields.items() if key != FIELD}
    fields = await doors.permits.engagement_command(
        request, who, engagement, name, fields, command_id=command_id
    )
    order = parse_order(
        name,
        _expecting(request, fields),
        command_id=command_id,
        actor_default=who.actor,
        source=SOURCE,
    )
    async with doors.flights.turn(who.agency, engagement):
        given = await giving.to_engagement(
            doors.having,
            doors.engagements(who.agency),
            who.agency,
            engagement,
            order,
            said=said,
            only=who.connection,
        )
    return _not_refused(given)


async def to_stream(
    asker: Asker, stream: str, name: str, fields: Mapping[str, Any], *, command_id: str | None = None
) -> giving.Given:
    """Give a command to a stream that has no workflow; that the asker may, its route has made sure of."""
    return await giving.to_stream(
        asker.doors.having,
        asker.who.agency,
        stream,
        name,
        _expecting(asker.request, fields),
        command_id=command_id or command_id_of(asker.request),
        actor=asker.who.actor,
        source=SOURCE,
    )


def done(given: giving.Given, status: int = 200, **beside: Any) -> Response:
    """Answer with what a command came to."""
    return reply({**given.plain(), **beside}, status, version=given.version)


def _expecting(request: Request, fields: Mapping[str, Any]) -> dict[str, Any]:
    expected = expected_version_of(request)
    return dict(fields) if expected is None else {**fields, "expected_version": expected}


def _not_refused(given: giving.Given) -> giving.Given:
    if given.gate is not None:
        raise Problem(
            409,
            "refused",
            given.says or "a gate refuses this",
            headers={"ETag": f'"{given.version}"'},
            gate=given.gate,
            remedy=given.remedy,
            **given.plain(),
        )
    return given
