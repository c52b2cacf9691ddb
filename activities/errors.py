"""Errors on their way to Temporal: what may be tried again, and what never helps to try again.

The text of a foreign error never travels: it may quote a row, and a row may hold a person's words.
"""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from events.errors import CallerError

# What only a mistake in the code, or in what it was given, can cause.
_MISTAKES: Final = (ValueError, TypeError, LookupError, AttributeError, AssertionError, NotImplementedError)
# SQLSTATE classes that pass by themselves: connection, transaction rollback, resources, operator, system.
_PASSING: Final = frozenset({"08", "25", "40", "53", "55", "57", "58"})
# A table, column or function that is not there yet: this code was deployed before 'rapport migrate'.
_UNMIGRATED: Final = frozenset({"42P01", "42703", "42883"})
# Decided for good, whoever raises it: the person is erased, the code is older than the log, and the like.
_FINAL: Final = frozenset({"KeyDestroyed", "UnknownEvent", "WrongPhase", "PolicyChanged"})


@contextmanager
def for_temporal(doing: str) -> Iterator[None]:
    """Translate whatever escapes into an ``ApplicationError`` that says what was being done.

    Its type is the class name of what was raised; its message holds no text of a foreign error.
    """
    try:
        yield
    except ApplicationError:
        raise
    except CallerError as error:
        raise refusal(str(error), type(error).__name__) from None
    except Exception as error:
        raise translated(error, doing) from None


def refusal(sentence: str, kind: str) -> ApplicationError:
    """Make the error for a caller's mistake; *sentence* is ours and holds nothing personal."""
    return ApplicationError(sentence, type=kind, non_retryable=True, category=ApplicationErrorCategory.BENIGN)


def translated(error: Exception, doing: str) -> ApplicationError:
    """Make the error that Temporal sees of a foreign one."""
    name = type(error).__name__
    return ApplicationError(
        f"could not {doing}: {name} in {_place(error)}", type=name, non_retryable=not is_passing(error)
    )


def is_passing(error: Exception) -> bool:
    """Tell whether trying again may help."""
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str):
        return state[:2] in _PASSING or state in _UNMIGRATED
    return not isinstance(error, _MISTAKES) and type(error).__name__ not in _FINAL


def _place(error: Exception) -> str:
    frames = list(traceback.walk_tb(error.__traceback__))
    if not frames:
        return "an unknown place"
    frame, line = frames[-1]
    return f"{frame.f_globals.get('__name__', '?')}, line {line}"
