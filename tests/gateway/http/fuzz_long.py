"""The long run: ``python -m tests.gateway.http.fuzz_long --minutes 10``, against a stack of its own.

schemathesis calls every operation: with its examples, at the bounds of its schema, at random, and in the
order in which one answer leads to the next.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx

from tests.gateway.cli.conftest import ROOT, Running, start
from tests.gateway.http.fuzz_hooks import THERE

CHECKS: Final = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "allow_header_conformance",
    "use_after_free",
)
# The stream of events never ends, so it is called beside, here.  A list of people is whole: a made-up one
# would dismiss the very person whose key it is.
EXCEPT: Final = ("/v1/events", "/v1/agency/commands/load-people")
MANY: Final = 60
# Who calls, in which phases, for which part of the time; what a phase leaves is not given to the next.
PARTS: Final = (
    ("director", "examples,coverage", 0.45),
    ("director", "fuzzing", 0.3),
    ("director", "stateful", 0.1),
    ("candidate", "fuzzing", 0.15),
)


def main(arguments: Sequence[str]) -> int:
    """Run it, print what was found, and exit with 1 if anything was."""
    parser = argparse.ArgumentParser(prog="fuzz_long", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=17)
    asked = parser.parse_args(arguments)
    # Limits of rates have tests of their own, and schemathesis one address.
    os.environ |= {"RAPPORT_RATE_PER_CREDENTIAL": "1000000", "RAPPORT_RATE_PER_ADDRESS": "1000000"}
    with tempfile.TemporaryDirectory(prefix="rapport-fuzz-") as directory:
        running = start(Path(directory))
        try:
            return _fuzz(running, asked.minutes * 60, asked.seed)
        finally:
            running.stop()


def _fuzz(running: Running, seconds: float, seed: int) -> int:
    url = running.where["http_url"]
    key = _director(running)
    there, link = _prepare(url, key)
    os.environ[THERE] = json.dumps(there)
    ended = threading.Event()
    listened: Counter[int] = Counter()
    listening = threading.Thread(target=_listen, args=(url, key, ended, listened))
    listening.start()
    try:
        found = [
            _schemathesis(url, {"director": key, "candidate": link}[role], phases, seconds * share, seed)
            for role, phases, share in PARTS
        ]
    finally:
        ended.set()
        listening.join()
    for role, credential, path in (
        ("director", key, "/v1/agency"),
        ("candidate", link, "/v1/engagements/e-1"),
    ):
        # Else all was refused, and nothing tried.
        known = httpx.get(f"{url}{path}", headers=_bearer(credential), timeout=60).status_code
        print(f"{role} at the end: {known}")
        found.append(known != 200)
    print(f"/v1/events, with whatever parameters: {dict(sorted(listened.items()))}")
    wrong = set(listened) - {200, 404, 422, 429}
    failed = sum("a request failed" in line for line in running.logs().splitlines())
    print(f"requests that failed, by the logs: {failed}")
    return int(any(found) or bool(wrong or failed))


def _director(running: Running) -> str:
    people = str(ROOT / "deploy" / "agencies" / "example.toml")
    loaded = running.rapport("agency", "load", people, "--agency", "acme")
    assert loaded.code == 0, loaded.err
    made = running.rapport(
        "key", "create", "--role", "director", "--person", "d-1", "--agency", "acme", "--json"
    )
    assert made.code == 0, made.err
    key: str = made.json["key"]
    return key


def _prepare(url: str, key: str) -> tuple[dict[str, list[str]], str]:
    """Open what is there to be found; gives its ids, by parameters' names, and a candidate's link."""
    engagements = [f"e-{number}" for number in range(1, MANY + 1)]
    orders = [f"jo-{number}" for number in range(1, MANY // 4 + 1)]
    with httpx.Client(base_url=url, headers=_bearer(key), timeout=60) as http:

        def post(path: str, **body: Any) -> Any:
            answer = http.post(path, json=body)
            assert answer.is_success, answer.text
            return answer.json()

        for each in engagements:
            post("/v1/engagements", engagement=each, owner="r-1", candidate_name="Candidate One")
        for each in orders:
            post(f"/v1/job-orders/{each}/commands/open-job-order", client_id="client-1", owner="r-2")
        # One to call with, and one that may be found and revoked.
        used, found = (post("/v1/engagements/e-1/links") for _ in range(2))
    return {
        "engagement_id": engagements,
        "job_order_id": orders,
        "link_id": [found["link_id"]],
        "version": ["1", "2"],
    }, used["token"]


def _bearer(credential: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {credential}"}


def _schemathesis(url: str, credential: str, phases: str, seconds: float, seed: int) -> bool:
    """Run it for so long; tells whether it found anything."""
    command = [
        str(Path(sys.executable).with_name("st")),
        "run",
        f"{url}/openapi.json",
        f"--header=Authorization:Bearer {credential}",
        f"--checks={','.join(CHECKS)}",
        *(f"--exclude-path={path}" for path in EXCEPT),
        f"--phases={phases}",
        # With threads a seed repeats nothing, and CPython 3.11's parser fails now and then.
        "--workers=1",
        "--mode=all",
        "--generation-with-security-parameters=false",
        "--generation-database=none",
        "--continue-on-failure",
        "--request-timeout=60",
        "--warnings=off",
        "--no-color",
        f"--max-time={max(1, int(seconds))}",
        f"--seed={seed}",
    ]
    hooks = "tests.gateway.http.fuzz_hooks"
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": hooks, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environment, cwd=ROOT, check=False).returncode != 0


def _listen(url: str, key: str, ended: threading.Event, listened: Counter[int]) -> None:
    """Ask for the stream of events until told to end, and leave it after its first words."""
    odd = ("0", "-1", "9" * 30, "x", "\x00", "é", "1e3", "", "rapport.contact-made", str(uuid4()))
    number = 0
    with httpx.Client(base_url=url, headers=_bearer(key), timeout=30) as http:
        while not ended.is_set():
            number += 1
            names = ("after", "type", "engagement", "personal")
            asked = {name: odd[(number // len(odd) ** place) % len(odd)] for place, name in enumerate(names)}
            given = {name: value for place, (name, value) in enumerate(asked.items()) if number >> place & 1}
            last = odd[number % 7].encode()
            headers = {b"Last-Event-ID": last} if number % 3 == 0 and b"\x00" not in last else {}
            with http.stream("GET", "/v1/events", params=given, headers=headers) as answer:
                listened[answer.status_code] += 1
                next(answer.iter_raw(), None)
            time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
