"""A source is decided whole before anything is written: a row counts whole or not at all."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from events.envelope import Actor
from events.sources.plan import Plan, Step
from workers.importing.past import past_of

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
DAY = timedelta(days=1)
E, J = "engagement:e-1", "job-order:j-1"
ACTOR = Actor(kind="integration", id="test")


def step(place: int, name: str, stream: str = E, *, days: float = 0, ordinal: int = 0, **data: Any) -> Step:
    """Give a command of a row, so many days after noon."""
    return Step(
        at=NOON + days * DAY,
        place=place,
        stream=stream,
        name=name,
        data=data,
        command_id=f"c-{place}-{ordinal}",
        actor=ACTOR,
    )


def plan(*steps: Step) -> Plan:
    """Give a plan of these commands."""
    read = len({each.place for each in steps})
    return Plan(source="test", observes=(), until=NOON, read=read, people=(), steps=list(steps))


OPEN = step(1, "open-engagement", candidate_id="c-1")
UNTIL = NOON + 1000 * DAY


class TestPastOf:
    def test_tells_each_command_at_its_own_time(self) -> None:
        """As events of origin imported, which no policy governed and no engine answered."""
        past = past_of(plan(OPEN, step(2, "assign", days=3, owner="r-1")), "acme", UNTIL)
        drafts = [draft for told in past.streams[E].told for draft in told.group.drafts]
        assert [(each.type, each.occurred_at, each.decided_at) for each in drafts] == [
            ("engagement-opened", NOON, NOON),
            ("assigned", NOON + 3 * DAY, NOON + 3 * DAY),
        ]
        assert {each.origin for each in drafts} == {"imported"}
        assert {each.policy_digest for each in drafts} == {None}

    def test_never_decides_before_what_it_has_decided(self) -> None:
        """A row that comes late tells when it happened; a stream's own order stays."""
        late = step(3, "record-contact", days=1, by="r-1", channel="phone")
        past = past_of(plan(OPEN, step(2, "assign", days=3, owner="r-1"), late), "acme", UNTIL)
        draft = past.streams[E].told[-1].group.drafts[0]
        assert (draft.occurred_at, draft.decided_at) == (NOON + DAY, NOON + 3 * DAY)

    def test_leaves_a_row_aside_whole(self) -> None:
        """What another stream had taken of it is taken back."""
        broken = (
            step(2, "open-job-order", J, ordinal=0, job_order_id="j-1"),
            step(2, "assign", ordinal=1, owner="r-1"),
            step(2, "link-application-to-job-order", ordinal=2, application_id="nowhere", job_order_id="j-1"),
        )
        past = past_of(plan(OPEN, *broken, step(3, "assign", owner="r-2")), "acme", UNTIL)
        assert [each.place for each in past.left_aside] == [2]
        assert past.left_aside[0].reason.startswith("link-application-to-job-order: ")
        assert J not in past.streams
        assert [told.step.place for told in past.streams[E].told] == [1, 3]

    def test_leaves_the_future_aside(self) -> None:
        """History is what has happened."""
        past = past_of(plan(OPEN, step(2, "assign", days=2, owner="r-1")), "acme", NOON + DAY)
        assert [(each.place, each.reason) for each in past.left_aside] == [
            (2, "assign: its time lies in the future; correct it")
        ]

    def test_asks_no_gate(self) -> None:
        """Nobody asked whether it was allowed when it happened."""
        facts = step(2, "submit", submission_id="s-1", job_order_id="j-1", by="r-1")
        past = past_of(plan(OPEN, facts), "acme", UNTIL)
        assert [draft.type for draft in past.streams[E].told[-1].group.drafts] == ["submitted"]

    @pytest.mark.parametrize("stream", [E, J])
    def test_closes_a_stream_with_its_last_command(self, stream: str) -> None:
        """Until all of it is there it takes more: an import may be killed behind the closing."""
        steps = {
            E: (
                OPEN,
                step(2, "close-engagement", reason="done"),
                step(3, "record-check", days=1, check="identity", outcome="ok"),
            ),
            J: (
                step(1, "open-job-order", J, job_order_id="j-1"),
                step(2, "close-job-order", J, reason="lost"),
            ),
        }
        past = past_of(plan(*steps[stream]), "acme", UNTIL).streams[stream]
        assert past.closed
        assert [each.closes for each in past.groups] == [False] * (len(past.groups) - 1) + [True]

    def test_gives_the_same_ids_again(self) -> None:
        """Whoever is killed begins anew with the same past."""
        steps = plan(OPEN, step(2, "assign", days=3, owner="r-1"))
        assert past_of(steps, "acme", UNTIL) == past_of(steps, "acme", UNTIL + DAY)

    def test_leaves_everything_aside_that_speaks_of_somebody_who_is_here_already(self) -> None:
        """Also what another stream would have learnt from those rows."""
        both = (
            step(2, "open-job-order", J, ordinal=0, job_order_id="j-1"),
            step(2, "assign", ordinal=1, owner="r-1"),
        )
        past = past_of(plan(OPEN, *both), "acme", UNTIL, {"c-1": "engagement:another"})
        assert [each.place for each in past.left_aside] == [1, 2]
        assert not past.streams
