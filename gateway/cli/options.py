"""The options that many commands share, spelled once.

Only builtin types here: what typer reads at start must cost nothing.
"""

from pathlib import Path
from typing import Annotated

import typer

Agency = Annotated[
    str | None,
    typer.Option("--agency", envvar="RAPPORT_AGENCY", help="The agency; the only one there is if not given."),
]
Data = Annotated[
    Path | None,
    typer.Option(
        "--data", "--data-dir", help="Directory of the running stack; RAPPORT_DATA_DIR if not given."
    ),
]
DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Directory of the running stack; RAPPORT_DATA_DIR if not given."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON value.")]
Person = Annotated[
    str,
    typer.Option(
        "--actor", envvar="RAPPORT_ACTOR", metavar="KIND:ID", help="Who does this, e.g. person:r-1."
    ),
]
