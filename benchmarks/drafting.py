"""Events as the domain makes them, for benchmarks of the log alone: no workflow, no decision timed.

Every second one carries personal words, as in ``giving``.
"""

from datetime import UTC, datetime, timedelta

from benchmarks.giving import WORDS
from events.catalogue import ContactMade
from events.codec import draft
from events.commands import OpenEngagement, Order, RecordCheck, RecordContact
from events.decider import prepare
from events.envelope import Actor, AppendRequest, CommandGroup, Draft, Stored, event_id
from events.policy import Policy
from events.state import Engagement

PERSON = Actor(kind="person", id="r-1")
BEGINNING = datetime(2026, 1, 5, 9, tzinfo=UTC)
EPOCH = bytes(32)


def stream_of(run: str, caller: int) -> str:
    """This will name a caller's own stream."""
    return f"engagement:{run}-{caller}"


def one_event(agency: str, stream: str, number: int) -> AppendRequest:
    """This will ask for one event to be appended at version *number* + 1."""
    command_id = f"command-{number}"
    made = _contact(agency, stream, command_id, number)
    given = f'{{"at":null,"channel":"phone","command":"record-contact","number":{number}}}'
    group = CommandGroup(command_id=command_id, input=given, outcome="accepted", drafts=(made,))
    return AppendRequest(agency=agency, stream=stream, expected=number, acked=number, groups=(group,))


def life(policy: Policy, commands: int) -> list[Stored]:
    """This will decide an engagement of contacts and checks and return its stream, as a log holds it."""
    agency, stream, stored = "bench", "engagement:e-1", list[Stored]()
    state = Engagement()
    for number in range(commands + 1):
        order = _order(number)
        now = BEGINNING + timedelta(hours=number)
        prepared = prepare(order, state, policy, now, agency=agency, engagement_id="e-1")
        state = prepared.state
        for each in prepared.group.drafts:
            stored.append(_stored(each, agency, stream, order.command_id, len(stored) + 1))
    return stored


def _order(number: int) -> Order:
    command: OpenEngagement | RecordCheck | RecordContact
    if number == 0:
        command = OpenEngagement(candidate_id="c-1", owner="r-1")
    elif number % 2:
        command = RecordContact(channel="phone", by="r-1", note=WORDS)
    else:
        command = RecordCheck(check="reference", outcome="fine")
    return Order(command_id=f"command-{number}", command=command, actor=PERSON, source="bench")


def _contact(agency: str, stream: str, command_id: str, number: int) -> Draft:
    at = BEGINNING + timedelta(minutes=number)
    event = ContactMade(
        at=at,
        contact_id=f"contact-{number}",
        by="r-1",
        channel="phone",
        note=None if number % 2 else WORDS,
    )
    identity = event_id(agency, stream, command_id, 0)
    return draft(event, event_id=identity, decided_at=at, actor=PERSON, source="bench")


def _stored(made: Draft, agency: str, stream: str, command_id: str, version: int) -> Stored:
    envelope = made.model_dump(exclude={"personal", "key_subject", "after_close", "body"})
    # Personal words never reach a fold in clear: the log hands their place over, sealed.
    body = made.body.replace(f'"{WORDS}"', f'{{"sealed":"{"0" * 64}"}}')
    return Stored.model_validate(
        {
            **envelope,
            "position": version,
            "agency": agency,
            "stream": stream,
            "version": version,
            "command_id": command_id,
            "recorded_at": made.decided_at,
            "body": body,
            "content_hash": EPOCH,
            "chain_hash": EPOCH,
        }
    )
