"""What a rule of a policy may say: the words it may use, and which of them make sense together.

Every check ends in what would be right; a rule that passes can be run by the engine as it is.
"""

from collections.abc import Mapping
from datetime import timedelta
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from events.catalogue import AnyEvent, Event
from events.commands import AnyCommand, Command
from events.durations import written
from events.gates import NEEDS_CHECK
from events.personal import personal_fields
from events.policy import (
    LEVELS,
    SUBJECT_FIELDS,
    GateRule,
    LadderStep,
    ObligationRule,
    Policy,
    Span,
    Trigger,
    level_of,
)
from events.policy_needs import Note, check_needs, family_of, needs_of, unknown_gate
from events.policy_table import article, quoted, suggestion
from events.toml_lines import Path

EVENTS: Final[Mapping[str, type[Event]]] = {
    each.model_fields["type"].default: each for each in get_args(get_args(AnyEvent)[0])
}
COMMANDS: Final[Mapping[str, type[Command]]] = {
    each.model_fields["name"].default: each for each in get_args(get_args(AnyCommand)[0])
}
INTENTS: Final = frozenset(name for name, command in COMMANDS.items() if command.kind == "intent")

# The gates that look at the job order which a command names, and those that look at one command only.
ABOUT_A_JOB: Final = frozenset({"right-to-represent", "no-double-submission", "good-enough-fit"})
WITH_CHECKS: Final = frozenset({"propose-job", "submit", "schedule-interview"})
GUARDING_ONLY: Final[Mapping[str, str]] = {"long-pause-needs-lead": "pause"}
# An event that lays each planned time down.
PLANNED_BY: Final[Mapping[str, str]] = {
    "starts_at": "interview-scheduled",
    "ends_at": "interview-scheduled",
    "starts_on": "offer-accepted",
    "started_on": "placement-started",
    "ends_on": "placement-started",
    "expires_at": "offer-extended",
    "expected_by": "no-match-yet",
}
KNOWN_TEMPLATES: Final = frozenset(
    {"obligation-reminder", "escalation", "propose-reassignment", "candidate-apology"}
)
CANDIDATE_TEMPLATES: Final = frozenset({"candidate-apology"})

# The fields by which an event can name a subject: a submission stands for its interviews and its
# application too, an interview for its submission and its application.
_NAMING: Final[Mapping[str, frozenset[str]]] = {
    "application": frozenset({"application_id", "submission_id", "interview_id", "about"}),
    "submission": frozenset({"submission_id", "interview_id", "about"}),
    "interview": frozenset({"interview_id", "submission_id", "about"}),
    "message": frozenset({"message_id", "about"}),
    "job-order": frozenset({"job_order_id", "about"}),
    "offer": frozenset({"offer_id", "submission_id", "about"}),
    "placement": frozenset({"placement_id", "submission_id", "about"}),
    "conflict": frozenset({"conflict_id", "about"}),
    "no-match": frozenset({"no_match_id", "about"}),
}
_NOW: Final = timedelta(0)


def key(field: str) -> str:
    """Spell a field as a policy file does."""
    return field.replace("_", "-")


def problems_of(policy: Policy) -> list[str]:
    """List what is wrong with a compiled policy, wherever it comes from; empty if it can be run as it is."""
    problems: list[str] = []

    def noting(rule: str) -> Note:
        return lambda path, says: problems.append(f"{rule}, {'.'.join(str(each) for each in path)}: {says}")

    for gate in policy.gates:
        if (wrong := unknown_gate(gate.id)) is not None:
            problems.append(f"{gate.id}: {wrong}")
        else:
            check_gate(gate, noting(gate.id))
            check_needs(gate.id, needs_of(gate), noting(gate.id))
    for rule in policy.obligations:
        unknown = [
            each.event
            for each in (*rule.opens_on, *rule.met_by, *rule.dropped_by)
            if each.event not in EVENTS
        ]
        problems += [
            f"{rule.id}: there is no event {quoted(each)}; {suggestion(each, EVENTS)}" for each in unknown
        ]
        if not unknown:
            check_obligation(rule, noting(rule.id))
    ids = [*(gate.id for gate in policy.gates), *(rule.id for rule in policy.obligations)]
    problems += [
        f"{each}: two rules have this id" for each in sorted({each for each in ids if ids.count(each) > 1})
    ]
    return problems


def check_gate(rule: GateRule, note: Note) -> None:
    """Check that a gate guards what it can refuse."""
    right = guardable(rule.id)
    listed = f"one of {', '.join(map(quoted, right))}" if len(right) > 1 else quoted(right[0])
    for number, command in enumerate(rule.guards):
        if command not in INTENTS:
            why = f'"{command}" only reports what has happened already, and no gate refuses a report'
        elif command in right:
            continue
        elif rule.id in ABOUT_A_JOB:
            why = f'"{command}" names no job order, and this gate would always refuse it'
        elif family_of(rule.id) == NEEDS_CHECK:
            why = f'no check stands before "{command}"'
        else:
            why = f'this gate looks at "{right[0]}" alone, and would never refuse "{command}"'
        note(("guards", number), f"{why}; guard {listed}.")


def guardable(gate: str) -> list[str]:
    """Name the intents that a gate can stand before."""
    if gate in GUARDING_ONLY:
        return [GUARDING_ONLY[gate]]
    if family_of(gate) == NEEDS_CHECK:
        return sorted(WITH_CHECKS)
    about_a_job = gate in ABOUT_A_JOB
    return sorted(
        each for each in INTENTS if not about_a_job or "job_order_id" in COMMANDS[each].model_fields
    )


def check_obligation(rule: ObligationRule, note: Note) -> None:
    """Check what opens, meets and drops an obligation, its times and its ladder."""
    for field in ("opens_on", "met_by", "dropped_by"):
        for number, trigger in enumerate(getattr(rule, field)):
            _check_trigger(trigger, rule, (key(field), number), note)
    for number, trigger in enumerate(rule.opens_on):
        _check_opening(trigger, rule, ("opens-on", number), note)
    for number, trigger in enumerate(rule.met_by):
        _check_meeting(trigger, rule, ("met-by", number, "event"), note)
    _check_times(rule, note)
    _check_listener(rule, note)
    _check_ladder(rule, note)


def _check_trigger(trigger: Trigger, rule: ObligationRule, path: Path, note: Note) -> None:
    event = EVENTS[trigger.event]
    engines = event.by_engine or trigger.event.startswith("outreach-")
    if engines and not (path[0] == "met-by" and trigger.event.startswith("outreach-")):
        note(
            (*path, "event"),
            f'"{trigger.event}" is what the engine itself writes; name something that a person did or said.',
        )
    if engines:
        return
    for field, value in trigger.where.items():
        _check_where(event, trigger.event, field, value, (*path, "where", key(field)), note)
    if not trigger.about_subject:
        return
    place = (*path, "about-subject")
    if rule.subject == "engagement":
        note(place, "the subject is the engagement, which every event is about; leave about-subject out.")
    elif not _NAMING[rule.subject] & event.model_fields.keys():
        note(
            place,
            f'"{trigger.event}" can never name {article(_spoken(rule.subject))}; leave about-subject out, '
            "or name an event that can.",
        )


def _check_where(event: type[Event], name: str, field: str, value: str, path: Path, note: Note) -> None:
    plain = [
        each
        for each in event.model_fields
        if each not in {"type", "at"} and texts_of(event, each) is not None
    ]
    if field in personal_fields(event):
        note(path, f'"{key(field)}" of "{name}" is personal, and no rule may depend on it; leave it out.')
    elif field not in plain:
        right = suggestion(key(field), [key(each) for each in plain]) if plain else "leave where out."
        note(path, f'"{name}" has no field {quoted(key(field))} to compare; {right}')
    elif (known := texts_of(event, field)) and value not in known:
        note(path, f'"{key(field)}" of "{name}" is never {quoted(value)}; {suggestion(value, known)}')


def texts_of(model: type[BaseModel], field: str) -> frozenset[str] | None:
    """Name the texts a field can hold; empty: any text; None: it holds no single text."""
    return _texts(model.model_fields[field].annotation)


def _texts(annotation: Any) -> frozenset[str] | None:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _texts(get_args(annotation)[0])
    if origin is Literal:
        return frozenset(get_args(annotation))
    if origin in (Union, UnionType):
        parts = [_texts(each) for each in get_args(annotation) if each is not NoneType]
        return parts[0] if len(parts) == 1 else None
    return frozenset() if annotation in (str, int) else None


def _check_opening(trigger: Trigger, rule: ObligationRule, path: Path, note: Note) -> None:
    fields = EVENTS[trigger.event].model_fields
    needed = SUBJECT_FIELDS.get(rule.subject)
    if needed and needed not in fields:
        note(
            (*path, "event"),
            f'"{trigger.event}" names no {_spoken(rule.subject)}, the subject of this rule; '
            "let another event open it, or give the rule another subject.",
        )
    if rule.planned and rule.planned not in fields:
        note(
            (*path, "event"),
            f'"{trigger.event}" has no "{key(rule.planned)}" to count from; '
            f'let an event with a planned time open it, such as "{PLANNED_BY[rule.planned]}", '
            "or leave planned out.",
        )


def _check_meeting(trigger: Trigger, rule: ObligationRule, path: Path, note: Note) -> None:
    if trigger.event.startswith("outreach-"):
        note(
            path,
            f'"{trigger.event}" is a message from the engine, and no automated message keeps a promise; '
            'name what a person does, such as "contact-made".',
        )
    elif rule.kind == "contact" and trigger.event != "contact-made":
        note(
            path,
            f'"{trigger.event}" cannot meet a contact obligation, only two-way human contact can; '
            'name "contact-made", or make the rule kind = "answer".',
        )


def _check_times(rule: ObligationRule, note: Note) -> None:
    if rule.planned is None and rule.within.delta <= _NOW:
        note(
            ("within",),
            f'"{written(rule.within)}" is not after the opening; write how long there is, or add '
            'planned = "starts-at" to count from a planned time.',
        )
    if rule.planned and rule.counts_from == "happened":
        note(
            ("counts-from",),
            "a rule counts from a planned time or from what happened; leave one of them out.",
        )
    if rule.planned and rule.while_paused == "waits":
        # The plan stands whatever the candidate asks for, and a move of it would undo the waiting.
        note(
            ("while-paused",),
            "a planned time does not wait for a pause to end; leave while-paused or planned out.",
        )
    if rule.useful_for is not None and rule.useful_for.working:
        note(
            ("useful-for",), "how long a message helps is elapsed time; write hours or days without working."
        )
    for field in ("at_least", "not_before"):
        _check_no_wall_time(getattr(rule, field), (key(field),), note)
    for field in ("at_least", "useful_for", "not_before"):
        span: Span | None = getattr(rule, field)
        if span is not None and span.delta <= _NOW:
            note((key(field),), f'"{written(span)}" is no length of time to wait; write one above zero.')


def _check_no_wall_time(span: Span | None, path: Path, note: Note) -> None:
    if span is not None and span.by is not None:
        says = (
            f'"{written(span)}" is a time of day, and here belongs a length of time, like "2 working days".'
        )
        note(path, says)


def _check_listener(rule: ObligationRule, note: Note) -> None:
    heard = {step.to for step in rule.ladder} & (
        {"owner"} if rule.mode == "remind" else {"candidate", *LEVELS}
    )
    if rule.mode != "observe" and not heard:
        lacking = "the ladder has no step to the owner" if rule.ladder else "there is no ladder"
        note(
            (),
            f'nobody would be told, because the mode is "{rule.mode}" and {lacking}; '
            'add a step to the owner, or write mode = "observe".',
        )


def _check_ladder(rule: ObligationRule, note: Note) -> None:
    highest = 0
    for number, step in enumerate(rule.ladder):
        path: Path = ("ladder", number)
        before = rule.ladder[number - 1].after if number else step.after
        if step.after.delta < before.delta:
            note(
                (*path, "after"),
                f'"{written(step.after)}" stands below "{written(before)}"; order the steps by time.',
            )
        if not rule.planned and rule.within.delta > _NOW and -step.after.delta >= rule.within.delta:
            note(
                (*path, "after"),
                f'"{written(step.after)}" is before the opening, due "{written(rule.within)}" later; '
                "write a shorter time.",
            )
        if 0 < step.level < highest:
            note(
                (*path, "level"),
                f"an escalation never climbs down from level {highest} to {step.level}; reorder the steps.",
            )
        highest = max(highest, step.level)
        _check_step(step, path, note)


def _check_step(step: LadderStep, path: Path, note: Note) -> None:
    to_candidate = step.to == "candidate"
    if step.after.delta < _NOW and step.do != "remind":
        note(
            (*path, "do"),
            f'before the due time there is only a reminder, not "{step.do}"; write do = "remind".',
        )
    if to_candidate != (step.do == "message"):
        right = 'write do = "message"' if to_candidate else 'write to = "candidate", or do = "escalate"'
        note(
            (*path, "to"),
            f'"{step.do}" does not go to "{step.to}", only a message goes to the candidate; {right}.',
        )
    elif (step.template in CANDIDATE_TEMPLATES) != to_candidate:
        fitting = sorted(CANDIDATE_TEMPLATES if to_candidate else KNOWN_TEMPLATES - CANDIDATE_TEMPLATES)
        listed = ", ".join(f'"{each}"' for each in fitting)
        note(
            (*path, "template"), f'"{step.template}" is not written for "{step.to}"; choose one of {listed}.'
        )
    elif step.level != (expected := level_of(step.do, step.to)):
        note((*path, "level"), f'"{step.do}" to "{step.to}" is level {expected}, not {step.level}.')


def _spoken(subject: str) -> str:
    return subject.replace("-", " ")
