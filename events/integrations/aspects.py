"""Which reports tell how a thing stands now, so that an older one must not undo a newer one.

A fact (a talk, a message, a start) has no aspect: it is always applied, at its own time.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from events.integrations.meaning import Wanted
from events.state import Engagement

# The field that names the thing, and what of it is told. Two reports with one aspect contradict each other:
# of an interview, whether and when it takes place is one thing, so an old "scheduled" never revives what was
# cancelled, held or missed since. What an offer says and what became of it are two: an old revision must not
# hide the candidate's yes.
_OF_A_THING: Final[Mapping[str, tuple[str, str, str]]] = {
    "record-interview-scheduled": ("interview", "interview_id", "time"),
    "move-interview": ("interview", "interview_id", "time"),
    "cancel-interview": ("interview", "interview_id", "time"),
    "record-interview-held": ("interview", "interview_id", "time"),
    "record-interview-missed": ("interview", "interview_id", "time"),
    "record-interview-result": ("interview", "interview_id", "result"),
    "record-client-answer": ("submission", "submission_id", "answer"),
    "settle-submission": ("submission", "submission_id", "choice"),
    "revise-offer": ("offer", "offer_id", "terms"),
    "accept-offer": ("offer", "offer_id", "answer"),
    "decline-offer": ("offer", "offer_id", "answer"),
    "withdraw-offer": ("offer", "offer_id", "answer"),
    "record-placement-terms": ("placement", "placement_id", "terms"),
    "move-start": ("placement", "placement_id", "start"),
    "confirm-start": ("placement", "placement_id", "start"),
    "extend-contract": ("placement", "placement_id", "end"),
    "convert-placement": ("placement", "placement_id", "end"),
    "invoke-guarantee": ("placement", "placement_id", "remedy"),
    "link-application-to-job-order": ("application", "application_id", "job-order"),
    "answer-proposal": ("job-order", "job_order_id", "proposal"),
    "grant-right-to-represent": ("job-order", "job_order_id", "right-to-represent"),
    "revoke-right-to-represent": ("job-order", "job_order_id", "right-to-represent"),
    "record-position-held": ("job-order", "job_order_id", "position"),
    "record-position-resumed": ("job-order", "job_order_id", "position"),
    "record-position-filled": ("job-order", "job_order_id", "position"),
    "record-position-owner": ("job-order", "job_order_id", "owner"),
    "resolve-conflict": ("conflict", "conflict_id", "outcome"),
    "record-facet": ("facet", "facet_id", "words"),
    "retire-facet": ("facet", "facet_id", "words"),
    "note-office": ("person", "person", "office"),
}
_OF_THE_ENGAGEMENT: Final[Mapping[str, str]] = {
    "assign": "owner",
    "reassign": "owner",
    "record-pause": "posture",
    "resume": "posture",
    "go-dormant": "posture",
    "set-quiet-hours": "quiet-hours",
    "stop-outreach": "outreach",
    "allow-outreach": "outreach",
}
_ANSWERS: Final[Mapping[str, str]] = {
    "yes": "yes",
    "no": "no",
    "advance": "yes",
    "hold": "yes",
    "reject": "no",
}
_OPPOSITE: Final[Mapping[str, str]] = {"yes": "no", "no": "yes"}
# What shows that the client wants the candidate; the offer itself, or the candidate's yes to one.
_WANTED: Final = frozenset({"record-offer", "accept-offer"})
# Reports that name a submission by its interview or offer alone, so that only the record tells which it is.
OF_THE_RECORD: Final = frozenset({"record-interview-result", "accept-offer"})


@dataclass(frozen=True, slots=True)
class Aspects:
    """Of what a report tells the present state, and by what newer it is overtaken.

    Mostly both are one aspect.  Reports of several kinds that move the same part of the state share more than
    their own: there only those overtake each other that contradict, so that no agreeing fact is left out.
    """

    tells: frozenset[str] = frozenset()
    yields: frozenset[str] = frozenset()
    """A newer report that tells one of these leaves this one out."""


def aspects(wanted: Wanted, state: Engagement | None = None, beside: Iterable[Wanted] = ()) -> Aspects:
    """Name what a report tells and yields to.

    *state* is its engagement as it stands, *beside* are the other reports of the same message: both say to
    which submission an interview or an offer belongs.
    """
    own = frozenset({found} if (found := aspect(wanted)) is not None else ())
    if wanted.job_order is not None:
        return Aspects(own, own | _hires(wanted))
    more = _with_others(wanted, state or Engagement(), beside)
    return Aspects(own | more.tells, own | more.yields)


def _opening(fields: Mapping[str, Any]) -> str:
    # An opening is taken and freed by a submission; naming nobody, the client does it itself.
    return f"opening:{fields.get('submission_id') or fields.get('engagement_id') or ''}"


_OF_A_JOB_ORDER: Final[Mapping[str, str | Callable[[Mapping[str, Any]], str]]] = {
    "hold-job-order": "state",
    "resume-job-order": "state",
    "close-job-order": "state",
    "fill-job-order": _opening,
    "reopen-job-order": _opening,
    "change-openings": "openings",
    "record-job-order-terms": "terms",
    "change-client-contact": "contact",
    "change-job-order-owner": "owner",
}


def aspect(wanted: Wanted) -> str | None:
    """Name what a report tells the present state of, such as ``interview:e-1/i-1:time``; None: a fact."""
    if wanted.job_order is not None:
        what = _OF_A_JOB_ORDER.get(wanted.name)
        told = what(wanted.fields) if callable(what) else what
        return None if told is None else f"job-order:{wanted.job_order}:{told}"
    if (told := _OF_THE_ENGAGEMENT.get(wanted.name)) is not None:
        return f"engagement:{wanted.engagement}:{told}"
    if (found := _OF_A_THING.get(wanted.name)) is None:
        return None
    thing, name, what_of_it = found
    key = wanted.fields.get(name)
    # Without an id it makes a thing of its own, which nothing older can be about.
    return None if key is None else f"{thing}:{wanted.engagement}/{key}:{what_of_it}"


def _with_others(wanted: Wanted, state: Engagement, beside: Iterable[Wanted]) -> Aspects:
    """Name what a report has in common with those of other kinds."""
    match wanted.name:
        case "record-client-answer" | "record-interview-result" | "record-offer" | "accept-offer":
            return _of_the_client(wanted, state, beside)
        case "record-interview-missed":
            return Aspects(tells=_of_its(wanted, "interview_id", "no-show"))
        case "explain-no-show":
            # It explains the last time; an older explanation was of another.
            return Aspects(yields=_of_its(wanted, "interview_id", "no-show"))
        case "record-proposal":
            # Proposing again takes the answer back, which an older proposal cannot have meant.
            return Aspects(yields=_of_its(wanted, "job_order_id", "proposal"))
        case "convert-placement":
            kind = _of_its(wanted, "placement_id", "kind")
            return Aspects(kind, kind)
        case "record-placement-terms" if wanted.fields.get("placement_kind") not in (
            None,
            "unknown",
            "permanent",
        ):
            kind = _of_its(wanted, "placement_id", "kind")
            return Aspects(kind, kind)
        case _:
            return Aspects()


def _of_the_client(wanted: Wanted, state: Engagement, beside: Iterable[Wanted]) -> Aspects:
    """Name whether the client wants the candidate: by an answer, an interview's result, or an offer."""
    submission = _submission(wanted, state, beside)
    said = wanted.fields.get("answer") or wanted.fields.get("result")
    told = "yes" if wanted.name in _WANTED else _ANSWERS.get(str(said))
    if submission is None or told is None:
        return Aspects()
    thing = f"submission:{wanted.engagement}/{submission}:client-says"
    tells, yields = frozenset({f"{thing}-{told}"}), frozenset({f"{thing}-{_OPPOSITE[told]}"})
    if wanted.name in _WANTED:
        return Aspects(tells)
    if wanted.name == "record-interview-result" and told == "yes":
        # It changes the submission only where it takes back this interview's own no; elsewhere it is a fact.
        found = state.interviews.get(str(wanted.fields.get("interview_id")))
        return Aspects(tells, yields if found is not None and found.result == "reject" else frozenset())
    return Aspects(tells, yields)


def _submission(wanted: Wanted, state: Engagement, beside: Iterable[Wanted]) -> str | None:
    """Find the submission that a report is about."""
    if (named := wanted.fields.get("submission_id")) is not None:
        return str(named)
    interview, offer = wanted.fields.get("interview_id"), wanted.fields.get("offer_id")
    found = state.interviews.get(str(interview)) or state.offers.get(str(offer))
    if found is not None:
        return found.submission_id
    for other in beside:
        made_for, key = (
            other.fields.get("submission_id"),
            (other.fields.get("interview_id"), other.fields.get("offer_id")),
        )
        if other.engagement == wanted.engagement and made_for and key == (interview, offer):
            return str(made_for)
    return None


def _of_its(wanted: Wanted, field: str, what: str) -> frozenset[str]:
    key = wanted.fields.get(field)
    thing = field.removesuffix("_id").replace("_", "-")
    return frozenset() if key is None else frozenset({f"{thing}:{wanted.engagement}/{key}:{what}"})


def _hires(wanted: Wanted) -> frozenset[str]:
    # A hire that names its submission may be given back by its engagement alone.
    alone = {"engagement_id": wanted.fields.get("engagement_id")}
    if wanted.name not in ("fill-job-order", "reopen-job-order") or alone["engagement_id"] is None:
        return frozenset()
    return frozenset({f"job-order:{wanted.job_order}:{_opening(alone)}"})
