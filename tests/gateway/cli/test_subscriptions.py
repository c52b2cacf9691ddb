"""Subscriptions from the command line, on a stack whose worker delivers."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.gateway.cli.receiving import Receiver, receiving
from tests.gateway.cli.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.temporal]


@pytest.fixture(scope="module", autouse=True)
def _loopback_is_allowed() -> Iterator[None]:
    """This will let the stack and the commands beside it send to loopback."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAPPORT_WEBHOOKS_ALLOW_HTTP", "1")
        patch.setenv("RAPPORT_WEBHOOKS_ALLOW_PRIVATE", "1")
        yield


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """This will be a receiver on loopback."""
    with receiving() as server:
        yield server


class TestSubscription:
    def test_lives_from_its_beginning_to_its_end(self, shared: Any, receiver: Receiver) -> None:
        added = shared.rapport("subscription", "add", receiver.url, "--name", "HR", "--json")
        assert added.code == 0, added.err
        which, secret = added.json["subscription"], added.json["secret"]
        assert secret.startswith("whsec_")
        of = ("subscription", "list", "--json")
        assert secret not in shared.rapport(*of).out

        tested = shared.rapport("subscription", "test", "HR")
        assert (tested.code, tested.out) == (0, "it answered 204\n")
        [told] = receiver.told(secret)
        assert (told["type"], told["data"]) == ("rapport.test", {"subscription_id": which})

        receiver.got.clear()
        opened = shared.rapport("open", "e-1", "--owner", "r-1", "--name", "Quux")
        assert opened.code == 0, opened.err
        until(lambda: receiver.got)
        until(lambda: shared.rapport(*of).json[0]["behind"] == 0)
        first = receiver.told(secret)[0]
        assert (first["type"], first["subject"]) == ("rapport.engagement-opened", "e-1")
        assert b"Quux" not in b"".join(body for _, body in receiver.got)

        rotated = shared.rapport("subscription", "rotate", which, "--json").json["secret"]
        receiver.got.clear()
        replayed = shared.rapport("subscription", "replay", which, "--from", str(first["position"]), "--json")
        assert replayed.json["events"] >= 1
        until(lambda: receiver.got)
        assert receiver.told(rotated)[0] == receiver.told(secret)[0] == first

        paused = shared.rapport("subscription", "pause", which)
        assert paused.out == f"{which} is paused\n"
        assert shared.rapport(*of).json[0]["state"] == "paused"
        shared.rapport("subscription", "resume", which)

        receiver.status = 410
        talked = shared.rapport("do", "e-1", "record-contact", "channel=phone", "--actor", "person:r-1")
        assert talked.code == 0, talked.err
        until(lambda: shared.rapport(*of).json[0]["state"] == "gone")
        stuck = shared.rapport("stuck")
        assert stuck.code == 1
        assert f"rapport subscription resume {which}" in stuck.out

        assert shared.rapport("subscription", "remove", which).code == 0
        assert shared.rapport(*of).json == []

    def test_says_in_one_sentence_what_is_wrong(self, shared: Any, receiver: Receiver) -> None:
        for arguments, says in (
            (("add", "ftp://example.org"), "must start with https://"),
            (("add", receiver.url, "--type", "nothing-at-all"), "no such event type"),
            (("rotate", "s-nobody"), "no such subscription"),
            (("replay", "s-nobody", "--from", "1"), "no such subscription"),
        ):
            done = shared.rapport("subscription", *arguments)
            assert done.code == 2
            assert says in done.err
            assert done.err.count("\n") == 1

    def test_says_whose_settings_decide_where_a_test_may_go(
        self, shared: Any, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        which = shared.rapport("subscription", "add", receiver.url, "--json").json["subscription"]
        monkeypatch.delenv("RAPPORT_WEBHOOKS_ALLOW_HTTP", raising=False)
        tested = shared.rapport("subscription", "test", which)
        assert tested.code == 1
        assert "RAPPORT_WEBHOOKS_ALLOW_HTTP=1" in tested.out
        assert "this shell's settings decide" in tested.out
        monkeypatch.setenv("RAPPORT_WEBHOOKS_ALLOW_HTTP", "1")
        shared.rapport("subscription", "remove", which)

    def test_tells_a_receiver_that_takes_nothing(self, shared: Any, receiver: Receiver) -> None:
        receiver.status = 500
        which = shared.rapport("subscription", "add", receiver.url, "--json").json["subscription"]
        tested = shared.rapport("subscription", "test", which)
        assert (tested.code, tested.out) == (1, "it answered 500\n")
        shared.rapport("subscription", "remove", which)
