"""A consequence keeps its name however often its event is read."""

from uuid import UUID

from workers.consequences import Consequence

CAUSE = UUID(int=1)
RECEIVED = Consequence("job-order:j-1", "record-submission-received", {"submission_id": "s-1"})


class TestCommandId:
    def test_is_the_same_at_every_reading(self) -> None:
        again = Consequence(RECEIVED.stream, RECEIVED.name, {"submission_id": "s-1"})
        assert again.command_id(CAUSE) == RECEIVED.command_id(CAUSE)

    def test_is_another_for_another_event_stream_or_submission(self) -> None:
        others = [
            RECEIVED.command_id(UUID(int=2)),
            Consequence("job-order:j-2", RECEIVED.name, RECEIVED.data).command_id(CAUSE),
            Consequence(RECEIVED.stream, RECEIVED.name, {"submission_id": "s-2"}).command_id(CAUSE),
        ]
        assert len({RECEIVED.command_id(CAUSE), *others}) == 4

    def test_is_an_id_that_no_door_keeps_for_the_engine(self) -> None:
        found = RECEIVED.command_id(CAUSE)
        assert str(UUID(found)) == found
