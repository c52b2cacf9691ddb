"""A policy tried on a foreign log: the same as live, and the same however the file is laid out."""

import importlib.util
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from workers.backtest import ocel
from workers.backtest.run import Foreign, Tried, backtest_ocel
from workers.simulate import SimulationOptions, run_simulation

ROOT = Path(__file__).parents[3]
MAPPING = ROOT / "deploy" / "mappings" / "recruiting.toml"
KEY = b"a key for the tests only"
STARTER = Tried()
Write = Callable[[bytes], Foreign]


def module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = found
    spec.loader.exec_module(found)
    return found


@pytest.fixture(scope="module")
def generate() -> Callable[..., bytes]:
    maker: Callable[..., bytes] = module(ROOT / "tests" / "generated_log.py").generate
    return maker


@pytest.fixture
def write(tmp_path: Path) -> Write:
    (tmp_path / "key").write_bytes(KEY)

    def written(content: bytes) -> Foreign:
        (tmp_path / "log.jsonocel").write_bytes(content)
        return Foreign(tmp_path / "log.jsonocel", MAPPING, tmp_path / "data", tmp_path / "key")

    return written


def told(foreign: Foreign, tried: Tried = STARTER) -> dict[str, Any]:
    out = io.StringIO()
    with backtest_ocel(foreign, tried) as report:
        report.write_json(out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


class TestBreaches:
    @pytest.mark.slow
    @pytest.mark.timeout(600)
    @pytest.mark.temporal
    @pytest.mark.postgres
    async def test_are_those_of_live_workflows(self, generate: Callable[..., bytes], write: Write) -> None:
        """Live equals predicted: twenty applicants through live workflows, and the same by the core alone."""
        options = write(generate(applicants=20))
        live = await run_simulation(
            SimulationOptions(
                file=options.file,
                mapping=options.mapping,
                data_dir=options.data_dir,
                pseudonym_key=options.pseudonym_key,
            )
        )
        assert live.sound
        simulated = json.loads(live.to_json())
        predicted = told(options)
        assert predicted["breaches"] == simulated["breaches"]
        assert len(predicted["breaches"]) > 20
        for name in ("read", "beyond_limit", "engagements", "stages"):
            assert predicted[name] == simulated[name]

    def test_are_the_same_however_the_log_is_dealt_out(
        self, generate: Callable[..., bytes], write: Write, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Objects before or behind the events, in order of time or not, in one part or in many."""
        content = generate(applicants=20)
        whole = told(write(content))
        document = json.loads(content)
        events = document["ocel:events"]
        # Events of one moment keep their order: only the file's can tell it.
        shuffled = dict(sorted(events.items(), key=lambda each: each[1]["ocel:timestamp"][::-1]))
        behind = {"ocel:objects": document["ocel:objects"], "ocel:events": shuffled}
        monkeypatch.setattr(ocel, "RUN", 7)
        monkeypatch.setattr(ocel, "PART", 100)
        again = told(write(json.dumps(behind).encode()))
        assert again | {"seconds": 0} == whole | {"seconds": 0}
        assert len(whole["breaches"]) > 20
