import json
from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from events.log.memory import MemoryLog
from gateway.cli.differing import changes
from gateway.cli.telling import state_at, tell_stream

if TYPE_CHECKING:
    from tests.events.specification import Life, World

law = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def changed_leaves(old: Any, new: Any, path: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """Find by another way where two states differ: the deepest place that both have, or one lacks."""
    if not (isinstance(old, Mapping) and isinstance(new, Mapping)):
        return set() if old == new else {path}
    found = {(*path, name) for name in old.keys() ^ new.keys()}
    for name in old.keys() & new.keys():
        found |= changed_leaves(old[name], new[name], (*path, name))
    return found


def applied(old: dict[str, Any], diff: list[dict[str, Any]]) -> dict[str, Any]:
    """Make the changes."""
    made: dict[str, Any] = json.loads(json.dumps(old))
    for change in diff:
        place = made
        for name in change["path"][:-1]:
            place = place[name]
        if change["change"] == "removed":
            assert place.pop(change["path"][-1]) == change["old"]
        else:
            place[change["path"][-1]] = change["new"]
    return made


class TestChanges:
    @law
    @given(data=st.data())
    def test_names_exactly_the_fields_that_differ(
        self, data: st.DataObject, world: "World", lives: ModuleType
    ) -> None:
        """For versions near and far in any life: none missing, none too many, and the states' own values."""
        life = world.life(data.draw(lives.modes(world.starter)))
        lives.live(life, data.draw(lives.moves()))
        versions = range(1, len(life.stream) + 1)
        plain = [state_at("engagement", "e-1", life.stream[:version], whole=False) for version in versions]
        states = [json.loads(json.dumps(each)) for each in plain]
        # Each version against its neighbour and against some that are spread over the whole life.
        spread = states[:: max(1, len(states) // 6)]
        for place, new in enumerate(states):
            for old in (*spread, states[max(0, place - 1)], states[-1]):
                diff = changes(old, new)
                assert {tuple(each["path"]) for each in diff} == changed_leaves(old, new)
                assert len({each["field"] for each in diff}) == len(diff)
                assert applied(old, diff) == new

    def test_tells_what_came_what_went_and_what_changed(self) -> None:
        old = {"level": 1, "kept": 2, "offers": {"o-1": {"answer": None}}, "team": ["r-1"]}
        new = {"level": 2, "kept": 2, "offers": {"o-2": {"answer": None}}, "team": ["r-1", "r-2"]}

        found = {each["field"]: (each["change"], each["old"], each["new"]) for each in changes(old, new)}

        assert found == {
            "level": ("changed", 1, 2),
            "offers.o-1": ("removed", {"answer": None}, None),
            "offers.o-2": ("added", None, {"answer": None}),
            "team": ("changed", ["r-1"], ["r-1", "r-2"]),
        }

    def test_finds_none_between_equals(self) -> None:
        assert changes({"a": {"b": []}}, {"a": {"b": []}}) == []


class TestTellStream:
    async def test_shows_the_fold_of_the_first_events_at_every_version(
        self, kept: MemoryLog, lived: "Life"
    ) -> None:
        """An annulled event still counted before it was annulled."""
        for version in range(1, len(lived.stream) + 1):
            told = await tell_stream(kept, "agency-1", "engagement", "e-1", version)
            assert told["state"] == state_at("engagement", "e-1", lived.stream[:version], whole=False)
            assert len(told["timeline"]) == version

    async def test_differs_by_what_lies_between_the_two_versions(
        self, kept: MemoryLog, lived: "Life"
    ) -> None:
        last = len(lived.stream)
        for at, since in ((last, 1), (5, 9), (9, 5), (None, last), (None, 3)):
            told = await tell_stream(kept, "agency-1", "engagement", "e-1", at, since=since)
            states = [
                (await tell_stream(kept, "agency-1", "engagement", "e-1", each))["state"]
                for each in (since, at or last)
            ]
            assert told["diff"] == {"from": since, "to": at or last, "changes": changes(*states)}
            first, until = sorted((since, at or last))
            assert [row["version"] for row in told["timeline"]] == [*range(first + 1, until + 1)]

    async def test_tells_in_the_depth_that_is_asked_for(self, kept: MemoryLog, lived: "Life") -> None:
        rows = {
            depth: (await tell_stream(kept, "agency-1", "engagement", "e-1", None, depth=depth))["timeline"]
            for depth in ("business", "technical", "raw")
        }

        assert [row["version"] for row in rows["business"]] == [
            each.version for each in lived.stream if each.origin != "engine"
        ]
        assert len(rows["technical"]) == len(rows["raw"]) == len(lived.stream)
        assert {"engine", "business"} == {row["origin"] for row in rows["technical"]}
        first = rows["raw"][0]
        assert first["type"] == "engagement-opened"
        assert set(first["body"]["name"]) == {"sealed"}
        assert len(first["chain_hash"]) == 64
        assert "opened" not in first
