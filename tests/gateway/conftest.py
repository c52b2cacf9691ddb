"""What tests of several doors need."""

import time
from types import SimpleNamespace

import pytest


@pytest.fixture
def same_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """This will keep the minute from turning while requests are counted: those of the last one weigh less."""
    middle = time.time() // 60 * 60 + 30
    for counts in ("limits.storage.memory", "limits.strategies", "gateway.http.rates"):
        monkeypatch.setattr(f"{counts}.time", SimpleNamespace(time=lambda: middle))
