"""``rapport evidence``: one engagement's record in a signed file, and the check that needs only the file.

The file may hold a person's words: only who asks for them gets them, and never under a name that is taken.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from gateway.cli import options as o
from gateway.cli.connect import Options, Session, perform, settings_of

if TYPE_CHECKING:
    from events.evidence.checking import Checked

TAMPERED = 1
_WRITE = "write"


class _WritesByDefault(TyperGroup):
    """Takes an engagement's id where a command's name could stand."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command's name before whatever is no name of one."""
        if args and args[0] not in self.commands and args[0] not in ("-h", "--help"):
            args = [_WRITE, *args]
        return super().parse_args(ctx, args)


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    group = typer.Typer(
        cls=_WritesByDefault,
        help="One engagement's record in a signed file: rapport evidence ENGAGEMENT -o FILE.",
        no_args_is_help=True,
    )
    group.command(_WRITE)(write)
    group.command("check")(check)
    group.command("key")(key)
    app.add_typer(group, name="evidence", rich_help_panel="Proving")


def write(
    engagement: Annotated[str, typer.Argument(help="An engagement's id.")],
    file: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="A new file.")],
    personal: Annotated[
        bool,
        typer.Option("--with-personal/--without-personal", help="Open personal values, or keep them sealed."),
    ] = False,
    links: Annotated[
        bool | None,
        typer.Option(
            "--links/--no-links",
            help="Take along what leads to the agency's head; if not said, up to 100,000 events of it.",
        ),
    ] = None,
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Write an engagement's events, policies, promises and findings to a signed file."""
    from gateway.cli import given, output

    named = given.identity(engagement, "the engagement")
    target = file.expanduser().absolute()

    async def work(session: Session) -> dict[str, Any]:
        return await _written(session, named, target, personal=personal, links=links)

    told = perform(Options(agency, data, as_json), work)
    if as_json:
        output.emit(told)
        return
    values = "personal values opened" if personal else "personal values sealed"
    output.line(f"wrote {told['file']}: {told['events']} events, {told['policies']} policies, {values}")
    output.line(f"signed with sha256:{told['fingerprint']}")
    if not told["links"]:
        output.line("without what leads to the agency's head: --links takes it along")


async def _written(
    session: Session, engagement: str, target: Path, *, personal: bool, links: bool | None
) -> dict[str, Any]:
    from datetime import UTC, datetime
    from importlib.metadata import version

    from events.evidence.making import make
    from events.evidence.signing import fingerprint
    from gateway.cli.evidence_telling import told
    from workers.evidence import gather, keep
    from workers.evidence_key import evidence_key

    signer = evidence_key(session.settings)
    material = await gather(session.log, await session.agency(), engagement, personal=personal, links=links)
    made_by = f"rapport {version('rapport')}"
    content = make(material, told(material), signer, made_at=datetime.now(UTC), made_by=made_by)
    keep(target, content)
    return {
        "file": str(target),
        "bytes": len(content),
        "agency": material.agency,
        "engagement": engagement,
        "events": len(material.events),
        "policies": len(material.policies),
        "personal": "opened" if personal else "sealed",
        "links": bool(material.links),
        "position": material.head.position,
        "head_hash": material.head.head_hash,
        "fingerprint": fingerprint(signer.public),
    }


def check(
    file: Annotated[Path, typer.Argument(help="What 'rapport evidence ENGAGEMENT -o FILE' wrote.")],
    known: Annotated[
        str | None,
        typer.Option(
            "--key",
            metavar="FILE|FINGERPRINT",
            help="The key it must be signed with: what 'rapport evidence key' prints, or its fingerprint.",
        ),
    ] = None,
    as_json: o.Json = False,
) -> None:
    """Check a file without a database, and say in one sentence what was tampered with (exit code 1)."""
    from events.evidence.checking import check as examine
    from gateway.cli import output

    fingerprint = _known(known) if known is not None else None
    checked = examine(file.expanduser().read_bytes(), fingerprint)
    told = _told(checked, file)
    if as_json:
        output.emit(told)
    else:
        _show(told, checked)
    if not checked.sound:
        raise typer.Exit(TAMPERED)


def key(data: o.Data = None, as_json: o.Json = False) -> None:
    """Print the public key that evidence is signed with, and its fingerprint; give it to whoever checks."""
    from events.evidence.signing import fingerprint
    from gateway.cli import output
    from workers.evidence_key import key_to_show

    signer = key_to_show(settings_of(data))
    name = fingerprint(signer.public)
    if as_json:
        output.emit({"public_key": signer.told(), "fingerprint": f"sha256:{name}"})
        return
    output.line(signer.told())
    output.line(f"fingerprint sha256:{name}")


def _known(text: str) -> str:
    from events.evidence.signing import key_named
    from gateway.cli.errors import Wrong

    if (found := key_named(text)) is not None:
        return found
    path = Path(text).expanduser()
    found = key_named(path.read_text(encoding="utf-8", errors="replace")) if path.is_file() else None
    if found is None:
        raise Wrong(
            "--key names no key: give the fingerprint (sha256: and 64 digits), or a file with what "
            "'rapport evidence key' printed"
        )
    return found


def _told(checked: "Checked", file: Path) -> dict[str, Any]:
    first = checked.evidence
    return {
        "file": str(file),
        "sound": checked.sound,
        "says": checked.faults[0].says if checked.faults else None,
        "faults": list(checked.faults),
        "checks": checked.answers,
        "signed_by": checked.signer and f"sha256:{checked.signer}",
        "agency": first and first.agency,
        "engagement": first and first.engagement,
        "events": checked.events,
        "made_at": first and first.made_at,
        "made_by": first and first.made_by,
        "personal": first and first.personal,
        "position": checked.head and checked.head.position,
        "head_hash": checked.head and checked.head.head_hash,
    }


def _show(told: dict[str, Any], checked: "Checked") -> None:
    from events.evidence.faults import CHECKS, shown
    from gateway.cli.output import line

    if not checked.sound:
        says = told["says"]
        line(f"{says[0].upper()}{says[1:]}.", style="bold red")
        failed = [name for name, answer in checked.answers.items() if answer == "fails"]
        line(f"What does not hold: {', '.join(failed)}.")
        return
    line(
        f"Nothing was tampered with: {told['events']} events of engagement {shown(told['engagement'])} "
        f"at agency {shown(told['agency'])}, made {told['made_at']} by {shown(told['made_by'])}.",
        style="bold green",
    )
    for name, answer in checked.answers.items():
        if answer == "not-checked" and name != "key":
            line(f"not checked: {CHECKS[name]}")
    known = (
        "which is the key you named"
        if checked.answers["key"] == "holds"
        else "compare it with a known one (--key)"
    )
    line(f"signed with {told['signed_by']}: {known}")
