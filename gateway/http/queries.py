"""Refuses a query parameter that a route does not know: a filter that is misspelt would find everything.

What a route knows is read from the route itself, so nobody keeps a second list.
"""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Final

from fastapi import Depends
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.requests import Request

from gateway.http.asking import Known
from gateway.http.bodies import shown
from gateway.http.problems import Problem


async def _takes_what_is_asked(request: Request, _: Known) -> None:
    """Make sure that the route knows every parameter, once it is known who asks.

    :raises Problem: 422, it does not.
    """
    if not request.query_params:
        return
    route = request.scope.get("route")
    taken = _taken(route) if isinstance(route, APIRoute) else ()
    for name in request.query_params:
        if name not in taken:
            raise Problem(422, "unknown-parameter", _says(name, taken))


def _says(name: str, taken: tuple[str, ...]) -> str:
    safe = shown(name)
    begins = f"the query has no parameter '{safe}' here"
    if not taken:
        return f"{begins}, and no other either; leave it out"
    near = get_close_matches(name, taken, n=1) if safe == name else []
    remedy = f"did you mean '{near[0]}'? " if near else ""
    return f"{begins}; {remedy}there {'is' if len(taken) == 1 else 'are'} {', '.join(taken)}"


def _taken(route: APIRoute) -> tuple[str, ...]:
    return tuple(_asked_for(route.dependant))


def _asked_for(by: Dependant) -> Iterator[str]:
    yield from (each.alias for each in by.query_params)
    for each in by.dependencies:
        yield from _asked_for(each)


ONLY_KNOWN: Final = Depends(_takes_what_is_asked)
"""What every route for somebody known depends on."""
