"""A consequence keeps its name however often its event is read."""

from uuid import UUID

from workers.passing_on import Consequence, fill

CAUSE = UUID(int=1)
RECEIVED = Consequence("job-order:j-1", "record-submission-received", {"submission_id": "s-1"})


class TestCommandId:
    def test_is_the_same_at_every_reading(self) -> None:
        again = Consequence(RECEIVED.stream, RECEIVED.name, {"submission_id": "s-1"})
        assert again.command_id(CAUSE) == RECEIVED.command_id(CAUSE)

    def test_is_another_for_another_event_stream_or_submission(self) -> None:
        """One event may tell one engagement two things, e.g. that a job is filled and on which terms."""
        terms = Consequence("job-order:j-1", "record-placement-terms", {"placement_id": "s-1"})
        others = [
            terms.command_id(CAUSE),
            RECEIVED.command_id(UUID(int=2)),
            Consequence("job-order:j-2", RECEIVED.name, RECEIVED.data).command_id(CAUSE),
            Consequence(RECEIVED.stream, RECEIVED.name, {"submission_id": "s-2"}).command_id(CAUSE),
        ]
        assert len({RECEIVED.command_id(CAUSE), *others}) == 5

    def test_of_what_was_always_passed_on_stays_what_it_was(self) -> None:
        """Read again by a newer version, an event finds its receipts."""
        assert RECEIVED.command_id(CAUSE) == "ceb293bc-07c3-55a2-922e-29268f6bd6e1"
        gone = Consequence("engagement:e-1", "record-position-filled", {"job_order_id": "j-1"})
        assert gone.command_id(CAUSE) == "37075c56-7da2-5054-a3b6-6e04835174b0"
        # Else it would take again an opening that was given back meanwhile.
        assert fill("job-order:j-1", "e-1", "s-1").command_id(CAUSE) == RECEIVED.command_id(CAUSE)

    def test_of_a_hire_is_another_where_its_arrival_is_told_too(self) -> None:
        """An order that is opened late hears of both at once."""
        hired = fill("job-order:j-1", "e-1", "s-1", second=True)
        assert hired.command_id(CAUSE) != RECEIVED.command_id(CAUSE)

    def test_is_an_id_that_no_door_keeps_for_the_engine(self) -> None:
        found = RECEIVED.command_id(CAUSE)
        assert str(UUID(found)) == found
