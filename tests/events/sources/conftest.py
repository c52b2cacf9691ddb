"""Sources for the tests: a log they make themselves, and the real one where it lies beside the project."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from events.sources.mapping import Mapping, read_mapping
from events.sources.ocel import SourceLog, read_ocel
from events.sources.pseudonyms import Pseudonyms

ROOT = Path(__file__).parents[3]
REAL_LOG = ROOT.parent / "shared" / "data" / "recruiting_log" / "recruiting.jsonocel"


@pytest.fixture(scope="session")
def generate() -> Callable[..., bytes]:
    """This will give the maker of logs of the real one's shape."""
    spec = importlib.util.spec_from_file_location("generated_log", ROOT / "tests" / "generated_log.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # A dataclass looks its own module up by name.
    sys.modules["generated_log"] = module
    spec.loader.exec_module(module)
    maker: Callable[..., bytes] = module.generate
    return maker


@pytest.fixture(scope="session")
def generated_log(generate: Callable[..., bytes]) -> SourceLog:
    """This will give a log of twenty applicants."""
    return read_ocel(generate())


@pytest.fixture(scope="session")
def real_log() -> SourceLog:
    """This will give the recruiting log, or skip where it does not lie beside the project."""
    if not REAL_LOG.exists():
        pytest.skip("the recruiting log does not lie beside the project (../shared/data/recruiting_log)")
    return read_ocel(REAL_LOG.read_bytes())


@pytest.fixture(scope="session")
def recruiting() -> Mapping:
    """This will give the mapping of the recruiting log."""
    return read_mapping((ROOT / "deploy" / "mappings" / "recruiting.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def pseudonyms() -> Pseudonyms:
    """This will give pseudonyms under a key of the tests' own."""
    return Pseudonyms(b"a key for the tests only")
