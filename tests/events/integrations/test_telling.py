"""A mapping in plain words."""

from collections.abc import Callable

import pytest

from events.integrations.mapping import Mapping
from events.integrations.telling import explain
from events.integrations.vocabulary import PROVIDERS


class TestExplain:
    def test_tells_a_rule_with_everything_it_takes(self, shipped: Callable[..., Mapping]) -> None:
        told = "\n".join(explain(shipped("calendly")))
        assert (
            "5. invitee.canceled (the interview is off)\n"
            "   cancel-interview: Report that an interview will not take place.\n"
            "     happened: when the message says\n"
            "     interview_id: what the interview at body.payload.uri is linked to\n"
            "     cancelled_by: by what stands at body.payload.cancellation.canceler_type: "
            '"candidate" for "invitee", otherwise "unknown"\n'
            "     reason: what stands at body.payload.cancellation.reason\n"
        ) in told
        assert (
            "4. invitee.canceled, where body.payload.rescheduled is true\n"
            "   Nothing is done: the new booking tells the new time.\n"
        ) in told

    @pytest.mark.parametrize("provider", PROVIDERS)
    def test_tells_every_rule_of_what_ships(self, provider: str, shipped: Callable[..., Mapping]) -> None:
        mapping = shipped(provider, examples=True)
        lines = list(explain(mapping))
        assert sum(line[:1].isdigit() for line in lines) == len(mapping.rule)
        assert all(line.strip() or line == "" for line in lines)
