"""Projections against the states they are made from, on random lives."""

from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from events.copying import replace
from events.envelope import Stored
from events.fold import fold
from events.ledger import ledger_of
from events.obligations import owner_of
from events.projections import board, caseload, obligations, search
from events.projections.folding import Folded, fold_stream, items_of, rows_of
from events.projections.projection import Projection, Told, told_of

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


def told(events: Sequence[Stored]) -> list[Told]:
    """Read events as the projector does."""
    return [told_of(each) for each in events]


def lived(data: st.DataObject, world: "World", lives: ModuleType) -> "Life":
    """Draw a life and live it."""
    life = world.life(data.draw(lives.modes(world.starter)))
    lives.live(life, data.draw(lives.moves()))
    return life


def named(folded: Folded, projection: Projection) -> list[dict[str, Any]]:
    """Give rows by their columns."""
    return [dict(zip(projection.columns, row, strict=True)) for row in rows_of(folded, projection)]


class TestFoldStream:
    @law
    @given(data=st.data())
    def test_gives_the_board_that_the_state_gives(
        self, data: st.DataObject, world: "World", lives: ModuleType
    ) -> None:
        """Folding promises apart from the rest leaves nothing out."""
        life = lived(data, world, lives)
        folded = fold_stream(told(life.stream), [board.PROJECTION])
        [row] = named(folded, board.PROJECTION)
        state = life.state
        promises = state.obligations.values()
        assert state.decided_at is not None
        assert (row["stage"], row["owner"], row["version"]) == (
            state.stage,
            state.candidate_owner,
            state.version,
        )
        shown = board.posture(row["moves"], row["paused_until"], state.decided_at)
        assert shown == state.posture(state.decided_at)
        assert row["level"] >= state.level
        assert row["next_step_at"] == min((rung.at for each in promises for rung in each.rungs), default=None)
        assert row["overdue_obligations"] == sum(each.breached for each in promises)
        assert row["open_obligations"] == len(promises)
        assert row["last_contact_at"] == state.last_contact_at

    @law
    @given(data=st.data())
    def test_leaves_nothing_of_the_state_out_but_promises(
        self, data: st.DataObject, world: "World", lives: ModuleType
    ) -> None:
        life = lived(data, world, lives)
        engagement = fold_stream(told(life.stream), [board.PROJECTION]).state.engagement
        without: dict[str, Any] = {"obligations": {}, "breaches": {}, "escalations": {}, "owed": {}}
        kept = {"version": 0, "agency": "", "decided_at": None, "recent_commands": ()}
        assert engagement == replace(fold(life.stream), **without, **kept)

    @law
    @given(data=st.data())
    def test_adds_up_to_what_each_person_owes(
        self, data: st.DataObject, world: "World", lives: ModuleType
    ) -> None:
        life = lived(data, world, lives)
        rows = named(fold_stream(told(life.stream), [caseload.PROJECTION]), caseload.PROJECTION)
        owners = [owner_of(life.state, each) for each in life.state.obligations.values()]
        assert {row["person"]: row["open_obligations"] for row in rows if row["open_obligations"]} == {
            each: owners.count(each) for each in set(owners) if each is not None
        }

    @law
    @given(data=st.data())
    def test_gives_the_ledger(self, data: st.DataObject, world: "World", lives: ModuleType) -> None:
        """Reports, backtests and tables go by one and the same fold."""
        life = lived(data, world, lives)
        folded = fold_stream(told(life.stream), [obligations.PROJECTION])
        assert dict(items_of(folded, obligations.PROJECTION)) == ledger_of(life.stream)

    @law
    @given(data=st.data())
    def test_holds_nothing_personal(self, data: st.DataObject, world: "World", lives: ModuleType) -> None:
        """Words that are personal in the log are nowhere in a table, of any projection."""
        from workers.projector import PROJECTIONS

        life = lived(data, world, lives)
        ours = [each for each in PROJECTIONS if each.category == "engagement"]
        folded = fold_stream(told(life.stream), ours)
        assert not folded.broken
        for each in ours:
            assert lives.WORDS not in repr(rows_of(folded, each)), each.name
            for row in rows_of(folded, each):
                assert len(row) == len(each.columns), each.name

    @law
    @given(data=st.data())
    def test_is_found_by_what_it_holds(self, data: st.DataObject, world: "World", lives: ModuleType) -> None:
        life = lived(data, world, lives)
        rows = named(fold_stream(told(life.stream), [search.PROJECTION]), search.PROJECTION)
        found = {(row["kind"], row["term"]) for row in rows}
        assert ("stage", life.state.stage) in found
        assert {("submission", each) for each in life.state.submissions} <= found
        assert {("rule", each.rule) for each in life.state.obligations.values()} <= found
