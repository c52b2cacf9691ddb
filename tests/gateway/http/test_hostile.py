"""What no client of good will sends: every operation answers with a documented problem, in one sentence."""

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

import httpx
import pytest

from gateway.http.openapi import document
from tests.gateway.http.fuzzing import Served, served

pytestmark = pytest.mark.postgres
DOCUMENT: Final[dict[str, Any]] = json.loads(document())
TAKING: Final = sorted(path for path, item in DOCUMENT["paths"].items() if "post" in item)
# One reader serves all commands to engagements, and one all to job orders.
READING: Final = [
    path
    for path in TAKING
    if "/commands/" not in path or path.endswith(("record-contact", "hold-job-order", "adopt-policy"))
]
NAMED: Final = sorted(path for path in DOCUMENT["paths"] if "{" in path)
JSON: Final = "application/json"
# Content types and bodies.
BODIES: Final[tuple[tuple[str, bytes], ...]] = (
    (JSON, b"\xff\xfe\x00\x00"),
    (JSON, b"\x00"),
    (JSON, b"["),
    (JSON, b"[" * 50_000 + b"]" * 50_000),
    (JSON, b'{"reason":' * 5_000 + b"1" + b"}" * 5_000),
    (JSON, b"null"),
    (JSON, b'"text"'),
    (JSON, b'{"reason": NaN}'),
    (JSON, b'{"reason": 1e999}'),
    (JSON, b'{"reason": ' + b"9" * 5_000 + b"}"),
    (JSON, b'{"reason": "\\ud800"}'),
    (JSON, b'{"reason": "\\u0000"}'),
    (JSON, b'{"": 1, "\\u0000": 2, "__class__": 3}'),
    (JSON, b" " * 200_000),
    ("application/json; charset=utf-16", '{"reason": "x"}'.encode("utf-16")),
    ("text/plain", b"{}"),
    ("application/x-www-form-urlencoded", b"reason=x"),
    ("multipart/form-data; boundary=x", b"--x--"),
    ("/", b"{}"),
)
VALUES: Final[tuple[Any, ...]] = ("\x00", "\ud800", 10**30, [[{}]])
IDS: Final = (
    "%00",
    "%ff",
    "%C3%28",
    "%F0%9F%92%A9",
    "..%2f",
    "x" * 3_000,
    "%0d%0aX:%20y",
    "'",
    "-1",
    "9" * 400,
)


@pytest.fixture(scope="module")
def door(new_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """This will serve an agency with an engagement and a job order."""
    with served(new_database(), tmp_path_factory.mktemp("hostile")) as at:
        yield at


@pytest.fixture(scope="module")
def http(door: Served) -> Iterator[httpx.Client]:
    """This will call it as its director."""
    with httpx.Client(base_url=door.url, headers=door.headers("director"), timeout=60) as client:
        yield client


def at(path: str, there: dict[str, Any]) -> str:
    """Fill a path's parameters in."""
    return path.format_map({"connection": "c-none", "name": "x", **there})


def must_be_documented(path: str, method: str, answer: httpx.Response) -> None:
    """Hold an answer against the document, and its sentence against the style of all."""
    said = DOCUMENT["paths"][path][method]["responses"]
    assert str(answer.status_code) in said, (answer.status_code, answer.text)
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        detail = answer.json()["detail"]
        assert detail[0] == detail[0].lower() or detail.startswith(("Idempotency-Key", "If-Match")), detail
        assert detail[-1] != ".", detail
        assert "\n" not in detail


class TestAHostileBody:
    @pytest.mark.parametrize("path", READING)
    def test_is_told_what_is_wrong_with_it(self, http: httpx.Client, door: Served, path: str) -> None:
        for kind, content in BODIES:
            answer = http.post(at(path, door.there), content=content, headers={"content-type": kind})
            must_be_documented(path, "post", answer)

    @pytest.mark.parametrize("path", TAKING)
    def test_is_told_which_field_is_wrong(self, http: httpx.Client, door: Served, path: str) -> None:
        """Every field of an example in turn, with what it cannot hold."""
        [shown] = DOCUMENT["paths"][path]["post"].get("requestBody", {}).get("content", {"": {}}).values()
        example = shown.get("example", {})
        for name in (*example, "at"):
            for value in VALUES:
                content = json.dumps({**example, name: value}).encode()
                answer = http.post(at(path, door.there), content=content, headers={"content-type": JSON})
                must_be_documented(path, "post", answer)


class TestAHostileAddress:
    @pytest.mark.parametrize("path", NAMED)
    def test_names_nothing(self, http: httpx.Client, door: Served, path: str) -> None:
        for method in DOCUMENT["paths"][path].keys() & {"get", "post", "delete"}:
            for odd in IDS:
                for name in ("engagement_id", "job_order_id", "which", "link_id", "version", "connection"):
                    if f"{{{name}}}" in path:
                        answer = http.request(method.upper(), at(path, {**door.there, name: odd}))
                        must_be_documented(path, method, answer)
                        assert answer.status_code in (404, 422)


class TestHostileParameters:
    @pytest.mark.parametrize("path", sorted(DOCUMENT["paths"]))
    def test_are_told_to_be_wrong(self, http: httpx.Client, door: Served, path: str) -> None:
        operation = DOCUMENT["paths"][path].get("get", {})
        for each in operation.get("parameters", ()):
            for odd in ("\x00", "é\U0001f4a9", "9" * 400, "-1", "1e400", "x" * 5_000, "", "c1:\x00"):
                if each.get("in") == "query":
                    answer = http.get(at(path, door.there), params={each["name"]: odd})
                    must_be_documented(path, "get", answer)

    def test_are_told_to_be_wrong_in_headers(self, http: httpx.Client) -> None:
        path = "/v1/engagements/{engagement_id}/commands/record-contact"
        for name in ("Idempotency-Key", "If-Match", "X-Request-Id", "Content-Length"):
            for odd in (b"\xff", b"", b'"', b'""', b"9" * 400, b"-1", b"hook:1", b"step:1", b"x" * 300):
                if name != "Content-Length":
                    headers = {name.encode(): odd, b"content-type": b"application/json"}
                    answer = http.post(at(path, {"engagement_id": "e-1"}), content=b"{}", headers=headers)
                    must_be_documented(path, "post", answer)
        for odd in (b"\xff", b"x", b"9" * 400, b"-1"):
            answer = http.get("/v1/events", headers={b"Last-Event-ID": odd})
            must_be_documented("/v1/events", "get", answer)
            assert answer.status_code == 422
