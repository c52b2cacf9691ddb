"""The inbox: what may be decided in one go, and in which order."""

from events.commands import ANY_COMMAND, Order
from events.envelope import ENGINE
from workflows.inbox import Entry, Inbox
from workflows.types import Letter


def _letter(command_id: str, name: str = "complete-intake", **fields: str) -> Letter:
    command = ANY_COMMAND.validate_python({"name": name, **fields})
    return Letter(order=Order(command_id=command_id, command=command, actor=ENGINE))


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
