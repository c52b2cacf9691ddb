"""Text that would steer a terminal, planted wherever others may write, and every command that looks at it."""

import base64
import hashlib
import hmac
import json
import re
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.gateway.webhooks import signers

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.temporal]
WITH_GATEWAY = True

PLANTED = "\x1b[31mRED\x1b]0;pwn\x07 \x9b2J \x7f\u202egnol\u2066 end"
STEERING = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
LOOKING = (
    "list",
    "show e-1",
    "show e-1 --state",
    "show e-1 --diff 1",
    "show e-1 --depth raw",
    "show e-1 --depth business",
    "why e-1 3",
    "history e-1",
    "waiting",
    "outbox",
    "timers",
    "tail --once --since 0",
    "caseload",
    "findings",
    "search e-1",
    "verify --all",
    "compliance",
    "compliance --format csv",
    "compliance --format html",
    "agency people",
    "connection list",
    "connection poll c",
    "inbox list",
    "inbox show",
    "inbox show --with-personal",
    "inbox list --engagement \x1b[31m",
    "key list",
    "subscription list",
    "stuck",
    "check",
    "show \x1b[31m",
    "nonsense\x1b[31m",
)


@pytest.fixture(scope="module")
def planted(shared: Any) -> Any:
    """This will be a stack where everything that people and systems may write holds such text."""
    opened = shared.rapport("open", "e-1", "--name", f"Zoe {PLANTED}", "--owner", "r-1")
    assert opened.code == 0, opened.err
    for fields in (("channel=phone", f"note={PLANTED}"), ("channel=email", f"note=two\nlines {PLANTED}")):
        assert shared.rapport("do", "e-1", "record-contact", *fields, "--actor", "person:r-1").code == 0
    made = shared.rapport("key", "create", "--role", "recruiter", "--person", "r-1", "--name", "desk")
    assert made.code == 0, made.err
    for provider, name in (("greenhouse", f"ats {PLANTED}"), ("mail", "post")):
        connection = shared.rapport("connection", "add", provider, "--name", name, "--json").json
        _deliver(shared, provider, connection)
    return shared


def _deliver(shared: Any, provider: str, connection: dict[str, Any]) -> None:
    body = json.dumps({"action": f"hire {PLANTED}", "payload": {"id": 7, "note": PLANTED}}).encode()
    if provider == "mail":
        head = f"From: one@example.test\r\nTo: reply+0@r.test\r\nSubject: {PLANTED}\r\nMessage-ID: <1@e.test>"
        body = f"{head}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{PLANTED}".encode()
    answer = httpx.post(
        shared.where["http_url"] + connection["path"],
        content=body,
        headers=_signed(provider, connection["secret"], body),
        timeout=30,
    )
    assert answer.is_success, answer.text


def _signed(provider: str, secret: str, body: bytes) -> dict[str, str]:
    if provider == "greenhouse":
        return {"Signature": f"sha256 {signers.hex_of(secret, body)}"}
    stamp = str(int(time.time()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"m-1.{stamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": "m-1",
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


class TestLooking:
    @pytest.mark.parametrize("given", LOOKING)
    def test_shows_it_and_never_obeys_it(self, planted: Any, given: str) -> None:
        done = planted.rapport(*given.split(" "))
        told = planted.rapport(*given.split(" "), "--json") if "--format" not in given else done
        for text in (done.out, done.err, told.out, told.err):
            assert STEERING.search(text) is None, repr(text)

    @pytest.mark.parametrize("given", ["show e-1", "inbox show --with-personal", "connection list"])
    def test_leaves_nothing_out(self, planted: Any, given: str) -> None:
        assert r"\u202egnol" in planted.rapport(*given.split(" ")).out

    def test_tells_evidence_so_too(self, planted: Any, tmp_path: Path) -> None:
        file = tmp_path / "e-1.zip"
        for given in (
            ("evidence", "e-1", "-o", str(file), "--with-personal"),
            ("evidence", "check", str(file)),
        ):
            done = planted.rapport(*given)
            assert STEERING.search(done.out + done.err) is None
