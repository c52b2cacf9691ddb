"""``rapport rehydrate`` and ``rapport stuck`` on a stack that runs: the one mends what the other names."""

from typing import Any

import pytest

from gateway.cli.connect import Options, Session, perform
from tests.gateway.cli.waiting import until
from workflows.types import workflow_id

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.temporal]


@pytest.fixture
def lost(shared: Any) -> str:
    """This will be an engagement whose workflow somebody has terminated, and whose log has nothing new."""
    key = "e-lost"
    shared.rapport("open", key, "--name", "Zebulon Quuxworth", "--owner", "r-1", "--command-id", "open-lost")

    async def lose(session: Session) -> None:
        client, stream = await session.temporal("acme"), f"engagement:{key}"
        await client.get_workflow_handle(workflow_id("acme", key)).terminate("lost")
        head = await session.log.head("acme", stream)
        assert head is not None
        await session.log.acknowledge("acme", stream, head.version)

    perform(Options(agency="acme", data=shared.data), lose)
    return key


def no_workflow(shared: Any) -> list[dict[str, Any]]:
    """List the engagements without a workflow, as ``stuck`` names them."""
    stuck = shared.rapport("stuck", "--json").json["findings"]
    return [each for each in stuck if each["kind"] == "no-workflow"]


class TestRehydrate:
    def test_starts_whom_stuck_names_and_leaves_the_others_alone(self, shared: Any, lost: str) -> None:
        shared.rapport("open", "e-alive", "--name", "Somebody", "--owner", "r-1")
        # Temporal's list of what runs trails what was terminated a little.
        gone = until(lambda: no_workflow(shared))
        assert [each["name"] for each in gone] == [f"engagement:{lost}"]
        assert f"rapport rehydrate {lost}" in gone[0]["says"]

        done = shared.rapport("rehydrate", "--json")

        assert done.code == 0, done.err
        told = done.json
        assert (told["started"], told["failed"], told["worker"], told["sweep_scheduled"]) == (
            1,
            0,
            True,
            False,
        )
        assert told["running"] >= 1
        assert [each["agency"] for each in told["agencies"]] == ["acme"]
        again = shared.rapport("rehydrate", "--all").out
        assert again.startswith("0 started, ")
        assert no_workflow(shared) == []
        assert shared.rapport("verify", lost).code == 0

    def test_does_one_alone(self, shared: Any, lost: str) -> None:
        assert shared.rapport("rehydrate", lost).out.startswith("1 started, 0 running already, 0 closed")
        # It may be told to look, where its first load is not in its history yet.
        assert shared.rapport("rehydrate", lost).out.startswith("0 started, ")

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (("e-nobody",), "there is no engagement 'e-nobody'"),
            (("e-1", "--all"), "give it alone"),
            (("--all", "--agency", "acme"), "give it alone"),
            (("--agency", "nobodys"), "there is no agency 'nobodys'"),
        ],
    )
    def test_says_what_is_wrong_in_one_sentence(
        self, shared: Any, arguments: tuple[str, ...], says: str
    ) -> None:
        done = shared.rapport("rehydrate", *arguments)

        assert (done.code, done.err.count("\n")) == (2, 1)
        assert says in done.err
        assert "Zebulon" not in done.err

    def test_takes_the_environments_agency_for_no_limit_of_all(
        self, shared: Any, lost: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("RAPPORT_AGENCY", "nobodys")
        assert shared.rapport("rehydrate", "--all", "--json").json["started"] == 1
