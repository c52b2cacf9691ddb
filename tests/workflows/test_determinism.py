"""Workflow code reads no clock, takes no chance and touches nothing outside: looked for in its source.

Our modules pass through the sandbox, which would otherwise have caught some of this at run time.
"""

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
OURS: Final = ("events", "workflows", "activities")
BANNED_MODULES: Final = frozenset(
    {
        "asyncpg",
        "aiosmtplib",
        "httpx",
        "os",
        "random",
        "secrets",
        "shutil",
        "socket",
        "subprocess",
        "sys",
        "tempfile",
        "threading",
        "time",
    }
)
BANNED_CALLS: Final = frozenset(
    {
        "datetime.now",
        "datetime.utcnow",
        "datetime.today",
        "date.today",
        "uuid.uuid1",
        "uuid.uuid4",
        "uuid1",
        "uuid4",
        "open",
        "input",
        "breakpoint",
        "asyncio.sleep",
        "asyncio.wait_for",
        "asyncio.to_thread",
        "asyncio.timeout",
    }
)


def imports(tree: ast.AST) -> Iterator[str]:
    """Name every module that a file imports, ``a.b`` for ``from a import b`` too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            yield from (f"{node.module}.{each.name}" for each in node.names)


def source(module: str) -> Path | None:
    """Find a module of ours; None for a name inside one."""
    path = ROOT / Path(*module.split("."))
    for found in (path.with_suffix(".py"), path / "__init__.py"):
        if found.is_file():
            return found
    return None


def reached() -> dict[str, ast.Module]:
    """Parse every module of ours that the workflows' files import, however far down."""
    files = sorted((ROOT / "workflows").glob("*.py"))
    waiting = [f"workflows.{file.stem}" for file in files if file.stem != "__init__"]
    trees: dict[str, ast.Module] = {}
    while waiting:
        module = waiting.pop()
        file = source(module)
        if module in trees or file is None:
            continue
        trees[module] = ast.parse(file.read_text(encoding="utf-8"))
        waiting += [each for each in imports(trees[module]) if each.partition(".")[0] in OURS]
    return trees


REACHED: Final = reached()


def written(call: ast.Call) -> str:
    """Write what is called, as the source does."""
    return ast.unparse(call.func)


class TestWorkflowCode:
    def test_is_more_than_its_own_folder(self) -> None:
        """Else the tests below would look at nothing that decides."""
        assert {"workflows.engagement", "events.decider", "events.obligations"} <= set(REACHED)

    @pytest.mark.parametrize("module", sorted(REACHED))
    def test_imports_nothing_that_reaches_outside(self, module: str) -> None:
        found = {each.partition(".")[0] for each in imports(REACHED[module])}
        assert not found & BANNED_MODULES
        assert all(importlib.util.find_spec(each) is not None for each in found)

    @pytest.mark.parametrize("module", sorted(REACHED))
    def test_calls_no_clock_and_no_chance(self, module: str) -> None:
        """A replay must find the same times and ids as the run that it replays."""
        called = {written(each) for each in ast.walk(REACHED[module]) if isinstance(each, ast.Call)}
        assert not called & BANNED_CALLS

    @pytest.mark.parametrize("module", sorted(REACHED))
    def test_keeps_no_state_of_its_own(self, module: str) -> None:
        """Runs share these modules: what one run left in one, another would find."""
        assert not [each for each in ast.walk(REACHED[module]) if isinstance(each, ast.Global | ast.Nonlocal)]
