"""How the tests of the integrations read a message: by a mapping that ships, and the ids that are linked."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from events.integrations.mapping import Mapping, parse
from events.integrations.message import Message
from events.integrations.reading import KnownIds, Meaning, Ours, read

ROOT = Path(__file__).parents[3]
CONNECTIONS = ROOT / "deploy" / "connections"
SHARED = ROOT.parent / "shared" / "data"
RECEIVED = datetime(2026, 3, 2, 9, tzinfo=UTC)


def keyed(text: str) -> str:
    """Stand in for the connection's keyed digest."""
    return hashlib.sha256(b"key" + text.encode()).hexdigest()


def with_examples(text: str) -> str:
    """Uncomment the examples of a mapping that ships."""
    lines = (
        line.removeprefix("#|").removeprefix(" ") if line.startswith("#|") else line
        for line in text.split("\n")
    )
    return "\n".join(lines)


@pytest.fixture(scope="session")
def shipped() -> Callable[..., Mapping]:
    """This will load a mapping that ships, with its examples uncommented if so wished."""

    @cache
    def load(provider: str, *, examples: bool = False) -> Mapping:
        text = (CONNECTIONS / f"{provider}.toml").read_text(encoding="utf-8")
        return parse(with_examples(text) if examples else text, where=f"{provider}.toml")

    return load


@pytest.fixture(scope="session")
def reads(shipped: Callable[..., Mapping]) -> Callable[..., Meaning]:
    """This will read a message: ``reads("lever", "candidateHired", body, {("job", "5"): Ours(...)})``."""

    def reading(
        provider: str,
        event: str,
        body: Any,
        ids: dict[tuple[Any, str], Ours] | None = None,
        *,
        fetched: Any = None,
        mapping: Mapping | None = None,
        examples: bool = False,
    ) -> Meaning:
        used = mapping or shipped(provider, examples=examples)
        message = Message(event, RECEIVED, body, {}, fetched)
        return read(message, used, KnownIds(ids or {}, keyed))

    return reading


@pytest.fixture(scope="session")
def sample() -> Callable[[str], Any]:
    """This will give a recorded body, or skip where it does not lie beside the project."""

    def load(name: str) -> Any:
        file = SHARED / name
        if not file.exists():
            pytest.skip(f"{file.name} does not lie beside the project")
        return json.loads(file.read_text(encoding="utf-8"))

    return load
