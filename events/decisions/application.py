"""Decisions about the candidate's own interest in jobs, and about checks.

An application is the candidate's act; nothing here ever presents them to a client.
"""

from events import catalogue as e
from events import commands as c
from events.context import Context
from events.errors import UnknownReference, WrongState
from events.making import made
from events.state import Application, Engagement
from events.subjects import resolve


def record_application(command: c.RecordApplication, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record an application, once per id.

    :raises WrongState: it is on record for another job order.
    """
    found = state.applications.get(command.application_id)
    if found is not None:
        if command.job_order_id not in (None, found.job_order_id):
            raise WrongState(
                f"application '{command.application_id}' is on record for {_job(found)}; give the new one "
                "its own id, or name its job with link-application-to-job-order"
            )
        return []
    return [
        made(
            e.ApplicationRecorded,
            at=ctx.at,
            application_id=command.application_id,
            job_order_id=command.job_order_id,
        )
    ]


def link_application(command: c.LinkApplication, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record which job order an application is for.

    :raises UnknownReference: no such application.
    :raises WrongState: it is linked to another job order.
    """
    found = known_application(state, command.application_id)
    if found.job_order_id == command.job_order_id:
        return []
    if found.job_order_id is not None:
        raise WrongState(
            f"application '{command.application_id}' is for job order '{found.job_order_id}' already; "
            "annul the earlier link if that was wrong"
        )
    return [
        made(
            e.ApplicationLinked,
            at=ctx.at,
            application_id=command.application_id,
            job_order_id=command.job_order_id,
        )
    ]


def decline_application(command: c.DeclineApplication, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record that an application goes no further; the candidate is still owed the answer.

    :raises UnknownReference: no such application.
    """
    found = known_application(state, command.application_id)
    if found.status != "live":
        return []
    return [e.ApplicationDeclined(at=ctx.at, application_id=command.application_id, reason=command.reason)]


def record_check(command: c.RecordCheck, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record a check and its outcome, once per id."""
    check_id = ctx.new_id("check", command.check_id)
    if check_id in state.checks:
        return []
    return [
        made(
            e.CheckRecorded,
            at=ctx.at,
            check_id=check_id,
            kind=command.check,
            outcome=command.outcome,
            evidence=command.evidence,
            consent=command.consent,
            about=tuple(_about(each, state) for each in command.about),
            expires_at=command.expires_at,
        )
    ]


def _about(given: str, state: Engagement) -> str:
    """Locate what a check is about; a job may be checked before the engagement has heard of it."""
    if given.startswith("job-order:"):
        return given
    (found,) = resolve((given,), state)
    return found


def _job(application: Application) -> str:
    return f"job order '{application.job_order_id}'" if application.job_order_id else "no job order yet"


def known_application(state: Engagement, key: str) -> Application:
    """Find an application.

    :raises UnknownReference: there is none of this id.
    """
    found = state.applications.get(key)
    if found is None:
        raise UnknownReference("application", key, "record it with record-application first")
    return found
