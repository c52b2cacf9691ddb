"""The inbox: what may be decided in one go, and in which order."""

from events.commands import ANY_COMMAND, Order
from events.envelope import ENGINE
from workflows.inbox import LARGEST_GO, Entry, Inbox
from workflows.types import Letter


def _letter(command_id: str, name: str = "complete-intake", **fields: str) -> Letter:
    command = ANY_COMMAND.validate_python({"name": name, **fields})
    return Letter(order=Order(command_id=command_id, command=command, actor=ENGINE))


def _large(command_id: str) -> Letter:
    return _letter(command_id, "refuse-message", message="?", reason="r", says="é" * 40_000)


def _filled(*letters: Letter) -> Inbox:
    inbox = Inbox()
    for letter in letters:
        inbox.put(letter, awaited=False)
    return inbox


def _ids(entries: list[Entry]) -> list[str]:
    return [entry.command_id for entry in entries]


class TestTake:
    def test_keeps_the_order(self) -> None:
        inbox = _filled(*(_letter(name) for name in "abc"))
        assert _ids(inbox.take(64)) == ["a", "b", "c"]

    def test_takes_no_more_than_asked(self) -> None:
        inbox = _filled(*(_letter(name) for name in "abc"))
        assert _ids(inbox.take(2)) == ["a", "b"]
        assert _ids(inbox.take(2)) == ["c"]

    def test_takes_no_command_twice(self) -> None:
        inbox = _filled(_letter("a"), _letter("b"), _letter("a"))
        assert _ids(inbox.take(64)) == ["a", "b"]
        assert _ids(inbox.take(64)) == ["a"]

    def test_takes_what_changes_the_rules_by_itself(self) -> None:
        adopt = _letter("b", "adopt-policy", digest="d", policy_name="p")
        inbox = _filled(_letter("a"), adopt, _letter("c"))
        assert [_ids(inbox.take(64)) for _ in range(3)] == [["a"], ["b"], ["c"]]

    def test_takes_what_fits_into_one_append(self) -> None:
        inbox = _filled(*(_large(name) for name in "abcd"))
        assert [_ids(inbox.take(64)) for _ in range(2)] == [["a", "b", "c"], ["d"]]

    def test_takes_at_least_one(self) -> None:
        huge = _letter("a", "refuse-message", message="?", reason="r", says="x" * (2 * LARGEST_GO))
        inbox = _filled(huge, _letter("b"))
        assert [_ids(inbox.take(64)) for _ in range(2)] == [["a"], ["b"]]


class TestSize:
    def test_counts_what_the_letters_say(self) -> None:
        inbox = _filled(_large("a"), _large("b"))
        whole = inbox.size
        assert 160_000 < whole < 161_000
        taken = inbox.take(1)
        assert inbox.size == whole / 2
        inbox.put_back(taken)
        assert inbox.size == whole

    def test_is_the_same_after_a_roll_over(self) -> None:
        """Else a replay would take other letters together than the run did."""
        letter = _large("a")
        carried = Letter.model_validate_json(letter.model_dump_json())
        assert Entry(carried, awaited=False).size == Entry(letter, awaited=True).size


class TestPutBack:
    def test_restores_the_order(self) -> None:
        inbox = _filled(*(_letter(name) for name in "abc"))
        inbox.put_back(inbox.take(2))
        assert _ids(inbox.take(64)) == ["a", "b", "c"]


class TestAwaited:
    def test_tells_whether_somebody_waits(self) -> None:
        inbox = _filled(_letter("a"))
        assert not inbox.awaited
        inbox.put(_letter("b"), awaited=True)
        assert inbox.awaited
