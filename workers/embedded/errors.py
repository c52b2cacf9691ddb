"""The one error of the embedded stack: a sentence that says what happened, where, and what to do."""


class EmbeddedError(Exception):
    """An embedded server cannot run.  The message is one sentence, fit to be printed as it is."""
