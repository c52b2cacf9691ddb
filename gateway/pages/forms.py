"""Which of a candidate's commands there is something to act on for, as forms.

A form carries the id of its command, made when it is shown: whoever sends it twice is heard once.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import uuid4

from events.admission import LATE_REPORTS
from events.state import Engagement, Right, Submission
from gateway.pages import texts
from gateway.pages.texts import FormWords
from gateway.pages.times import day_in

# What is put into the form for the candidate to change: an agreement is better limited than forgotten.
_USUAL_AGREEMENT: Final = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Input:
    """One thing to fill in."""

    name: str
    label: str
    kind: Literal["words", "text", "time", "date", "sure"]
    value: str = ""
    required: bool = False


@dataclass(frozen=True, slots=True)
class Button:
    """One way to send a form; what it says beside the form."""

    label: str
    name: str = ""
    value: str = ""


def new_id() -> str:
    """Make the id of a command that a form will give."""
    return f"me-{uuid4().hex}"


@dataclass(frozen=True, slots=True)
class Form:
    """One command, as the candidate may give it now."""

    command: str
    words: FormWords
    hidden: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[Input, ...] = ()
    buttons: tuple[Button, ...] = ()
    command_id: str = field(default_factory=new_id)


_REASON: Final = Input("reason", texts.REASON, "words")


def general(state: Engagement) -> list[Form]:
    """Give the forms that stand on their own: words, a call, a job that is wanted."""
    forms = [
        _form("record-message", inputs=(Input("words", texts.WORDS, "words", required=True),)),
        _form("request-call", inputs=(Input("words", texts.ABOUT, "words"),)),
        _form("record-application", inputs=(Input("job_order_id", texts.REFERENCE, "text", required=True),)),
    ]
    return _open_ones(state, forms)


def wishes(state: Engagement) -> list[Form]:
    """Give the forms about what the candidate wants of us: quiet, messages, an end."""
    begin, _, end = (state.quiet_hours or "").partition("-")
    hours = (
        Input("from", texts.FROM, "time", begin),
        Input("to", texts.TO, "time", end),
        Input("zone", texts.ZONE_OF, "text", state.zone),
    )
    forms = [
        _form("set-quiet-hours", inputs=hours),
        _form("allow-outreach" if state.outreach_stopped else "stop-outreach"),
    ]
    if not state.withdrawn or state.live_submissions:
        sure = Input("sure", texts.SURE["withdraw"], "sure", required=True)
        forms.append(_form("withdraw", words=texts.WITHDRAW_ALL, inputs=(_REASON, sure)))
    return _open_ones(state, forms)


def unconfirmed(state: Engagement) -> dict[str, str]:
    """Give what was played back to the candidate and is not confirmed yet: its ids and kinds."""
    return {key: each.facet for key, each in state.facets.items() if each.played_back and not each.confirmed}


def confirmation(state: Engagement) -> Form | None:
    """Give the form by which the candidate says that they were understood; of what was shown, and no more."""
    facets = unconfirmed(state)
    if not facets or state.closed:
        return None
    return _form("confirm-profile", hidden={"facets": ",".join(sorted(facets))})


def of_job(state: Engagement, job: str, now: datetime) -> list[Form]:
    """Give the forms about one job."""
    return _open_ones(state, list(_of_job(state, job, now)))


def may_agree(state: Engagement, job: str, now: datetime) -> bool:
    """Tell whether there is a job to agree to: heard of, not refused, and without an agreement that holds."""
    proposal, right = state.proposals.get(job), state.rights.get(job)
    wanted = any(each.job_order_id == job and each.status == "live" for each in state.applications.values())
    heard = wanted or (proposal is not None and proposal.answer != "no")
    return heard and not state.closed and not (right is not None and holds(right, now))


def agreement(job: str, zone: str, now: datetime, command_id: str, code: str) -> Form:
    """Give the form by which the candidate agrees, after they have read why."""
    until = day_in(now + _USUAL_AGREEMENT, zone)
    return Form(
        "grant-right-to-represent",
        texts.FORMS["grant-right-to-represent"],
        {"job_order_id": job, "zone": zone, "code": code},
        (
            Input("until", texts.UNTIL, "date", until),
            Input("pay", texts.PAY, "text"),
            Input("sure", texts.SURE["grant-right-to-represent"], "sure", required=True),
        ),
        (Button(texts.FORMS["grant-right-to-represent"].button),),
        command_id,
    )


def presented(state: Engagement, job: str) -> bool:
    """Tell whether the candidate was presented for a job, however that ended."""
    return any(each.job_order_id == job for each in state.submissions.values())


def holds(right: Right, now: datetime) -> bool:
    """Tell whether an agreement stands."""
    return not right.revoked and (right.expires_at is None or now < right.expires_at)


def _of_job(state: Engagement, job: str, now: datetime) -> Iterator[Form]:
    proposal, right = state.proposals.get(job), state.rights.get(job)
    if proposal is not None and proposal.answer is None and not presented(state, job):
        buttons = (Button(texts.YES, "answer", "yes"), Button(texts.NO, "answer", "no"))
        yield _form("answer-proposal", {"job_order_id": job}, (_REASON,), buttons=buttons)
    for key, submission in state.submissions.items():
        if submission.job_order_id == job:
            yield from _of_submission(state, key, submission)
    if right is not None and holds(right, now):
        yield _form("revoke-right-to-represent", {"job_order_id": job}, (_REASON,))


def _of_submission(state: Engagement, key: str, submission: Submission) -> Iterator[Form]:
    if submission.status == "live":
        for offer_id, offer in state.offers.items():
            if offer.submission_id == key and offer.answer is None:
                yield from _of_offer(offer_id)
        if submission.unsettled:
            buttons = (Button(texts.KEEP, "choice", "keep"), Button(texts.LEAVE, "choice", "withdraw"))
            yield _form("settle-submission", {"submission_id": key}, (_REASON,), buttons=buttons)
        else:
            yield _form("withdraw", {"submission_id": key}, (_REASON,))
    placement = state.placements.get(key)
    if placement is not None and placement.ended_how is None:
        words = Input("words", texts.WORDS, "words", required=True)
        yield _form("raise-concern", {"placement_id": key}, (words,))


def _of_offer(key: str) -> Iterator[Form]:
    sure = Input("sure", texts.SURE["accept-offer"], "sure", required=True)
    yield _form("accept-offer", {"offer_id": key}, (sure,))
    yield _form("decline-offer", {"offer_id": key}, (_REASON,))


def _form(
    command: str,
    hidden: Mapping[str, str] | None = None,
    inputs: tuple[Input, ...] = (),
    *,
    words: FormWords | None = None,
    buttons: tuple[Button, ...] = (),
) -> Form:
    words = words or texts.FORMS[command]
    return Form(command, words, hidden or {}, inputs, buttons or (Button(words.button),))


def _open_ones(state: Engagement, forms: list[Form]) -> list[Form]:
    return [each for each in forms if not state.closed or each.command in LATE_REPORTS]
