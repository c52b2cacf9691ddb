"""Moving in onto real workflows: what is open goes live, what is closed does not, what is new is reported."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.service import RPCError

from activities.agency_load import load_agency
from activities.commands import CommandService
from events.agency import Entry
from events.envelope import Actor
from events.fold import fold
from events.sources.candidates import plan_of_candidates
from events.sources.plan import Plan
from events.sources.pseudonyms import Pseudonyms
from events.sources.table import read_rows, read_table_mapping
from workers.importing.account import Account
from workers.importing.history import History
from workers.importing.past import past_of
from workers.importing.report import ImportReport
from workers.importing.run import Ground as Importing
from workers.importing.run import run_import

if TYPE_CHECKING:
    from tests.workflows.conftest import Ground

pytestmark = [pytest.mark.temporal]

KEY = Pseudonyms(b"a key for the tests only")
PEOPLE = (
    Entry(person_id="d-1", role="director"),
    Entry(person_id="t-1", role="team-lead", director="d-1"),
    Entry(person_id="r-1", role="recruiter", team_lead="t-1"),
    Entry(person_id="r-2", role="recruiter", team_lead="t-1"),
)
MAPPING = """
format = 1
name = "table"
source = "csv"
observes = ["keep-in-touch"]
[columns]
id = "Number"
stage = "Stage"
owner = "Owner"
last_contact = "Last contact"
opened_on = "Registered"
name = "Name"
[[stage]]
words = ["talking"]
[[stage]]
words = ["ready"]
commands = [{ do = "complete-intake", at = ["last_contact"] }]
[[stage]]
words = ["archived"]
commands = [{ do = "close-engagement", fields = { reason = "archived" }, at = ["last_contact"] }]
"""
HEAD = "Number,Name,Stage,Owner,Last contact,Registered\n"
# Once for all of the page: a run may go on over midnight.
NOW = datetime.now(UTC)
ONE, TWO, THREE = (f"engagement:{KEY.of('engagement', f'C-{number}')}" for number in (1, 2, 3))


def day(back: int) -> str:
    """Write a day so many days ago."""
    return f"{NOW - timedelta(days=back):%Y-%m-%d}"


def table(*rows: str) -> str:
    """Write a table."""
    return HEAD + "".join(f"{row}\n" for row in rows)


TALKING = f"C-1,Candidate One,Talking,r-1,{day(3)},{day(90)}"
SILENT = f"C-2,Candidate Two,Talking,r-2,{day(60)},{day(90)}"
ARCHIVED = f"C-3,Candidate Three,Archived,r-1,{day(300)},{day(400)}"


class Mover:
    """Imports tables into the ground's agency."""

    def __init__(self, ground: "Ground") -> None:
        self.ground = ground

    def plan(self, text: str) -> Plan:
        """Give what a table stands for."""
        mapping = read_table_mapping(MAPPING)
        return plan_of_candidates(read_rows(text.encode(), mapping), mapping, KEY)

    async def load(self, text: str) -> ImportReport:
        """Import one."""
        importing = Importing(
            log=self.ground.log,
            service=CommandService(self.ground.log),
            engagements=self.ground.engagements(),
            agency=self.ground.agency,
            now=lambda: datetime.now(UTC),
        )
        report = await run_import(self.plan(text), importing)
        assert report.accounted
        return report

    async def types(self, stream: str) -> list[str]:
        """List the types of a stream's events."""
        return await self.ground.types(stream.partition(":")[2])


@pytest.fixture
async def mover(ground: "Ground") -> Mover:
    """This will be an agency with people, into which tables can be imported."""
    service = CommandService(ground.log)
    await load_agency(service, ground.agency, people=PEOPLE, actor=Actor(kind="operator", id="o-1"))
    return Mover(ground)


def rows(report: ImportReport, **expected: int) -> bool:
    """Tell whether the rows came to this, and to nothing else."""
    found = {outcome.replace("-", "_"): count for outcome, count in report.rows.items() if count}
    return found == expected


class TestMovingIn:
    async def test_goes_live_with_what_is_owed(self, mover: Mover) -> None:
        """A silence of sixty days is broken at its own time, and owed anew from now; nobody is told."""
        assert rows(await mover.load(table(TALKING, SILENT)), imported=2)
        talking, silent = await mover.types(ONE), await mover.types(TWO)
        past = ["engagement-opened", "assigned", "contact-made"]
        assert talking == [*past, "policy-adopted", "went-live", "obligation-opened"]
        assert silent == [
            *past,
            "policy-adopted",
            "went-live",
            "obligation-opened",
            "obligation-breached",
            "obligation-dropped",
            "obligation-opened",
        ]
        for stream in (ONE, TWO):
            key = stream.partition(":")[2]
            state = await mover.ground.engagements().state(key)
            assert state == fold(await mover.ground.events(key))
            assert not state.owed
            assert await mover.ground.running(key)

    async def test_leaves_what_is_closed_alone(self, mover: Mover) -> None:
        """Who was archived before has a record, and no workflow."""
        assert rows(await mover.load(table(ARCHIVED)), imported=1)
        key = THREE.partition(":")[2]
        head = await mover.ground.log.head(mover.ground.agency, THREE)
        assert head is not None
        assert (head.phase, head.acked_version) == ("closed", head.version)
        assert (await mover.types(THREE))[-1] == "engagement-closed"
        with pytest.raises(RPCError):
            await mover.ground.handle(key).describe()

    async def test_again_changes_nothing(self, mover: Mover) -> None:
        """The same table is known, to the last row."""
        text = table(TALKING, SILENT, ARCHIVED)
        await mover.load(text)
        before = await mover.ground.log.log_head(mover.ground.agency)
        assert rows(await mover.load(text), already_there=3)
        assert await mover.ground.log.log_head(mover.ground.agency) == before

    async def test_goes_on_where_a_stream_had_turned_live_and_nothing_more(self, mover: Mover) -> None:
        """Killed between the log and the workflow, the next import asks the workflow."""
        agency, log = mover.ground.agency, mover.ground.log
        past = past_of(mover.plan(table(SILENT)), agency, datetime.now(UTC))
        await History(log, agency, Account()).write(past.streams[TWO])
        await log.turn_live(agency, TWO)
        report = await mover.load(table(SILENT))
        assert rows(report, already_there=1)
        assert report.went_live["engagement"] == 1
        assert (await mover.types(TWO)).count("went-live") == 1


class TestANewerTable:
    async def test_reports_what_is_new_to_who_is_live(self, mover: Mover) -> None:
        """A later talk keeps the promise, as if somebody had told of it."""
        await mover.load(table(SILENT))
        newer = f"C-2,Candidate Two,Ready,r-2,{day(1)},{day(90)}"
        assert rows(await mover.load(table(newer)), reported=1)
        types = await mover.types(TWO)
        after = types[types.index("went-live") + 5 :]
        assert after == ["contact-made", "obligation-met", "obligation-opened", "intake-completed"]
        events = await mover.ground.events(TWO.partition(":")[2])
        talk = [each for each in events if each.type == "contact-made"][-1]
        assert (talk.origin, f"{talk.occurred_at:%Y-%m-%d}") == ("business", day(1))

    async def test_leaves_a_contradiction_aside_with_a_sentence(self, mover: Mover) -> None:
        """Another owner is no correction of the past but a handover, which somebody must give."""
        await mover.load(table(TALKING))
        report = await mover.load(table(f"C-1,Candidate One,Talking,r-2,{day(3)},{day(90)}"))
        assert rows(report, left_aside=1)
        assert "hand over with reassign" in report.left_aside[0].reason
        assert (await mover.types(ONE)).count("contact-made") == 1

    async def test_adds_who_is_new(self, mover: Mover) -> None:
        """The others stay as they are."""
        await mover.load(table(TALKING))
        assert rows(await mover.load(table(TALKING, SILENT)), already_there=1, imported=1)


class TestWhoIsThereAlready:
    async def test_is_left_aside_where_their_engagement_was_opened_here(self, mover: Mover) -> None:
        """One engagement per person; which of two records is right is for people to say."""
        data: dict[str, Any] = {"candidate_id": KEY.of("candidate", "C-1"), "owner": "r-1"}
        mover.ground.started.add("e-1")
        await mover.ground.give("e-1", "open-engagement", data, command_id="open-e-1")
        report = await mover.load(table(TALKING))
        assert rows(report, left_aside=1)
        assert "has an engagement with the agency already" in report.left_aside[0].reason
        assert await mover.ground.log.head(mover.ground.agency, ONE) is None
