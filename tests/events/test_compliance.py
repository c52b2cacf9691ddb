"""A report's numbers add up, whatever happened, and each of them is the number of things it unfolds to."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import TYPE_CHECKING, Any, get_args
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from events.compliance import NOBODY, By, Fact, Happening, Period, Promise, Report, Row, report
from events.compliance_columns import COLUMNS, COUNTED, DERIVED, GROUPS, PARTS, definitions, named
from events.compliance_facts import facts_of
from events.envelope import Actor
from events.ledger import ledger_of
from events.policy import Policy

if TYPE_CHECKING:
    from tests.events.specification import Life, World

law = settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
DAY = timedelta(days=1)
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
LEAD = Actor(kind="person", id="lead-1")
EVENT = UUID(int=7)


def made(facts: Sequence[Fact], by: By | None = None, since: Any = None, until: Any = None) -> Report:
    return report(facts, Period(since, until), by, zone=UTC, team_of=lambda person, _: f"team of {person}")


def counts(row: Row) -> dict[str, int]:
    return {name: row.count(name) for name in row.cells if row.count(name)}


def touching(world: "World") -> "Life":
    """Begin a life at noon under one promise: a talk within seven days."""
    found = world.starter.obligation("keep-in-touch")
    assert found is not None
    life = world.life(Policy(name="one", obligations=(found,)))
    life.do("open-engagement", world.noon)
    return life


def happening(kind: Any, at: datetime, verdict: str | None = None, what: str | None = None) -> Happening:
    return Happening(kind, "e-1", what, at, "matching", "r-1", EVENT, verdict)


class TestAnyLife:
    @law
    @given(data=st.data())
    def test_adds_up(self, data: st.DataObject, world: "World", lives: ModuleType) -> None:
        """Opened is the sum of its parts, in every row; rows add up to the total where each has its row."""
        life = world.life(data.draw(lives.modes(world.starter)))
        lives.live(life, data.draw(lives.moves()))
        facts = list(facts_of(life.stream))
        promises = [each for each in facts if isinstance(each, Promise)]
        counted = [each for each in ledger_of(life.stream).values() if each.superseded_by is None]
        assert len(promises) == len(counted)
        for by in get_args(By):
            found = made(facts, by)
            for row in (*found.rows, found.total):
                assert row.count("opened") == sum(row.count(part.name) for part in PARTS)
                assert row.count("overdue") <= row.count("never_kept") <= row.count("breached")
                assert row.count("asserted") <= row.count("contacts")
            assert found.total.count("opened") == len(promises)
            assert sum(row.count("opened") for row in found.rows) == len(promises)

    @law
    @given(data=st.data())
    def test_belongs_to_one_period(self, data: st.DataObject, world: "World", lives: ModuleType) -> None:
        """Two periods that meet hold together what the whole one holds, but for last words."""
        life = world.life()
        lives.live(life, data.draw(lives.moves()))
        facts = list(facts_of(life.stream))
        cut = data.draw(st.sampled_from([each.at for each in facts] or [NOON]))
        before, after, whole = made(facts, until=cut), made(facts, since=cut), made(facts)
        for each in COUNTED:
            if not each.name.startswith(("likes", "excels")):
                halves = before.total.count(each.name) + after.total.count(each.name)
                assert halves == whole.total.count(each.name), each.name

    @law
    @given(data=st.data())
    def test_unfolds_to_events_of_its_own(
        self, data: st.DataObject, world: "World", lives: ModuleType
    ) -> None:
        """Each figure is the number of what is behind it, and every event named there is in the stream."""
        life = world.life()
        lives.live(life, data.draw(lives.moves()))
        known = {each.event_id for each in life.stream}
        total = made(list(facts_of(life.stream))).total
        for each in COUNTED:
            behind = total.behind(each.name)
            assert len(behind) == total.figure(each.name)
            assert all(fact.events and known.issuperset(fact.events) for fact in behind)
            assert [fact.at for fact in behind] == sorted(fact.at for fact in behind)


class TestOnePromise:
    def test_kept_late_tells_how_late(self, world: "World") -> None:
        life = touching(world)
        life.do("record-contact", world.noon + 9 * DAY, evidence="asserted", evidence_ref=None)
        total = made(list(facts_of(life.stream))).total
        assert counts(total) == {
            "opened": 2,
            "kept_late": 1,
            "open": 1,
            "breached": 1,
            "contacts": 1,
            "asserted": 1,
        }
        assert (total.figure("late_median"), total.figure("late_p90")) == (48.0, 48.0)
        assert (total.figure("kept_share"), total.figure("asserted_share")) == (0.0, 1.0)

    def test_recorded_late_was_kept_all_the_same(self, world: "World") -> None:
        life = touching(world)
        life.do("record-contact", world.noon + 9 * DAY, at=world.noon + DAY)
        total = made(list(facts_of(life.stream))).total
        assert (total.count("kept_recorded_late"), total.count("breached"), total.count("kept_late")) == (
            1,
            1,
            0,
        )

    def test_excused_is_never_kept(self, world: "World") -> None:
        """An excuse stands in a column of its own, before the breach and after it."""
        for days in (1, 9):
            life = touching(world)
            life.wait(world.noon + days * DAY)
            owed = next(iter(life.state.obligations))
            now = world.noon + days * DAY
            life.do("excuse-obligation", now, obligation_id=owed, by="lead-1", actor=LEAD)
            total = made(list(facts_of(life.stream))).total
            assert (total.count("excused"), total.count("kept"), total.count("never_kept")) == (1, 0, 0)

    def test_still_waited_for_is_not_kept_and_overdue(self, world: "World") -> None:
        life = touching(world)
        life.wait(world.noon + 8 * DAY)
        assert counts(made(list(facts_of(life.stream))).total) == {
            "opened": 1,
            "never_kept": 1,
            "breached": 1,
            "overdue": 1,
        }

    def test_belongs_to_its_due_time_or_its_earlier_end(self, world: "World") -> None:
        life = touching(world)
        life.do("record-contact", world.noon + 2 * DAY)
        kept, still = sorted(facts_of(life.stream), key=lambda each: each.at)[0::2]
        assert (kept.at, still.at) == (world.noon + 2 * DAY, world.noon + 9 * DAY)
        closed = touching(world)
        closed.do("close-engagement", world.noon + 3 * DAY)
        assert next(iter(facts_of(closed.stream))).at == world.noon + 3 * DAY


class TestGroups:
    def test_by_owner_goes_by_who_owed_it_when_it_was_broken(self, world: "World") -> None:
        life = touching(world)
        life.do("assign", world.noon + DAY, owner="recruiter-1")
        life.wait(world.noon + 8 * DAY)
        life.do("reassign", world.noon + 8 * DAY, owner="recruiter-2")
        life.do("record-contact", world.noon + 9 * DAY, by="recruiter-2")
        found = made(list(facts_of(life.stream)), "owner")
        assert {row.key: (row.count("kept_late"), row.count("open")) for row in found.rows} == {
            "recruiter-1": (1, 0),
            "recruiter-2": (0, 1),
        }
        teams = made(list(facts_of(life.stream)), "team")
        assert [row.key for row in teams.rows] == ["team of recruiter-1", "team of recruiter-2"]

    def test_by_owner_names_nobody_where_there_is_none(self, world: "World") -> None:
        life = world.life()
        life.do("open-engagement", world.noon, owner=None)
        assert {row.key for row in made(list(facts_of(life.stream)), "owner").rows} == {NOBODY}

    def test_by_week_begins_it_where_the_zone_says(self) -> None:
        """A Sunday night in London is Monday in Auckland."""
        at = datetime(2026, 1, 4, 20, tzinfo=UTC)
        for zone, week in (("UTC", "2026-W01"), ("Pacific/Auckland", "2026-W02")):
            found = report([happening("contact", at)], Period(), "week", zone=ZoneInfo(zone))
            assert [row.key for row in found.rows] == [week]

    def test_by_rule_holds_gates_and_leaves_talks_to_the_total(self) -> None:
        facts = [happening("refused", NOON, what="gate-1"), happening("contact", NOON)]
        found = made(facts, "rule")
        assert [(row.key, counts(row)) for row in found.rows] == [("gate-1", {"refused": 1})]
        assert counts(found.total) == {"refused": 1, "contacts": 1}


class TestPlacements:
    def test_count_by_the_last_word_of_the_period(self) -> None:
        """Asked three times, a placement is liked once: as it was said last."""
        facts = [
            happening("likes", NOON, "no", "s-1"),
            happening("likes", NOON + DAY, "yes", "s-1"),
            happening("likes", NOON, "partly", "s-2"),
            happening("excels", NOON, "no", "s-1"),
        ]
        total = {"likes_yes": 1, "likes_partly": 1, "excels_no": 1}
        assert counts(made(facts).total) == total
        assert counts(made(facts, until=NOON + DAY).total) == {
            "likes_no": 1,
            "likes_partly": 1,
            "excels_no": 1,
        }

    def test_are_told_by_check_ins(self, world: "World", lives: ModuleType) -> None:
        life = world.life()
        lives.live(life, list(lives.LIFE))
        now = life.journal[-1][0]
        life.do("record-contact", now + DAY, contact_id="c-9", purpose="check-in", likes="partly")
        life.do(
            "record-client-talk",
            now + DAY,
            client_talk_id="c-8",
            purpose="check-in",
            excels="yes",
            placement_id="s-1",
        )
        total = made(list(facts_of(life.stream))).total
        told = {name: total.count(name) for name in ("likes_partly", "excels_yes", "likes_yes", "excels_no")}
        assert told == {"likes_partly": 1, "excels_yes": 1, "likes_yes": 0, "excels_no": 0}
        assert total.behind("likes_partly")[0].events == (life.id_of("contact-made"),)


class TestGates:
    def test_are_counted_where_they_refuse_and_where_they_do_not(self, world: "World") -> None:
        life = world.life()
        life.do("open-engagement", world.noon)
        life.do("propose-job", world.noon + DAY)
        life.do("record-submission", world.noon + DAY, application_id=None)
        total = made(list(facts_of(life.stream))).total
        assert total.count("refused") == len(life.seen("command-refused")) > 0
        assert total.count("bypassed") == len(life.seen("gate-bypassed")) > 0


class TestAnImportedPast:
    def test_tells_which_rules_its_source_cannot_show(self, world: "World") -> None:
        """They stand beside what opened: nothing is known of them, which is neither kept nor broken."""
        adopted = world.event("policy-adopted")
        live = world.event("went-live", observes=("keep-in-touch",))
        events = world.given("engagement-opened", adopted, live).history
        rules = {adopted.digest: ["keep-in-touch", "answer-application", "introduce-recruiter"]}
        total = made(list(facts_of(events, rules))).total
        assert counts(total) == {"not_judgeable": 2}
        behind = [
            (fact.what, fact.events) for fact in total.behind("not_judgeable") if isinstance(fact, Happening)
        ]
        assert [what for what, _ in behind] == ["answer-application", "introduce-recruiter"]
        assert {events for _, events in behind} == {(events[-1].event_id,)}

    def test_whose_source_shows_everything_leaves_nothing_out(self, world: "World") -> None:
        live = world.event("went-live", observes=None)
        events = world.given("engagement-opened", "policy-adopted", live).history
        assert counts(made(list(facts_of(events, {}))).total) == {}


class TestLateness:
    @pytest.mark.parametrize(
        ("late", "middle", "most"), [([1], 1, 1), ([1, 2, 3, 4], 2.5, 4), (list(range(1, 11)), 5.5, 9)]
    )
    def test_is_told_by_the_middle_and_by_nine_in_ten(
        self, late: list[int], middle: float, most: float
    ) -> None:
        row = Row("r")
        for each in late:
            met = NOON + timedelta(hours=each)
            row.cells["kept_late"].append(
                Promise("e", "o", "r", "s", "kept-late", "intake", None, True, NOON, met, met, (EVENT,))
            )
        assert (row.figure("late_median"), row.figure("late_p90")) == (middle, most)

    def test_of_nothing_is_nothing(self) -> None:
        row = Row("r")
        assert [row.figure(name) for name in DERIVED] == [None] * len(DERIVED)


class TestDefinitions:
    def test_say_what_every_figure_and_every_group_means(self) -> None:
        assert list(GROUPS) == list(get_args(By))
        assert [name for name, means in definitions() if means] == list(Row("r").figures())

    def test_are_found_by_name_or_title(self) -> None:
        assert {named(each.title) for each in COLUMNS.values()} == set(COLUMNS)
        assert [named(text) for text in ("never-kept", "Recorded late", "nothing")] == [
            "never_kept",
            "kept_recorded_late",
            None,
        ]
