"""Whatever is sent to the HTTP door, it answers as its document says, and never fails."""

import json
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from gateway.http.app import make_app
from gateway.http.openapi import document

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
OPERATIONS = sorted(
    (path, method)
    for path, item in json.loads(document())["paths"].items()
    for method in item.keys() & {"get", "post"}
)


@pytest.fixture(scope="module")
def api(doors_in_memory: Any) -> Any:
    """This will be the API of an agency in memory, with an engagement and a job order."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.http.asking.WAITS", 0.0)
        yield schemathesis.openapi.from_asgi("/openapi.json", make_app(doors_in_memory))


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_each_operation_answers_as_it_says(api: Any, path: str, method: str) -> None:
    """The long run of it, with a key of a real agency, is the release's; this one is short."""

    @settings(
        max_examples=3,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(api[path][method].as_strategy())
    def check(case: schemathesis.Case[Any]) -> None:
        case.call_and_validate(checks=CHECKS)

    check()
