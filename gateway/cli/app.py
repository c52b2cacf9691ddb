"""The command line: what commands there are, and how every one of them ends.

Importing this must stay cheap: a command imports what it needs when it runs.
"""

import os
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import typer

from gateway.cli import (
    agency,
    backtesting,
    beside,
    check,
    checking,
    compliance,
    connections,
    engagements,
    evidence,
    finding,
    gateway,
    importing,
    inbox,
    inspect,
    keeping,
    key,
    keys,
    mappings,
    operating,
    outreach,
    playing,
    policies,
    projections,
    reassigning,
    rehydrating,
    stack,
    subscriptions,
    tracing,
    watching,
)
from gateway.cli.errors import DONE, INTERRUPTED, WRONG, report
from gateway.cli.output import complain

app = typer.Typer(
    name="rapport",
    help="Keeps an agency's promises to its candidates.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
COMMANDS: Final = (
    stack,
    check,
    gateway,
    keeping,
    keys,
    key,
    agency,
    policies,
    importing,
    engagements,
    reassigning,
    inspect,
    tracing,
    backtesting,
    beside,
    watching,
    finding,
    checking,
    compliance,
    evidence,
    operating,
    rehydrating,
    outreach,
    connections,
    mappings,
    inbox,
    subscriptions,
    projections,
    playing,
)
for module in COMMANDS:
    module.register(app)

LOG: Final = Path("logs") / "rapport.log"


def run(arguments: Sequence[str]) -> int:
    """Carry out one command line and return its exit code; whatever went wrong has been told on stderr."""
    try:
        code: Any = app(args=list(arguments), prog_name="rapport", standalone_mode=False)
    except KeyboardInterrupt:
        return INTERRUPTED
    except typer.Abort:
        return INTERRUPTED
    except typer.Exit as done:
        return done.exit_code
    except SystemExit:
        return DONE  # how rich leaves when whoever read us has gone
    except BrokenPipeError:
        # The same without rich (``rapport show | head``): nothing failed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except Exception as error:
        if hasattr(error, "format_message"):
            return _usage(error)
        return report(error, as_json="--json" in arguments, log=_log_path(arguments))
    return code if isinstance(code, int) else DONE


def _usage(error: Any) -> int:
    """Tell a mistake in the command line itself; typer's own class of it is not public."""
    words = " ".join(str(error.format_message()).split())
    if not words:  # "rapport" alone has shown its help already
        return WRONG
    context = getattr(error, "ctx", None)
    help_with = f" Try '{context.command_path} --help'." if context is not None else ""
    complain(f"rapport: {words}{help_with}")
    return WRONG


def _log_path(arguments: Sequence[str]) -> Path | None:
    from gateway.cli.connect import settings_of

    # In "do" alone, --data is a command's content.
    flags = ("--data-dir",) if arguments[:1] == ["do"] else ("--data", "--data-dir")
    data = next((Path(after) for flag, after in pairwise(arguments) if flag in flags), None)
    try:
        return settings_of(data).data_dir / LOG
    except Exception:
        return None
