"""The gates: what an intent needs before the engine allows it, one function each.

A gate never refuses a report: what has happened is recorded, with ``gate-bypassed`` beside it.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from events.commands import Command
from events.durations import parse_span
from events.policy import GateRule, Policy
from events.rule_index import index_of
from events.state import Check, Engagement

# The family of gates that name a kind of check after a colon.
NEEDS_CHECK: Final = "needs-check"
# The outcome that is good where a policy names none.
PASSED: Final = "passed"

Needs = Mapping[str, Any]
# True: what the gate needs is there.
Gate = Callable[[Command, Engagement, Needs, datetime], bool]

# A report is judged by the gates of the intent that it tells the outcome of.
INTENT_OF_REPORT: Final = {
    "record-pause": "pause",
    "record-proposal": "propose-job",
    "record-submission": "submit",
    "record-interview-scheduled": "schedule-interview",
}


def know_each_other_first(command: Command, state: Engagement, needs: Needs, now: datetime) -> bool:
    """Ask for what the policy wants of knowing each other, as of this moment.

    A conversation and a completed intake unless it says false; if it says so, that the present recruiter was
    introduced, and that so many kinds of facets are known and not expired, or confirmed by the candidate.
    """
    talked = state.conversations > 0 or not needs.get("conversation", True)
    intake = state.intake_completed or not needs.get("intake", True)
    introduced = state.candidate_owner in state.introduced or not needs.get("introduced", False)
    # What comes from a conversation that was annulled is not known.
    facets = [each for each in state.facets.values() if each.holds(now) and each.contact_id in state.contacts]
    confirmed = needs.get("confirmed", False)
    kinds = {each.facet for each in facets if each.confirmed or not confirmed}
    return talked and intake and introduced and len(kinds) >= max(needs.get("facets", 0), confirmed)


def right_to_represent(command: Command, state: Engagement, needs: Needs, now: datetime) -> bool:
    """Ask for the candidate's agreement to this one job: given, not expired, not revoked."""
    right = state.rights.get(getattr(command, "job_order_id", ""))
    if right is None or right.revoked:
        return False
    return right.expires_at is None or now < right.expires_at


def no_double_submission(command: Command, state: Engagement, needs: Needs, now: datetime) -> bool:
    """Ask that the candidate is not already in front of this client for this job."""
    job_order = getattr(command, "job_order_id", "")
    return all(each.job_order_id != job_order for each in state.live_submissions.values())


def not_while_paused(command: Command, state: Engagement, needs: Needs, now: datetime) -> bool:
    """Ask that the candidate has not wished for quiet."""
    return not state.paused(now)


def good_enough_fit(command: Command, state: Engagement, needs: Needs, now: datetime) -> bool:
    """Ask that somebody judged the job to suit the person well enough, or overrides the floor by name."""
    if getattr(command, "override_by", None) is not None:
        return True
    fit = getattr(command, "fit", None)
    if fit is None:
        proposal = state.proposals.get(getattr(command, "job_order_id", ""))
        if proposal is None or proposal.overridden:
            return proposal is not None
        fit = proposal.fit
    return fit is not None and fit >= needs.get("floor", 60)


def talk_before_matching_again(command: Command, state: Engagement, needs: Needs, now: datetime) -> bool:
    """Ask that somebody talked with the candidate since a placement came to nothing."""
    return state.talk_owed_since is None


def not_while_placed(command: Command, state: Engagement, needs: Needs, now: datetime) -> bool:
    """Ask that the candidate is not in a job of ours that has no end: contracts may look for the next one."""
    there = [each for each in state.placements.values() if each.ended_how is None]
    return all(each.kind in ("contract", "temp-to-perm") for each in there)


def long_pause_needs_lead(command: Command, state: Engagement, needs: Needs, now: datetime) -> bool:
    """Ask that a pause, with those it joins, is short, or that somebody else approved it."""
    until: datetime | None = getattr(command, "until", None)
    if until is None or getattr(command, "approved_by", None) is not None:
        return True
    since = state.paused_since if state.paused_since is not None and state.paused(now) else now
    return until - since <= timedelta(days=needs.get("days", 14))


def needs_check(command: Command, state: Engagement, needs: Needs, now: datetime) -> bool:
    """Ask for a check of a kind whose last word is good: passed, not expired, young enough, long enough ago.

    The last check counts, also against an earlier one; it may have to be about the job of the command.
    """
    asked = _job_order_of(command, state) if needs.get("about") == "job-order" else None
    found = [
        each
        for each in state.checked.values()
        if each.kind == needs.get("kind") and (asked is None or asked in _job_orders_of(each, state))
    ]
    wanted = needs.get("outcome", PASSED)
    good = _good_to_the_end(found, (wanted,) if isinstance(wanted, str) else wanted)
    if not good or (needs.get("about") == "job-order" and asked is None):
        return False
    last = good[-1]
    within = needs.get("within-days")
    young = within is None or now - last.at <= timedelta(days=within)
    lasting = last.expires_at is None or now < last.expires_at
    wait = needs.get("no-sooner-than")
    waited = wait is None or now >= parse_span(wait).after(good[0].at, needs.get("calendar"))
    return young and lasting and waited


def _good_to_the_end(checks: Iterable[Check], wanted: Collection[str]) -> list[Check]:
    """Give the checks since the last one that was not good; none if that is the last of all."""
    good: list[Check] = []
    for each in sorted(checks, key=lambda each: each.at):
        good = [*good, each] if each.outcome in wanted else []
    return good


def _job_order_of(command: Command, state: Engagement) -> str | None:
    named: str | None = getattr(command, "job_order_id", None)
    submission = state.submissions.get(getattr(command, "submission_id", None) or "")
    return named or (submission.job_order_id if submission is not None else None)


def _job_orders_of(check: Check, state: Engagement) -> set[str | None]:
    """Name the job orders that a check speaks of, by itself or by what is about them."""
    found: set[str | None] = set()
    for reference in check.about:
        kind, _, key = reference.partition(":")
        if kind == "job-order":
            found.add(key)
        if kind == "application" and key in state.applications:
            found.add(state.applications[key].job_order_id)
        if kind == "interview" and key in state.interviews:
            kind, key = "submission", state.interviews[key].submission_id
        if kind in ("submission", "placement") and key in state.submissions:
            found.add(state.submissions[key].job_order_id)
    return found


GATES: Final[Mapping[str, Gate]] = {
    "know-each-other-first": know_each_other_first,
    "right-to-represent": right_to_represent,
    "no-double-submission": no_double_submission,
    "not-while-paused": not_while_paused,
    "good-enough-fit": good_enough_fit,
    "talk-before-matching-again": talk_before_matching_again,
    "not-while-placed": not_while_placed,
    "long-pause-needs-lead": long_pause_needs_lead,
    NEEDS_CHECK: needs_check,
}


def passes(gate: GateRule, command: Command, state: Engagement, policy: Policy, now: datetime) -> bool:
    """Tell whether a command passes a gate; one that this code does not know stops nothing."""
    family, _, kind = gate.id.partition(":")
    asked = GATES.get(family)
    needs: dict[str, Any] = dict(gate.needs)
    if kind:
        owner = state.candidate_owner
        office = policy.calendar(state.office if owner is None else state.offices.get(owner))
        # A check may be older than any calendar, and a gate stops nobody because of that.
        needs |= {"kind": kind, "calendar": None if office is None else office[1].reaching_back()}
    return asked is None or asked(command, state, needs, now)


def unmet(
    command: Command, name: str, state: Engagement, policy: Policy, now: datetime, taken: str | None = None
) -> list[GateRule]:
    """List the policy's gates that this command does not pass, in the policy's order.

    *taken* names a gate that the log has found unmet, because another stream holds what it guards.
    """
    gates = index_of(policy).gates.get(INTENT_OF_REPORT.get(name, name))
    if gates is None:
        return []
    return [gate for gate in gates if gate.id == taken or not passes(gate, command, state, policy, now)]
