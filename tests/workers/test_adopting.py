"""Two adoptions at once: the agency's own last word is every engagement's."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import pytest

from activities.agency_load import load_agency
from events.commands import Order
from events.decider import prepare
from events.envelope import Actor, AppendRequest
from events.fold import fold
from events.log.port import Appended
from events.policy import Policy
from workers.adopting import Adoption, Superseded, adoption_of
from workers.shipped import deploy_policy
from workflows.types import CommandReply

if TYPE_CHECKING:
    from tests.workers.following_office import Office

OPERATOR = Actor(kind="operator", id="cli")
NAMES = ("e-1", "e-2", "e-3")


class Desk:
    """Stands where the engagements' workflows stand; *meanwhile* happens once, after the first command."""

    def __init__(
        self, office: "Office", policy: Policy, meanwhile: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        self.office, self.policy, self.meanwhile = office, policy, meanwhile

    async def command(self, engagement_id: str, command: Order) -> CommandReply:
        stream = f"engagement:{engagement_id}"
        history = await self.office.log.read_stream("a-1", stream)
        state, now = fold(history), history[-1].decided_at
        made = prepare(command, state, self.policy, now, agency="a-1", engagement_id=engagement_id)
        request = AppendRequest(agency="a-1", stream=stream, expected=state.version, groups=(made.group,))
        [result] = await self.office.log.append_many([request])
        assert isinstance(result, Appended)
        if self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            await meanwhile()
        return CommandReply(command_id=command.command_id, outcome="accepted", version=result.version)


async def adoption(office: "Office", desk: Desk) -> Adoption:
    """Let the agency adopt the desk's policy, and make ready to bring it to all that is open."""
    await load_agency(office.service, "a-1", policy=desk.policy, actor=OPERATOR)
    event = await adoption_of(office.log, "a-1", desk.policy.digest())
    assert event is not None
    return Adoption(office.log, desk, "a-1", desk.policy, event.event_id, actor=OPERATOR, at_once=1)


async def test_an_adoption_that_is_overtaken_stops(empty_office: "Office") -> None:
    """Else what the later one has reached would go back to a policy that the agency no longer follows."""
    office, first = empty_office, deploy_policy("starter")
    later = first.model_copy(update={"name": "later", "gates": ()})
    for name in NAMES:
        given = {"candidate_id": f"c-{name}", "owner": "r-1"}
        await office.desk.give("a-1", name, "open-engagement", f"open-{name}", **given)

    async def overtake() -> None:
        assert (await (await adoption(office, Desk(office, later))).run()).adopted == len(NAMES)

    overtaken = await adoption(office, Desk(office, first, overtake))
    with pytest.raises(Superseded):
        await overtaken.run()
    for name in NAMES:
        state = fold(await office.log.read_stream("a-1", f"engagement:{name}"))
        assert state.policy_digest == later.digest(), name
