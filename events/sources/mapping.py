"""A mapping as data: what the events of a foreign log mean to us, and what the log can show.

It reads the log's own order and nothing later: a mapping never borrows from the future.
"""

import tomllib
from collections.abc import Collection
from collections.abc import Mapping as Table
from typing import Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from events.commands import AnyCommand
from events.envelope import ActorKind
from events.job_order import AnyJobOrderCommand
from events.kinds import Code, Id, RuleId
from events.policy import Policy
from events.policy_table import quoted, suggestion
from events.sources.errors import SourceError

# What a value may refer to; a question mark behind it leaves the field out when it is unknown.
Reference = Literal[
    "engagement",
    "candidate",
    "application",
    "job-order",  # the first one that the application was linked to
    "named-job-order",  # the one that this event names
    "submission",
    "new-submission",  # the id of the one that this command makes
    "interview",  # the last one requested
    "new-interview",
    "offer",  # the one that the application was given
    "named-offer",
    "recruiter",  # the first that this event names
    "recruiters",
    "contact",  # the client's contact: the last that this event names
]
Condition = Literal[
    "first-application",
    "no-owner",
    "has-owner",
    "not-submitted",
    "submitted",  # and not yet interviewed
    "interviewed",
    "nothing-alive",
    "names-another-job-order",
]
Where = Literal["engagement", "job-order", "named-job-order"]


M = TypeVar("M", bound=BaseModel)


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MappedObjects(_Data):
    """Which of the log's object types plays which part."""

    applicant: str
    application: str
    job_order: str
    offer: str
    recruiter: str
    client_contact: str


class MappedActor(_Data):
    """Who acted, as far as the log tells."""

    kind: ActorKind
    id: str


class MappedCommand(_Data):
    """One command that an event stands for; ``assumes`` says what the log itself does not."""

    do: Code
    on: Where = "engagement"
    when: tuple[Condition, ...] = ()
    fields: dict[str, Any] = Field(default_factory=dict)
    assumes: str | None = None


class MappedFinding(_Data):
    """What a person should look at in such an event."""

    kind: Code
    says: str
    when: tuple[Condition, ...] = ()
    each: Literal["event", "other-alive-on-named-job-order"] = "event"


class MappedActivity(_Data):
    """What one kind of event means."""

    name: str
    actor: MappedActor | None = None
    commands: tuple[MappedCommand, ...] = Field(min_length=1)
    findings: tuple[MappedFinding, ...] = ()

    @property
    def lands_on(self) -> Literal["engagement", "job-order"]:
        """Give the category of stream that the event itself belongs to."""
        return "engagement" if self.commands[0].on == "engagement" else "job-order"


class MappedAgency(_Data):
    """The agency that the log does not show: who leads whom."""

    leads: tuple[Id, ...] = Field(min_length=1)
    director: Id


class Mapping(_Data):
    """A whole mapping, validated."""

    format: Literal[1]
    name: Code
    source: Literal["ocel-1.0"]
    observes: tuple[RuleId, ...]
    people: dict[str, Id] = Field(
        default_factory=dict, description="who of the agency stands for whom of the log"
    )
    objects: MappedObjects
    agency: MappedAgency
    activity: tuple[MappedActivity, ...] = Field(min_length=1)


def read_mapping(text: str) -> Mapping:
    """Read a mapping from TOML, or say in one sentence what is wrong with it.

    :raises SourceError: not TOML, a wrong shape, or a command, field or reference that does not exist.
    """
    mapping = read_as(Mapping, text)
    _check(mapping)
    return mapping


def read_as(model: type[M], text: str) -> M:
    """Read TOML as a kind of mapping.

    :raises SourceError: it is not TOML, or of another shape.
    """
    try:
        return model.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise SourceError(f"the mapping is not TOML: {str(error)[0].lower()}{str(error)[1:]}") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "its top"
        raise SourceError(f"the mapping is wrong at {place}: {first['msg'].lower()}") from None


def restrict(policy: Policy, observes: tuple[str, ...]) -> Policy:
    """Keep of a policy's obligations those that a source can show; the others would never be judged fairly.

    They are left out before the policy is adopted, so that they never open, whatever the policy.
    """
    kept = tuple(rule for rule in policy.obligations if rule.id in observes)
    return policy.model_copy(update={"obligations": kept})


def check_observes(observes: Collection[str], known: Collection[str]) -> None:
    """Make sure that a mapping observes rules that somebody knows: a misspelt one would never be judged.

    :raises SourceError: one of them is not in *known*.
    """
    for rule in observes:
        if rule not in known:
            raise SourceError(
                f"the mapping observes {quoted(rule)}, which no policy here has as a rule; "
                f"{suggestion(rule, known)}"
            )


def _check(mapping: Mapping) -> None:
    names = [each.name for each in mapping.activity]
    for name in names:
        if names.count(name) > 1:
            raise SourceError(f"the mapping explains '{name}' twice; keep one of them")
    for activity in mapping.activity:
        for command in activity.commands:
            check_command(activity.name, command.on, command.do, command.fields, get_args(Reference))
        if activity.actor is not None:
            _check_value(activity.name, activity.actor.id, get_args(Reference))


def check_command(what: str, on: Where, do: str, given: Table[str, Any], references: Collection[str]) -> None:
    """Make sure that a mapped command exists, with these fields and these references in them.

    :raises SourceError: one of them does not; *what* names the place in the mapping.
    """
    commands, stream = (_ENGAGEMENT, "an engagement") if on == "engagement" else (_JOB_ORDER, "a job order")
    fields = commands.get(do)
    if fields is None:
        raise SourceError(f"the mapping of '{what}' has '{do}', which is no command of {stream}")
    for name in given:
        if name not in fields or name == "name":
            raise SourceError(f"the mapping of '{what}' gives '{do}' a field '{name}', which it has not")
    for value in given.values():
        _check_value(what, value, references)


def _check_value(what: str, value: Any, references: Collection[str]) -> None:
    if isinstance(value, list):
        for each in value:
            _check_value(what, each, references)
    elif isinstance(value, str) and value.startswith("$") and value[1:].removesuffix("?") not in references:
        raise SourceError(
            f"the mapping of '{what}' refers to '{value}', which does not exist; "
            f"there are {', '.join('$' + each for each in references)}"
        )


def _fields_by_command(union: Any) -> Table[str, frozenset[str]]:
    members = get_args(get_args(union)[0])
    return {each.model_fields["name"].default: frozenset(each.model_fields) for each in members}


_ENGAGEMENT = _fields_by_command(AnyCommand)
_JOB_ORDER = _fields_by_command(AnyJobOrderCommand)
