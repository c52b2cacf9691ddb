"""What the README shows at a prompt, typed into a shell, and what it promises to print."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import gateway

ROOT = Path(gateway.__file__).parent.parent
_BLOCK = re.compile(r"^```(console|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_DONE = "__done__"


@dataclass(frozen=True)
class Typed:
    """One command, and the lines that it is to print; "…" there stands for anything."""

    command: str
    shown: list[str] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        """Tell whether a quoted text goes on in the next line."""
        return not self.shown and self.command.partition(" #")[0].count("'") % 2 == 1

    def missing_in(self, said: str) -> list[str]:
        """Give the promised lines that were not said, whatever the space between their words."""
        lines = [" ".join(each.split()) for each in said.splitlines()]
        return [each for each in self.shown if not any(_pattern(each).fullmatch(line) for line in lines)]


def _pattern(line: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in " ".join(line.split()).split("…")))


def section(title: str) -> str:
    """Give a section of the README."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return text.split(f"\n## {title}\n")[1].split("\n## ")[0]


def blocks(title: str, language: str = "console") -> list[str]:
    """Give a section's blocks in a language."""
    return [text for kind, text in _BLOCK.findall(section(title)) if kind == language]


def commands(block: str) -> list[Typed]:
    """Read a block: what begins with a dollar is typed, to the end of its quotes; what follows is shown."""
    found: list[Typed] = []
    for line in block.replace("\\\n", " ").splitlines():
        if line.startswith("$ "):
            found.append(Typed(line[2:]))
        elif found and found[-1].is_open:
            found[-1] = Typed(f"{found[-1].command}\n{line}")
        elif line.strip():
            found[-1].shown.append(line)
    return found


class Shell:
    """A shell in a directory of its own, where our programs, curl and openssl are on the path."""

    def __init__(self, place: Path, environment: dict[str, str]) -> None:
        self.place, programs = place, place / "bin"
        programs.mkdir()
        ours = {"rapport": "-m gateway", "python": ""}
        for each in ("curl", "openssl"):
            if shutil.which(each) is None:
                ours[each] = str(Path(__file__).with_name(f"{each}.py"))
        for name, arguments in ours.items():
            file = programs / name
            file.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n')
            file.chmod(0o755)
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        self._process = subprocess.Popen(
            ["/bin/sh"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=place,
            env={**environment, "PATH": path},
        )

    def types(self, command: str) -> tuple[int, str]:
        """Type a line; returns its exit code and all that it said."""
        to, out = self._process.stdin, self._process.stdout
        assert to is not None
        assert out is not None
        to.write(f'{command}\necho "\n{_DONE} $?"\n')
        to.flush()
        said: list[str] = []
        for line in out:
            if line.startswith(_DONE):
                return int(line.split()[1]), "".join(said)
            said.append(line)
        raise AssertionError(f"the shell ended: {''.join(said)}")

    def close(self) -> None:
        """Leave it."""
        self._process.communicate("exit\n", timeout=30)
