"""A caseload moves whole: with its notes, once, and on from wherever it was cut off."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from activities.agency_load import load_agency
from activities.caseload import caseloads
from events.agency import Agency, Entry
from events.caseloads import Reassignment, Skipped
from events.commands import Order
from events.decider import prepare
from events.envelope import Actor, AppendRequest
from events.errors import CallerError, WrongState
from events.fold import fold
from events.log.port import Appended, CommandIdReused
from events.state import Engagement
from workers.client import CommandFailed, NotAnswered
from workers.reassigning import Notes, Reassigning, receivers
from workers.shipped import deploy_policy

if TYPE_CHECKING:
    from tests.workers.following_office import Office

OPERATOR = Actor(kind="operator", id="cli")
NOTES = Notes(of={"e-1": "Hopes for the archive very much."}, others="Likes short calls.")


class Killed(BaseException):
    """What is left of a process in a test that cannot kill its own."""


class Desk:
    """Stands where the engagements' workflows stand, until it is told to die."""

    def __init__(self, office: "Office") -> None:
        self.office, self.given = office, 0
        self.dies_after: int | None = None
        self.silent: set[str] = set()

    async def command(self, engagement_id: str, command: Order) -> Any:
        """Decide at the newest version and append."""
        if self.given == self.dies_after:
            raise Killed
        if engagement_id in self.silent:
            raise NotAnswered(command.command_id, timedelta(seconds=10))
        self.given += 1
        stream = f"engagement:{engagement_id}"
        history = await self.office.log.read_stream("a-1", stream, open_personal=True)
        state, now = fold(history), history[-1].decided_at
        try:
            made = prepare(
                command, state, deploy_policy("starter"), now, agency="a-1", engagement_id=engagement_id
            )
        except CallerError as error:
            raise CommandFailed(str(error), error.code) from None
        request = AppendRequest(agency="a-1", stream=stream, expected=state.version, groups=(made.group,))
        [result] = await self.office.log.append_many([request])
        if isinstance(result, CommandIdReused):
            raise CommandFailed("used before with another content", "command-id-reused")
        assert isinstance(result, Appended)


class Firm:
    """Agency a-1 with a recruiter r-3 who answers for three candidates and a client's job."""

    def __init__(self, office: "Office") -> None:
        self.office, self.desk = office, Desk(office)
        self.mover = Reassigning(office.log, office.service, self.desk, "a-1", OPERATOR)

    async def open(self) -> None:
        team = {"role": "recruiter", "team": "north"}
        people = [Entry.model_validate({"person_id": f"r-{each}", **team}) for each in (1, 2, 3)]
        people.append(Entry(person_id="r-4", role="recruiter"))
        await load_agency(self.office.service, "a-1", people=tuple(people), actor=OPERATOR)
        await self.office.job_order("a-1", "open-job-order", job_order_id="j-1", owner="r-3")
        for number in (1, 2, 3):
            given = {"candidate_id": f"c-{number}", "owner": "r-3", "team": ["r-3", "r-4"]}
            await self.office.desk.give("a-1", f"e-{number}", "open-engagement", f"open-{number}", **given)
        await self.office.desk.presented("a-1", "e-1", "s-1", job_order_owner="r-3")

    async def start(self) -> Reassignment:
        allotment = [{"engagement": f"e-{each}", "to": "r-1" if each < 3 else "r-2"} for each in (1, 2, 3)]
        data = {
            "reassignment_id": "h-1",
            "from_person": "r-3",
            "reason": "recruiter-left",
            "allotment": allotment,
            "job_orders": [{"job_order": "j-1", "to": "r-2"}],
        }
        running = await self.mover.start("h-1", data)
        assert running is not None
        return running

    async def engagement(self, key: str) -> Engagement:
        return fold(await self.office.log.read_stream("a-1", f"engagement:{key}"))

    async def agency(self) -> Agency:
        state: Agency = await self.office.service.state("a-1", "agency:a-1")
        return state

    async def count(self, of: str) -> int:
        return [each.type for each in await self.office.log.read_all("a-1")].count(of)


@pytest.fixture
async def firm(empty_office: "Office") -> Firm:
    made = Firm(empty_office)
    await made.open()
    return made


class TestFinish:
    async def test_moves_everything_with_a_note_for_each(self, firm: Firm) -> None:
        outcome = await firm.mover.finish(await firm.start(), NOTES)
        assert (outcome.moved, outcome.job_orders_moved, outcome.skipped) == (3, 1, [])
        states = [await firm.engagement(f"e-{each}") for each in (1, 2, 3)]
        assert [each.candidate_owner for each in states] == ["r-1", "r-1", "r-2"]
        assert states[0].team == ("r-1", "r-4")
        assert states[0].submissions["s-1"].job_order_owner == "r-2"
        order = await firm.office.service.state("a-1", "job-order:j-1")
        assert order.owner == "r-2"
        assert "r-3" not in await caseloads(firm.office.log, "a-1")
        assert (await firm.agency()).reassignments == {}

    async def test_seals_each_note_and_opens_an_introduction_to_each_candidate(self, firm: Firm) -> None:
        await firm.mover.finish(await firm.start(), NOTES)
        for key, note in (("e-1", "Hopes for the archive very much."), ("e-2", "Likes short calls.")):
            stream = f"engagement:{key}"
            events = await firm.office.log.read_stream("a-1", stream, open_personal=True)
            [moved] = [each for each in events if each.type == "reassigned"]
            assert note not in moved.body
            assert moved.opened["handover"] == f'"{note}"'
            promises = (await firm.engagement(key)).obligations.values()
            assert [each.rule for each in promises] == ["introduce-recruiter"]

    async def test_twice_moves_nothing_twice(self, firm: Firm) -> None:
        running = await firm.start()
        await firm.mover.finish(running, NOTES)
        again = await firm.mover.finish(running, Notes(others="Another note."))
        assert (again.moved, again.job_orders_moved) == (3, 1)
        assert await firm.count("reassigned") == 3
        assert await firm.count("job-order-owner-changed") == 1
        assert await firm.count("position-owner-changed") == 1
        assert await firm.count("caseload-reassignment-completed") == 1

    @pytest.mark.parametrize("after", [0, 1, 2, 3])
    async def test_goes_on_where_it_was_killed(self, firm: Firm, after: int) -> None:
        running = await firm.start()
        firm.desk.dies_after = after
        with pytest.raises(Killed):
            await firm.mover.finish(running, NOTES)
        left = (await firm.agency()).reassignments["h-1"]
        firm.desk.dies_after = None
        outcome = await firm.mover.finish(left, Notes())
        assert (outcome.moved, outcome.job_orders_moved, outcome.skipped) == (3, 1, [])
        assert await firm.count("reassigned") == 3
        assert "r-3" not in await caseloads(firm.office.log, "a-1")

    async def test_moves_the_others_though_one_does_not_answer(self, firm: Firm) -> None:
        """A stuck engagement holds up itself alone; what is left is moved when it answers again."""
        running = await firm.start()
        firm.desk.silent = {"e-1"}
        with pytest.raises(NotAnswered):
            await firm.mover.finish(running, NOTES)
        owners = [(await firm.engagement(f"e-{each}")).candidate_owner for each in (1, 2, 3)]
        assert owners == ["r-3", "r-1", "r-2"]
        assert (await firm.office.service.state("a-1", "job-order:j-1")).owner == "r-2"
        left = (await firm.agency()).reassignments["h-1"]
        firm.desk.silent = set()
        assert (await firm.mover.finish(left, NOTES)).moved == 3
        assert await firm.count("reassigned") == 3

    async def test_by_two_at_once_moves_nothing_twice(self, firm: Firm) -> None:
        running = await firm.start()
        other = Reassigning(firm.office.log, firm.office.service, firm.desk, "a-1", OPERATOR)
        await asyncio.gather(firm.mover.finish(running, NOTES), other.finish(running, NOTES))
        assert await firm.count("reassigned") == 3
        assert await firm.count("caseload-reassignment-completed") == 1

    async def test_skips_what_has_changed_meanwhile_and_says_why(self, firm: Firm) -> None:
        running = await firm.start()
        give = firm.office.desk.give
        await give("a-1", "e-1", "reassign", "by-hand", owner="r-4")
        await give("a-1", "e-2", "close-engagement", "close", reason="moved-away")
        people = tuple(each for key, each in (await firm.agency()).people.items() if key != "r-2")
        await load_agency(firm.office.service, "a-1", people=people, actor=OPERATOR)
        outcome = await firm.mover.finish(running, NOTES)
        assert (outcome.moved, outcome.job_orders_moved) == (0, 0)
        assert outcome.skipped == [
            Skipped(stream="engagement:e-1", why="another-owner"),
            Skipped(stream="engagement:e-2", why="closed"),
            Skipped(stream="engagement:e-3", why="to-has-left"),
            Skipped(stream="job-order:j-1", why="to-has-left"),
        ]
        assert await firm.count("caseload-reassignment-completed") == 1


class TestStart:
    async def test_is_refused_while_another_is_not_finished(self, firm: Firm) -> None:
        await firm.start()
        data = {
            "reassignment_id": "h-2",
            "from_person": "r-3",
            "allotment": [{"engagement": "e-1", "to": "r-4"}],
        }
        with pytest.raises(WrongState, match="rapport reassign --resume"):
            await firm.mover.start("h-2", data)

    async def test_begins_nothing_where_there_is_nothing(self, firm: Firm) -> None:
        assert await firm.mover.start("h-3", {"reassignment_id": "h-3", "from_person": "r-4"}) is None


class TestReceivers:
    async def test_are_the_team_s_recruiters_who_are_there_else_the_agency_s(self, firm: Firm) -> None:
        now = (await firm.office.last("person-joined")).occurred_at
        state = await firm.agency()
        assert receivers(state, "r-3", now) == ["r-1", "r-2"]
        assert receivers(state, "r-4", now) == ["r-1", "r-2", "r-3"]
