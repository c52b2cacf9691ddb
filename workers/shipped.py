"""Policies from files: the ones that ship with Rapport, and an agency's own.

The shipped ones lie beside the packages, in the checkout: a plain wheel does not carry them.
"""

from datetime import UTC, date, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from events.policy import Policy
from events.policy_file import PolicyError, load_policy
from events.policy_table import quoted, suggestion

_DEPLOY: Final = Path(__file__).resolve().parent.parent / "deploy"
POLICIES: Final = _DEPLOY / "policies"
MAPPINGS: Final = _DEPLOY / "connections"


class UnreadablePolicy(PolicyError):
    """There is no policy to read: no such file, or one that does not open."""


def compile_policy_file(path: Path, *, on: date | None = None, until: date | None = None) -> Policy:
    """Compile the policy in a file, with its calendars as they are from *on* (today) to *until* and beyond.

    :raises PolicyError: the file cannot be read, or is no policy.
    """
    try:
        # Editors on Windows put a mark before the first line; it is no part of the text.
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UnreadablePolicy(
            [f"{path}: there is no such file; give the path of a policy in TOML."]
        ) from None
    except UnicodeDecodeError as error:
        raise PolicyError(
            [f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8 text."]
        ) from None
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise UnreadablePolicy([f"{path}: the file cannot be read ({reason}); give one that can."]) from None
    return _compiled(text, where=str(path), on=on or datetime.now(UTC).date(), until=until)


# The same text on the same day gives the same object: what is known of a policy is kept by its object.
_compiled: Final = lru_cache(maxsize=16)(load_policy)


def policy_path(named: str) -> Path:
    """Find a policy's file by its path, or by the name of one that ships; a file of that name wins.

    :raises PolicyError: it looks like no file, and none that ships has that name.
    """
    looks_like_file = "/" in named or named.endswith(".toml") or Path(named).is_file()
    return Path(named) if looks_like_file else _shipped(named, POLICIES)


def deploy_policy(
    name: str, folder: Path = POLICIES, *, on: date | None = None, until: date | None = None
) -> Policy:
    """Compile a policy that ships with Rapport, by its name, such as ``starter``.

    :raises PolicyError: none has that name, or this installation came without them.
    """
    return compile_policy_file(_shipped(name, folder), on=on, until=until)


def _shipped(name: str, folder: Path) -> Path:
    shipped = {path.stem: path for path in sorted(folder.glob("*.toml"))}
    if not shipped:
        raise PolicyError(
            [
                "the shipped policies are not part of this installation; "
                "install it from a checkout with pip install -e, or give a policy file."
            ]
        )
    if name not in shipped:
        raise UnreadablePolicy(
            [f"no policy named {quoted(name)} ships with Rapport; {suggestion(name, shipped)}"]
        )
    return shipped[name]


def known_rules(*policies: Policy) -> frozenset[str]:
    """Name every rule that a mapping may observe: those of these policies, and of the shipped ones."""
    return shipped_rules() | {each.id for policy in policies for each in policy.obligations}


@cache
def shipped_rules(folder: Path = POLICIES) -> frozenset[str]:
    """Name every rule of the policies that ship with Rapport; none where they are not installed."""
    shipped = [compile_policy_file(path) for path in sorted(folder.glob("*.toml"))]
    gates = {each.id for policy in shipped for each in policy.gates}
    return frozenset(gates | {each.id for policy in shipped for each in policy.obligations})
