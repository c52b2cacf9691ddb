"""``rapport subscription``: who is told of an agency's events by webhook, and what became of it.

A secret is printed when it is made, and by nothing else.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from gateway.cli import options as o
from gateway.cli.connect import Options, Session, perform

if TYPE_CHECKING:
    from workers.delivering.desk import Desk

# A command that would have a builtin's name, or look like a test to a test runner.
NAMED: Final = {"show": "list", "try_out": "test"}
# How the settings begin that say where webhooks may go.
_ALLOWED_BY: Final = "RAPPORT_WEBHOOKS_ALLOW_"
_WHOSE: Final = "here this shell's settings decide, not the running stack's: set it here as it is set there"
Row = dict[str, Any]
Work = Callable[["Desk", str], Awaitable[Row]]
Which = Annotated[str, typer.Argument(metavar="ID", help="The subscription's id, or its name.")]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    group = typer.Typer(help="Tell other systems what happens, by signed webhooks.", no_args_is_help=True)
    for command in (add, show, try_out, rotate, replay, retry, pause, resume, remove):
        group.command(NAMED.get(command.__name__, command.__name__))(command)
    app.add_typer(group, name="subscription", rich_help_panel="Integrations")


def add(
    url: Annotated[str, typer.Argument(help="Where to send, by https.")],
    types: Annotated[
        list[str] | None,
        typer.Option("--type", metavar="T", help="An event type; repeat it for several. None: all."),
    ] = None,
    personal: Annotated[
        bool, typer.Option("--personal", help="Send personal fields as well; they leave the agency then.")
    ] = False,
    name: Annotated[str, typer.Option(help="What people call it.")] = "",
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Subscribe a receiver to what happens from now on, and show the secret that signs, this once."""

    async def work(desk: "Desk", named: str) -> Row:
        of, secret = await desk.add(named, url, types=types or (), personal=personal, name=name)
        return {"subscription": of.subscription_id, "secret": secret, "position": of.position}

    _do(work, Options(agency, data, as_json), _secret_said("subscribed"))


def show(agency: o.Agency = None, data: o.Data = None, as_json: o.Json = False) -> None:
    """List the subscriptions: how far behind each is, what is parked, and the last answer."""
    from gateway.cli import output

    async def work(session: Session) -> list[Row]:
        from workers.delivering.telling import tell

        return [
            tell(each) for each in await session.having.desk.subscriptions.standing(await session.agency())
        ]

    rows = perform(Options(agency, data, as_json), work)
    if as_json:
        output.emit(rows)
        return
    columns = ("id", "name", "state", "behind", "waiting", "parked", "last answer", "to", "types")
    output.table(columns, [_cells(row) for row in rows])


def try_out(which: Which, agency: o.Agency = None, data: o.Data = None, as_json: o.Json = False) -> None:
    """Send a rapport.test event now and say what came back; exits with 1 if it was not taken."""
    from gateway.cli.errors import REFUSED

    async def work(desk: "Desk", named: str) -> Row:
        answer = await desk.test(named, await desk.find(named, which))
        says = answer.says
        if answer.status is None and _ALLOWED_BY in says:
            says += f"; {_WHOSE}"
        return {"delivered": answer.verdict == "delivered", "status": answer.status, "says": says}

    done = _do(work, Options(agency, data, as_json), lambda done: _line(done["says"]))
    if not done["delivered"]:
        raise typer.Exit(REFUSED)


def rotate(
    which: Which,
    keep: Annotated[
        float, typer.Option(metavar="HOURS", min=0, max=720, help="How long the old secret signs as well.")
    ] = 24,
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Make a new secret and show it, this once; until the old one expires, both sign."""
    from datetime import timedelta

    async def work(desk: "Desk", named: str) -> Row:
        found = await desk.find(named, which)
        secret = await desk.subscriptions.rotate(named, found, desk.clock(), timedelta(hours=keep))
        return {"subscription": found, "secret": secret}

    _do(work, Options(agency, data, as_json), _secret_said("rotated"))


def replay(
    which: Which,
    first: Annotated[
        int, typer.Option("--from", metavar="POSITION", help="The first position to be told again.")
    ],
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Tell everything from a position on once more, under the same ids."""

    async def work(desk: "Desk", named: str) -> Row:
        found = await desk.find(named, which)
        return {"events": await desk.subscriptions.replay(named, found, first, desk.clock())}

    _do(
        work,
        Options(agency, data, as_json),
        lambda done: _line(f"{done['events']} events of the log are read again"),
    )


def retry(which: Which, agency: o.Agency = None, data: o.Data = None, as_json: o.Json = False) -> None:
    """Try now what is parked or waits for its next attempt."""

    async def work(desk: "Desk", named: str) -> Row:
        found = await desk.find(named, which)
        return {"messages": await desk.subscriptions.retry(named, found, desk.clock())}

    _do(work, Options(agency, data, as_json), lambda done: _line(f"{done['messages']} are tried again"))


def pause(which: Which, agency: o.Agency = None, data: o.Data = None, as_json: o.Json = False) -> None:
    """Send nothing until it is resumed; nothing is lost meanwhile."""
    _turn(which, "paused", Options(agency, data, as_json))


def resume(which: Which, agency: o.Agency = None, data: o.Data = None, as_json: o.Json = False) -> None:
    """Go on where it stopped, also after its receiver answered 410."""
    _turn(which, "active", Options(agency, data, as_json))


def remove(which: Which, agency: o.Agency = None, data: o.Data = None, as_json: o.Json = False) -> None:
    """End it: what still waits is not sent, and its secrets are gone."""

    async def work(desk: "Desk", named: str) -> Row:
        found = await desk.find(named, which)
        await desk.subscriptions.remove(named, found)
        return {"subscription": found, "state": "removed"}

    _do(work, Options(agency, data, as_json), lambda done: _line(f"{done['subscription']} is removed"))


def _turn(which: str, state: Any, options: Options) -> None:
    async def work(desk: "Desk", named: str) -> Row:
        found = await desk.find(named, which)
        await desk.subscriptions.turn(named, found, state, desk.clock())
        return {"subscription": found, "state": state}

    _do(work, options, lambda done: _line(f"{done['subscription']} is {done['state']}"))


def _do(work: Work, options: Options, say: Callable[[Row], None]) -> Row:
    from gateway.cli import output

    async def run(session: Session) -> Row:
        named = await session.agency()
        return {"agency": named, **await work(session.having.desk, named)}

    done = perform(options, run)
    if options.as_json:
        output.emit(done)
    else:
        say(done)
    return done


def _secret_said(what: str) -> Callable[[Row], None]:
    def say(done: Row) -> None:
        _line(f"{what}: {done['subscription']}")
        _line(f"secret: {done['secret']} (it is not shown again)")

    return say


def _cells(each: Row) -> list[str]:
    return [
        each["subscription"],
        each["name"] or "-",
        each["state"],
        str(each["behind"]),
        str(each["pending"]),
        str(each["parked"]),
        each["says"] or "none yet",
        each["url"],
        ", ".join(each["types"]) or "all",
    ]


def _line(text: str) -> None:
    from gateway.cli import output

    output.line(text)
