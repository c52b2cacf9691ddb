"""All that is held about a person, as a page shows it: what happened, when, and every field of it.

What it shows is what the API's answer holds, no more and no less.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.http.routes.access import Held
from gateway.pages import texts
from gateway.pages.times import at


@dataclass(frozen=True, slots=True)
class Happened:
    """One thing on record."""

    says: str
    when: str
    fields: tuple[tuple[str, str], ...]


def told(held: Held, zone: str) -> list[Happened]:
    """Tell what is held, oldest first."""
    return [
        Happened(
            each["says"],
            at(each["recorded_at"], zone),
            tuple(
                (name.replace("_", " "), _plain(value, zone))
                for name, value in each["fields"].items()
                if _is(value)
            ),
        )
        for each in held.events
    ]


def _is(value: Any) -> bool:
    return value is not None and value != [] and value != ""


def _plain(value: Any, zone: str) -> str:
    match value:
        case True | False:
            return texts.YES if value else texts.NO
        case {"sealed": _}:
            return texts.ERASED
        case dict():
            return "; ".join(
                f"{name.replace('_', ' ')}: {_plain(each, zone)}" for name, each in value.items()
            )
        case list():
            return ", ".join(_plain(each, zone) for each in value)
        case datetime():
            return at(value, zone)
    return str(value)
