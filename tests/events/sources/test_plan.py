"""Every event of a foreign log is applied, beyond the limit or left aside, by what came before it alone."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import TypeAdapter

from events import job_order, job_order_decisions, job_order_state
from events.agency import check_people
from events.commands import ANY_COMMAND
from events.sources.errors import SourceError
from events.sources.mapping import Mapping
from events.sources.ocel import SourceLog, read_ocel
from events.sources.plan import Plan, plan_of
from events.sources.pseudonyms import Pseudonyms

JOB_ORDER_COMMAND: TypeAdapter[job_order.AnyJobOrderCommand] = TypeAdapter(job_order.AnyJobOrderCommand)


@pytest.fixture(scope="module")
def plan(generated_log: SourceLog, recruiting: Mapping, pseudonyms: Pseudonyms) -> Plan:
    return plan_of(generated_log, recruiting, pseudonyms)


@pytest.fixture(scope="module")
def real_plan(real_log: SourceLog, recruiting: Mapping, pseudonyms: Pseudonyms) -> Plan:
    return plan_of(real_log, recruiting, pseudonyms)


def names(plan: Plan) -> Counter[str]:
    return Counter(step.name for step in plan.steps)


def kinds(plan: Plan) -> Counter[str]:
    return Counter(found.kind for found in plan.findings)


def changed(content: bytes, change: Callable[[dict[str, Any]], None]) -> SourceLog:
    document = json.loads(content)
    change(document["ocel:events"])
    return read_ocel(json.dumps(document).encode())


class TestPlanOf:
    def test_applies_every_event(self, plan: Plan, generated_log: SourceLog) -> None:
        assert plan.read == len(generated_log.events) == sum(plan.applied.values())
        assert plan.left_aside == []
        assert plan.beyond_limit == 0
        assert len(plan.engagements) == 20

    def test_gives_commands_that_their_streams_understand(self, plan: Plan) -> None:
        orders: dict[str, job_order_state.JobOrder] = {}
        for step in plan.steps:
            named = {"name": step.name, **step.data}
            if step.category == "engagement":
                ANY_COMMAND.validate_python(named)
                continue
            command = JOB_ORDER_COMMAND.validate_python(named)
            state = orders.get(step.stream, job_order_state.initial(step.stream.partition(":")[2]))
            for event in job_order_decisions.decide(command, state, step.at):
                state = job_order_state.evolve(state, event)
            orders[step.stream] = state
        assert {order.phase for order in orders.values()} <= {"filled", "closed"}

    def test_is_the_same_under_the_same_key_and_shares_no_id_under_another(
        self, plan: Plan, generated_log: SourceLog, recruiting: Mapping, pseudonyms: Pseudonyms
    ) -> None:
        again = plan_of(generated_log, recruiting, pseudonyms)
        other = plan_of(generated_log, recruiting, Pseudonyms(b"another key, as long as it must be"))
        assert again.steps == plan.steps
        assert not {step.command_id for step in other.steps} & {step.command_id for step in plan.steps}
        assert not {step.stream for step in other.steps} & {step.stream for step in plan.steps}

    def test_holds_no_id_of_the_log(self, plan: Plan, generated_log: SourceLog) -> None:
        text = repr(plan)
        foreign = {name for event in generated_log.events for each in event.objects.values() for name in each}
        assert not [name for name in foreign if name in text]

    def test_gives_each_command_an_id_of_its_own(self, plan: Plan) -> None:
        assert len({step.command_id for step in plan.steps}) == len(plan.steps)

    def test_keeps_the_order_of_time_and_of_the_file(self, plan: Plan) -> None:
        order = [(step.at, step.place) for step in plan.steps]
        assert order == sorted(order)

    def test_depends_on_the_past_alone(
        self, plan: Plan, generate: Callable[..., bytes], recruiting: Mapping, pseudonyms: Pseudonyms
    ) -> None:
        """A log that breaks off at any event gives the same commands up to there."""
        whole = json.loads(generate())["ocel:events"]
        for kept in range(10, len(whole), 37):

            def cut(events: dict[str, Any], kept: int = kept) -> None:
                for key in list(events)[kept:]:
                    del events[key]

            part = plan_of(changed(generate(), cut), recruiting, pseudonyms)
            assert part.steps == plan.steps[: len(part.steps)]

    def test_names_everybody_of_the_agency_with_a_lead(self, plan: Plan) -> None:
        known = {person.person_id: person for person in plan.people}
        recruiters = [person for person in plan.people if person.role == "recruiter"]
        assert recruiters
        assert {known[person.team_lead or ""].role for person in recruiters} == {"team-lead"}
        check_people(plan.people)
        owners = {step.data["owner"] for step in plan.steps if step.name in ("assign", "reassign")}
        assert owners <= {person.person_id for person in recruiters}

    def test_opens_each_engagement_once_and_first(self, plan: Plan) -> None:
        for engagement in plan.engagements:
            mine = [step.name for step in plan.steps if step.stream == f"engagement:{engagement}"]
            assert mine[:2] == ["open-engagement", "record-application"]
            assert mine.count("open-engagement") == 1
            assert mine.count("assign") == 1

    def test_ends_an_application_by_the_state_it_is_in(self, plan: Plan) -> None:
        endings = {
            tuple(step.name for step in plan.steps if step.place == ended.place)
            for ended in plan.steps
            if ended.name == "go-dormant"
        }
        assert endings == {
            ("decline-application", "record-attempt", "go-dormant"),
            ("record-client-answer", "record-attempt", "go-dormant"),
            ("record-interview-result", "record-attempt", "go-dormant"),
            ("decline-offer", "record-contact", "go-dormant"),
            ("accept-offer", "record-contact", "fill-job-order", "go-dormant"),
        }

    def test_carries_in_an_attempt_what_it_answers(self, plan: Plan) -> None:
        for step in plan.steps:
            if step.name == "record-attempt":
                kinds = [about.rpartition("-")[0] for about in step.data["about"]]
                assert kinds == ["application", "submission", "interview"][: len(kinds)]
                assert kinds

    def test_refuses_an_activity_that_the_mapping_does_not_know(
        self, generate: Callable[..., bytes], recruiting: Mapping, pseudonyms: Pseudonyms
    ) -> None:
        def dance(events: dict[str, Any]) -> None:
            events["9"]["ocel:activity"] = "dance"

        with pytest.raises(SourceError, match=r"does not say what 'dance' means \(event 9\)"):
            plan_of(changed(generate(), dance), recruiting, pseudonyms)


class TestLeavingAside:
    def test_tells_of_events_whose_application_nobody_brought(
        self, generate: Callable[..., bytes], recruiting: Mapping, pseudonyms: Pseudonyms
    ) -> None:
        def unheard_of(events: dict[str, Any]) -> None:
            first = next(key for key, each in events.items() if each["ocel:activity"] == "submit application")
            del events[first]

        log = changed(generate(), unheard_of)
        plan = plan_of(log, recruiting, pseudonyms)
        assert plan.left_aside
        assert {each.reason.partition("' ")[2] for each in plan.left_aside} == {
            "concerns an application that no event before it brings"
        }
        assert plan.read == sum(plan.applied.values()) + len(plan.left_aside)

    def test_tells_of_a_submission_to_a_job_order_that_nobody_named(
        self, generate: Callable[..., bytes], recruiting: Mapping, pseudonyms: Pseudonyms
    ) -> None:
        """An event is applied whole or not at all: no half of it reaches a stream."""

        def forget_links(events: dict[str, Any]) -> None:
            for event in events.values():
                if event["ocel:activity"] in ("submit application", "assign vacancy"):
                    event["ocel:omap"] = [
                        each for each in event["ocel:omap"] if not each.startswith("Vacancy")
                    ]

        plan = plan_of(changed(generate(), forget_links), recruiting, pseudonyms)
        reasons = Counter(each.reason for each in plan.left_aside)
        assert reasons["'consult manager' needs the job-order it concerns, which no event up to it tells"]
        assert names(plan)["record-submission"] == names(plan)["record-submission-received"] == 0
        assert plan.read == sum(plan.applied.values()) + len(plan.left_aside)


class TestLimit:
    def test_takes_the_applicants_who_come_first(
        self, plan: Plan, generated_log: SourceLog, recruiting: Mapping, pseudonyms: Pseudonyms
    ) -> None:
        limited = plan_of(generated_log, recruiting, pseudonyms, limit=5)
        assert limited.engagements == plan.engagements[:5]
        assert limited.read == plan.read == sum(limited.applied.values()) + limited.beyond_limit
        assert limited.until == plan.until

    def test_gives_those_the_same_commands_as_without_it(
        self, plan: Plan, generated_log: SourceLog, recruiting: Mapping, pseudonyms: Pseudonyms
    ) -> None:
        limited = plan_of(generated_log, recruiting, pseudonyms, limit=5)
        chosen = {f"engagement:{each}" for each in limited.engagements}
        assert [step for step in limited.steps if step.stream in chosen] == [
            step for step in plan.steps if step.stream in chosen
        ]

    def test_opens_every_job_order_that_these_are_linked_to(
        self, generated_log: SourceLog, recruiting: Mapping, pseudonyms: Pseudonyms
    ) -> None:
        limited = plan_of(generated_log, recruiting, pseudonyms, limit=2)
        opened = [step.stream for step in limited.steps if step.name == "open-job-order"]
        assert set(opened) == {step.stream for step in limited.steps if step.category == "job-order"}
        assert 0 < len(opened) < 12

    def test_may_be_larger_than_the_log(
        self, plan: Plan, generated_log: SourceLog, recruiting: Mapping, pseudonyms: Pseudonyms
    ) -> None:
        assert len(plan_of(generated_log, recruiting, pseudonyms, limit=999).engagements) == 20

    def test_is_at_least_one(
        self, generated_log: SourceLog, recruiting: Mapping, pseudonyms: Pseudonyms
    ) -> None:
        with pytest.raises(SourceError, match="at least 1"):
            plan_of(generated_log, recruiting, pseudonyms, limit=0)


class TestTheRealLog:
    """The figures that were computed from the file by other means."""

    def test_lands_every_event(self, real_plan: Plan) -> None:
        assert real_plan.read == 6980
        assert real_plan.applied == {"engagement": 6607, "job-order": 373}
        assert real_plan.left_aside == []
        assert len(real_plan.engagements) == 288
        assert len({step.stream for step in real_plan.steps if step.category == "job-order"}) == 140

    def test_gives_as_many_commands_as_the_events_say(self, real_plan: Plan) -> None:
        given = names(real_plan)
        assert given["record-application"] == 916
        assert given["assign"] == 288
        assert given["reassign"] == 628
        assert (
            given["decline-application"],
            given["record-client-answer"],
            given["record-interview-result"],
        ) == (
            187,
            283,
            311,
        )
        assert given["record-submission"] == given["record-submission-received"] == 729
        assert given["request-interview"] == given["record-interview-held"] == 446
        assert given["record-offer"] == 135
        assert (given["accept-offer"], given["decline-offer"]) == (89, 46)
        assert given["fill-job-order"] == 89
        assert given["close-job-order"] == 51

    def test_counts_findings(self, real_plan: Plan) -> None:
        assert kinds(real_plan) == {
            "consent-unknown": 729,
            "right-to-represent-unknown": 729,
            "other-job-order": 127,
            "position-filled-untold": 208,
        }

    def test_finds_people_untold_after_72_of_89_hires(self, real_plan: Plan) -> None:
        untold = [found for found in real_plan.findings if found.kind == "position-filled-untold"]
        assert len({found.place for found in untold}) == 72
        assert len(untold) == 208

    def test_changes_the_team_at_every_new_application(self, real_plan: Plan) -> None:
        """Of 628 re-applications 361 go to a team that shares nobody with the one before: real handovers."""
        teams: dict[str, set[str]] = {}
        changes = strangers = 0
        for step in real_plan.steps:
            if step.name in ("assign", "reassign"):
                before, now = teams.get(step.stream), set(step.data["team"])
                changes += before is not None and before != now
                strangers += before is not None and not before & now
                teams[step.stream] = now
        assert changes == 628
        assert strangers == 361

    def test_fills_or_closes_every_job_order(self, real_plan: Plan) -> None:
        orders: dict[str, job_order_state.JobOrder] = {}
        for step in real_plan.steps:
            if step.category == "job-order":
                command = JOB_ORDER_COMMAND.validate_python({"name": step.name, **step.data})
                state = orders.get(step.stream, job_order_state.initial(step.stream.partition(":")[2]))
                for event in job_order_decisions.decide(command, state, step.at):
                    state = job_order_state.evolve(state, event)
                orders[step.stream] = state
        assert Counter(order.phase for order in orders.values()) == {"filled": 89, "closed": 51}

    def test_takes_sixty_applicants(
        self, real_log: SourceLog, recruiting: Mapping, pseudonyms: Pseudonyms
    ) -> None:
        limited = plan_of(real_log, recruiting, pseudonyms, limit=60)
        assert len(limited.engagements) == 60
        assert sum(limited.applied.values()) + limited.beyond_limit == 6980
        assert limited.until.isoformat() == "2020-08-19T20:53:18+00:00"


class TestPeople:
    def test_of_the_agency_stand_for_those_of_the_log(
        self, generated_log: SourceLog, recruiting: Mapping, pseudonyms: Pseudonyms
    ) -> None:
        """The mapping says who is who; whoever it does not name keeps a pseudonym."""
        named = recruiting.model_copy(update={"people": {"Recruiter 0": "r-1"}})
        plan = plan_of(generated_log, named, pseudonyms)
        owners = {step.data["owner"] for step in plan.steps if step.name in ("assign", "reassign")}
        assert "r-1" in owners
        assert pseudonyms.of("recruiter", "Recruiter 0") not in owners
        assert len(owners) > 1
