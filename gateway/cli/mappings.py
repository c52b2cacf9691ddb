"""``rapport mapping``: what is wrong with a mapping, and what it says in words.

Both read files as they are: no connection is changed, and no server is asked.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from gateway.cli import options as o

if TYPE_CHECKING:
    from events.integrations.rules import Mapping

WRONG_FILE: Final = 1
Named = Annotated[str, typer.Argument(help="A mapping in TOML, or a provider's that ships.", metavar="FILE")]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    group = typer.Typer(help="What other systems' words mean here.", no_args_is_help=True)
    group.command("check")(check)
    group.command("explain")(explain)
    group.command("show")(show)
    app.add_typer(group, name="mapping", rich_help_panel="Integrations")


def check(
    files: Annotated[
        list[str], typer.Argument(help="Mappings in TOML, or providers' that ship.", metavar="FILE...")
    ],
    as_json: o.Json = False,
) -> None:
    """Say what is wrong with mappings: line, mistake, what would be right.  Exits with 1 if anything is."""
    from gateway.cli import output

    found = [_checked(each) for each in files]
    if as_json:
        output.emit({"files": found})
    else:
        for each in found:
            for error in each["errors"]:
                output.line(f"error: {error}", style="red")
            wrong = len(each["errors"])
            rules = f"{each['rules']} rules for {each['provider']}, nothing wrong"
            output.line(f"{each['file']}: {f'{wrong} error' + 's' * (wrong != 1) if wrong else rules}")
    if any(each["errors"] for each in found):
        raise typer.Exit(WRONG_FILE)


def explain(file: Named, as_json: o.Json = False) -> None:
    """Tell a mapping rule by rule, in words."""
    from events.integrations.telling import explain as told
    from gateway.cli import output

    lines = list(told(_read(file)))
    if as_json:
        output.emit({"file": file, "lines": lines})
    else:
        for line in lines:
            output.line(line)


def show(
    file: Named,
    examples: Annotated[
        bool, typer.Option("--examples", help="Its examples too, ready to be made yours.")
    ] = False,
    as_json: o.Json = False,
) -> None:
    """Print a mapping as it is written, to begin one of your own with."""
    import re
    import sys

    from gateway.cli import output

    text = _text(file)[0]
    if examples:
        text = re.sub(r"(?m)^#\| ?", "", text)
    if as_json:
        output.emit({"file": file, "text": text})
    else:
        # As it is: to be written into a file.
        sys.stdout.write(text)


def _checked(named: str) -> dict[str, Any]:
    from events.integrations.mapping import MappingError

    found: dict[str, Any] = {"file": named, "errors": [], "provider": None, "rules": 0, "digest": None}
    try:
        mapping = _read(named)
    except MappingError as error:
        return {**found, "errors": error.problems}
    return {**found, "provider": mapping.provider, "rules": len(mapping.rule), "digest": mapping.digest()}


def _read(named: str) -> "Mapping":
    from events.integrations.mapping import parse

    text, file = _text(named)
    return parse(text, where=str(file))


def _text(named: str) -> tuple[str, Path]:
    from events.integrations.vocabulary import PROVIDERS
    from gateway.cli.errors import Wrong
    from workers.shipped import MAPPINGS

    file = Path(named)
    if named in PROVIDERS and not file.is_file():
        file = MAPPINGS / f"{named}.toml"
    try:
        # Editors on Windows put a mark before the first line; it is no part of the text.
        return file.read_text(encoding="utf-8-sig"), file
    except FileNotFoundError:
        ships = ", ".join(PROVIDERS)
        raise Wrong(f"{named}: there is no such file; give a mapping's path, or one of {ships}") from None
    except UnicodeDecodeError:
        raise Wrong(f"{named}: it is not UTF-8; save the file as UTF-8 text") from None
