"""The OpenAPI document: as the code has it, whole, and with an example for every operation."""

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from events.orders import PUBLIC
from gateway.http.openapi import FILE, document

METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture(scope="module")
def api() -> dict[str, Any]:
    """This will be the document."""
    found: dict[str, Any] = json.loads(document())
    return found


def operations(api: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Give every operation, with its method and its path."""
    for path, item in api["paths"].items():
        for method in METHODS:
            if method in item:
                yield method, path, item[method]


class TestDocument:
    def test_is_the_one_in_the_file(self) -> None:
        """A change of the API is seen in review; 'python -m gateway.http.openapi' writes it."""
        assert FILE.read_text(encoding="utf-8") == document()

    def test_has_an_operation_for_each_public_command(self, api: dict[str, Any]) -> None:
        found = {
            path.rpartition("/")[2]
            for path in api["paths"]
            if path.startswith("/v1/engagements/{engagement_id}/commands/")
        }
        assert found == PUBLIC - {"open-engagement"}

    def test_has_a_summary_an_example_and_its_problems_for_each(self, api: dict[str, Any]) -> None:
        ids = [operation["operationId"] for _, _, operation in operations(api)]
        assert len(ids) == len(set(ids))
        for method, path, operation in operations(api):
            where = f"{method} {path}"
            assert operation["summary"], where
            success = next(said for code, said in operation["responses"].items() if code.startswith("2"))
            shown = operation.get("requestBody", success).get("content", {})
            assert all("example" in each for each in shown.values()), where
            assert shown or "204" in operation["responses"], where
            if path.startswith("/v1/"):
                assert operation["security"] == [{"bearer": []}], where
                assert {"401", "403", "422", "503"} <= set(operation["responses"]), where
            if method == "post" and ("/commands/" in path or path == "/v1/engagements"):
                assert {"400", "409", "412", "413", "415"} <= set(operation["responses"]), where

    def test_refers_to_nothing_that_is_not_there(self, api: dict[str, Any]) -> None:
        for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(api))):
            at: Any = api
            for part in reference.split("/"):
                assert part in at, reference
                at = at[part]

    def test_asks_for_no_sealed_value(self, api: dict[str, Any]) -> None:
        """Only the log seals."""
        assert "Erased" not in api["components"]["schemas"]

    def test_holds_examples_that_fit_their_schemas(self, api: dict[str, Any]) -> None:
        for method, path, operation in operations(api):
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if content is not None:
                schema = {**content["schema"], "components": api["components"]}
                jsonschema.validate(content["example"], schema)
            for code, said in operation["responses"].items():
                shown = said.get("content", {}).get("application/json", {})
                if code.startswith("2") and "example" in shown:
                    schema = {**shown["schema"], "components": api["components"]}
                    jsonschema.validate(shown["example"], schema), f"{method} {path}"
