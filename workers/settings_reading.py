"""Reads the environment as far as it can be read, and says all that is wrong with it.

For looking alone: whatever works with settings must have all of them, from ``load_settings``.
"""

import os
from collections.abc import Set
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from workers.settings import PREFIX, Settings, SettingsError, sentences, variable, variables

# What our own clients and the README's lines for a shell read: no settings, and no mistakes.
CLIENTS: Final = frozenset({"RAPPORT_URL", "RAPPORT_KEY"})
KEYS: Final = "RAPPORT_KEY_ENCRYPTION_KEYS"
DATABASE: Final = "DATABASE_URL"
# Where a mistake is about several together.
_TOGETHER: Final = ("smtp_username", "smtp_password")


@dataclass(frozen=True, slots=True)
class Reading:
    """What the environment says: settings with defaults in place of what is wrong, and the mistakes."""

    settings: Settings
    mistakes: tuple[str, ...]
    wrong: Set[str]
    """The variables that cannot be used as they are."""


def read_settings(data_dir: Path | None = None) -> Reading:
    """This will read all that can be read, with another data directory if one is given."""
    told: list[str] = []
    instead: dict[str, Any] = {}
    while True:
        try:
            settings = Settings(**instead)
            break
        except ValidationError as error:
            told += sentences(error)
            instead |= _instead(error)
        except SettingsError as error:  # of Temporal's own configuration
            told.append(str(error))
            instead["TEMPORAL_ADDRESS"] = None
    wrong = {variable(each) for each in instead}
    if data_dir is not None:
        settings = settings.model_copy(update={"data_dir": data_dir})
    if not wrong & {KEYS, DATABASE}:
        try:
            settings.encryption_keys()
        except SettingsError as error:
            told.append(str(error))
            wrong.add(KEYS)
        except OSError as error:
            told.append(f"the keys in the data directory cannot be read ({type(error).__name__}).")
            wrong.add(KEYS)
    return Reading(settings, (*told, *_strangers()), wrong)


def mistakes() -> list[str]:
    """This will read the environment and give a sentence for each thing in it that is wrong."""
    return list(read_settings().mistakes)


def _instead(error: ValidationError) -> dict[str, Any]:
    """Give the defaults of what is malformed, by the names that pydantic calls them."""
    found: list[str] = []
    for each in error.errors(include_input=False, include_url=False):
        found += [str(each["loc"][0])] if each["loc"] else _TOGETHER
    fields = variables()
    return {
        each: fields[variable(each)].get_default(call_default_factory=True, validated_data={})
        for each in found
    }


def _strangers() -> list[str]:
    """Name variables that look like ours and are none: a slip would silently leave a default in place."""
    known = {each.removeprefix(PREFIX) for each in variables() if each.startswith(PREFIX)}
    said = [
        each.removeprefix(PREFIX)
        for each in sorted(os.environ)
        if each.startswith(PREFIX) and each not in CLIENTS
    ]
    near = {each: get_close_matches(each, known, n=1) for each in said if each not in known}
    return [
        f"{PREFIX}{each} is no setting; {f'did you mean {PREFIX}{meant[0]}?' if meant else 'take it away'}"
        for each, meant in near.items()
    ]
