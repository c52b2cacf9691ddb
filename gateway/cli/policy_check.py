"""``rapport policy check``: everything that is wrong with policy files, and what they say in vain.

It judges files as they are read: nothing is adopted, and no server is asked.
"""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from gateway.cli import options as o

if TYPE_CHECKING:
    from events.policy import Policy

WRONG_FILE: Final = 1
NO_FILE: Final = 2


@dataclass(slots=True)
class Checked:
    """What was found in one file; *bytes* is the compiled policy's size."""

    file: str
    readable: bool = True
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    name: str | None = None
    digest: str | None = None
    bytes: int = 0
    gates: int = 0
    obligations: int = 0


def check(
    files: Annotated[
        list[str], typer.Argument(help="Policies in TOML, or names of those that ship.", metavar="FILE...")
    ],
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 on warnings too.")] = False,
    as_json: o.Json = False,
) -> None:
    """Say what is wrong with policies: line, mistake, what would be right; and what they say in vain.

    Exits with 1 if a file has an error, and with 2 if there is none to read.
    """
    from gateway.cli import output

    found = [checked(each) for each in files]
    if as_json:
        output.emit({"files": [asdict(each) for each in found]})
    else:
        for each in found:
            _show(each)
    if not all(each.readable for each in found):
        raise typer.Exit(NO_FILE)
    if any(each.errors or (strict and each.warnings) for each in found):
        raise typer.Exit(WRONG_FILE)


def checked(named: str) -> Checked:
    """Compile a file, and look for what it says in vain where it compiles."""
    from events.policy_file import PolicyError
    from workers.shipped import UnreadablePolicy, compile_policy_file, policy_path

    found = Checked(named)
    try:
        file = policy_path(named)
        policy = compile_policy_file(file)
    except PolicyError as error:
        found.errors, found.readable = error.problems, not isinstance(error, UnreadablePolicy)
        return found
    found.name, found.digest, found.bytes = policy.name, policy.digest(), len(policy.body().encode())
    found.gates, found.obligations = len(policy.gates), len(policy.obligations)
    found.warnings = _warnings(policy, file)
    return found


def _warnings(policy: "Policy", file: Path) -> list[str]:
    from activities.letters import OURS
    from events.policy_table import Problems
    from events.policy_warnings import Beside, warnings_of
    from events.toml_lines import locate
    from workers.shipped import shipped_rules

    placed = Problems(str(file), locate(file.read_text(encoding="utf-8-sig")))
    templates = {each.name for each in OURS.iterdir() if each.is_dir()}
    for each in warnings_of(policy, Beside(templates, shipped_rules())):
        placed.add(each.path, each.says)
    return placed.sentences()


def _show(found: Checked) -> None:
    from events.policy import LARGEST_COMPILED
    from gateway.cli.output import line

    for each in found.errors:
        line(f"error: {each}", style="bold red")
    for each in found.warnings:
        line(f"warning: {each}", style="yellow")
    if found.errors:
        line(f"{found.file}: {_count(len(found.errors), 'error')}")
        return
    line(
        f"{found.file}: {found.name} is sound, with {_count(found.gates, 'gate')}, "
        f"{_count(found.obligations, 'obligation')} and {_count(len(found.warnings), 'warning')}; "
        f"{found.bytes:,} of {LARGEST_COMPILED:,} bytes"
    )


def _count(number: int, noun: str) -> str:
    plural: Any = "" if number == 1 else "s"
    return f"{number} {noun}{plural}"
