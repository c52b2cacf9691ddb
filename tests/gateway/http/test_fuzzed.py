"""Whatever is sent to the HTTP door, it answers as its document says, and never fails."""

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from gateway.http.openapi import document
from tests.gateway.http.fuzzing import CHECKS, Served, served

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
DOCUMENT: Final[dict[str, Any]] = json.loads(document())
OPERATIONS: Final = sorted(
    (path, method)
    for path, item in DOCUMENT["paths"].items()
    for method in item.keys() & {"get", "post", "delete"}
)


@pytest.fixture(scope="module")
def door(new_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """This will serve an agency with an engagement, a job order, a subscription and a candidate's link."""
    with served(new_database(), tmp_path_factory.mktemp("door")) as at:
        yield at


@pytest.fixture(scope="module")
def api(door: Served) -> Any:
    """This will be what it says of itself."""
    schema = schemathesis.openapi.from_url(f"{door.url}/openapi.json")
    # A made-up credential would take the place of the real one.
    schema.config.generation.with_security_parameters = False
    return schema


@pytest.mark.parametrize("role", ["director", "candidate"])
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_each_operation_answers_as_it_says(api: Any, door: Served, path: str, method: str, role: str) -> None:
    """The long run of it is ``python -m tests.gateway.http.fuzz_long``; this one is short."""
    operation = api[path][method]
    cases = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in GenerationMode))

    @settings(
        max_examples=6 if role == "director" else 2,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases, st.booleans())
    def check(case: schemathesis.Case[Any], there: bool) -> None:
        if there:
            # Nobody guesses an id that is there.
            case.path_parameters.update(
                {name: door.there[name] for name in case.path_parameters if name in door.there}
            )
        case.call_and_validate(headers=door.headers(role), checks=CHECKS)

    check()


def test_leaves_everybody_their_credential(door: Served) -> None:
    """Else all of the above were refused, and nothing was tried."""
    for role, path in (("director", "/v1/agency"), ("candidate", "/v1/engagements/e-1")):
        answer = httpx.get(f"{door.url}{path}", headers=door.headers(role))
        assert answer.status_code == 200, (role, answer.text)
