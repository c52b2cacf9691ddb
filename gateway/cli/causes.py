"""Why an event is there: its command, its rule, what caused it, and the life of the promise it is about.

Pure but for what it is handed; an event's cause in another stream is left to whoever can read that one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final
from uuid import UUID

from events.codec import UnknownEvent, decode
from events.envelope import Stored
from events.policy import Policy

Row = dict[str, Any]
_ENDS: Final = ("obligation-met", "obligation-dropped")


@dataclass(frozen=True, slots=True)
class Story:
    """A stream's events, decoded once, in version order."""

    events: Sequence[Stored]
    told: Mapping[UUID, Any]

    @classmethod
    def of(cls, events: Sequence[Stored], registry: Mapping[str, Any]) -> "Story":
        """Decode a stream; an event of a newer version of Rapport stays unread."""
        return cls(events, {each.event_id: _read(each, registry) for each in events})

    def find(self, text: str) -> Stored | None:
        """Find an event by its version or its id."""
        return next((each for each in self.events if text in (str(each.version), str(each.event_id))), None)

    def by_id(self, event_id: UUID) -> Stored | None:
        """Find an event by its id."""
        return next((each for each in self.events if each.event_id == event_id), None)

    def led_to(self, stored: Stored) -> list[int]:
        """Name the versions that were caused by an event."""
        return [each.version for each in self.events if each.causation_id == stored.event_id]

    def obligation_of(self, stored: Stored) -> UUID | None:
        """Name the promise that an event is about: its own, or its escalation's or message's."""
        event = self.told.get(stored.event_id)
        own: UUID | None = getattr(event, "obligation_id", None)
        for key in ("escalation_id", "effect_id"):
            if own is None and (named := getattr(event, key, None)) is not None:
                own = next(
                    (
                        found
                        for each in self.told.values()
                        if getattr(each, key, None) == named
                        and (found := getattr(each, "obligation_id", None)) is not None
                    ),
                    None,
                )
        return own

    def life(self, obligation: UUID) -> list[Stored]:
        """List all that a promise went through, from its opening on."""
        return [each for each in self.events if self.obligation_of(each) == obligation]

    def cause_of(self, stored: Stored) -> tuple[UUID, str] | None:
        """Name the event that a event follows from, and how; None where a command was the beginning."""
        if stored.causation_id is not None:
            return stored.causation_id, "caused by"
        event = self.told.get(stored.event_id)
        before = [each for each in self.events if each.version < stored.version]
        if stored.command_id.startswith("effect:") and (effect := getattr(event, "effect_id", None)):
            return self._last(before, "effect_id", effect, ("outreach-requested",), "outcome of")
        if stored.command_id.startswith("step:"):
            laid = ("obligation-opened", "obligation-moved")
            return self._last(before, "obligation_id", getattr(event, "obligation_id", None), laid, "step of")
        return None

    def _last(
        self, before: Sequence[Stored], field: str, value: Any, types: tuple[str, ...], how: str
    ) -> tuple[UUID, str] | None:
        found = [
            each.event_id
            for each in before
            if each.type in types and getattr(self.told.get(each.event_id), field, None) == value
        ]
        return (found[-1], how) if found else None


def rule_id(story: Story, stored: Stored) -> str | None:
    """Name the rule that an event is about: a gate's, its own, or its promise's."""
    event = story.told.get(stored.event_id)
    named: str | None = getattr(event, "gate", None) or getattr(event, "rule", None)
    if named is not None:
        return named
    promise = story.obligation_of(stored)
    if promise is None:
        return None
    return next(
        (each.rule for key in story.life(promise) if hasattr(each := story.told[key.event_id], "rule")), None
    )


def rule_row(name: str, policy: Policy | None) -> Row:
    """Give a rule in the policy's words; without the policy, or where it holds no such rule, only its id."""
    for kind, rules in (("obligation", policy.obligations), ("gate", policy.gates)) if policy else ():
        for rule in rules:
            if rule.id == name:
                return {
                    "id": name,
                    "kind": kind,
                    "says": rule.says,
                    "because": rule.because,
                    "remedy": getattr(rule, "remedy", None),
                    "mode": rule.mode,
                }
    return {"id": name, "kind": None, "says": None, "because": None, "remedy": None, "mode": None}


def obligation_row(story: Story, obligation: UUID, rows: Mapping[int, Row]) -> Row:
    """Give a promise's whole life: what opened it, when it is due, each step, and how it ended."""
    life = story.life(obligation)
    events = [(each, story.told[each.event_id]) for each in life]
    laid = [event for each, event in events if each.type in ("obligation-opened", "obligation-moved")]
    opened = laid[0] if laid and laid[0].type == "obligation-opened" else None
    reached = {event.rung for each, event in events if each.type == "rung-reached"}
    breach = next((each.version for each in life if each.type == "obligation-breached"), None)
    ended = next(((each, event) for each, event in events if each.type in _ENDS), None)
    ahead = [] if ended or not laid else [rung for rung in laid[-1].rungs if rung.number not in reached]
    if breach is not None:
        ahead = [rung for rung in ahead if rung.do != "breach"]
    return {
        "obligation_id": obligation,
        "rule": opened.rule if opened else None,
        "subject": opened.subject if opened else None,
        "owner_role": opened.owner_role if opened else None,
        "awaits": opened.awaits if opened else None,
        "mode": opened.mode if opened else None,
        "since": opened.since if opened else None,
        "due_at": laid[-1].due_at if laid else None,
        "breached_at_version": breach,
        "excused": any(each.type == "obligation-excused" for each in life),
        "ended": _ending(ended[1]) if ended else None,
        "ended_at_version": ended[0].version if ended else None,
        "life": [rows[each.version] for each in life],
        "ahead": [asdict(rung) for rung in ahead],
    }


def _ending(event: Any) -> str:
    if event.type == "obligation-dropped":
        return "dropped"
    return "met" if event.timely else "met late"


def _read(stored: Stored, registry: Mapping[str, Any]) -> Any:
    try:
        return decode(stored, registry)
    except UnknownEvent:
        return None
