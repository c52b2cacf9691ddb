"""``rapport policy adopt``: a policy for an agency, and for every engagement that is open.

It shows what would change before anything is written; killed in the middle, the same line again goes on.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from gateway.cli import options as o
from gateway.cli.connect import Options, Session, perform

if TYPE_CHECKING:
    from events.envelope import Actor
    from events.kinds import Modes
    from events.policy import Policy
    from events.policy_diff import RuleChange
    from workers.adopting import Account, Adoption

INCOMPLETE: Final = 1
_MODES: Final = ("observe", "remind", "enforce")


def adopt(
    file: Annotated[str, typer.Argument(help="A policy's file, or the name of one that ships.")],
    mode: Annotated[
        str | None,
        typer.Option(
            metavar="MODE", help="Every rule's mode: observe, remind or enforce; else the file's own."
        ),
    ] = None,
    rule: Annotated[
        list[str] | None,
        typer.Option("--rule", metavar="RULE=MODE", help="One rule's mode; may be repeated."),
    ] = None,
    keep_modes: Annotated[
        bool,
        typer.Option("--keep-modes", help="Promises that are open keep their mode until they end."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    actor: o.Person = "operator:cli",
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Adopt a policy: for the agency, and by one event for each engagement that is open.

    Open promises keep their due time unless their rule says applies = "open"; those whose rule is gone are
    dropped; all take their rule's mode at once.  Running it again goes on where it stopped.
    """
    from gateway.cli import given, output
    from gateway.cli.policies import named, show_changes

    policy = in_modes(named(file), mode, rule or [])
    who = given.actor(actor)

    async def work(session: Session) -> dict[str, Any]:
        named_agency = await session.agency()
        changes = await _changes(session, policy, named_agency)
        there = await _open_there(session, named_agency)
        if not as_json:
            show_changes(changes)
        if not yes:
            _ask(policy, named_agency, there, may_ask=not as_json)
        done = await _adopt(session, policy, who, named_agency, "new" if keep_modes else "open", there)
        return {**done, "changes": changes}

    told = perform(Options(agency, data, as_json), work)
    if as_json:
        output.emit(told)
    else:
        _show(told)
    if told["refused"] or told["unanswered"]:
        raise typer.Exit(INCOMPLETE)


def in_modes(policy: "Policy", mode: str | None, rules: list[str]) -> "Policy":
    """Give a policy with the modes that the command line asks for, or one sentence about why not."""
    from events.policy_checks import problems_of
    from events.policy_table import suggestion
    from gateway.cli.errors import Wrong
    from gateway.cli.policies import rule_ids

    wanted = dict.fromkeys(rule_ids(policy), mode) if mode is not None else {}
    for each in rules:
        name, equals, its_mode = each.rpartition("=")
        if not equals:
            raise Wrong(f"--rule is written RULE=MODE, such as --rule {each}=observe")
        if name not in rule_ids(policy):
            raise Wrong(f"the policy has no rule '{name}'; {suggestion(name, rule_ids(policy))}")
        wanted[name] = its_mode
    for each in wanted.values():
        if each not in _MODES:
            raise Wrong(f"there is no mode '{each}'; {suggestion(str(each), _MODES)}")

    def changed(rule: Any) -> Any:
        return rule.model_copy(update={"mode": wanted.get(rule.id, rule.mode)})

    policy = policy.model_copy(
        update={
            "gates": tuple(map(changed, policy.gates)),
            "obligations": tuple(map(changed, policy.obligations)),
        }
    )
    if wanted and (problems := problems_of(policy)):
        raise Wrong(f"in these modes the policy cannot be run: {problems[0]}")
    return policy


async def _changes(session: Session, policy: "Policy", agency: str) -> "list[RuleChange]":
    from events.policy import Policy
    from events.policy_diff import diff
    from gateway.cli.policies import in_force

    follows_one = await session.having.directory.policy_digest(agency) is not None
    return diff(await in_force(session) if follows_one else Policy(name=policy.name), policy)


async def _open_there(session: Session, agency: str) -> int:
    from workers.adopting import open_engagements

    return len(await open_engagements(session.log, agency))


def _ask(policy: "Policy", agency: str, there: int, *, may_ask: bool) -> None:
    from gateway.cli.errors import Wrong
    from gateway.cli.escaping import escaped

    if not (may_ask and sys.stdin.isatty() and sys.stdout.isatty()):
        raise Wrong("this changes what an agency promises, and there is no terminal to ask on; add --yes")
    engagements = "1 engagement that is open" if there == 1 else f"{there} engagements that are open"
    typer.confirm(escaped(f"Adopt {policy.name} for agency {agency} and {engagements}?"), abort=True)


async def _adopt(
    session: Session, policy: "Policy", who: "Actor", agency: str, modes: "Modes", there: int
) -> dict[str, Any]:
    from gateway import adopting

    # Before anything is written: without Temporal the agency alone would have it.
    running = await session.engagements(agency)
    with _progress(there) as told:
        outcome, work = await adopting.begin(
            session.having, running, agency, policy, actor=who, modes=modes, source="cli", told=told
        )
        account = await _to_the_end(work, there)
    return adopting.account_of(agency, policy, outcome, account)


async def _to_the_end(work: "Adoption", there: int) -> "Account":
    from gateway.cli.errors import Wrong
    from workers.adopting import NobodyAnswers, Superseded

    try:
        return await work.run()
    except Superseded:
        done = work.account.adopted + work.account.had_it
        raise Wrong(
            f"another policy was adopted meanwhile, so this one stopped after {done} of {there} engagements; "
            "adopt the policy that is to hold once more, and nothing else beside it"
        ) from None
    except NobodyAnswers:
        done = work.account.adopted + work.account.had_it
        raise Wrong(
            f"the agency has adopted it, {done} of {there} engagements follow it, and nobody answers for the "
            "others; is a worker running? The same command again goes on from here"
        ) from None


@contextmanager
def _progress(total: int) -> "Iterator[Callable[[Account], None]]":
    """Show how far it is, on a terminal only."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.progress import Progress

    from gateway.cli import output

    with Progress(console=output.console(stderr=True), transient=True) as bar:
        task = bar.add_task("engagements", total=total)
        yield lambda account: bar.update(task, completed=account.seen)


def _show(told: dict[str, Any]) -> None:
    from gateway.cli.output import line

    how = "adopted" if told["agency_outcome"] == "accepted" else "followed already"
    line(f"policy {told['policy']} ({told['digest'][:12]}) {how} by agency {told['agency']}")
    line(
        f"open engagements: {told['adopted']} put under it, {told['had_it']} had it; "
        f"{told['closed']} are closed and keep what they had"
    )
    if told["importing"]:
        line(f"{told['importing']} are being imported, and take it when they go live")
    for engagement, why in told["refused"].items():
        line(f"engagement {engagement} was not put under it: {why}", style="bold red")
    for engagement in told["unanswered"]:
        line(f"engagement {engagement} did not answer; run the same command again", style="bold red")
