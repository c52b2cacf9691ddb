"""``rapport backtest``: a policy tried on the past before it is adopted.

It writes nothing into any log, and asks no workflow.
"""

import io
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli import options as o
from gateway.cli.escaping import escaped_json

if TYPE_CHECKING:
    from events.policy import Policy
    from gateway.cli.connect import Session
    from workers.backtest.report import BacktestReport
    from workers.backtest.run import Own


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("backtest", rich_help_panel="Policies")(backtest)


def backtest(
    policy: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="The policy to try, or one that ships; else the one in force, with --ocel starter.",
        ),
    ] = None,
    against: Annotated[
        str | None, typer.Option(metavar="FILE", help="Another policy, to stand beside it.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="Count only what happens from here on.")
    ] = None,
    before: Annotated[
        str | None, typer.Option("--to", metavar="DATE", help="Look no further than this.")
    ] = None,
    ocel: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A foreign log, in OCEL JSON; not the agency's own.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option("--map", metavar="FILE", help="What its events mean, in TOML.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(metavar="PEOPLE", min=1, help="Only so many of those who came first.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option("--pseudonym-key", metavar="FILE", help="Makes ids the same every time.")
    ] = None,
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Try a policy on the past: what it would have opened, kept, broken, escalated, and to whom."""
    from dataclasses import replace

    from gateway.cli import output
    from gateway.cli.connect import Options, perform, settings_of
    from gateway.cli.errors import Wrong
    from workers.backtest.run import Foreign, Tried, backtest_ocel, backtest_own
    from workers.backtest.tally import Window

    window = Window(_moment(since, "--from"), _moment(before, "--to"))
    if window.since is not None and window.before is not None and window.since >= window.before:
        raise Wrong("--from must lie before --to; swap them")
    tried = Tried(_file(policy), _file(against), window, limit)
    if (ocel is None) != (mapping is None):
        raise Wrong("a foreign log needs both: --ocel FILE and --map FILE, which says what its events mean")
    if ocel is not None and mapping is not None:
        with backtest_ocel(Foreign(ocel, mapping, settings_of(data).data_dir, key), tried) as report:
            _tell(report, as_json)
        return
    tried.policies()  # what is wrong with them is told before any server is asked
    own, follows = perform(Options(agency, data, as_json), _own if policy is not None else _own_as_it_is)
    if follows is not None:
        tried = replace(tried, policy=follows)
        if not as_json:
            output.line(f"Tried is the policy in force, '{follows.name}'; --policy FILE tries another.")
    with backtest_own(own, tried) as report:
        _tell(report, as_json)


async def _own(session: "Session") -> "tuple[Own, Policy | None]":
    """Look up what it takes to read the agency's log, where the policy to try is given."""
    return await _read(session), None


async def _own_as_it_is(session: "Session") -> "tuple[Own, Policy | None]":
    """Look it up together with the policy that the agency follows now."""
    from gateway.cli.policies import in_force

    return await _read(session), await in_force(session)


async def _read(session: "Session") -> "Own":
    from gateway.cli.connect import addresses
    from gateway.cli.errors import Wrong
    from workers.backtest.run import Own, present

    name = await session.agency()
    first = await session.log.read_all(name, limit=1, category="engagement")
    if not first:
        raise Wrong(f"agency '{name}' has no engagement yet; give --ocel FILE --map FILE for another's log")
    where = addresses(session.settings).database_url
    assert where is not None, "a session has a database"
    return Own(
        name=name,
        database_url=where,
        agency=await session.having.directory.agency(name),
        begins=first[0].decided_at,
        now=present(),
        events=(await session.log.log_head(name)).position,
    )


def _tell(report: "BacktestReport", as_json: bool) -> None:
    from gateway.cli import output

    if as_json:
        report.write_json(_Escaping())
        sys.stdout.flush()
        return
    report.render(output.console())


class _Escaping(io.StringIO):
    """Passes JSON on to stdout piece by piece: there may be very many breaches."""

    def write(self, text: str) -> int:
        """Escape what JSON would let pass."""
        return sys.stdout.write(escaped_json(text))


def _file(named: str | None) -> Path | None:
    from workers.shipped import policy_path

    return policy_path(named) if named is not None else None


def _moment(text: str | None, option: str) -> datetime | None:
    from datetime import UTC

    from gateway.cli.errors import Wrong

    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Wrong(f"{option} takes a date like 2026-07-01, or a moment like 2026-07-01T09:00:00Z") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
