"""Decisions about the relationship itself: opening, owners, intake, pauses, leaving, closing.

Each gives the events a command leads to, and none where it has been done already.
"""

from collections.abc import Sequence

from events import catalogue as e
from events import commands as c
from events.context import Context
from events.envelope import Stored
from events.errors import InvalidCommand, NotAllowed, UnknownReference, WrongState
from events.making import made
from events.policy import Policy
from events.rule_index import index_of
from events.state import Engagement
from events.zones import ZONES


def open_engagement(
    command: c.OpenEngagement, state: Engagement, ctx: Context, policy: Policy
) -> list[e.AnyEvent]:
    """Take the person on under the agency's policy.

    :raises WrongState: the engagement exists, for another candidate.
    :raises InvalidCommand: the zone is unknown.
    """
    if state.opened_at is not None:
        if state.candidate_id == command.candidate_id:
            return []
        raise WrongState("this engagement is open already, for another candidate; open one under another id")
    _known_zone(command.zone)
    opened = e.EngagementOpened(
        at=ctx.at,
        engagement_id=ctx.stream.partition(":")[2],
        candidate_id=command.candidate_id,
        name=command.candidate_name,
        email=command.email,
        phone=command.phone,
        zone=command.zone,
        opened_from=command.opened_from,
        office=None if command.owner is None else ctx.offices.get(command.owner),
    )
    adopted = _adopted(ctx, index_of(policy).digest, policy.name, policy)
    assigned = [made(e.Assigned, at=ctx.at, owner=command.owner, team=command.team)] if command.owner else []
    return [opened, adopted, *assigned]


def _known_zone(zone: str) -> None:
    if zone not in ZONES:
        raise InvalidCommand("'zone' is no IANA time zone; write one like Europe/London")


def adopt_policy(command: c.AdoptPolicy, state: Engagement, ctx: Context, policy: Policy) -> list[e.AnyEvent]:
    """Put the engagement under another policy; what is open keeps its due time, unless its rule says not."""
    if state.policy_digest == command.digest:
        return []
    adopted = _adopted(ctx, command.digest, command.policy_name, policy)
    return [adopted.model_copy(update={"modes": command.modes})]


def _adopted(ctx: Context, digest: str, name: str, policy: Policy) -> e.PolicyAdopted:
    return e.PolicyAdopted(at=ctx.at, digest=digest, name=name, quiet_hours=policy.quiet_hours)


def assign(command: c.Assign, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Name the first owner; a later one comes by ``reassign``.

    :raises WrongState: somebody else answers for the candidate already.
    """
    if state.candidate_owner is None:
        return [made(e.Assigned, at=ctx.at, owner=command.owner, team=command.team)]
    if state.candidate_owner == command.owner and state.team == command.team:
        return []
    raise WrongState(f"'{state.candidate_owner}' answers for this candidate already; hand over with reassign")


def reassign(command: c.Reassign, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Hand the candidate over; no due time moves.

    :raises WrongState: nobody owns the engagement yet.
    """
    if state.candidate_owner is None:
        raise WrongState(f"nobody answers for this candidate yet; begin with assign owner={command.owner}")
    if state.candidate_owner == command.owner and state.team == command.team:
        return []
    return [
        made(
            e.Reassigned,
            at=ctx.at,
            owner=command.owner,
            previous=state.candidate_owner,
            team=command.team,
            reason=command.reason,
            handover=command.handover,
        )
    ]


def go_live(
    command: c.GoLive, state: Engagement, ctx: Context, policy: Policy, history: Sequence[Stored]
) -> list[e.AnyEvent]:
    """Begin to keep promises where only a past was told, under the policy that the agency follows now.

    :raises WrongState: no past was imported here, so it has been live from its first event.
    """
    if any(stored.type == "went-live" for stored in history):
        return []
    imported = sum(stored.origin == "imported" for stored in history)
    if not imported:
        raise WrongState("nothing was imported into this engagement, so it is live already")
    live = e.WentLive(at=ctx.at, imported=imported, observes=command.observes)
    digest = index_of(policy).digest
    if state.policy_digest == digest:
        return [live]
    return [_adopted(ctx, digest, policy.name, policy), live]


def note_office(command: c.NoteOffice, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Note where a person works; what is open keeps its due time."""
    if state.offices.get(command.person) == command.office:
        return []
    return [e.OfficeNoted(at=ctx.at, person=command.person, office=command.office)]


def set_quiet_hours(command: c.SetQuietHours, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Note when the candidate is not to be written to.

    :raises InvalidCommand: the zone is unknown, or the quiet has no length.
    """
    if command.zone is not None:
        _known_zone(command.zone)
    if command.quiet_hours is not None and command.quiet_hours[:5] == command.quiet_hours[6:]:
        raise InvalidCommand("quiet hours begin and end at different times; write them like 20:00-08:00")
    if command.quiet_hours == state.quiet_hours and command.zone in (None, state.zone):
        return []
    return [e.QuietHoursSet(at=ctx.at, quiet_hours=command.quiet_hours, zone=command.zone)]


def complete_intake(command: c.CompleteIntake, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Note that they know each other, once."""
    return [] if state.intake_completed else [e.IntakeCompleted(at=ctx.at)]


def pause(command: c.Pause | c.RecordPause, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Note the candidate's wish for quiet; how long is too long for one person to decide, a gate says.

    :raises InvalidCommand: the date is past.
    :raises NotAllowed: who answers for the candidate approves it themselves.
    """
    if command.approved_by is not None and command.approved_by == state.candidate_owner:
        raise NotAllowed(
            f"'{command.approved_by}' answers for this candidate, so another must approve: approved_by=LEAD"
        )
    if command.until <= ctx.now:
        raise InvalidCommand("a pause ends in the future; give until=DATE with its zone, later than now")
    if state.paused_until == command.until:
        return []
    return [e.Paused(at=ctx.at, until=command.until, reason=command.reason, approved_by=command.approved_by)]


def resume(command: c.Resume, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Wake the engagement, if it is paused or dormant."""
    return [e.Resumed(at=ctx.at)] if state.paused_until is not None or state.dormant else []


def go_dormant(command: c.GoDormant, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Put the engagement to sleep, once.

    :raises WrongState: a submission is still alive.
    """
    if state.dormant:
        return []
    if state.live_submissions:
        raise WrongState("a submission is still alive, so the engagement cannot go dormant; settle it first")
    return [made(e.WentDormant, at=ctx.at, reason=command.reason)]


def withdraw(command: c.Withdraw, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Take the candidate out of one submission, or out of everything.

    :raises UnknownReference: no such submission.
    """
    if command.submission_id is None:
        alive = state.live_submissions or any(each.status == "live" for each in state.applications.values())
        if state.withdrawn and not alive:
            return []
        # Each client is owed a word of their own, so each submission is left by an event of its own.
        left: list[e.AnyEvent] = [
            e.CandidateWithdrew(at=ctx.at, scope="submission", submission_id=key)
            for key in sorted(state.live_submissions)
        ]
        return [*left, e.CandidateWithdrew(at=ctx.at, scope="engagement", reason=command.reason)]
    submission = state.submissions.get(command.submission_id)
    if submission is None:
        raise UnknownReference("submission", command.submission_id, "rapport show lists the ones there are")
    if submission.status != "live":
        return []
    return [
        e.CandidateWithdrew(
            at=ctx.at, scope="submission", submission_id=command.submission_id, reason=command.reason
        )
    ]


def close_engagement(command: c.CloseEngagement, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """End the engagement.

    :raises WrongState: a submission is still alive, or a placement is not through its guarantee or contract.
    """
    if state.live_submissions:
        raise WrongState("a submission is still alive; withdraw it or record its outcome before closing")
    if unfinished := [key for key, each in sorted(state.placements.items()) if each.unfinished(ctx.now)]:
        raise WrongState(
            f"placement '{unfinished[0]}' is not over: wait for its start, guarantee and end, or tell how it "
            "ended with end-placement"
        )
    return [e.EngagementClosed(at=ctx.at, reason=command.reason)]
