"""``rapport verify``: is the record whole, and does what runs agree with it.

It pokes workflows but writes nothing itself.
"""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli import options as o
from gateway.cli.connect import Options, Session, perform

if TYPE_CHECKING:
    from workers.verify import Report, Verdict

MISMATCH = 1


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("verify", rich_help_panel="Looking")(verify)


def verify(
    engagement: Annotated[str | None, typer.Argument(help="An engagement's id.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that the agency has.")] = False,
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Check chains, versions and positions, and compare every fold with its running workflow."""
    from gateway.cli import given, output
    from gateway.cli.errors import Wrong

    if (engagement is None) != everything:
        raise Wrong("name one engagement, or give --all")
    key = given.identity(engagement, "the engagement") if engagement is not None else None

    async def work(session: Session) -> dict[str, Any]:
        from workers.verify import verify_agency, verify_engagement

        named = await session.agency()
        running = await session.engagements(named)
        if key is None:
            return told_of(await verify_agency(session.log, running, named))
        if await session.log.head(named, f"engagement:{key}") is None:
            raise Wrong(f"there is no engagement '{key}' in agency '{named}'; 'rapport list' names them")
        return _one(named, await verify_engagement(session.log, running, named, key))

    told = perform(Options(agency, data, as_json), work)
    if as_json:
        output.emit(told)
    else:
        _show(told)
    if told["mismatches"]:
        raise typer.Exit(MISMATCH)


def told_of(report: "Report") -> dict[str, Any]:
    """Put a report on an agency into plain data."""
    return {
        "agency": report.agency,
        "verified": report.verified,
        "mismatches": report.mismatches,
        "positions": report.positions,
        "missing_positions": list(report.missing),
        "head_sound": report.head_sound,
        "streams": [_verdict(each) for each in (*report.engagements, *report.others)],
    }


def _one(agency: str, verdict: "Verdict") -> dict[str, Any]:
    return {
        "agency": agency,
        "verified": int(verdict.compared_at is not None),
        "mismatches": int(not verdict.sound),
        "streams": [_verdict(verdict)],
    }


def _verdict(verdict: "Verdict") -> dict[str, Any]:
    return {
        "stream": verdict.stream,
        "version": verdict.version,
        "compared_at": verdict.compared_at,
        "sound": verdict.sound,
        "broken_at": verdict.broken_at,
        "reason": verdict.reason,
    }


def _show(told: dict[str, Any]) -> None:
    from gateway.cli.output import line

    show_faults(told)
    line(f"{told['verified']} verified, {told['mismatches']} mismatches")


def show_faults(told: dict[str, Any]) -> None:
    """Print what does not hold, if anything."""
    from gateway.cli.output import line

    for each in told["streams"]:
        if not each["sound"]:
            place = f" at version {each['broken_at']}" if each["broken_at"] else ""
            line(f"{each['stream']} does not hold{place}: {each['reason']}", style="bold red")
    missing = told.get("missing_positions", [])
    if missing:
        shown = ", ".join(str(position) for position in missing[:10])
        line(
            f"positions are missing from the agency's log, so events were deleted: {shown}", style="bold red"
        )
    elif not told.get("head_sound", True):
        line("the agency's log does not lead to the hash of its head", style="bold red")
