"""Records the replay corpus: ``python -m tests.workflows.record`` from the checkout's root.

Record before a workflow changes, never after: the old histories are what the new code must replay.
"""

import asyncio
import re
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from events.clock import ClockSpec
from events.commands import AnswerProposal, ProposeJob
from tests.workflows.conftest import Ground
from workers.embedded.stack import EmbeddedStack
from workers.ending import end_process
from workflows.types import POLL, POLLS_ID, SWEEP, SWEEP_ID

HISTORIES: Final = Path(__file__).parent / "histories"
TALK: Final = {"by": "r-1", "channel": "phone"}
DAY: Final = 86_400


def _anonymous(history: str) -> str:
    # A worker's identity names the machine it ran on, which is nobody's business.
    return re.sub(r"[0-9]+@[A-Za-z0-9.-]+", "worker@recorder", history)


async def a_life_from_opening_to_close(ground: Ground) -> None:
    """Refusals, mistakes, an annulment, a late report."""
    await ground.opened()
    for name, data in (
        ("propose-job", {"job_order_id": "j-1", "by": "r-1"}),
        ("record-contact", {**TALK, "note": "invented words"}),
        ("complete-intake", {}),
        ("propose-job", {"job_order_id": "j-1", "by": "r-1", "reason": "invented words"}),
        ("answer-proposal", {"job_order_id": "j-1", "answer": "yes"}),
    ):
        await ground.give("e-1", name, data)
    wrong = next(event for event in await ground.events() if event.type == "proposal-answered")
    await ground.give("e-1", "annul-event", {"event_id": str(wrong.event_id)})
    await ground.give("e-1", "close-engagement", {"reason": "done"})
    await ground.give("e-1", "record-contact", TALK)


async def signals_read_and_refused(ground: Ground) -> None:
    """In clear, encrypted, personal in clear, garbage, unknown, twice under one id."""
    await ground.opened()
    stranger = ground.handle(stranger=True)
    for content in (TALK, {**TALK, "note": "invented words"}, "garbage", {**TALK, "command_id": "talk-1"}):
        await stranger.signal("record-contact", content)
    await stranger.signal("record-contact", {**TALK, "command_id": "talk-1"})
    await stranger.signal("no-such-command", {})
    await ground.handle().signal("record-contact", {**TALK, "note": "invented words"})
    await ground.engagements().poke("e-1")


async def many_runs_under_load(ground: Ground) -> None:
    """Draining, carried signals, snapshots."""
    by = ground.engagements(roll_over_at=60)
    await ground.opened(by=by)

    async def tell() -> None:
        for number in range(10):
            await ground.handle(stranger=True).signal(
                "record-attempt", {**TALK, "command_id": f"try-{number}"}
            )

    talks = (by.command("e-1", "record-contact", TALK, command_id=f"talk-{number}") for number in range(20))
    await asyncio.gather(tell(), *talks)
    await by.poke("e-1")


async def a_promise_broken_and_outreach_owed(ground: Ground) -> None:
    """Timers, steps, messages that leave late, after a roll-over."""
    now = datetime.now(UTC)
    by = ground.engagements(clock=ClockSpec(origin=now, started=now, rate=5.0 * DAY), roll_over_at=60)
    await ground.opened(by=by)
    await asyncio.sleep(1.8)
    async with ground.outreach():
        await asyncio.sleep(1.5)
        await by.command("e-1", "record-contact", TALK)


async def a_log_away_longer_than_a_local_activity_waits(ground: Ground) -> None:
    """The fall-back to a normal activity."""
    by = ground.engagements(local_append_seconds=0.3)
    await ground.opened(by=by)
    ground.log.fails_before = 4
    await by.command("e-1", "record-contact", TALK)


async def a_run_fenced_by_a_newer_one(ground: Ground) -> None:
    """The pen is taken away, and taken back by the next run."""
    await ground.opened()
    await ground.log.open_writer(ground.agency, "engagement:e-1")
    await ground.give("e-1", "complete-intake")


async def a_run_behind_that_is_shown_more(ground: Ground) -> None:
    """A command sent again to a run that has lost it, and that only the log knows."""
    await ground.opened()
    answered = AnswerProposal(job_order_id="j-1", answer="yes")
    proposed = ProposeJob(job_order_id="j-1", by="r-1", reason="invented words")
    await ground.commit_unheard(lost_1=proposed, lost_2=answered)
    again = {"job_order_id": "j-1", "answer": "yes"}
    await ground.give("e-1", "answer-proposal", again, command_id="lost_2")
    await ground.engagements().poke("e-1")


async def a_sweep(ground: Ground) -> None:
    """The sweep's own workflow: somebody is ahead, and is acknowledged."""
    await ground.opened()
    await ground.client.execute_workflow(SWEEP, id=SWEEP_ID, task_queue=ground.queue)


async def a_poll(ground: Ground) -> None:
    """The polls' own workflow: a tick at which nothing is due."""
    await ground.opened()
    await ground.client.execute_workflow(POLL, id=POLLS_ID, task_queue=ground.queue)


SCENES: Final[tuple[Callable[[Ground], Awaitable[None]], ...]] = (
    a_life_from_opening_to_close,
    signals_read_and_refused,
    many_runs_under_load,
    a_promise_broken_and_outreach_owed,
    a_log_away_longer_than_a_local_activity_waits,
    a_run_fenced_by_a_newer_one,
    a_run_behind_that_is_shown_more,
    a_sweep,
    a_poll,
)
# Whose history a scene is about, where it is not the engagement's.
ABOUT: Final = {a_sweep.__name__: SWEEP_ID, a_poll.__name__: POLLS_ID}


async def record(wanted: list[str]) -> None:
    """Play each scene and keep the history of each of its runs."""
    attributes = {"RapportAgency": "Keyword", "RapportStage": "Keyword", "RapportOwner": "Keyword"}
    attributes["RapportLevel"] = "Int"
    async with EmbeddedStack(
        ephemeral=True, postgres=False, smtp_sink=False, search_attributes=attributes
    ) as stack:
        for scene in SCENES:
            if wanted and scene.__name__ not in wanted:
                continue
            ground = await Ground.at(stack.temporal_address, scene.__name__)
            await ground.adopt()
            async with ground.worker():
                await scene(ground)
                await _keep(ground, scene.__name__)
                await ground.leave()


async def _keep(ground: Ground, name: str) -> None:
    workflow_id = ABOUT.get(name, ground.handle().id)
    query = f"WorkflowId = '{workflow_id}'"

    async def runs() -> list[str]:
        return [run.run_id async for run in ground.client.list_workflows(query)]

    async def all_seen() -> bool:
        return (await ground.client.get_workflow_handle(workflow_id).describe()).run_id in await runs()

    await ground.until(all_seen)
    HISTORIES.mkdir(exist_ok=True)
    for old in HISTORIES.glob(f"{name}.*.json"):
        old.unlink()
    for number, run_id in enumerate(reversed(await runs()), start=1):
        handle = ground.client.get_workflow_handle(workflow_id, run_id=run_id)
        history = await handle.fetch_history()
        (HISTORIES / f"{name}.{number}.json").write_text(_anonymous(history.to_json()) + "\n")


if __name__ == "__main__":
    asyncio.run(record(sys.argv[1:]))
    end_process(0)
