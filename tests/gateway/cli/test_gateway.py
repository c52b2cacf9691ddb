"""The HTTP gateway as a process: beside a stack, on its leash, and by itself."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import psutil
import pytest

pytestmark = [pytest.mark.postgres, pytest.mark.temporal]
WITH_GATEWAY = True
ENDS_WITHIN = 15.0


def get(url: str) -> tuple[int, Any]:
    """Ask, and give the status and what came back."""
    try:
        with urllib.request.urlopen(url, timeout=10) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def gateway_of(running: Any) -> psutil.Process:
    """Find the gateway among a stack's processes."""
    [found] = [each for each in running.family() if "--leash" in each.cmdline()]
    return found


def gone(process: psutil.Process) -> bool:
    """Wait until a process has ended."""
    _, alive = psutil.wait_procs([process], timeout=ENDS_WITHIN)
    return not alive


class TestBesideAStack:
    def test_is_announced_serves_and_ends_with_it(self, up: Callable[[], Any]) -> None:
        running = up()
        url = running.where["http_url"]
        assert json.loads((running.data / "stack.json").read_text())["http_url"] == url
        assert get(f"{url}/livez") == (200, {"status": "alive"})
        assert get(f"{url}/readyz") == (200, {"status": "ready"})
        status, told = get(f"{url}/v1/engagements")
        assert (status, told["code"]) == (401, "unauthenticated")
        assert get(f"{url}/openapi.json")[1]["openapi"].startswith("3.1")
        process = gateway_of(running)
        assert running.stop() == 0
        assert gone(process)

    def test_ends_when_the_stack_s_process_is_killed(self, up: Callable[[], Any]) -> None:
        running = up()
        process = gateway_of(running)
        os.kill(running.process.pid, signal.SIGKILL)
        running.process.wait()
        assert gone(process)

    def test_takes_the_stack_with_it_when_it_fails(self, up: Callable[[], Any]) -> None:
        """A part that is gone is told, never silently missed."""
        running = up()
        gateway_of(running).kill()
        assert running.process.wait(30) == 2
        assert "rapport: The HTTP gateway ended by itself" in running.logs()


class Keyed:
    """Somebody of the agency with a key of their own, at a stack's gateway."""

    def __init__(self, shared: Any, role: str, person: str | None = None) -> None:
        whose = () if person is None else ("--person", person)
        made = shared.rapport("key", "create", "--role", role, *whose, "--agency", "acme", "--json")
        assert made.code == 0, made.err
        self._url, self._key = shared.where["http_url"], made.json["key"]

    def ask(self, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Ask, or with a body tell."""
        request = urllib.request.Request(
            f"{self._url}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self._key}",
                "Content-Type": "application/json",
                **{name.replace("_", "-"): value for name, value in headers.items()},
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)


class TestWithAKey:
    def test_lets_a_recruiter_work_on_their_own(self, shared: Any) -> None:
        mine, other = Keyed(shared, "recruiter", "r-1"), Keyed(shared, "auditor")
        opening = {"engagement": "e-http", "candidate_name": "Ada Example", "owner": "r-1"}
        assert mine.ask("/v1/engagements", opening, Idempotency_Key="open-http")[0] == 201
        assert mine.ask("/v1/engagements", opening, Idempotency_Key="open-http")[0] == 201
        talk = {"channel": "phone", "by": "r-1"}
        status, done = mine.ask("/v1/engagements/e-http/commands/record-contact", talk)
        assert (status, done["outcome"]) == (200, "accepted")
        status, shown = mine.ask(f"/v1/engagements/e-http/events?min_version={done['version']}")
        assert status == 200
        assert "Ada Example" in json.dumps(shown)
        assert "e-http" in {each["engagement"] for each in mine.ask("/v1/engagements?wait=true")[1]["items"]}
        status, hidden = other.ask("/v1/engagements/e-http/events")
        assert status == 200
        assert "Ada" not in json.dumps(hidden)
        assert other.ask("/v1/engagements/e-http/commands/record-contact", talk)[0] == 403

    def test_lets_nobody_change_what_is_not_theirs_to_change(self, shared: Any) -> None:
        recruiter, director = Keyed(shared, "recruiter", "r-1"), Keyed(shared, "director", "d-1")
        assert recruiter.ask("/v1/agency/commands/adopt-policy", {"policy": "starter"})[0] == 403
        assert director.ask("/v1/agency/commands/adopt-policy", {"policy": "starter"})[0] == 200
        assert recruiter.ask("/v1/compliance")[0] == 403
        assert director.ask("/v1/compliance")[0] == 200


class TestAlone:
    def test_takes_another_port_where_the_usual_one_is_taken(self, shared: Any) -> None:
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway", "gateway", "--json", "--data", str(shared.data)],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            url = json.loads(process.stdout.readline())["url"]
            assert url != shared.where["http_url"]
            assert get(f"{url}/readyz")[0] == 200
            process.send_signal(signal.SIGTERM)
            assert process.wait(ENDS_WITHIN) == 0
        finally:
            process.kill()
            process.communicate()

    def test_lets_what_is_under_way_come_to_its_end(self, shared: Any) -> None:
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway", "gateway", "--json", "--data", str(shared.data)],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            _, _, port = json.loads(process.stdout.readline())["url"].rpartition(":")
            with socket.create_connection(("127.0.0.1", int(port)), timeout=10) as begun:
                begun.sendall(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
                deadline = time.monotonic() + 10
                process.send_signal(signal.SIGTERM)
                answer = b""
                while b"ready" not in answer and time.monotonic() < deadline:
                    answer += begun.recv(4096)
            assert answer.startswith(b"HTTP/1.1 200")
            assert process.wait(ENDS_WITHIN) == 0
        finally:
            process.kill()
            process.communicate()

    def test_says_that_a_port_cannot_be_had(self, shared: Any) -> None:
        _, _, port = shared.where["http_url"].rpartition(":")
        done = shared.rapport("gateway", "--port", port)
        assert done.code == 2
        assert f"port {port} of 127.0.0.1 cannot be had" in done.err
        assert done.err.count("\n") == 1
