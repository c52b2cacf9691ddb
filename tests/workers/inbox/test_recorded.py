"""Recorded bodies, signed, through the door and out of the inbox by the mappings that ship."""

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from events.integrations.mapping import parse
from gateway.webhooks.door import Door
from tests.gateway.webhooks.recorded import recorded
from tests.gateway.webhooks.signers import NOW, SECRET, signed
from workers.inbox.connections import ConnectionSettings, Secret
from workers.inbox.refusals import Refusals
from workers.shipped import MAPPINGS

if TYPE_CHECKING:
    from tests.workers.inbox.desk import Office

pytestmark = pytest.mark.postgres


class TestRecordedBodies:
    async def test_each_comes_to_an_end_with_a_reason(self, office: "Office") -> None:
        """Applied, ignored with a reason, nobody's, or waiting with a sentence: never refused or stuck."""
        bodies = recorded()
        if not bodies:
            pytest.skip("no bodies in ../shared/data/greenhouse_webhooks and calendly_webhooks")
        post = office.post
        door = Door(post.connections, post.inbox, Refusals(post.pool), lambda: NOW)
        connections = {}
        for provider in sorted({provider for provider, _ in bodies}):
            text = (MAPPINGS / f"{provider}.toml").read_text(encoding="utf-8")
            connections[provider] = await post.connection(
                provider=provider,
                mapping=parse(text).body(),
                settings=ConnectionSettings(settle_seconds=0),
                secrets_=[Secret("signing", SECRET)],
            )
        for provider, path in bodies:
            answer = await door.take(connections[provider].id, signed(provider, path.read_bytes()))
            assert (answer.status, answer.outcome) == (200, "kept"), path.name
        async with office.pump():
            await office.settled()
        ends = await office.messages()
        assert len(ends) == len(bodies)
        states = Counter(each.state for each in ends)
        assert set(states) <= {"applied", "ignored", "unmatched", "waiting"}, states
        assert all(each.says for each in ends if each.state != "applied")
