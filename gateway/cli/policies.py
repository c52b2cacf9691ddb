"""``rapport policy``: check, explain and compare what agencies promise, and adopt it over all that is open.

Checking, explaining and comparing files needs no server; only ``--agency`` asks the log.
"""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from gateway.cli import options as o
from gateway.cli.connect import Options, Session, perform

if TYPE_CHECKING:
    from events.policy import Policy
    from events.policy_diff import RuleChange
    from events.policy_explain import Explained

_SIGNS: Final = {"added": "+", "removed": "-", "changed": "~"}
_STYLES: Final = {"added": "green", "removed": "red", "changed": "yellow"}


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    from gateway.cli import adopting, policy_check

    group = typer.Typer(help="What an agency promises, as data.", no_args_is_help=True)
    group.command("check")(policy_check.check)
    group.command("explain")(explain)
    group.command("diff")(diff)
    group.command("adopt")(adopting.adopt)
    app.add_typer(group, name="policy", rich_help_panel="Agencies")


def explain(
    file: Annotated[
        str | None, typer.Argument(help="A policy's file, or the name of one that ships.", metavar="FILE")
    ] = None,
    rule: Annotated[list[str] | None, typer.Option("--rule", help="Only this rule; may be repeated.")] = None,
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Tell a policy in plain words; without FILE the one that the agency follows now."""
    from events.policy_explain import explain as told_of
    from events.policy_explain import preamble
    from gateway.cli import output
    from gateway.cli.errors import Wrong
    from gateway.cli.paging import paged

    policy = named(file) if file is not None else perform(Options(agency, data, as_json), in_force)
    told = told_of(policy)
    if rule:
        _all_known(rule, policy)
        told = [each for each in told if each.id in rule]
    if as_json:
        output.emit(
            {
                "policy": policy.name,
                "digest": policy.digest(),
                "preamble": preamble(policy),
                "rules": told,
            }
        )
        return
    if not told:
        raise Wrong("the policy has no rule to tell")
    with paged():
        _show(policy, told)


def _all_known(rules: list[str], policy: "Policy") -> None:
    from events.policy_table import suggestion
    from gateway.cli.errors import Wrong

    known = rule_ids(policy)
    for each in rules:
        if each not in known:
            raise Wrong(f"the policy has no rule '{each}'; {suggestion(each, known)}")


def rule_ids(policy: "Policy") -> set[str]:
    """Name every rule of a policy."""
    return {each.id for each in policy.gates} | {each.id for each in policy.obligations}


def _show(policy: "Policy", told: "list[Explained]") -> None:
    import shutil
    import sys
    import textwrap

    from events.policy_explain import preamble
    from gateway.cli.output import block, line

    width = min(shutil.get_terminal_size().columns, 100) if sys.stdout.isatty() else 100
    head = " ".join([f"The policy {policy.name}, in words.", *preamble(policy)])
    block(textwrap.fill(head, width))
    for each in told:
        line()
        line(each.id, style="bold")
        for text in (each.text, f"Why: {each.because}"):
            block(textwrap.fill(text, width, initial_indent="  ", subsequent_indent="  "))


def diff(
    old: Annotated[str, typer.Argument(help="A policy's file or a shipped one's name; with --agency NEW.")],
    new: Annotated[str | None, typer.Argument(help="The other; left out with --agency.")] = None,
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Say what differs between two policies, or between what an agency follows now and a new one."""
    from events.policy_diff import diff as difference
    from gateway.cli import output
    from gateway.cli.paging import paged

    if new is not None:
        before, after = named(old), named(new)
    else:
        after = named(old)
        before = perform(Options(agency, data, as_json), in_force)
    changes = difference(before, after)
    if as_json:
        output.emit({"old": before.digest(), "new": after.digest(), "changes": changes})
        return
    with paged():
        show_changes(changes)


def show_changes(changes: "list[RuleChange]") -> None:
    """Print what differs, rule by rule."""
    from gateway.cli.output import line

    for alike in _alike(changes):
        each = alike[0]
        says = f": {each.says}" if each.says and each.how != "changed" else ""
        ids = ", ".join(one.id for one in alike)
        line(f"{_SIGNS[each.how]} {each.sort} {ids}{says}", style=_STYLES[each.how])
        for change in each.changes:
            line(f"    {change.field}: {change.was}")
            line(f"    {' ' * len(change.field)}→ {change.now}")
        for effect in each.effects:
            line(f"    {effect}", style="dim")
    counts = [f"{sum(one.how == how for one in changes)} {how}" for how in ("added", "changed", "removed")]
    line(f"{', '.join(counts)}" if changes else "the same rules")


def _alike(changes: "list[RuleChange]") -> "list[list[RuleChange]]":
    """Put rules that changed in the same way together, in the order of the first of them."""
    groups: dict[object, list[RuleChange]] = {}
    for each in changes:
        same = (each.sort, each.changes, each.effects) if each.how == "changed" else each.id
        groups.setdefault(same, []).append(each)
    return list(groups.values())


def named(text: str) -> "Policy":
    """Compile a policy's file, or one that ships, by its name."""
    from workers.shipped import compile_policy_file, policy_path

    return compile_policy_file(policy_path(text))


async def in_force(session: Session) -> "Policy":
    """Fetch the policy that the agency follows now."""
    from events.policy import read_policy
    from gateway.cli.errors import Wrong

    agency = await session.agency()
    digest = await session.having.directory.policy_digest(agency)
    body = await session.log.load_policy(agency, digest) if digest is not None else None
    if body is None:
        raise Wrong(f"agency '{agency}' follows no policy yet; adopt one with 'rapport policy adopt FILE'")
    return read_policy(body)
