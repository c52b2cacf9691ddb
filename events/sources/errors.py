"""What is wrong with a foreign log or with the mapping that should explain it: one sentence.

No object's id may stand in it: a foreign log's ids may be people's names.
"""


class SourceError(Exception):
    """The source cannot be read; nothing was changed."""
