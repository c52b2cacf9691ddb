"""What the long programs say of their own options, without a run."""

import runpy
import sys

import pytest


@pytest.mark.parametrize("program", ["deliveries", "soak"])
class TestOptions:
    @pytest.mark.parametrize(("given", "code"), [("--help", 0), ("--no-such-option", 2)])
    def test_are_told_without_a_trace(
        self,
        program: str,
        given: str,
        code: int,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setattr(sys, "argv", [program, given])
        with pytest.raises(SystemExit) as ended:
            runpy.run_module(f"tests.crash.{program}", run_name="__main__")
        assert ended.value.code == code
        said = capsys.readouterr()
        assert "usage: " in said.out + said.err
        assert "Traceback" not in said.err
