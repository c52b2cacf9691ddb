"""``rapport backtest`` on a stack that runs: its own log, bad input in one sentence, nothing written."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.gateway.cli.conftest import Running

POLICIES = Path(__file__).parents[3] / "deploy" / "policies"
MAPPING = Path(__file__).parents[3] / "deploy" / "mappings" / "recruiting.toml"

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.temporal]
AMONG_OTHERS = True


class TestOwnLog:
    def test_is_tried_under_two_policies(self, shared: "Running") -> None:
        """What lies open is counted under each, and the log is as long afterwards as before."""
        opened = shared.rapport("open", "--owner", "r-1")
        assert opened.code == 0, opened.err
        before = len(shared.rapport("tail", "--once", "--json").out.splitlines())
        policies = [str(POLICIES / f"{name}.toml") for name in ("starter", "observed")]
        done = shared.rapport("backtest", "--policy", policies[0], "--against", policies[1], "--json")
        assert done.code == 0, done.err
        report = done.json
        assert (report["policy"], report["against"]["policy"]) == ("starter", "observed")
        assert report["engagements"] == report["against"]["engagements"] > 0
        assert report["by_rule"]["keep-in-touch"]["opened"] > 0
        assert "settle-conflict" in report["not_judgeable"]
        assert report["breaches"] == []
        named = shared.rapport("backtest", "--policy", "starter", "--against", "observed", "--json").json
        assert named["by_rule"] == report["by_rule"]
        told = shared.rapport("backtest", "--policy", policies[0])
        assert "Under 'starter'" in told.out
        assert len(shared.rapport("tail", "--once", "--json").out.splitlines()) == before

    def test_is_tried_under_the_policy_in_force_if_none_is_given(self, shared: "Running") -> None:
        assert shared.rapport("open", "--owner", "r-1").code == 0
        adopted = shared.rapport("policy", "adopt", "observed", "--yes")
        assert adopted.code == 0, adopted.err
        told = shared.rapport("backtest")
        assert told.code == 0, told.err
        assert told.out.startswith("Tried is the policy in force, 'observed'; --policy FILE tries another.\n")
        assert "Under 'observed'" in told.out
        assert shared.rapport("backtest", "--json").json["policy"] == "observed"

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (("--ocel", "log.jsonocel"), "needs both"),
            (("--policy", "nowhere.toml"), "there is no such file"),
            (("--against", "startr"), "ships with Rapport; did you mean"),
            (("--from", "yesterday"), "takes a date"),
            (("--from", "2026-02-01", "--to", "2026-01-01"), "must lie before"),
            (("--ocel", "nowhere.jsonocel", "--map", str(MAPPING)), "cannot be read"),
        ],
    )
    def test_says_in_one_sentence_what_is_wrong(
        self, shared: "Running", arguments: tuple[str, ...], says: str
    ) -> None:
        done = shared.rapport("backtest", *arguments)
        assert done.code == 2
        assert says in done.err
        assert len(done.err.strip().splitlines()) == 1
