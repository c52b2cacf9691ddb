"""``rapport backup`` and ``rapport restore``: the embedded log in a file, and back again.

What is not in the file is said as plainly as what is: above all the key-encryption key.
"""

from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from gateway.cli import options as o
from gateway.cli.errors import INTERRUPTED

if TYPE_CHECKING:
    from workers.backup.restoring import Restored
    from workers.backup.taking import Taken

T = TypeVar("T")
UNSOUND = 1
_WHERE = typer.Option("--data", "--data-dir", help="Where the log is kept; RAPPORT_DATA_DIR if not given.")
Directory = Annotated[Path | None, _WHERE]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("backup", rich_help_panel="Running")(backup)
    app.command("restore", rich_help_panel="Running")(restore)


def backup(
    file: Annotated[Path, typer.Argument(help="A new file.")],
    data: Directory = None,
    as_json: o.Json = False,
) -> None:
    """Write the embedded log to a file, whether or not it runs.

    The key-encryption key that wraps people's keys is not in it: keep a copy of that apart.
    """
    from gateway.cli import output
    from gateway.cli.connect import settings_of
    from workers.backup.taking import take_backup

    taken = _to_its_end(take_backup(settings_of(data), file.expanduser().absolute()))
    told = _taken(taken)
    if as_json:
        output.emit(told)
        return
    output.line(f"backed up {_contents(told)} to {taken.file} ({told['bytes'] / 1e6:.1f} MB)")
    for each in taken.manifest.key_encryption_keys:
        if each.id in taken.lacking:
            words = (
                f"key-encryption key '{each.id}' is needed, and {taken.keys_in} does not hold it: without it "
                "no personal data in this backup can be read"
            )
            output.line(words, style="bold red")
        else:
            output.line(
                f"not in it: key-encryption key '{each.id}' of {taken.keys_in}; keep a copy of it apart from "
                "the backup, since without it no personal data in the backup can be read"
            )


def restore(
    file: Annotated[Path, typer.Argument(help="What 'rapport backup' wrote.")],
    data: Directory = None,
    replace: Annotated[bool, typer.Option("--replace", help="Move a log that is there aside.")] = False,
    keys: Annotated[
        Path | None,
        typer.Option("--keys", metavar="FILE", help="The file of key-encryption keys that was kept apart."),
    ] = None,
    as_json: o.Json = False,
) -> None:
    """Restore a backup into a data directory and verify all of it; exits with 1 if something does not hold.

    What is there is touched only once the restored log is complete beside it.
    """
    from gateway.cli import output
    from gateway.cli.connect import settings_of
    from workers.backup.restoring import restore_backup

    settings = settings_of(data)
    keys = keys.expanduser().absolute() if keys is not None else None
    work = restore_backup(settings, file.expanduser().absolute(), replace=replace, keys_file=keys)
    restored = _to_its_end(work)
    told = _restored(restored, settings.data_dir, own_temporal=settings.temporal_address is not None)
    if as_json:
        output.emit(told)
    else:
        _show(told)
    if restored.mismatches:
        raise typer.Exit(UNSOUND)


def _to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """Run it; a signal lets it clean up first."""
    import asyncio

    from workers.logs import configure_logging
    from workers.up import in_foreground

    configure_logging("ERROR", "auto")
    done = asyncio.run(in_foreground(work))
    if done is None:
        raise typer.Exit(INTERRUPTED)
    return done


def _taken(taken: "Taken") -> dict[str, Any]:
    manifest = taken.manifest
    return {
        "file": str(taken.file),
        "bytes": manifest.dump_bytes,
        "created_at": manifest.created_at,
        "agencies": {each.agency: each.position for each in manifest.agencies},
        "events": manifest.events,
        "keys": sum(each.wraps for each in manifest.key_encryption_keys),
        "key_encryption_keys": [
            {"id": each.id, "kept_in": None if each.id in taken.lacking else taken.keys_in}
            for each in manifest.key_encryption_keys
        ],
    }


def _restored(restored: "Restored", data_dir: Path, *, own_temporal: bool) -> dict[str, Any]:
    from gateway.cli.checking import told_of

    manifest = restored.manifest
    return {
        "data_dir": str(data_dir),
        "created_at": manifest.created_at,
        "agencies": {each.agency: each.position for each in manifest.agencies},
        "events": manifest.events,
        "keys": sum(each.wraps for each in manifest.key_encryption_keys),
        "former": str(restored.kept) if restored.kept is not None else None,
        "streams": restored.streams,
        "mismatches": restored.mismatches,
        "workflows": _OWN_TEMPORAL if own_temporal else _NO_WORKFLOWS,
        "reports": [told_of(each) for each in restored.reports],
    }


_NO_WORKFLOWS = (
    "Temporal holds no workflows now, and the log wins: the first sweep after 'rapport up' starts each again "
    "from it; until then no timer of it rings, and 'rapport stuck' tells which still wait"
)
_OWN_TEMPORAL = (
    "TEMPORAL_ADDRESS names a Temporal of your own, which was not restored: terminate the engagements there "
    "first, since a run that knows more than the log cannot go on; then each starts again from the log"
)


def _contents(told: dict[str, Any]) -> str:
    counts = ((len(told["agencies"]), "agency", "agencies"), (told["events"], "event", "events"))
    shown = [f"{count} {one if count == 1 else many}" for count, one, many in counts]
    return f"{', '.join(shown)} and {told['keys']} wrapped {'key' if told['keys'] == 1 else 'keys'}"


def _show(told: dict[str, Any]) -> None:
    from gateway.cli.checking import show_faults
    from gateway.cli.output import line

    moment = f"{told['created_at']:%Y-%m-%d %H:%M:%S} UTC"
    line(f"restored {_contents(told)}, as of {moment}, into {told['data_dir']}")
    if told["former"] is not None:
        line(f"what was there before is kept in {told['former']}; remove it when you are sure")
    for each in told["reports"]:
        show_faults(each)
    line(f"{told['streams']} streams verified (chain, density, fold), {told['mismatches']} mismatches")
    if told["mismatches"]:
        line("the log was so when it was backed up: an older backup may be sound", style="bold red")
    line(told["workflows"])
    line("whoever was erased after that moment is there again, and must be erased again")
