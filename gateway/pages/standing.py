"""What a candidate is shown of their engagement: where things stand, what is owed, what comes next.

Only what the API shows a candidate without a code, said in words: never what somebody wrote down about them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from events.obligations import owner_of
from events.state import Engagement, Interview, Offer, OpenObligation, Submission
from gateway.pages import forms, texts
from gateway.pages.forms import Form
from gateway.pages.times import at, day


@dataclass(frozen=True, slots=True)
class Known:
    """Names for ids, as they are told: of the agency's people, of jobs, and what rules promise."""

    people: Mapping[str, str]
    jobs: Mapping[str, str]
    rules: Mapping[str, str]

    def person(self, key: str | None) -> str:
        """Name somebody of the agency."""
        return self.people.get(key or "", texts.NOBODY)

    def job(self, key: str | None) -> str:
        """Name a job."""
        return self.jobs.get(key or "") or texts.JOB.format(id=key)


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that is owed or awaited, and by when."""

    says: str
    when: str
    late: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """One job, all that is to be said of it, and what the candidate may do about it."""

    key: str
    title: str
    lines: tuple[str, ...]
    forms: tuple[Form, ...]
    to_agree: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """The whole page."""

    lines: tuple[str, ...]
    zone: str
    promises: tuple[Told, ...]
    awaited: tuple[Told, ...]
    interviews: tuple[str, ...]
    jobs: tuple[Job, ...]
    understood: str
    confirmation: Form | None
    ask: tuple[Form, ...]
    wishes_said: tuple[str, ...]
    wishes: tuple[Form, ...]


# Whom a promise waits for, in the order in which they are told, and how.
_AWAITED: Final = (("candidate", texts.FROM_YOU), ("client", texts.FROM_CLIENT))


def standing(state: Engagement, known: Known, now: datetime) -> Standing:
    """Say where a candidate stands."""
    facets = [texts.FACETS[each] for each in texts.FACETS if each in forms.unconfirmed(state).values()]
    return Standing(
        lines=tuple(_lines(state, known, now)),
        zone=texts.ZONE.format(zone=state.zone),
        promises=tuple(_promises(state, known, now)),
        awaited=tuple(_awaited(state, known)),
        interviews=tuple(_interviews(state, known, now)),
        jobs=tuple(_job(state, known, each, now) for each in jobs_of(state)),
        understood=texts.UNDERSTOOD_SAYS.format(what=", ".join(facets), held=texts.HELD_TITLE),
        confirmation=forms.confirmation(state),
        ask=tuple(forms.general(state)),
        wishes_said=tuple(_wishes(state)),
        wishes=tuple(forms.wishes(state)),
    )


def jobs_of(state: Engagement) -> list[str]:
    """Name the jobs that the candidate has to do with; those still open first, the latest first."""
    alive = [each.job_order_id for each in state.live_submissions.values()]
    alive += [key for key, each in state.proposals.items() if each.answer is None]
    others = [*state.proposals, *state.rights, *(each.job_order_id for each in state.submissions.values())]
    others += [each.job_order_id for each in state.applications.values() if each.job_order_id is not None]
    return list(dict.fromkeys([*reversed(alive), *reversed(others)]))


def people_of(state: Engagement) -> set[str]:
    """Name the agency's people who are told of on the page."""
    owners = {owner_of(state, each) for each in state.obligations.values()} | {state.candidate_owner}
    return {each for each in owners if each is not None}


def _lines(state: Engagement, known: Known, now: datetime) -> Iterator[str]:
    yield texts.STAGES[state.stage]
    if state.paused_until is not None and state.paused(now):
        yield texts.PAUSED.format(until=day(state.paused_until, state.zone))
    if state.withdrawn:
        yield texts.WITHDRAWN
    if state.candidate_owner is not None:
        yield texts.OWNER.format(who=_capital(known.person(state.candidate_owner)))
    elif not state.closed:
        yield texts.UNOWNED


def _ours(state: Engagement) -> list[OpenObligation]:
    # What is only being tried out is promised to nobody; what is owed to a client, to the client.
    found = (each for each in state.obligations.values() if each.mode != "observe")
    return sorted(found, key=lambda each: (each.due_at, each.rule, each.subject))


def _promises(state: Engagement, known: Known, now: datetime) -> Iterator[Told]:
    for each in _ours(state):
        if each.awaits == "recruiter" and each.owner_role == "candidate-owner":
            late = each.breached or each.due_at < now
            says = texts.PROMISE_LATE if late else texts.PROMISE_DUE
            yield _told(state, known, each, says, late=late)


def _awaited(state: Engagement, known: Known) -> Iterator[Told]:
    for party, says in _AWAITED:
        for each in _ours(state):
            if each.awaits == party:
                yield _told(state, known, each, says)


def _told(state: Engagement, known: Known, promise: OpenObligation, says: str, *, late: bool = False) -> Told:
    who = known.person(owner_of(state, promise))
    when = says.format(who=who, due=at(promise.due_at, state.zone))
    return Told(known.rules.get(promise.rule, promise.rule.replace("-", " ")), _capital(when), late)


def _interviews(state: Engagement, known: Known, now: datetime) -> Iterator[str]:
    def begins(each: Interview) -> tuple[bool, float]:
        return each.starts_at is None, each.starts_at.timestamp() if each.starts_at else 0.0

    for each in sorted(state.interviews.values(), key=begins):
        submission = state.submissions.get(each.submission_id)
        job = known.job(submission.job_order_id if submission is not None else None)
        if (
            each.status == "scheduled"
            and each.starts_at is not None
            and (each.ends_at or each.starts_at) > now
        ):
            yield texts.INTERVIEW_AT.format(job=job, begins=at(each.starts_at, state.zone))
        elif each.status == "requested":
            yield texts.INTERVIEW_UNTIMED.format(job=job)


def _job(state: Engagement, known: Known, key: str, now: datetime) -> Job:
    return Job(
        key=key,
        title=known.job(key),
        lines=tuple(_lines_of_job(state, known, key, now)),
        forms=tuple(forms.of_job(state, key, now)),
        to_agree=forms.may_agree(state, key, now),
    )


def _lines_of_job(state: Engagement, known: Known, key: str, now: datetime) -> Iterator[str]:
    for application in state.applications.values():
        if application.job_order_id == key:
            yield texts.APPLIED[application.status]
    if (proposal := state.proposals.get(key)) is not None:
        unsaid = texts.PROPOSED if forms.presented(state, key) else texts.UNANSWERED
        yield unsaid if proposal.answer is None else texts.SAID[proposal.answer]
    if (right := state.rights.get(key)) is not None:
        until = day(right.expires_at, state.zone) if right.expires_at is not None else ""
        if right.revoked:
            yield texts.AGREED_REVOKED
        elif not until:
            yield texts.AGREED
        else:
            over = texts.AGREED_UNTIL if forms.holds(right, now) else texts.AGREED_OVER
            yield over.format(until=until)
    for submission_id, submission in state.submissions.items():
        if submission.job_order_id == key:
            yield from _lines_of_submission(state, known, submission_id, submission)


def _lines_of_submission(state: Engagement, known: Known, key: str, submission: Submission) -> Iterator[str]:
    yield _answer(state, known, key, submission)
    if submission.status == "live" and submission.held:
        until = submission.held_until
        yield texts.HELD_UNTIL.format(until=day(until, state.zone)) if until else texts.HELD
    if submission.status == "live" and submission.unsettled:
        yield texts.UNSETTLED
    for offer in state.offers.values():
        if offer.submission_id == key:
            yield texts.OFFERED
            yield from _lines_of_offer(state, offer)
    placement = state.placements.get(key)
    if placement is not None and placement.ended_how is None:
        if placement.started_on is not None:
            yield texts.STARTED.format(on=day(placement.started_on, state.zone))
        elif placement.starts_on is not None:
            yield texts.STARTS.format(on=day(placement.starts_on, state.zone))


def _lines_of_offer(state: Engagement, offer: Offer) -> Iterator[str]:
    if offer.answer is not None:
        yield texts.OFFER_ANSWERED[offer.answer]
        return
    yield texts.OFFER_TERMS
    if offer.starts_on is not None:
        yield texts.OFFER_STARTS.format(on=day(offer.starts_on, state.zone))
    if offer.expires_at is not None:
        yield texts.OFFER_EXPIRES.format(until=at(offer.expires_at, state.zone))


def _answer(state: Engagement, known: Known, key: str, submission: Submission) -> str:
    if submission.status == "live":
        return texts.WANTED if submission.answer == "yes" else texts.SUBMITTED["live"]
    owed = [
        each
        for each in _ours(state)
        if each.kind == "answer" and each.subject == f"submission:{key}" and each.awaits == "recruiter"
    ]
    # A no is told by a person, with its reason, and not by a page.
    if submission.status in ("rejected", "position-filled") and owed:
        who = known.person(owner_of(state, owed[0]))
        return texts.TO_BE_TOLD.format(who=_capital(who), due=at(owed[0].due_at, state.zone))
    return texts.SUBMITTED[submission.status]


def _wishes(state: Engagement) -> Iterator[str]:
    if state.quiet_hours is not None:
        yield texts.QUIET.format(hours=state.quiet_hours.replace("-", " and "))
    if state.outreach_stopped:
        yield texts.STOPPED


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
