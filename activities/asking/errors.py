"""What may come back instead of an answer; none of it repeats a value, a key or a provider's words.

Whoever asks waits for a person only at :class:`CannotBeAsked`; anything else passes by itself.
"""


class CannotBeAsked(Exception):
    """The provider cannot be asked until somebody mends something; one sentence, without values."""


class Unknown(Exception):
    """The provider knows no such thing, or knows it no more."""

    def __init__(self) -> None:
        super().__init__("the provider knows no such thing")


class NotAnswered(Exception):
    """There was no answer of use; asking again later may help.

    *again*: also at once, after *pause* seconds if the provider named so many.
    """

    def __init__(self, says: str, *, again: bool = False, pause: float | None = None) -> None:
        super().__init__(says)
        self.again = again
        self.pause = pause
