"""What an activity's result proves to have been brought to its workflow."""

import pytest
from temporalio.api.common.v1 import Payload

from workers.poking import brought_by

EVENT, OTHER = "11111111-1111-5111-8111-111111111111", "22222222-2222-5222-8222-222222222222"


def payload(content: str, encoding: bytes = b"json/plain") -> Payload:
    """Make an opened payload."""
    return Payload(metadata={"encoding": encoding}, data=content.encode())


class TestBroughtBy:
    @pytest.mark.parametrize(
        "content",
        [
            f'{{"result": {{"status": "appended", "events": [{{"event_id": "{EVENT}"}}]}}}}',
            f'{{"result": {{"status": "conflict", "missing": [{{"event_id": "{EVENT}"}}]}}}}',
            f'{{"events": [{{"event_id": "{EVENT}", "body": "about {OTHER}"}}], "version": 7}}',
        ],
        ids=["an-append", "a-conflict", "a-load"],
    )
    def test_names_the_events_of(self, content: str) -> None:
        assert list(brought_by(payload(content))) == [EVENT]

    @pytest.mark.parametrize(
        "content",
        ['{"result": {"status": "fenced", "run_epoch": 2}}', '{"digest": "d", "body": "{}"}', "null", "[]"],
        ids=["a-fence", "a-policy", "nothing", "a-list"],
    )
    def test_finds_none_in(self, content: str) -> None:
        assert list(brought_by(payload(content))) == []

    def test_takes_what_cannot_be_opened_for_nothing(self) -> None:
        """A destroyed key proves nothing: the engagement is poked, which does no harm."""
        assert list(brought_by(payload("sealed", b"binary/encrypted"))) == []
