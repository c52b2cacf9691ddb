"""``rapport reassign``: hands a caseload over, whole, to one colleague or shared out among several.

What was begun and not finished comes first: the same command again goes on where it was.
"""

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from gateway.cli import options as o
from gateway.cli.connect import Options, Session, perform
from gateway.cli.paging import paged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from activities.caseload import Caseload
    from events.agency import Agency
    from events.caseloads import Reassignment
    from events.envelope import Actor
    from workers.reassigning import Notes, Outcome, Reassigning

Row = dict[str, Any]
# Who answers for candidates: nobody else is handed any.
_TAKING: Final = ("recruiter", "team-lead", "director")
# So many ids are named in one sentence.
_NAMED: Final = 5


def register(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command("reassign", rich_help_panel="Engagements")(reassign)


def reassign(
    from_person: Annotated[
        str | None, typer.Option("--from", metavar="PERSON", help="Whose caseload is handed over.")
    ] = None,
    to: Annotated[str | None, typer.Option(metavar="PERSON", help="Who takes all of it.")] = None,
    by: Annotated[
        str | None,
        typer.Option(help="'caseload': shared out, each next to whoever of the team has the fewest."),
    ] = None,
    note: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|TEXT", help="What the next one must know; a .toml file: a note for each engagement."
        ),
    ] = None,
    reason: Annotated[str, typer.Option(metavar="CODE", help="E.g. recruiter-left, recruiter-ill.")] = (
        "unspecified"
    ),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show who would get what.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Finish what was begun, and begin nothing.")
    ] = False,
    actor: o.Person = "operator:cli",
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Hand over all that somebody answers for: candidates with a note, clients' jobs with their submissions.

    Every candidate is to be introduced to the new recruiter, as the policy says; no due time moves.
    """
    from gateway.cli import given, output
    from gateway.cli.errors import Wrong
    from gateway.cli.notes import read_notes

    if by not in (None, "caseload"):
        raise Wrong("--by knows one way to share out: --by caseload")
    if not resume and (from_person is None or (to is None) == (by is None)):
        raise Wrong("say --from PERSON and either --to PERSON or --by caseload; or --resume what was begun")
    if resume and (to or by or dry_run):
        raise Wrong("--resume finishes what was begun as it was allotted; leave out --to, --by and --dry-run")
    who, notes = given.actor(actor), read_notes(note)

    async def work(session: Session) -> list[Row]:
        return await _Handing(session, who, notes, reason).do(from_person, to, dry_run, resume)

    rows = perform(Options(agency, data, as_json), work)
    if as_json:
        output.emit(rows if resume else rows[0])
        return
    with paged():
        for row in rows:
            _show(row)


class _Handing:
    """One call of the command."""

    def __init__(self, session: Session, who: "Actor", notes: "Notes", reason: str) -> None:
        self._session, self._who, self._notes, self._reason = session, who, notes, reason

    async def do(self, from_person: str | None, to: str | None, dry_run: bool, resume: bool) -> list[Row]:
        from gateway.cli.errors import Wrong

        named = await self._session.agency()
        state = await self._session.having.directory.agency(named)
        unfinished = [
            each
            for each in state.reassignments.values()
            if from_person is None or each.from_person == from_person
        ]
        if resume:
            if not unfinished:
                raise Wrong(
                    "nothing that was begun is left to finish; 'rapport reassign --from PERSON' begins"
                )
            self._must_move(_engagements(*unfinished))
            return [await self._finish(named, each, resumed=True) for each in unfinished]
        assert from_person is not None
        _must_be_known(state, from_person, to)
        if unfinished:
            if to is not None and any(each != to for each in _receiving(unfinished[0])):
                raise Wrong(
                    f"'{from_person}' is being handed over to others already; finish that first with --resume"
                )
            allotted = _engagements(unfinished[0])
            self._must_move(allotted)
            if dry_run:
                left = await self._left(named, from_person, allotted)
                return [{**_row(unfinished[0], "begun"), "without_note": self._notes.without(left)}]
            return [await self._finish(named, unfinished[0], resumed=True)]
        return [await self._begin(named, state, from_person, to, dry_run)]

    async def _begin(
        self, named: str, state: "Agency", from_person: str, to: str | None, dry_run: bool
    ) -> Row:
        from uuid import uuid4

        from activities.caseload import Caseload, caseloads

        every = await caseloads(self._session.log, named)
        theirs = every.get(from_person, Caseload())
        allotted = _allotted(state, every, theirs, from_person, to)
        if allotted:
            self._must_move(theirs.engagements)
        identity = f"handing-{uuid4().hex[:12]}"
        data: Row = {
            "reassignment_id": identity,
            "from_person": from_person,
            "reason": self._reason,
            "allotment": [{"engagement": each, "to": allotted[each, ""]} for each in theirs.engagements],
            "job_orders": [{"job_order": each, "to": allotted["", each]} for each in theirs.jobs],
        }
        if dry_run or not allotted:
            without = self._notes.without(theirs.engagements)
            return {**data, "without_note": without, "state": "dry-run" if allotted else "nothing-to-do"}
        running = await (await self._mover(named)).start(identity, data)
        assert running is not None
        return await self._finish(named, running, resumed=False)

    async def _finish(self, named: str, running: "Reassignment", *, resumed: bool) -> Row:
        mover = await self._mover(named)
        with _progress() as told:
            outcome = await mover.finish(running, self._notes, told)
        return {**_row(running, "finished"), "resumed": resumed, **_became(outcome)}

    def _must_move(self, engagements: "Iterable[str]") -> None:
        """Refuse notes about what does not move, before anything does."""
        from gateway.cli.errors import Wrong

        strangers = self._notes.strangers({*engagements})
        if not strangers:
            return
        more = f" and {len(strangers) - _NAMED} more" if len(strangers) > _NAMED else ""
        told = ", ".join(f"'{each}'" for each in strangers[:_NAMED]) + more
        among = "is not among" if len(strangers) == 1 else "are not among"
        raise Wrong(f"--note: {told} {among} the engagements that move (misspelt?); correct that file first")

    async def _left(self, named: str, person: str, allotted: "list[str]") -> "list[str]":
        from activities.caseload import Caseload, caseloads

        theirs = (await caseloads(self._session.log, named)).get(person, Caseload())
        return [each for each in allotted if each in theirs.engagements]

    async def _mover(self, named: str) -> "Reassigning":
        from workers.reassigning import Reassigning

        having, engagements = self._session.having, await self._session.engagements(named)
        return Reassigning(having.log, having.service, engagements, named, self._who)


def _must_be_known(state: "Agency", from_person: str, to: str | None) -> None:
    from difflib import get_close_matches

    from gateway.cli.errors import Wrong

    everybody = {"--from": {*state.people, *state.left}, "--to": {*state.people}}
    for option, person in (("--from", from_person), ("--to", to)):
        if person is None or person in everybody[option]:
            continue
        near = get_close_matches(person, sorted(state.people), n=1)
        hint = f"did you mean '{near[0]}'?" if near else "'rapport agency people' lists everybody"
        raise Wrong(f"{option} names nobody who works here; {hint}")
    if to is not None and (role := state.people[to].role) not in _TAKING:
        raise Wrong(f"--to: '{to}' has the role {role}; name a recruiter, a team lead or a director")
    if to == from_person:
        raise Wrong(f"'{to}' cannot hand over to themselves; name somebody else with --to")


def _allotted(
    state: "Agency", every: "dict[str, Caseload]", theirs: "Caseload", from_person: str, to: str | None
) -> dict[tuple[str, str], str]:
    """Say who gets which engagement, and which job order."""
    from datetime import UTC, datetime

    from events.caseloads import allot
    from gateway.cli.errors import Wrong
    from workers.reassigning import receivers

    things = [*((each, "") for each in theirs.engagements), *(("", each) for each in theirs.jobs)]
    if to is not None:
        return dict.fromkeys(things, to)
    found = receivers(state, from_person, datetime.now(UTC))
    if not found and things:
        raise Wrong("no recruiter is there to share it out among; name who takes it with --to PERSON")
    load = {each: len(every[each].engagements) for each in found if each in every}
    shared = allot(theirs.engagements, found, load)
    for person in shared.values():
        load[person] = load.get(person, 0) + 1
    jobs = allot(theirs.jobs, found, load)
    return {
        **{(each, ""): who for each, who in shared.items()},
        **{("", each): who for each, who in jobs.items()},
    }


def _engagements(*running: "Reassignment") -> list[str]:
    return [each.engagement for one in running for each in one.allotment]


def _receiving(running: "Reassignment") -> set[str]:
    return {each.to for each in running.allotment} | {each.to for each in running.job_orders}


def _row(running: "Reassignment", state: str) -> Row:
    return {
        "reassignment_id": running.reassignment_id,
        "from_person": running.from_person,
        "reason": running.reason,
        "started_at": running.started_at,
        "allotment": [each.model_dump() for each in running.allotment],
        "job_orders": [each.model_dump() for each in running.job_orders],
        "state": state,
    }


def _became(outcome: "Outcome") -> Row:
    return {
        "moved": outcome.moved,
        "without_note": outcome.without_note,
        "job_orders_moved": outcome.job_orders_moved,
        "skipped": [each.model_dump() for each in outcome.skipped],
    }


@contextmanager
def _progress() -> "Iterator[Callable[[int, int], None]]":
    """Show how far it is, on a terminal only; stdout is for what came of it."""
    if not sys.stderr.isatty():
        yield lambda _done, _of: None
        return
    from rich.progress import Progress

    from gateway.cli import output

    with Progress(console=output.console(stderr=True), transient=True) as progress:
        task = progress.add_task("handing over", total=None)
        yield lambda done, of: progress.update(task, completed=done, total=of)


def _show(row: Row) -> None:
    from gateway.cli.output import line, table
    from gateway.words import moment

    who = row["from_person"]
    if row["state"] == "nothing-to-do":
        line(f"{who} answers for nothing; there is nothing to hand over")
        return
    if row["state"] != "finished":
        table(
            ["WHAT", "TO"],
            [
                *([each["engagement"], each["to"]] for each in row["allotment"]),
                *([f"job-order:{each['job_order']}", each["to"]] for each in row["job_orders"]),
            ],
        )
        begun = "begun, not finished" if row["state"] == "begun" else "nothing moved: this is a dry run"
        line(
            f"{len(row['allotment'])} engagements and {len(row['job_orders'])} job orders of {who} ({begun})"
        )
        _show_without(row["without_note"])
        return
    for each in row["skipped"]:
        line(f"skipped: {each['stream']} ({each['why'].replace('-', ' ')})")
    went_on = f", which was begun {moment(row['started_at'])}" if row["resumed"] else ""
    counted = _counted(row["moved"], row["job_orders_moved"])
    line(f"{row['reassignment_id']}{went_on}: {counted} of {who} moved, {len(row['skipped'])} skipped")
    _show_without(row["without_note"])
    if row["resumed"]:
        line(
            f"finished as it was allotted; what {who} has got since is handed over by the same command again"
        )


def _show_without(without: int) -> None:
    from gateway.cli.output import line

    if without:
        line(f"without a note: {without} engagement{'' if without == 1 else 's'}")


def _counted(engagements: int, job_orders: int) -> str:
    told = "1 engagement" if engagements == 1 else f"{engagements} engagements"
    return f"{told} and {job_orders} job order{'' if job_orders == 1 else 's'}"
