"""What a message would give is tried beforehand, as far as nobody else judges it."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from activities.agency_load import load_agency
from activities.directory import Directory
from events.agency import Entry
from events.clock import ClockSpec
from events.envelope import Actor, Stored
from events.errors import CallerError
from tests.workers.inbox.desk import NOON
from workers.inbox.plan import Plan, Step
from workers.inbox.rehearsing import Rehearsal

if TYPE_CHECKING:
    from tests.workers.inbox.desk import Office

pytestmark = pytest.mark.postgres
WHO = (Actor(kind="integration", id="c-1"), "greenhouse", "hook:1:")


def plan(name: str, engagement: str = "e-1", **fields: Any) -> Plan:
    """Plan one command."""
    return Plan((Step(0, engagement, None, name, fields, NOON),))


@pytest.fixture
def rehearsal(office: "Office") -> Rehearsal:
    """This will try plans on the office's record."""
    log = office.desk.log
    return Rehearsal(log, Directory(log), office.post.keys, ClockSpec(), lambda: datetime.now(UTC))


class TestOf:
    async def test_reads_a_known_engagement_no_more_where_that_judges_itself(
        self, office: "Office", rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        read: list[str] = []
        real = office.desk.log.read_stream

        async def counted(agency: str, stream: str, **how: Any) -> list[Stored]:
            read.append(stream)
            return await real(agency, stream, **how)

        monkeypatch.setattr(office.desk.log, "read_stream", counted)
        wrote = plan("record-message", channel="email")
        for _ in range(3):
            await rehearsal.of(office.post.agency, wrote, *WHO, judged_later=True)
        assert read.count("engagement:e-1") == 1
        await rehearsal.of(office.post.agency, wrote, *WHO)
        assert read.count("engagement:e-1") == 2

    async def test_refuses_strangers_also_there(self, office: "Office", rehearsal: Rehearsal) -> None:
        """The engagement knows nobody, so it would take any name."""
        agency = office.post.agency
        people = (Entry(person_id="r-1", role="recruiter"),)
        await load_agency(office.desk.service, agency, people=people, actor=WHO[0])
        await rehearsal.of(agency, plan("record-contact", channel="phone", by="r-1"), *WHO, judged_later=True)
        stranger = plan("record-contact", channel="phone", by="r-99")
        with pytest.raises(CallerError):
            await rehearsal.of(agency, stranger, *WHO, judged_later=True)

    async def test_tries_what_it_has_not_seen_yet(self, office: "Office", rehearsal: Rehearsal) -> None:
        """A message to an engagement that was never opened starts nothing."""
        wrote = plan("record-message", "e-unheard-of", channel="email")
        with pytest.raises(CallerError):
            await rehearsal.of(office.post.agency, wrote, *WHO, judged_later=True)
