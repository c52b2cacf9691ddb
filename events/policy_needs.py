"""What each gate may be told to ask for, and which gates there are: the words of a policy's ``needs``.

Every check ends in what would be right; a gate the code does not know is never guessed at.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, get_args

from events.durations import DurationError, parse_span
from events.gates import NEEDS_CHECK
from events.kinds import Facet
from events.policy import GateRule, Span
from events.policy_table import closest, quoted, sort_of, suggestion
from events.toml_lines import Path

Note = Callable[[Path, str], None]

# The gates the code knows, each with what a policy may tell it.
KNOWN_GATES: Final[Mapping[str, Mapping[str, type[Any]]]] = {
    "know-each-other-first": {
        "conversation": bool,
        "intake": bool,
        "introduced": bool,
        "facets": int,
        "confirmed": bool,
    },
    "right-to-represent": {},
    "no-double-submission": {},
    "not-while-paused": {},
    "good-enough-fit": {"floor": int},
    "talk-before-matching-again": {},
    "not-while-placed": {},
    "long-pause-needs-lead": {"days": int},
    # Named with the kind of check after a colon.
    NEEDS_CHECK: {"within-days": int, "no-sooner-than": Span, "outcome": tuple, "about": str},
}
# The kinds of checks that have a name of their own here; an agency may have others.
CHECKS: Final = ("identity", "right-to-work", "hirer-facts", "terms", "privacy-notice", "reference")
# More than this nobody could ever have: a fit is a percentage, and there are only so many kinds of facets.
MOST: Final[Mapping[str, int]] = {"floor": 100, "facets": len(get_args(Facet))}
# What a policy does not mention is asked for; of these only if it says so, because they came later.
ASKED_ONLY_IF_SAID: Final = frozenset({"introduced", "facets", "confirmed"})
ABOUT: Final = ("engagement", "job-order")
_CODE: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")


def family_of(gate: str) -> str:
    """Give the part of a gate's id that names the code behind it."""
    return gate.partition(":")[0]


def unknown_gate(gate: str) -> str | None:
    """Say what is wrong with a gate's id; None: there is such a gate."""
    family, colon, kind = gate.partition(":")
    if family == NEEDS_CHECK and not kind:
        return f'the kind of check is missing; write for example [gate."{NEEDS_CHECK}:right-to-work"].'
    if bool(colon) != (family == NEEDS_CHECK) or family not in KNOWN_GATES:
        names = [each for each in KNOWN_GATES if each != NEEDS_CHECK]
        return f"there is no gate {quoted(gate)}; {suggestion(gate, [*names, *_CHECK_GATES])}"
    if colon and not _CODE.fullmatch(kind):
        return f"{quoted(kind)} is no kind of check; use small letters, digits and hyphens, at most 60."
    if colon and kind not in CHECKS and (near := closest(kind, CHECKS)):
        return f'there is no check {quoted(kind)}; did you mean "{near[0]}"?'
    return None


_CHECK_GATES: Final = [f"{NEEDS_CHECK}:{each}" for each in CHECKS]


def needs_of(rule: GateRule) -> Mapping[str, Any]:
    """Give what a compiled gate is told, as its file spells it."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in rule.needs.items()}


def check_needs(gate: str, needs: Mapping[str, Any], note: Note) -> None:
    """Check what a known gate is told to ask for."""
    allowed = KNOWN_GATES[family_of(gate)]
    for name, value in needs.items():
        if name not in allowed:
            right = suggestion(name, allowed) if allowed else "leave it out, this gate takes none."
            note(("needs", name), f"the gate knows no need {quoted(name)}; {right}")
        elif allowed[name] is Span:
            _check_span(name, value, note)
        elif allowed[name] is tuple:
            _check_outcomes(name, value, note)
        elif name == "about":
            if value not in ABOUT:
                note(
                    ("needs", name),
                    f'"about" is "engagement" or "job-order", in quotes, but here is {sort_of(value)}.',
                )
        elif type(value) is not allowed[name]:
            right = "true or false" if allowed[name] is bool else "a whole number"
            note(("needs", name), f'"{name}" is {right}, without quotes, but here is {sort_of(value)}.')
        elif type(value) is int:
            _check_number(name, value, note)
    asked = [name for name, kind in allowed.items() if kind is bool and name not in ASKED_ONLY_IF_SAID]
    late = any(needs.get(name) for name in ASKED_ONLY_IF_SAID)
    if asked and not late and all(needs.get(name) is False for name in asked):
        wanted = ", ".join(f"{name} = true" for name in asked)
        note(("needs",), f"the gate needs nothing and would never refuse; write needs = {{ {wanted} }}.")


def _check_number(name: str, value: int, note: Note) -> None:
    least = 1 if name == "within-days" else 0
    if value < least:
        note(("needs", name), f'"{name}" is {("zero", "one")[least]} or more, but here is {value}.')
    elif value > MOST.get(name, value):
        note(
            ("needs", name),
            f'"{name}" is at most {MOST[name]}, but here is {value}, and nobody would ever pass.',
        )


def _check_span(name: str, value: object, note: Note) -> None:
    if not isinstance(value, str):
        note(("needs", name), f'"{name}" is a length of time in quotes, but here is {sort_of(value)}.')
        return
    try:
        span = parse_span(value)
    except DurationError as wrong:
        note(("needs", name), f"{quoted(value)} is not understood; {wrong}")
        return
    if span.by is not None or span.amount <= 0:
        note(("needs", name), f'{quoted(value)} is no time to wait; write one like "10 working days".')


def _check_outcomes(name: str, value: object, note: Note) -> None:
    outcomes = value if isinstance(value, list) else [value]
    if not outcomes:
        note(("needs", name), f'"{name}" names no outcome, and nobody would ever pass; write "passed".')
    for number, each in enumerate(outcomes):
        path = ("needs", name, number) if isinstance(value, list) else ("needs", name)
        if not isinstance(each, str):
            note(
                path,
                f'"{name}" is one outcome in quotes, or a list of them, but here is {sort_of(each)}.',
            )
        elif not _CODE.fullmatch(each):
            note(path, f"{quoted(each)} is no outcome; use small letters, digits and hyphens, at most 60.")
