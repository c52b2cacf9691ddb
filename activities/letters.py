"""The words of outreach: sandboxed templates, filled with plain strings only.

A template may come from an agency: it sees texts, never an object, and a missing one is an error, not a gap.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError, TemplateNotFound
from jinja2.sandbox import ImmutableSandboxedEnvironment

# What a template sees; a list of promises is the one thing in it that is no text.
Words = Mapping[str, str | int | Sequence[Mapping[str, str | int]]]
OURS: Final = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class Wording:
    """A rendered letter's words."""

    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)


class UnknownTemplate(Exception):
    """The policy names a template that does not exist."""


class BrokenTemplate(Exception):
    """A template does not render."""


class Templates:
    """Templates by name, from *directories* in this order, else from our own."""

    def __init__(self, directories: Sequence[Path] = ()) -> None:
        loader = FileSystemLoader([*directories, OURS])
        self._plain = ImmutableSandboxedEnvironment(
            loader=loader, undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True
        )
        self._escaped = self._plain.overlay(autoescape=True)

    def render(self, name: str, words: Words) -> Wording:
        """Fill a template.

        :raises UnknownTemplate: there is none of this name.
        :raises BrokenTemplate: it is malformed, asks for what is not given, or reaches for what it may not.
        """
        try:
            return Wording(
                subject=self._plain.get_template(f"{name}/subject.txt").render(words).strip(),
                text=self._plain.get_template(f"{name}/body.txt").render(words),
                html=self._escaped.get_template(f"{name}/body.html").render(words),
            )
        except TemplateNotFound:
            raise UnknownTemplate(f"there is no template '{name}'; name one of those that exist") from None
        except (TemplateError, TypeError, ValueError, OverflowError, ArithmeticError, LookupError) as error:
            # Jinja's own words may quote what was to be filled in.
            raise BrokenTemplate(f"template '{name}' does not render ({type(error).__name__})") from None


def moment(when: datetime | None, zone: str) -> str:
    """Write a moment for people, in their zone, e.g. ``Monday 5 January 2026, 10:00 (Europe/Berlin)``."""
    if when is None:
        return ""
    local = when.astimezone(_zone(zone))
    return f"{local:%A} {local.day} {local:%B %Y, %H:%M} ({local.tzinfo})"


def span(time: timedelta) -> str:
    """Write a length of time for people, e.g. ``2 days 3 hours``; shorter than a minute is ``no time``."""
    days, rest = divmod(max(time, timedelta()), timedelta(days=1))
    hours, rest = divmod(rest, timedelta(hours=1))
    parts = [(days, "day"), (hours, "hour"), (rest // timedelta(minutes=1) if not days else 0, "minute")]
    told = [f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in parts if count]
    return " ".join(told) or "no time"


@cache
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


# What would help, by the permanent id of the rule; a rule of an agency's own gets the general advice.
_HELP: Final = {
    "answer-application": "Tell them what happens with their application, even if it is a no or a 'not yet'.",
    "keep-in-touch": "Call for a few minutes. That there is no news yet is worth saying too.",
    "answer-candidate": "Answer what they wrote, or call them back.",
    "prepare-for-interview": "Talk them through the interview: who will be there, what matters, what to ask.",
    "word-after-interview": "Ask how it went, and say when the client's answer can be expected.",
    "tell-decision": "Tell them the client's decision and its reason, by voice if you can.",
    "tell-position-filled": "Tell them that the position is gone, and what you look for next.",
}
_GENERAL_HELP: Final = "Speak with them, or hand the promise to somebody who can keep it."


def what_would_help(rule: str | None) -> str:
    """Give the advice that goes with a rule."""
    return _HELP.get(rule or "", _GENERAL_HELP)
