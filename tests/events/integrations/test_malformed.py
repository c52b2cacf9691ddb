"""What is signed and cannot be read waits for a person, whatever its mapping says of the rest."""

from datetime import UTC, datetime

from events.integrations.meaning import KnownIds, Waits
from events.integrations.message import MALFORMED, Message
from events.integrations.reading import read
from events.integrations.rules import Mapping, Rule


class TestRead:
    def test_lets_what_cannot_be_read_wait_with_the_reason(self) -> None:
        """A rule for everything else may not make it vanish."""
        all_ignored = Mapping(format=1, provider="greenhouse", rule=(Rule(events=("*",), ignore="no"),))
        noon = datetime(2026, 1, 5, 12, tzinfo=UTC)
        message = Message(MALFORMED, noon, None, {MALFORMED: "the body is no JSON"})
        meaning = read(message, all_ignored, KnownIds({}, str))
        assert isinstance(meaning, Waits)
        assert meaning.says == "It cannot be read: the body is no JSON."
