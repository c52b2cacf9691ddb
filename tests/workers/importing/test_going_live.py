"""What is imported goes live one by one: one that cannot is told in its own rows, and holds up no other."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

from activities.commands import CommandService
from events.envelope import Actor
from events.log.memory import MemoryLog
from events.sources.plan import Plan, Step
from workers.client import CommandFailed, Engagements
from workers.importing.account import Account
from workers.importing.going_live import GoingLive
from workers.importing.history import History
from workers.importing.past import past_of
from workflows.types import CommandReply

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
ACTOR = Actor(kind="integration", id="test")
SAYS = "the working calendar of Europe/London ends with 2029-12-31"


class Running:
    """Stands where the workflows stand, and cannot let *stuck* go live."""

    def __init__(self, *stuck: str) -> None:
        self.stuck = set(stuck)

    async def command(
        self, engagement_id: str, name: str, data: dict[str, Any], *, command_id: str
    ) -> CommandReply:
        if engagement_id in self.stuck:
            raise CommandFailed(SAYS, "beyond-calendar")
        return CommandReply(command_id=command_id, outcome="accepted", version=2, events=("went-live",))


async def imported(log: MemoryLog, running: Running) -> tuple[Account, int]:
    """Import two candidates; returns the account, and how many went live."""
    steps = [
        Step(
            at=NOON,
            place=number,
            stream=f"engagement:e-{number}",
            name="open-engagement",
            data={"candidate_id": f"c-{number}"},
            command_id=f"open-{number}",
            actor=ACTOR,
        )
        for number in (1, 2)
    ]
    plan = Plan(source="test", observes=(), until=NOON, read=2, people=(), steps=steps)
    past, account = past_of(plan, "acme", NOON + timedelta(days=1)), Account()
    history = History(log, "acme", account)
    engagements = cast("Engagements", running)
    going = GoingLive(log, CommandService(log), engagements, "acme", "test", None, account)
    for written in [await history.write(each) for each in past.streams.values()]:
        await going.take_on(written)
    return account, going.live.engagements


async def test_one_that_cannot_go_live_holds_up_no_other() -> None:
    """The same import again takes it on, once its cause is mended."""
    log, running = MemoryLog(), Running("e-1")
    account, live = await imported(log, running)
    assert live == 1
    assert account.rows == {1: "left-aside", 2: "imported"}
    assert [(each.place, each.reason) for each in account.left_aside] == [
        (1, f"its engagement is not live: {SAYS}")
    ]
    running.stuck.clear()
    account, live = await imported(log, running)
    assert live == 2  # nobody has written a receipt here, so both are asked again
    assert account.rows == {1: "already-there", 2: "already-there"}
