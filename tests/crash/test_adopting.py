"""A new policy over everything that is open, with a worker and the adoption itself killed in the middle."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from activities.agency_load import load_agency
from events.envelope import Actor
from events.policy import Policy
from workers.adopting import Account, Adoption, adoption_of, open_engagements

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.crash.conftest import Ground

pytestmark = [pytest.mark.postgres, pytest.mark.temporal, pytest.mark.slow]

OPERATOR = Actor(kind="operator", id="o-1")
MANY = 20
NAMES = [f"e-{number}" for number in range(MANY)]


async def adopted(ground: "Ground", policy: Policy) -> UUID:
    """Let the agency adopt a policy; returns the event by which it did."""
    await load_agency(ground.having.service, "acme", policy=policy, actor=OPERATOR)
    found = await adoption_of(ground.log, "acme", policy.digest())
    assert found is not None
    return found.event_id


async def kinder(ground: "Ground") -> Policy:
    """Give the policy in force without its gates, and one promise only observed."""
    digest = await ground.having.directory.policy_digest("acme")
    body = await ground.log.load_policy("acme", digest)
    was = Policy.model_validate_json(body)
    rules = tuple(
        each.model_copy(update={"mode": "observe"}) if each.id == "keep-in-touch" else each
        for each in was.obligations
        if each.id != "introduce-recruiter"
    )
    return was.model_copy(update={"name": "kinder", "gates": (), "obligations": rules})


async def promises(ground: "Ground") -> dict[str, list[tuple[str, str]]]:
    """Fold every engagement: its open promises, and that its record is sound."""
    return {
        name: sorted((each.rule, each.mode) for each in (await ground.sound(name)).obligations.values())
        for name in NAMES
    }


def adoption(
    ground: "Ground", policy: Policy, event: UUID, told: "Callable[[Account], None]" = lambda _: None
) -> Adoption:
    return Adoption(
        ground.log,
        ground.engagements(),
        "acme",
        policy,
        event,
        actor=OPERATOR,
        at_once=3,
        told=told,
    )


class TestAdopting:
    @pytest.mark.timeout(300)
    async def test_reaches_each_by_one_event_though_its_worker_and_itself_are_killed(
        self, ground: "Ground"
    ) -> None:
        """Run again it goes on: each has the policy once, no promise is lost or doubled."""
        worker = await ground.worker()
        for name in NAMES:
            await ground.opened(name)
        before = await promises(ground)
        policy = await kinder(ground)
        event = await adopted(ground, policy)
        some, half = asyncio.Event(), asyncio.Event()

        def told(account: Account) -> None:
            if account.seen == MANY // 4:
                some.set()
            if account.seen == MANY // 2:
                half.set()

        running = asyncio.create_task(adoption(ground, policy, event, told).run())
        await some.wait()
        worker.process.kill()
        await worker.process.wait()
        await ground.worker()
        await half.wait()
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

        account = await adoption(ground, policy, event).run()
        assert account.whole
        assert account.adopted + account.had_it == MANY
        assert account.had_it >= MANY // 2
        assert (await adoption(ground, policy, event).run()).had_it == MANY

        after = await promises(ground)
        for name in NAMES:
            given = [each for each in await ground.events(name) if each.type == "policy-adopted"]
            assert [each.causation_id for each in given][1:] == [event]
            assert given[1].policy_digest == policy.digest()
            assert after[name] == [
                (rule, "observe" if rule == "keep-in-touch" else mode)
                for rule, mode in before[name]
                if rule != "introduce-recruiter"
            ]

    async def test_leaves_alone_what_is_closed_and_finds_what_opens_meanwhile(self, ground: "Ground") -> None:
        await ground.worker()
        for name in ("e-1", "e-2"):
            await ground.opened(name)
        await ground.give("e-2", "close-engagement", {"reason": "moved-away"}, command_id="close-2")
        policy = await kinder(ground)
        event = await adopted(ground, policy)
        await ground.opened("e-3")
        account = await adoption(ground, policy, event).run()
        assert (account.adopted, account.had_it, account.closed) == (1, 1, 1)
        assert await open_engagements(ground.log, "acme") == ["e-1", "e-3"]
