"""Answers: what a caller is told, and that no answer can fail a workflow."""

import pytest
from temporalio.exceptions import ApplicationErrorCategory

from workflows import answers


class TestRefusal:
    def test_harms_no_workflow(self) -> None:
        error = answers.refusal("one sentence", "wrong-state")
        assert error.non_retryable
        assert error.category == ApplicationErrorCategory.BENIGN


class TestCodeOf:
    @pytest.mark.parametrize(
        ("kind", "code"),
        [("CommandIdReused", "command-id-reused"), ("wrong-state", "wrong-state"), ("Draining", "draining")],
    )
    def test_is_a_reason_that_an_event_may_hold(self, kind: str, code: str) -> None:
        assert answers.code_of(answers.refusal("one sentence", kind)) == code
