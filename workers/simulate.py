"""Drives a foreign log through live workflows, in a database and an agency of its own, and reports.

Nothing of it outlives the run, and nothing leaves it: not even a mail server of the settings hears of it.
"""

import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from temporalio.client import Client
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter

from activities.agency_load import load_agency
from events.clock import ClockSpec
from events.envelope import Actor
from events.log.migrate import migrate
from events.policy import Policy
from events.sources.errors import SourceError
from events.sources.mapping import Mapping, check_observes, read_mapping, restrict
from events.sources.ocel import SourceLog, read_ocel
from events.sources.plan import LeftAside, Plan, check_source, plan_of
from events.sources.pseudonyms import Pseudonyms
from events.state import Engagement
from workers.client import Engagements
from workers.data_converter import data_converter
from workers.embedded.stack import EmbeddedStack
from workers.importing.files import content_of_file
from workers.pseudonym_key import pseudonym_key
from workers.settings import Settings
from workers.shipped import compile_policy_file, deploy_policy, known_rules
from workers.simulation_driver import Driver
from workers.simulation_report import SimulationReport, not_kept
from workers.time_skipping import ServerTime, time_skipping_server
from workers.verify import Report, verify_agency
from workers.wiring import Adapters, adapters, workers
from workflows.types import RunSettings

AGENCY: Final = "simulation"
# The time-skipping server wedges on search attributes, and skips no time any more once a run has rolled over
# with an activity under way (temporal-test-server 1.40): so no run does, and none here is that long.
SETTINGS: Final = RunSettings(search_attributes=False, roll_over_at=50_000)
# The agency is loaded before its first event.
HEAD_START: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class SimulationOptions:
    """What to simulate.  *policy* None: ``starter``; *data_dir* is where the pseudonym key is kept."""

    file: Path
    mapping: Path
    data_dir: Path
    policy: Path | None = None
    limit: int | None = None
    pseudonym_key: Path | None = None
    on_progress: Callable[[datetime], None] | None = None


async def run_simulation(options: SimulationOptions) -> SimulationReport:
    """Read the log, drive it through live workflows up to its last moment, verify, and report.

    :raises SourceError: the log, the mapping or the key is not usable; nothing was started.
    :raises PolicyError: the policy is not.
    :raises EmbeddedError: the servers of the simulation do not start.
    """
    began = time.monotonic()
    log, mapping = read_source(options.file), read_mapping_file(options.mapping)
    policy = policy_for(log, options.policy)
    check_observes(mapping.observes, known_rules(policy))
    check_source(log, mapping, limit=options.limit)
    key = Pseudonyms(pseudonym_key(options.pseudonym_key, options.data_dir))
    plan = plan_of(log, mapping, key, limit=options.limit)
    judged = restrict(policy, plan.observes)
    states, refused, verdict = await simulate(plan, judged, on_progress=options.on_progress)
    report = _report(plan, policy, judged, states, refused, verdict)
    return replace(report, seconds=time.monotonic() - began)


def policy_for(log: SourceLog, file: Path | None) -> Policy:
    """Compile a policy (``starter`` without a file) with the calendars of the years that a log tells of.

    :raises PolicyError: the file is no policy.
    """
    on = min((event.at for event in log.events), default=log.until).date()
    if file is None:
        return deploy_policy("starter", on=on, until=log.until.date())
    return compile_policy_file(file, on=on, until=log.until.date())


def read_source(path: Path) -> SourceLog:
    """Read a foreign log from a file.

    :raises SourceError: it cannot be read, or is no such log.
    """
    return read_ocel(content_of_file(path, "log"))


def read_mapping_file(path: Path) -> Mapping:
    """Read a mapping from a file.

    :raises SourceError: it cannot be read, or is no mapping.
    """
    try:
        return read_mapping(content_of_file(path, "mapping").decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise SourceError("the mapping is not UTF-8 text") from None


async def simulate(
    plan: Plan, policy: Policy, *, on_progress: Callable[[datetime], None] | None = None
) -> tuple[dict[str, Engagement], dict[int, str], Report]:
    """Give a plan to live workflows; returns the states, what was refused by place, and the verification."""
    async with _world() as (having, client):
        server = ServerTime(client)
        origin = min([step.at for step in plan.steps] or [plan.until]) - HEAD_START
        clock = ClockSpec(kind="stepped", origin=origin, started=await server.now())
        await load_agency(
            having.service,
            AGENCY,
            people=plan.people,
            policy=policy,
            actor=Actor(kind="operator", id="simulate"),
            source=plan.source,
            decided_at=origin,
        )
        engagements = Engagements(client, AGENCY, clock=clock, settings=SETTINGS)
        driver = Driver(plan, AGENCY, clock, having.log, having.service, engagements, server)
        states = await driver.run(on_progress)
        return states, driver.refused, await verify_agency(having.log, engagements, AGENCY)


@asynccontextmanager
async def _world() -> AsyncIterator[tuple[Adapters, Client]]:
    async with EmbeddedStack(ephemeral=True, temporal=False) as stack:
        await migrate(stack.database_url)
        settings = Settings(
            data_dir=stack.data_dir,
            database_url=None,
            smtp_host=None,
            key_encryption_keys=(),
            temporal_address=None,
        )
        async with (
            time_skipping_server(stack.data_dir) as address,
            adapters(settings, stack.database_url, smtp=(stack.smtp_host, stack.smtp_port)) as having,
        ):
            client = await Client.connect(
                address, data_converter=data_converter(having.keys, AGENCY), runtime=_quiet()
            )
            engagement, outreach = workers(client, having)
            async with engagement, outreach:
                yield having, client


def _quiet() -> Runtime:
    # The test server calls itself older than it is, and the SDK warns of that on our standard output.
    only_errors = TelemetryFilter(core_level="ERROR", other_level="ERROR")
    return Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter=only_errors)))


def _report(
    plan: Plan,
    policy: Policy,
    judged: Policy,
    states: dict[str, Engagement],
    refused: dict[int, str],
    verdict: Report,
) -> SimulationReport:
    kept = {rule.id for rule in judged.obligations}
    aside = [*plan.left_aside, *(LeftAside(place, why) for place, why in refused.items())]
    return SimulationReport(
        source=plan.source,
        policy=policy.name,
        not_judgeable=tuple(rule.id for rule in policy.obligations if rule.id not in kept),
        read=plan.read,
        applied=sum(plan.applied.values()) - len(refused),
        beyond_limit=plan.beyond_limit,
        left_aside=tuple(sorted(aside, key=lambda each: each.place)),
        findings=tuple(plan.findings),
        assumed=Counter(step.assumes for step in plan.steps if step.assumes is not None),
        engagements=len(states),
        job_orders=len({step.stream for step in plan.steps if step.category == "job-order"}),
        stages=Counter(state.stage for state in states.values()),
        breaches=not_kept(states, judged, plan.until),
        verified=verdict.verified,
        mismatches=verdict.mismatches,
        broken=tuple(
            f"{each.stream}, version {each.broken_at}: {each.reason}"
            for each in (*verdict.engagements, *verdict.others)
            if not each.sound
        ),
        seconds=0.0,
    )
