"""Recorded histories replay with today's code, by the worker's own runner and converter."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from workers.data_converter import data_converter
from workers.worker import WORKFLOWS, workflow_runner

if TYPE_CHECKING:
    from tests.workflows.conftest import DerivedKeys

HISTORIES = sorted((Path(__file__).parent / "histories").glob("*.json"))


class TestReplay:
    @pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
    async def test_takes_the_same_way(self, path: Path, derived_keys: "DerivedKeys") -> None:
        """A change that would strand running engagements fails here, by the name of what it breaks."""
        replayer = Replayer(
            workflows=WORKFLOWS,
            workflow_runner=workflow_runner(),
            data_converter=data_converter(derived_keys),
        )
        await replayer.replay_workflow(WorkflowHistory.from_json(_workflow_id(path), _read(path)))

    def test_has_a_corpus(self) -> None:
        assert len(HISTORIES) >= 6

    def test_keeps_no_word_in_clear_that_came_encrypted(self) -> None:
        clear = [path for path in HISTORIES if "engagement-opened" in path.read_text()]
        assert clear == []


def _workflow_id(path: Path) -> str:
    # It says whose keys open the payloads.
    [started, *_] = json.loads(_read(path))["events"]
    name: str = started["workflowExecutionStartedEventAttributes"]["workflowId"]
    return name


def _read(path: Path) -> str:
    return path.read_text()
