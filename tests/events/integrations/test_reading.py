"""How a message is read by a mapping, whatever the provider."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from events.integrations.mapping import parse
from events.integrations.message import Message
from events.integrations.reading import (
    Ignored,
    Kind,
    KnownIds,
    Learnt,
    Means,
    Ours,
    Waits,
    Wanted,
    mentions,
    read,
)

HEAD = 'format = 1\nprovider = "greenhouse"\n'
RECEIVED = datetime(2026, 3, 2, 9, tzinfo=UTC)
ADA = Ours("e-1", "s-1", "jo-1")
BOB = Ours("e-2", "s-2", "jo-1")
IDS: dict[tuple[Kind, str], Ours] = {
    ("application", "5"): ADA,
    ("application", "6"): BOB,
    ("job", "9"): Ours(job_order="jo-1"),
}
SCHEDULED = """[[rule]]
events = ["x"]
says = "a time"
  [[rule.command]]
  name = "record-interview-scheduled"
  at = "body.changed"
    [rule.command.refs]
    submission_id = { kind = "application", path = "body.app" }
    interview_id = { kind = "interview", path = "body.id", new = true }
    [rule.command.fields]
    starts_at = "body.start"
    place = "body.where"
"""
BODY = {"app": 5, "id": "i", "start": "2026-03-09T10:00:00Z"}
Reads = Callable[..., Any]


@pytest.fixture
def by(reads: Reads) -> Reads:
    """This will read a message named x by the rules of a text."""

    def reading(rules: str, body: Any, ids: Any = None, **more: Any) -> Any:
        mapping = parse(HEAD + rules)
        return reads("greenhouse", "x", body, IDS if ids is None else ids, mapping=mapping, **more)

    return reading


class TestRead:
    def test_gives_the_report_and_learns_the_new_id(self, by: Reads) -> None:
        meaning = by(SCHEDULED, BODY | {"where": "Room 1"})
        assert isinstance(meaning, Means)
        (wanted,) = meaning.commands
        interview = wanted.fields["interview_id"]
        assert wanted == Wanted(
            "e-1",
            "record-interview-scheduled",
            {
                "submission_id": "s-1",
                "interview_id": interview,
                "starts_at": "2026-03-09T10:00:00.000000Z",
                "place": "Room 1",
            },
            RECEIVED,
        )
        assert interview.startswith("iv-")
        assert len(interview) == 19
        assert meaning.learns == (Learnt("interview", "i", "e-1", interview, "jo-1"),)

    def test_makes_the_same_id_of_the_same_thing_and_another_of_another(self, by: Reads) -> None:
        made = [by(SCHEDULED, BODY | {"id": each}).learns[0].ours for each in ("i", "i", "j")]
        assert made[0] == made[1] != made[2]

    def test_learns_nothing_that_is_known(self, by: Reads) -> None:
        meaning = by(SCHEDULED, BODY, {**IDS, ("interview", "i"): Ours("e-1", "i-1")})
        assert meaning.commands[0].fields["interview_id"] == "i-1"
        assert meaning.learns == ()

    def test_takes_the_time_that_the_message_names(self, by: Reads) -> None:
        meaning = by(SCHEDULED, BODY | {"changed": 1770627600000})
        assert meaning.commands[0].at == datetime(2026, 2, 9, 9, tzinfo=UTC)

    def test_waits_for_a_link_and_never_guesses(self, by: Reads) -> None:
        assert by(SCHEDULED, BODY | {"app": 7}) == Waits(
            "rule 1 (a time) needs the application at body.app, and nobody has linked it.",
            "link",
            "application",
            "7",
        )

    def test_waits_for_a_link_before_it_asks_for_a_better_mapping(self, by: Reads) -> None:
        """A stranger's message is nobody's work."""
        assert by(SCHEDULED, {"app": 7}).needs == "link"

    def test_waits_where_a_path_finds_nothing_that_is_needed(self, by: Reads) -> None:
        assert by(SCHEDULED, {"app": 5, "id": "i"}) == Waits(
            "rule 1 (a time) finds nothing at body.start for 'starts_at', "
            "which record-interview-scheduled needs.",
            "mapping",
        )
        assert by(SCHEDULED, {"app": 5}) == Waits(
            "rule 1 (a time) finds no interview's id at body.id.", "mapping"
        )

    def test_waits_where_a_time_has_no_zone(self, by: Reads) -> None:
        unclear = BODY | {"start": "2026-03-09T10:00:00"}
        assert by(SCHEDULED, unclear) == Waits(
            "rule 1 (a time) cannot use body.start: it is a time without a zone; "
            'name the zone it is meant in, zone = "Europe/London".',
            "mapping",
        )
        assert by('zone = "Europe/London"\n' + SCHEDULED, unclear).commands

    def test_waits_where_two_ids_belong_to_two_people(self, by: Reads) -> None:
        ids = {**IDS, ("interview", "i"): Ours("e-2", "i-9")}
        assert by(SCHEDULED, BODY, ids) == Waits(
            "rule 1 (a time) names ids that are linked to different engagements; correct one of the links.",
            "mapping",
        )

    def test_waits_where_a_link_leads_to_no_such_thing(self, by: Reads) -> None:
        assert by(SCHEDULED, BODY, {("application", "5"): Ours("e-1")}) == Waits(
            "rule 1 (a time): the application at body.app is linked, but not to a submission; link it again.",
            "link",
            "application",
            "5",
        )

    def test_waits_with_the_reports_own_sentence_where_a_value_does_not_fit(self, by: Reads) -> None:
        secret = "Ada Lovelace" * 3000
        meaning = by(SCHEDULED, BODY | {"where": secret})
        assert meaning.needs == "mapping"
        assert meaning.says.startswith("rule 1 (a time) makes a report that is none: record-interview-sched")
        assert "Ada" not in meaning.says

    def test_says_what_no_rule_reads(self, by: Reads) -> None:
        rule = '[[rule]]\nevents = ["y"]\nignore = "why"\n'
        assert by(rule, {}) == Waits(
            'the mapping of greenhouse says nothing about "x"; add a rule for it.', "mapping"
        )

    def test_names_the_status_that_no_rule_reads_and_nothing_personal(self, by: Reads) -> None:
        rule = '[[rule]]\nevents = ["x"]\nwhen = {{ "body.{}" = ["a"] }}\nignore = "why"\n'
        assert by(rule.format("status"), {"status": "On hold"}).says == (
            'the mapping of greenhouse has no rule for a "x" whose body.status is "On hold"; '
            "add one that says what it means."
        )
        assert "body.name is something else" in by(rule.format("name"), {"name": "Ada"}).says
        assert "body.status is something else" in by(rule.format("status"), {"status": "a@b.example"}).says
        assert "body.status is empty" in by(rule.format("status"), {}).says

    def test_is_the_first_rule_that_fits(self, by: Reads) -> None:
        rules = """[[rule]]
events = ["x"]
when = { "body.s" = ["a", 1], "body.t" = true, "body.u" = false }
ignore = "first"
[[rule]]
events = ["*"]
ignore = "rest"
"""
        assert by(rules, {"s": "a", "t": 0}) == Ignored("first")
        assert by(rules, {"s": 1, "t": "t", "u": None}) == Ignored("first")
        others: list[Any] = [{"s": "b", "t": 1}, {"s": "a"}, {"s": "a", "t": 1, "u": 1}, [], None, "x"]
        assert [by(rules, each) for each in others] == [Ignored("rest")] * len(others)

    def test_gives_the_commands_for_each_item(self, by: Reads) -> None:
        rules = """[[rule]]
events = ["x"]
each = "body.list"
  [[rule.command]]
  name = "record-interview-scheduled"
  when = { "item.state" = ["on"] }
    [rule.command.refs]
    submission_id = { kind = "application", path = "body.app" }
    interview_id = { kind = "interview", path = "item.id", new = true }
    [rule.command.fields]
    starts_at = "item.start"
  [[rule.command]]
  name = "cancel-interview"
  when = { "item.state" = ["off"] }
    [rule.command.refs]
    interview_id = { kind = "interview", path = "item.id" }
"""
        items = [{"state": "on", "id": "i", "start": 1770627600}, {"state": "off", "id": "j"}, {"id": "k"}]
        ids = {**IDS, ("interview", "j"): Ours("e-1", "i-9")}
        meaning = by(rules, {"app": 5, "list": items}, ids)
        assert [(each.name, each.engagement) for each in meaning.commands] == [
            ("record-interview-scheduled", "e-1"),
            ("cancel-interview", "e-1"),
        ]
        assert by(rules, {"app": 5, "list": []}) == Ignored("rule 1 finds nothing in it to report")
        assert by(rules, {"app": 5}) == Waits("rule 1 finds no list at body.list.", "mapping")

    def test_is_half_of_nothing(self, by: Reads) -> None:
        """One command that cannot be made holds the other back, and what it would have taught."""
        second = """  [[rule.command]]
  name = "record-client-answer"
    [rule.command.refs]
    submission_id = { kind = "application", path = "body.app" }
    [rule.command.fields]
    answer = { path = "body.stage", values = { Onsite = "yes" } }
"""
        meaning = by(SCHEDULED + second, BODY | {"stage": "Offsite"})
        assert meaning == Waits(
            "rule 1 (a time) does not say what \"Offsite\" at body.stage means for 'answer'; "
            "add it to its values.",
            "mapping",
        )
        assert len(by(SCHEDULED + second, BODY | {"stage": "Onsite"}).commands) == 2

    def test_asks_the_provider_first_and_only_about_ours(self, by: Reads) -> None:
        rules = """[[rule]]
events = ["x"]
when = { "fetched.open" = [true] }
fetch = "scorecards"
  [[rule.command]]
  name = "record-client-answer"
    [rule.command.refs]
    submission_id = { kind = "application", path = "body.app" }
    [rule.command.fields]
    answer = { value = "yes" }
"""
        assert by(rules, {"app": 5}) == Waits(
            "rule 1 asks the provider for its scorecards first.", "fetch", fetch="scorecards"
        )
        assert by(rules, {"app": 7}).needs == "link"
        assert by(rules, {"app": 5}, fetched={"open": True}).commands
        assert by(rules, {"app": 5}, fetched={"open": False}).needs == "mapping"

    def test_asks_also_before_it_ignores(self, by: Reads) -> None:
        rules = """[[rule]]
events = ["x"]
when = { "fetched.open" = [false] }
fetch = "scorecards"
ignore = "nothing is decided yet"

""" + SCHEDULED.replace('says = "a time"', 'fetch = "scorecards"')
        assert by(rules, BODY).needs == "fetch"
        assert by(rules, BODY, fetched={"open": False}) == Ignored("nothing is decided yet")
        assert isinstance(by(rules, BODY, fetched={"open": True}), Means)

    def test_gives_what_is_told_of_a_job_to_the_job_order(self, by: Reads) -> None:
        rules = """[[rule]]
events = ["x"]
  [[rule.command]]
  name = "hold-job-order"
    [rule.command.refs]
    job_order = { kind = "job", path = "body.job" }
"""
        assert by(rules, {"job": 9}) == Means(
            (Wanted(None, "hold-job-order", {}, RECEIVED, job_order="jo-1"),)
        )
        assert by(rules, {"job": 8}).needs == "link"

    def test_learns_a_second_id_for_the_same_thing(self, by: Reads) -> None:
        rules = """[[rule]]
events = ["x"]
  [[rule.command]]
  name = "move-interview"
    [rule.command.refs]
    interview_id = { kind = "interview", path = "body.old", also = "body.new" }
    [rule.command.fields]
    starts_at = "body.start"
"""
        ids = {("interview", "i"): Ours("e-1", "i-1", "jo-1")}
        meaning = by(rules, {"old": "i", "new": "j", "start": 1770627600}, ids)
        assert meaning.learns == (Learnt("interview", "j", "e-1", "i-1", "jo-1"),)

    def test_takes_what_stands_for_the_rest(self, by: Reads) -> None:
        rules = """[[rule]]
events = ["x"]
  [[rule.command]]
  name = "cancel-interview"
    [rule.command.refs]
    interview_id = { kind = "interview", path = "body.id" }
    [rule.command.fields]
    cancelled_by = { path = "body.by", values = { them = "client" }, otherwise = "unknown" }
"""
        ids = {("interview", "i"): Ours("e-1", "i-1")}
        told = [
            by(rules, {"id": "i", **more}, ids).commands[0].fields["cancelled_by"]
            for more in ({"by": "them"}, {"by": "us"}, {})
        ]
        assert told == ["client", "unknown", "unknown"]


class TestMentions:
    def test_names_every_id_that_reading_looks_up(self) -> None:
        mapping = parse(HEAD + SCHEDULED)
        message = Message("x", RECEIVED, BODY)
        assert mentions(message, mapping) == {("application", "5"), ("interview", "i")}
        asked: set[tuple[str, str]] = set()

        class Asked(KnownIds):
            def find(self, kind: Any, external: str) -> Ours | None:
                asked.add((kind, external))
                return super().find(kind, external)

        read(message, mapping, Asked(IDS, lambda _: "0" * 16))
        assert asked <= mentions(message, mapping)

    @pytest.mark.parametrize("odd", ["", None, True, 1.5, "x" * 201, "line\nbreak", {}, []])
    def test_takes_nothing_for_an_id_that_can_be_none(self, odd: Any) -> None:
        assert mentions(Message("x", RECEIVED, {"app": odd}), parse(HEAD + SCHEDULED)) == frozenset()
