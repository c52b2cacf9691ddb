"""Whatever JSON a provider answers with: it is taken, or refused in one sentence; never an error of ours."""

import asyncio
import json
from contextlib import suppress
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activities.asking.calling import Api
from activities.asking.changes import Since
from activities.asking.errors import CannotBeAsked, NotAnswered, Unknown
from activities.asking.registry import APIS
from events.integrations.message import Message
from tests.workers.asking.conftest import NOON

NAMES = """
absent application_id applicationId archived archivedAt candidate candidates cancellation
collection completedAt created_at currentInterviewStage current_stage data date endTime errors
event fields hasNext id interviewEvents interviewers last_activity_at moreDataAvailable
new_invitee next next_page nextCursor no_show old_invitee pagination paging payload reason
rejected_at resource results scorecard_id stage stageChanges start_time status submittedAt
success tracking type updatedAt updated_at updatedOn uri utm_content value
""".split()  # noqa: SIM905 (sixty words, one a line, say no more)
WHO = "https://api.calendly.com/scheduled_events/E1"
LEAVES = st.sampled_from(
    [None, True, False, 7, -1, 10**30, 1.5, "", "7", "hired", "rejected", "x y", "2026-01-05T12:00:00Z", WHO]
)
CONTENT = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6),
    max_leaves=25,
)
ITEM = st.dictionaries(st.sampled_from(NAMES), CONTENT, max_size=8).map(lambda each: {"id": "7", **each})
WRAPPED = st.sampled_from(["data", "results", "candidates", "collection", "resource", "candidate", None])


@st.composite
def answers(draw: Any) -> Any:
    """Draw an answer, often one in a provider's wrapping."""
    content = draw(CONTENT | ITEM | st.lists(ITEM, max_size=3))
    key = draw(WRAPPED)
    return content if key is None else {"success": True, key: content}


async def ask(provider: str, made: list[Any], what: str | None, body: Any) -> None:
    left = list(made)

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=left.pop(0)) if left else httpx.Response(404)

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        speaks = APIS[provider]
        api = Api(client, "https://api.example.com/v1", speaks.headers("k"))
        with suppress(CannotBeAsked, NotAnswered, Unknown):
            if what is not None:
                fetched = await speaks.fetch(api, what, Message("x", NOON, body))
                assert isinstance(fetched, dict | list) or fetched is None or json.dumps(fetched)
                return
            seven = frozenset({"7", WHO})
            known = {"application": seven, "interview": seven}
            async for change in speaks.changes(api, Since(NOON, known, frozenset({"7"}))):
                assert len(change.received.dedupe) <= 200
                assert isinstance(json.loads(change.received.body), dict)


@pytest.mark.parametrize("provider", sorted(APIS))
class TestAnyAnswer:
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(made=st.lists(answers(), max_size=6))
    def test_of_a_poll_is_taken_or_refused_in_a_sentence(self, provider: str, made: list[Any]) -> None:
        asyncio.run(ask(provider, made, None, None))

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def test_to_a_message_is_taken_or_refused_in_a_sentence(self, provider: str, data: Any) -> None:
        what = data.draw(st.sampled_from(APIS[provider].things))
        made, body = data.draw(st.lists(answers(), max_size=4)), data.draw(CONTENT)
        asyncio.run(ask(provider, made, what, body))
