"""``rapport agency``: who works for an agency, and which policy it follows.

Loading the same file again changes nothing.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli import absences
from gateway.cli import options as o
from gateway.cli.connect import Options, Session, perform
from gateway.cli.paging import paged

if TYPE_CHECKING:
    from datetime import datetime

    from events.agency import Agency
    from events.policy import Policy

FIRST_POLICY = "starter"


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    group = typer.Typer(help="An agency's people and policy.", no_args_is_help=True)
    group.command("load")(load)
    group.command("people")(people)
    absences.register(group)
    app.add_typer(group, name="agency", rich_help_panel="Agencies")


def load(
    file: Annotated[Path, typer.Argument(help="The people and their lines, in TOML.")],
    policy: Annotated[
        str | None,
        typer.Option(help="A policy's file, or the name of one that ships; starter for a new agency."),
    ] = None,
    actor: o.Person = "operator:cli",
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Load an agency's people, and the policy that governs every engagement it opens from now on."""
    from activities.agency_file import read_people
    from activities.agency_load import check_offices, load_agency
    from gateway.cli import given, output
    from gateway.cli.errors import Wrong

    people = read_people(file)
    compiled = _policy(policy) if policy is not None else None
    who = given.actor(actor)

    async def work(session: Session) -> dict[str, Any]:
        agencies = await session.log.agencies()
        if agency is None and not agencies:
            raise Wrong("a new agency needs a name: add --agency NAME")
        named = given.identity(agency, "the agency") if agency is not None else await session.agency()
        adopt = compiled
        if adopt is None and await session.having.directory.policy_digest(named) is None:
            adopt = _policy(FIRST_POLICY)
        if (governing := adopt or await _governing(session, named)) is not None:
            check_offices(people, governing)
        done = await load_agency(session.having.service, named, people=people, policy=adopt, actor=who)
        digest = done.digest or await session.having.directory.policy_digest(named)
        return {
            "agency": named,
            "people": done.people,
            "policy": done.policy,
            "digest": digest,
            "version": done.version,
        }

    done = perform(Options(agency, data, as_json), work)
    if as_json:
        output.emit(done)
        return
    words = {"accepted": "loaded", "nothing-to-do": "as they were", "not-given": "kept"}
    output.line(f"agency {done['agency']}: people {words[done['people']]} ({len(people)})")
    kept = {**words, "accepted": "adopted", "nothing-to-do": "as it was"}
    output.line(f"policy {kept[done['policy']]}: {(done['digest'] or '')[:12]}")


def people(agency: o.Agency = None, data: o.Data = None, as_json: o.Json = False) -> None:
    """List who works for the agency, in which team, who is above them, and who is away."""
    from gateway.cli import output

    async def work(session: Session) -> list[dict[str, Any]]:
        from datetime import UTC, datetime

        state = await session.having.directory.agency(await session.agency())
        return [person_row(state, each, datetime.now(UTC)) for each in sorted(state.people)]

    rows = perform(Options(agency, data, as_json), work)
    if as_json:
        output.emit(rows)
        return
    with paged():
        _show_people(rows)


def person_row(state: "Agency", person_id: str, now: "datetime") -> dict[str, Any]:
    """Give what there is to tell of somebody who works here, their name where it was opened."""
    from events.absences import absence_of
    from events.reaching import instead_of

    entry, line = state.people[person_id], state.lines()[person_id]
    absence, reached = absence_of(state.absences, person_id, now), instead_of(state, person_id, now)
    return {
        "person": person_id,
        "name": entry.name if isinstance(entry.name, str) else None,
        "role": entry.role,
        "team": entry.team,
        "office": entry.office,
        "team_lead": line.team_lead,
        "director": line.director,
        "away_until": absence.until if absence is not None else None,
        "goes_to": reached.person_id if reached is not None else None,
    }


def _show_people(rows: list[dict[str, Any]]) -> None:
    from gateway.cli.output import line, table
    from gateway.words import moment

    if not rows:
        line("nobody works here yet; load them with 'rapport agency load FILE'")
        return
    told = ("person", "name", "role", "team", "office", "team_lead", "director")
    away = [
        f"until {moment(row['away_until'])}; {row['goes_to']} stands in" if row["away_until"] else ""
        for row in rows
    ]
    table(
        [*(name.replace("_", " ").upper() for name in told), "AWAY"],
        [[*(row[name] or "" for name in told), absent] for row, absent in zip(rows, away, strict=True)],
    )


async def _governing(session: Session, agency: str) -> "Policy | None":
    """Read the policy that the agency follows now."""
    from events.policy import read_policy

    digest = await session.having.directory.policy_digest(agency)
    body = await session.log.load_policy(agency, digest) if digest is not None else None
    return read_policy(body) if body is not None else None


def _policy(named: str) -> "Policy":
    from workers.shipped import compile_policy_file, policy_path

    return compile_policy_file(policy_path(named))
