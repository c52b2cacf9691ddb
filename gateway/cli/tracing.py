"""``rapport why``: what led to one event, back to the command or the word that began it.

It opens what ``show`` opens, so what it prints is not for a log.
"""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from gateway.cli import options as o
from gateway.cli.connect import Options, Session, perform
from gateway.cli.paging import paged

if TYPE_CHECKING:
    from uuid import UUID

    from events.envelope import Stored
    from events.log.port import EventLog
    from events.policy import Policy
    from gateway.cli.causes import Story

# A chain that is longer than this is not one that anybody reads.
LONGEST: Final = 100
PAGE: Final = 1000
Row = dict[str, Any]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("why", rich_help_panel="Looking")(why)


def why(
    engagement: Annotated[str, typer.Argument(help="An engagement's id, or job-order:ID.")],
    event: Annotated[str, typer.Argument(metavar="EVENT", help="An event's version, or its id.")],
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Say why an event is there: command, actor, rule, policy, and the chain of causes behind it."""
    from gateway.cli import given, output

    category, key = given.stream_of(engagement)

    async def work(session: Session) -> Row:
        return await trace(session.log, await session.agency(), category, key, event)

    told = perform(Options(agency, data, as_json), work)
    if as_json:
        output.emit(told)
        return
    with paged():
        _show(told)


async def trace(log: "EventLog", agency: str, category: str, key: str, event: str) -> Row:
    """Find all there is to say about one event of a stream."""
    from gateway.cli.causes import Story, obligation_row, rule_id, rule_row
    from gateway.cli.errors import Wrong
    from gateway.cli.reading import timeline
    from gateway.cli.telling import TOLD, read_told

    tell, registry = TOLD[category]
    events = await read_told(log, agency, category, key)
    story = Story.of(events, registry)
    stored = story.find(event)
    if stored is None:
        raise Wrong(
            f"{category}:{key} has {len(events)} events and none is '{event}'; 'rapport show' numbers them"
        )
    rows = {row["version"]: row for row in timeline(events, tell, registry)}
    named, promise = rule_id(story, stored), story.obligation_of(stored)
    opening = story.life(promise)[0] if promise is not None else stored
    policy = await _policy(log, agency, stored.policy_digest)
    rule = rule_row(named, policy) if named else None
    if rule is not None and rule["kind"] is None and opening.policy_digest != stored.policy_digest:
        # The rule is retired by now; the promise was made under an earlier policy.
        rule = rule_row(rule["id"], await _policy(log, agency, opening.policy_digest))
    return {
        "stream": stored.stream,
        "agency": agency,
        "event": rows[stored.version],
        "actor": stored.actor.model_dump(),
        "source": stored.source,
        "command": await _command(log, agency, stored),
        "rule": rule,
        "policy": {"digest": stored.policy_digest, "name": policy.name if policy else None}
        if stored.policy_digest
        else None,
        "led_to": story.led_to(stored),
        "chain": await _chain(log, agency, story, stored),
        "obligation": obligation_row(story, promise, rows) if promise is not None else None,
    }


async def _command(log: "EventLog", agency: str, stored: "Stored") -> Row:
    receipt = await log.receipt(agency, stored.stream, stored.command_id)
    return {
        "id": stored.command_id,
        "outcome": receipt.outcome if receipt else None,
        "first": receipt.first if receipt else None,
        "last": receipt.last if receipt else None,
    }


async def _policy(log: "EventLog", agency: str, digest: str | None) -> "Policy | None":
    from events.policy import read_policy

    body = await log.load_policy(agency, digest) if digest is not None else None
    return None if body is None else read_policy(body)


async def _chain(log: "EventLog", agency: str, story: "Story", stored: "Stored") -> list[Row]:
    """Follow causes back to the first event, over to other streams too; the event itself comes first."""
    from gateway.cli.causes import Story
    from gateway.cli.telling import TOLD

    chain = [_link(stored, None, story)]
    seen = {stored.event_id}
    while (cause := story.cause_of(stored)) is not None and cause[0] not in seen and len(chain) < LONGEST:
        found = story.by_id(cause[0])
        if found is None:
            found = await _elsewhere(log, agency, cause[0], before=stored.position)
            if found is None:
                break
            category = found.stream.partition(":")[0]
            events = await log.read_stream(agency, found.stream, open_personal=True)
            story = Story.of(events, TOLD[category][1])
            found = story.by_id(cause[0]) or found
        chain.append(_link(found, cause[1], story))
        seen.add(found.event_id)
        stored = found
    return chain


async def _elsewhere(log: "EventLog", agency: str, event_id: "UUID", *, before: int) -> "Stored | None":
    """Look for an event in the agency's whole log: a cause is always older than what it led to."""
    after = 0
    while page := await log.read_all(agency, after=after, limit=PAGE):
        for each in page:
            if each.event_id == event_id:
                return each
        after = page[-1].position
        if after >= before:
            break
    return None


def _link(stored: "Stored", how: str | None, story: "Story") -> Row:
    from gateway.cli.telling import TOLD

    event = story.told.get(stored.event_id)
    tell = TOLD[stored.stream.partition(":")[0]][0]
    return {
        "how": how,
        "stream": stored.stream,
        "version": stored.version,
        "event": stored.type,
        "event_id": stored.event_id,
        "at": stored.occurred_at,
        "says": tell(event) if event is not None else stored.type,
        "actor": stored.actor.model_dump(),
        "source": stored.source,
        "command_id": stored.command_id,
    }


def _show(told: Row) -> None:
    from gateway import words
    from gateway.cli.output import line
    from gateway.cli.showing_stream import events

    event, command, rule = told["event"], told["command"], told["rule"]
    actor = f"{told['actor']['kind']} {told['actor']['id']}"
    line(f"{told['stream']} version {event['version']}: {event['says']}", style="bold")
    line(f"event    {event['event']} {event['event_id']}, {words.moment(event['at'])}")
    line(f"by       {actor}, through {told['source']}")
    line(f"command  {command['id']}: {command['outcome'] or 'no receipt'}{_span(command)}")
    if rule is not None:
        line(f"rule     {rule['id']}: {rule['says'] or 'not in the policy in force'}")
        for name in ("because", "remedy"):
            if rule[name]:
                line(f"         {name}: {rule[name]}")
    policy = told["policy"]
    line(f"policy   {policy['name'] or 'not kept'} ({policy['digest'][:12]})" if policy else "policy   none")
    if told["led_to"]:
        line(f"led to   {', '.join(str(each) for each in told['led_to'])}")
    line()
    line("What it follows from, back to the beginning:", style="bold")
    for link in told["chain"]:
        where = "" if link["stream"] == told["stream"] else f"{link['stream']} "
        told_by = f"{link['actor']['kind']} {link['actor']['id']}"
        line(f"  {link['how'] or 'event'} {where}{link['version']}: {link['says']} ({told_by})")
    line(f"  begun by command {told['chain'][-1]['command_id']} through {told['chain'][-1]['source']}")
    if told["obligation"] is not None:
        line()
        _show_promise(told["obligation"])
        events(told["obligation"]["life"], depth="business")


def _span(command: Row) -> str:
    if not command["first"] or command["last"] <= command["first"]:
        return ""
    return f", versions {command['first']} to {command['last']}"


def _show_promise(promise: Row) -> None:
    from gateway import words
    from gateway.cli.output import line

    broken = "broken, " if promise["breached_at_version"] else ""
    excused = "excused, " if promise["excused"] else ""
    due = words.moment(promise["due_at"]) if promise["due_at"] else "unknown"
    about = words.subject(promise["subject"]) if promise["subject"] else "the engagement"
    end = promise["ended"] or f"open, {len(promise['ahead'])} steps ahead"
    line(f"The promise {promise['rule']} for {about}: due {due}, {broken}{excused}{end}", style="bold")
