"""The one door into an engagement's run: handlers put letters in, the writer alone takes them out.

Whoever waits for a reply finds it on the entry: an entry is answered exactly once.
"""

from collections.abc import Iterator

from temporalio.exceptions import ApplicationError

from events.envelope import Claim, CommandGroup
from workflows.types import CommandReply, Letter

# Each changes what the writer must have loaded first, so it is decided in a go of its own.
ALONE = frozenset({"open-engagement", "adopt-policy", "annul-event", "go-live"})
# Bytes of letters decided in one go: each text travels three times in the append, escaped, and Temporal
# takes two MiB at once.
LARGEST_GO = 256 * 1024


class Entry:
    """A letter in the inbox and, in time, what became of it."""

    def __init__(self, letter: Letter, *, awaited: bool) -> None:
        self.letter = letter
        self.awaited = awaited
        # Of the content alone, so that a replay counts the same, also after commands have got new fields.
        self.size = len(letter.order.model_dump_json(exclude_defaults=True).encode())
        self.taken: Claim | None = None
        self.group: CommandGroup | None = None
        self._answer: CommandReply | ApplicationError | None = None

    @property
    def command_id(self) -> str:
        """Name the command."""
        return self.letter.order.command_id

    @property
    def opens(self) -> bool:
        """Tell whether the command may begin a stream."""
        return self.letter.order.command.name == "open-engagement"

    @property
    def alone(self) -> bool:
        """Tell whether nothing may be decided in the same go."""
        return self.letter.order.command.name in ALONE

    @property
    def answered(self) -> bool:
        """Tell whether the caller can go."""
        return self._answer is not None

    def answer(self, answer: CommandReply | ApplicationError) -> None:
        """Give the caller the reply, or the error to raise."""
        self._answer = answer

    def result(self) -> CommandReply:
        """Give what the caller gets.

        :raises ApplicationError: the command could not be decided, or not now.
        """
        if isinstance(self._answer, CommandReply):
            return self._answer
        assert self._answer is not None, "nobody may ask before the answer is there"
        raise self._answer


class Inbox:
    """Entries in the order in which they came."""

    def __init__(self) -> None:
        # A list: nearly always empty, and an empty deque takes 760 bytes of each cached engagement.
        self._entries: list[Entry] = []

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    @property
    def awaited(self) -> bool:
        """Tell whether somebody waits for a reply."""
        return any(entry.awaited for entry in self._entries)

    @property
    def size(self) -> int:
        """Count the bytes of what the letters say."""
        return sum(entry.size for entry in self._entries)

    def put(self, letter: Letter, *, awaited: bool) -> Entry:
        """Add a letter at the end."""
        entry = Entry(letter, awaited=awaited)
        self._entries.append(entry)
        return entry

    def put_back(self, entries: list[Entry]) -> None:
        """Return entries to the front, in their order."""
        self._entries[:0] = entries

    def remove(self, entry: Entry) -> None:
        """Take one entry out, wherever it stands."""
        self._entries.remove(entry)

    def take(self, most: int) -> list[Entry]:
        """Take what can be decided in one go: no command twice, and the special ones by themselves.

        However large the first is, it is taken; the others as long as all fit into one append.
        """
        taken: list[Entry] = []
        size = 0
        while self._entries and len(taken) < most:
            entry = self._entries[0]
            if taken and (entry.alone or taken[0].alone):
                break
            if any(entry.command_id == other.command_id for other in taken):
                break
            size += entry.size
            if taken and size > LARGEST_GO:
                break
            taken.append(self._entries.pop(0))
        return taken
