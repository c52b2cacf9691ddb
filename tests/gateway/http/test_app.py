"""The application as it is made, before anybody asks anything."""

import inspect
from collections.abc import Iterator

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from gateway.http.app import make_app


def calls(dependant: Dependant) -> Iterator[object]:
    """Give what a route calls, itself and all that it depends on."""
    yield dependant.call
    for each in dependant.dependencies:
        yield from calls(each)


class TestMakeApp:
    def test_sends_no_request_through_a_thread(self) -> None:
        """The framework does so with plain functions, and each hop costs more than most requests' work."""
        routers = [each.original_router for each in make_app(None).routes if hasattr(each, "original_router")]
        routes = [each for router in routers for each in router.routes if isinstance(each, APIRoute)]
        assert routes
        for route in routes:
            for call in calls(route.dependant):
                assert inspect.iscoroutinefunction(call), f"{route.path}: {call}"
