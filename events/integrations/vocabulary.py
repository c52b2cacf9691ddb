"""What a mapping may say: the reports it may make, the fields each has, and what a foreign id can stand for.

An integration reports what happened in the world; what people decide in the agency is not among its words.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final, Literal, get_args

from pydantic.fields import FieldInfo

from events.commands import Command
from events.gates import INTENT_OF_REPORT
from events.integrations.meaning import Kind
from events.job_order import COMMANDS as JOB_ORDER_COMMANDS
from events.kinds import Code, Id
from events.orders import COMMANDS, PUBLIC

# A sender is known by mail alone, which needs no mapping.
KINDS: Final[tuple[Kind, ...]] = ("candidate", "application", "job", "interview", "offer")
On = Literal["engagement", "job-order"]
# What the agency and its people decide, which no system outside can have seen.
OF_PEOPLE: Final = frozenset({"adopt-policy", "annul-event", "acknowledge-escalation", "excuse-obligation"})
ENGAGEMENT_REPORTS: Final[Mapping[str, type[Command]]] = {
    name: command
    for name, command in COMMANDS.items()
    if name in PUBLIC - OF_PEOPLE and command.kind == "report"
}
JOB_ORDER_REPORTS: Final[Mapping[str, type[Command]]] = {
    name: command for name, command in JOB_ORDER_COMMANDS.items() if command.kind == "report"
}
REPORTS: Final = {**ENGAGEMENT_REPORTS, **JOB_ORDER_REPORTS}
# What tells the same as an intent asks.
REPORT_OF_INTENT: Final[Mapping[str, str]] = {intent: report for report, intent in INTENT_OF_REPORT.items()}
# Whose stream a command goes to, where none of its own fields says so.
STREAMS: Final[Mapping[On, tuple[Kind, ...]]] = {
    "engagement": ("candidate", "application", "interview", "offer"),
    "job-order": ("job", "application"),
}
# Which foreign ids can give which of ours.
GIVE: Final[Mapping[str, tuple[Kind, ...]]] = {
    "submission_id": ("application",),
    "placement_id": ("application",),
    "interview_id": ("interview",),
    "offer_id": ("offer",),
    "job_order_id": ("job", "application"),
    "engagement_id": ("candidate", "application", "interview", "offer"),
    "engagement": STREAMS["engagement"],
    "job_order": STREAMS["job-order"],
}
# How the ids begin that we make of foreign ones.
MADE: Final[Mapping[str, str]] = {"submission_id": "sb-", "interview_id": "iv-", "offer_id": "of-"}
# The providers that have a file, and what each one's API can be asked for (shapes: deploy/connections).
PROVIDERS: Final[Mapping[str, tuple[str, ...]]] = {
    "ashby": ("application", "feedback", "interview-schedules"),
    "calendly": ("event", "invitee"),
    "greenhouse": ("application", "scheduled-interviews", "scorecards"),
    "lever": ("feedback", "interview", "opportunity"),
    "smartrecruiters": ("link",),
    "standard-webhooks": (),
    "workable": ("candidate",),
}

FieldSort = Literal["id", "code", "time", "other"]


def stream_of(name: str) -> On:
    """Say to which kind of stream a report goes."""
    return "job-order" if name in JOB_ORDER_REPORTS else "engagement"


@cache
def fields_of(name: str) -> Mapping[str, FieldInfo]:
    """Give a report's own fields."""
    return {key: info for key, info in REPORTS[name].model_fields.items() if key != "name"}


@cache
def sort_of_field(name: str, key: str) -> FieldSort:
    """Say what a report's field holds: ids and codes are plain in the log, times have a form of their own."""
    info = fields_of(name)[key]
    written = repr(info.annotation) + repr(info.metadata)
    if "datetime" in written:
        return "time"
    if repr(_pattern(Id)) in written:
        return "id"
    return "code" if repr(_pattern(Code)) in written else "other"


def _pattern(kind: Any) -> str:
    return str(get_args(kind)[1].pattern)
