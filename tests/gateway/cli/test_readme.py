"""What the README tells a newcomer and an integrator to type, typed as it stands there."""

import asyncio
import shlex
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.connect import Options, opened
from tests.gateway.cli.conftest import environment
from tests.gateway.cli.receiving import Receiver, receiving
from tests.gateway.cli.typed import ROOT, Shell, blocks, commands

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.temporal]
WITH_GATEWAY = True

WITHIN = 30.0
USUAL = "http://127.0.0.1:8080"
HR = "https://hr.example.org/hooks/rapport"


@pytest.fixture(scope="module")
def near() -> Iterator[None]:
    """This will let webhooks go out to this machine, before anything is started."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAPPORT_WEBHOOKS_ALLOW_HTTP", "1")
        patch.setenv("RAPPORT_WEBHOOKS_ALLOW_PRIVATE", "1")
        yield


@pytest.fixture(scope="module")
def day(near: None, shared: Any) -> Any:
    """This will be a stack where the day by hand has been lived; each line does what stands there."""
    [block] = blocks("A day by hand")
    for typed in commands(block):
        program, *arguments = shlex.split(typed.command)
        if program == "temporal":
            assert arguments[:2] == ["--env", "rapport"]
            shared.temporal(*arguments[2:])
            continue
        arguments = [str(ROOT / each) if each.startswith("deploy/") else each for each in arguments]
        answer = shared.rapport(*arguments)
        assert answer.code == (1 if typed.shown else 0), answer.err
        assert typed.missing_in(answer.err + answer.out) == []
    return shared


@pytest.fixture
def shell(day: Any, tmp_path: Path) -> Iterator[Shell]:
    """This will be a shell beside that stack."""
    made = Shell(tmp_path, environment(RAPPORT_DATA_DIR=str(day.data)))
    yield made
    made.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """This will be a receiver that serves."""
    with receiving() as made:
        yield made


def typed(shell: Shell, block: str, **instead: str) -> str:
    """Type a block as it stands, with this machine's addresses; each line keeps what it promises."""
    said = []
    for old, new in instead.items():
        block = block.replace({"usual": USUAL, "hr": HR}[old], new)
    for each in commands(block):
        code, told = shell.types(each.command)
        assert code == 0, (each.command, told)
        assert each.missing_in(told) == [], (each.command, told)
        said.append(told)
    return "\n".join(said)


def after(said: str, words: str) -> str:
    """Give what stands behind some words, up to the next space."""
    return said.partition(words)[2].split()[0]


def keep(shell: Shell, said: str) -> None:
    """Put address and secret where the README says that the reader puts them."""
    shell.types(f"ADDRESS='{after(said, 'its address: ')}' SECRET='{after(said, 'shown this once: ')}'")


def until(happens: Callable[[], bool], what: str) -> None:
    """Wait for something that takes a moment."""
    deadline = time.monotonic() + WITHIN
    while not happens():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def settled(day: Any, connection: str) -> None:
    """Wait until nothing of a connection is on its way any more."""

    def is_settled() -> bool:
        rows = day.rapport("inbox", "list", "--connection", connection, "--json").json
        return bool(rows) and all(each["state"] != "received" for each in rows)

    until(is_settled, f"the messages of {connection} do not settle")


class TestDay:
    def test_leads_to_an_interview(self, day: Any) -> None:
        [row] = day.rapport("list", "--json").json
        assert row["stage"] == "interview"


class TestIntegrator:
    @pytest.mark.timeout(300)
    def test_connects_greenhouse_and_signals_a_result(self, day: Any, shell: Shell) -> None:
        usual = day.where["http_url"]
        connect, as_greenhouse, look = blocks("An integrator connects Greenhouse")
        assert sum(len(commands(each)) for each in (connect, as_greenhouse, look)) <= 10
        keep(shell, typed(shell, connect, usual=usual))
        typed(shell, as_greenhouse)
        settled(day, "client-1")
        typed(shell, look, usual=usual)

        by_curl, by_webhook, became = blocks("A curl that signals an interview result")
        typed(shell, by_curl, usual=usual)
        [script] = blocks("A curl that signals an interview result", "python")
        (shell.place / script.splitlines()[0].removeprefix("# ")).write_text(script)
        typed(shell, by_webhook, usual=usual)
        settled(day, "ats")
        typed(shell, became, usual=usual)
        shown = day.rapport("show", "e-1").out
        assert "Client said yes to submission s-1" in shown
        assert shown.count("Result of interview i-2: advance") == 1


class TestOut:
    @pytest.mark.timeout(300)
    def test_tells_a_subscriber_what_happens(self, day: Any, shell: Shell, receiver: Receiver) -> None:
        [block] = blocks("Webhooks out")
        secret = after(typed(shell, block, hr=receiver.url), "secret: ")
        moved = ("interview_id=i-1", "starts_at=2030-01-08T10:00:00Z")
        assert day.rapport("do", "e-1", "move-interview", *moved).code == 0
        until(lambda: len(receiver.got) > 1, "nothing is told")
        told = receiver.told(secret)
        assert [each["type"] for each in told] == ["rapport.test", "rapport.interview-moved"]
        assert told[1]["subject"] == "e-1"


class TestMail:
    @pytest.mark.timeout(300)
    def test_of_a_candidate_comes_in(self, day: Any, shell: Shell) -> None:
        add, post = commands(blocks("A candidate's mail")[0])
        code, said = shell.types(add.command)
        assert code == 0, said
        assert add.missing_in(said) == []

        async def reply_to() -> str:
            async with opened(Options(data=day.data)) as session:
                return session.having.email.reply_to("acme", "e-1")

        answer = (
            f"From: Candidate One <candidate@example.test>\r\nTo: {asyncio.run(reply_to())}\r\n"
            "Date: Fri, 27 Nov 2026 10:00:00 +0000\r\nMessage-ID: <answer-1@example.test>\r\n\r\n"
            "Could somebody call me tomorrow?\r\n"
        )
        (shell.place / "answer.eml").write_text(answer, newline="")
        keep(shell, said)
        code, said = shell.types(post.command)
        assert code == 0, said
        assert post.missing_in(said) == []
        settled(day, "mail")
        [row] = day.rapport("inbox", "list", "--connection", "mail", "--json").json
        assert (row["state"], row["engagements"]) == ("applied", ["e-1"]), row
