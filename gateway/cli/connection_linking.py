"""``rapport connection link``: a person confirms what another system's id stands for here.

A link is never guessed: what it points to must be there.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from gateway.cli import options as o
from gateway.cli.connect import Options, Session, perform

if TYPE_CHECKING:
    from workers.inbox.links import Target

Kind = Literal["candidate", "application", "job", "interview", "offer", "sender"]
# What each kind stands for beside an engagement.
_NEEDS: dict[str, str | None] = {
    "candidate": None,
    "application": "submission",
    "job": "job-order",
    "interview": "interview",
    "offer": "offer",
    "sender": None,
}


def register(group: typer.Typer) -> None:
    """Add this file's command."""
    group.command("link")(link)


def link(
    connection: Annotated[str, typer.Argument(metavar="ID", help="The connection's id, or its name.")],
    kind: Annotated[Kind, typer.Argument(help="What the other system calls it.")],
    external: Annotated[str, typer.Argument(help="The other system's id.")],
    engagement: Annotated[str | None, typer.Option(metavar="E", help="The engagement.")] = None,
    submission: Annotated[str | None, typer.Option(metavar="S", help="Of an application.")] = None,
    interview: Annotated[str | None, typer.Option(metavar="I", help="Of an interview.")] = None,
    offer: Annotated[str | None, typer.Option(metavar="O", help="Of an offer.")] = None,
    job_order: Annotated[str | None, typer.Option(metavar="J", help="Of a job.")] = None,
    actor: o.Person = "operator:cli",
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Confirm what another system's id stands for; what waited for it is read again."""
    from gateway.cli import given, output

    who = given.actor(actor)
    named = {"submission": submission, "interview": interview, "offer": offer, "job-order": job_order}
    _check(kind, engagement, named)

    async def work(session: Session) -> dict[str, Any]:
        from workers.inbox.links import Link

        theirs = await session.agency()
        found = (await session.having.connections.named(theirs, connection)).id
        target = await target_of(session, theirs, kind, engagement, named)
        by = f"{who.kind}:{who.id}"
        links = [Link(kind, external, target)]
        again = await session.having.links.learn(theirs, found, links, by=by, how="confirmed")
        return {"connection": found, "kind": kind, "read_again": again}

    told = perform(Options(agency, data, as_json), work)
    if as_json:
        output.emit(told)
    else:
        output.line(f"linked this {kind}; {told['read_again']} that waited for it will be read again")


def _check(kind: str, engagement: str | None, named: dict[str, str | None]) -> None:
    from gateway.cli.errors import Wrong

    needed = _NEEDS[kind]
    beside = {name for name, value in named.items() if value is not None}
    wanted = set() if needed is None else {needed}
    whose = kind != "job"
    if beside != wanted or whose != (engagement is not None):
        parts = (["--engagement"] if whose else []) + ([f"--{needed}"] if needed is not None else [])
        raise Wrong(f"of {'an' if kind[0] in 'aio' else 'a'} {kind} give {' and '.join(parts)}, and no other")


async def target_of(
    session: Session, agency: str, kind: str, engagement: str | None, named: dict[str, str | None]
) -> "Target":
    """Find what is named, which must be there.

    :raises UnknownReference: it is not.
    """
    from events.errors import UnknownReference
    from events.fold import fold
    from gateway.cli import given
    from gateway.cli.errors import Wrong
    from workers.inbox.links import Target

    job_order = named["job-order"]
    if job_order is not None:
        stream = f"job-order:{given.identity(job_order, 'the job order')}"
        if not await session.log.read_stream(agency, stream, limit=1):
            raise UnknownReference("job order", job_order, "open it first, or mend its id")
        return Target(job_order=job_order)
    stream = f"engagement:{given.identity(str(engagement), 'the engagement')}"
    events = await session.log.read_stream(agency, stream)
    if not events:
        raise Wrong(f"there is no engagement '{engagement}'; 'rapport list' names them")
    ours = _NEEDS[kind]
    if ours is None:
        return Target(engagement)
    state = fold(events)
    key = given.identity(str(named[ours]), f"the {ours}")
    there: Mapping[str, Any] = state.interviews if ours == "interview" else state.offers
    if ours == "submission":
        there = state.submissions
    if key not in there:
        raise UnknownReference(ours, key, f"'rapport show {engagement}' names what there is")
    return Target(engagement, key, there[key].job_order_id if ours == "submission" else None)
