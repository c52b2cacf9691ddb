"""Promises in working time: whose calendar counts, what moves them and what never does."""

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from events.calendar import BeyondCalendar
from events.policy import Policy, read_policy
from events.policy_file import PolicyError, load_policy
from events.state import OpenObligation

if TYPE_CHECKING:
    from tests.events.specification import Life, World

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
CALENDARS = """
name = "ours"

[calendar.london]
zone = "Europe/London"
hours = "09:00-17:30"
holidays = { country = "GB", subdivision = "ENG" }

[calendar.new-york]
zone = "America/New_York"
hours = "09:00-17:00"
holidays = { country = "US" }
"""
RULE = """
[obligation.answer-application]
says = "Everybody who applies hears from a person."
because = "M: a test"
kind = "answer"
subject = "application"
opens-on = ["application-recorded"]
met-by = [{ event = "contact-made" }]
within = "2 working days"
ladder = [
    { after = "-4 working hours", do = "remind", to = "owner", template = "obligation-reminder" },
    { after = "1 working day", do = "escalate", to = "team-lead", template = "escalation" },
]
"""
DEBRIEF = """
[obligation.debrief]
says = "After an interview we talk."
because = "M: a test"
kind = "contact"
subject = "interview"
opens-on = ["interview-scheduled"]
met-by = [{ event = "contact-made", where = { purpose = "debrief" } }]
planned = "ends-at"
within = "2 working days"
mode = "observe"
"""
# A Friday afternoon in London, still the morning in New York; the Monday after is a holiday in the States.
FRIDAY = datetime(2026, 1, 16, 15, tzinfo=UTC)


def ours(rules: str = RULE, on: date = date(2026, 1, 5)) -> Policy:
    """Compile a policy with two offices."""
    return load_policy(CALENDARS + rules, where="ours.toml", on=on)


def begun(world: "World", policy: Policy, *, now: datetime = FRIDAY, **offices: str) -> "Life":
    """Open an engagement of recruiter-1 and record an application."""
    life = world.life(policy)
    life.offices = {person.replace("_", "-"): office for person, office in offices.items()}
    life.do("open-engagement", now)
    life.do("record-application", now)
    return life


def promise(life: "Life") -> OpenObligation:
    """Give the one promise that is open."""
    (found,) = life.state.obligations.values()
    return found


class TestWhoseCalendar:
    def test_is_the_owner_s_office_s(self, world: "World") -> None:
        life = begun(world, ours(), recruiter_1="new-york")
        assert promise(life).calendar == "new-york"
        # Monday is Martin Luther King Day: two working days later it is Wednesday.
        assert promise(life).due_at == datetime(2026, 1, 21, 15, tzinfo=UTC)

    def test_is_the_first_for_whoever_has_no_office(self, world: "World") -> None:
        life = begun(world, ours())
        assert promise(life).calendar == "london"
        assert promise(life).due_at == datetime(2026, 1, 20, 15, tzinfo=UTC)

    def test_is_the_first_where_the_policy_does_not_know_the_office(self, world: "World") -> None:
        assert promise(begun(world, ours(), recruiter_1="atlantis")).calendar == "london"

    def test_is_noted_in_the_stream(self, world: "World") -> None:
        """Nothing but the stream and its policies may say how a time came about."""
        life = begun(world, ours(), recruiter_1="new-york")
        ((_, opened),) = life.seen("engagement-opened")
        ((_, noted),) = life.seen("office-noted")
        assert opened.office == "new-york"
        assert (noted.person, noted.office) == ("recruiter-1", "new-york")

    def test_covers_what_opens_before_anybody_answers_for_them(self, world: "World") -> None:
        rule = RULE.replace("application-recorded", "engagement-opened").replace(
            'subject = "application"', 'subject = "engagement"'
        )
        life = world.life(ours(rule))
        life.offices = {"recruiter-1": "new-york"}
        life.do("open-engagement", FRIDAY)
        assert promise(life).calendar == "new-york"

    def test_is_told_again_by_hand(self, world: "World") -> None:
        """Somebody moves to another office: what is open keeps its time, what opens then has the new one."""
        life = begun(world, ours())
        due = promise(life).due_at
        life.do("note-office", FRIDAY, person="recruiter-1", office="new-york")
        assert promise(life).due_at == due
        life.do("record-application", FRIDAY, application_id="a-2")
        calendars = {each.subject: each.calendar for each in life.state.obligations.values()}
        assert calendars == {"application:a-1": "london", "application:a-2": "new-york"}


class TestReassignment:
    def test_never_moves_a_due_time(self, world: "World") -> None:
        life = begun(world, ours(), recruiter_1="london", recruiter_2="new-york")
        before = promise(life)
        life.do("reassign", FRIDAY + DAY)
        assert promise(life) == before
        assert life.state.offices["recruiter-2"] == "new-york"


class TestLadder:
    def test_climbs_on_working_days_only(self, world: "World") -> None:
        """Due on a Friday, a lead hears of it on Monday, and the reminder comes within office hours."""
        life = begun(world, ours(), now=datetime(2026, 1, 21, 9, 30, tzinfo=UTC))
        due = datetime(2026, 1, 23, 9, 30, tzinfo=UTC)
        reminder, breach, raised = promise(life).rungs
        assert (reminder.at, breach.at) == (datetime(2026, 1, 22, 14, tzinfo=UTC), due)
        assert raised.at == datetime(2026, 1, 26, 9, 30, tzinfo=UTC)


class TestBeyondTheCalendar:
    def test_fails_loudly_and_writes_nothing(self, world: "World") -> None:
        life = begun(world, ours(on=date(2022, 6, 1)), now=datetime(2025, 12, 1, 10, tzinfo=UTC))
        with pytest.raises(BeyondCalendar, match=r"2026-01-01; adopting the agency's policy again"):
            life.do("record-application", datetime(2025, 12, 31, 10, tzinfo=UTC), application_id="a-2")
        assert len(life.seen("application-recorded")) == 1

    def test_ends_when_the_agency_adopts_it_again(self, world: "World") -> None:
        """A later compilation is another policy, adopted by an event; what is open keeps its due time."""
        life = begun(world, ours(on=date(2022, 6, 1)), now=datetime(2025, 12, 22, 10, tzinfo=UTC))
        before = promise(life)
        now = datetime(2025, 12, 23, 10, tzinfo=UTC)
        life.policy = ours(on=date(2025, 12, 31))
        life.do("adopt-policy", now, digest=life.policy.digest())
        assert promise(life) == before
        life.do("record-application", now, application_id="a-2")
        dues = {each.subject: each.due_at for each in life.state.obligations.values()}
        assert dues["application:a-2"] == datetime(2025, 12, 29, 10, tzinfo=UTC)


class TestAdoption:
    def test_gives_what_is_open_the_calendar_of_who_owes_it(self, world: "World") -> None:
        elapsed = ours(RULE.replace(" working", "") + 'applies = "open"\n')
        life = begun(world, elapsed)
        assert promise(life).calendar is None
        assert promise(life).due_at == FRIDAY + 2 * DAY
        life.offices = {"recruiter-1": "new-york"}
        life.policy = ours(RULE + 'applies = "open"\n')
        life.do("adopt-policy", FRIDAY, digest=life.policy.digest())
        assert life.state.offices == {"recruiter-1": "new-york"}
        assert promise(life).due_at == datetime(2026, 1, 21, 15, tzinfo=UTC)

    def test_reckons_by_that_calendar_from_then_on(self, world: "World") -> None:
        """A plan that moves later moves what was opened by elapsed time to a working day."""
        life = world.life(ours(DEBRIEF.replace(" working", "")))
        life.do("open-engagement", FRIDAY)
        life.do("record-submission", FRIDAY, application_id=None)
        life.do("schedule-interview", FRIDAY, starts_at=FRIDAY + DAY - HOUR, ends_at=FRIDAY + DAY)
        assert promise(life).due_at == FRIDAY + 3 * DAY
        life.policy = ours(DEBRIEF)
        life.do("adopt-policy", FRIDAY, digest=life.policy.digest())
        life.do("move-interview", FRIDAY, starts_at=FRIDAY + 7 * DAY - HOUR, ends_at=FRIDAY + 7 * DAY)
        assert promise(life).due_at == datetime(2026, 1, 27, 15, tzinfo=UTC)

    def test_notes_where_those_work_whose_candidates_were_placed(self, world: "World") -> None:
        """A check-in that a job's owner owes is reckoned by their office, long after the submission."""
        life = world.life(ours())
        life.do("open-engagement", FRIDAY)
        life.do("record-submission", FRIDAY, application_id=None, job_order_owner="recruiter-2")
        life.do("record-offer", FRIDAY)
        life.do("accept-offer", FRIDAY)
        assert not life.state.live_submissions
        life.offices = {"recruiter-2": "new-york"}
        life.policy = ours(DEBRIEF)
        life.do("adopt-policy", FRIDAY, digest=life.policy.digest())
        assert life.state.offices == {"recruiter-2": "new-york"}


class TestStoredPolicy:
    def test_holds_dates_and_needs_no_library(self) -> None:
        policy = ours()
        assert read_policy(policy.body()) == policy
        assert date(2026, 4, 6) in dict(policy.calendars)["london"].closed

    def test_takes_little_more_for_a_tenth_office(self) -> None:
        """What the offices of one country have alike is written once: a policy has 32 KiB."""
        others = "".join(
            f'[calendar.office-{number}]\nzone = "Europe/London"\nhours = "09:00-17:30"\n'
            'holidays = { country = "GB", subdivision = "ENG" }\n'
            for number in "abcdefghi"
        )
        more = ours(others + RULE)
        assert len(more.calendars) == 11
        assert len(more.body()) - len(ours().body()) < 9 * 250
        assert read_policy(more.body()) == more

    def test_of_the_years_that_are_judged_has_their_holidays(self) -> None:
        past = load_policy(CALENDARS + RULE, where="ours.toml", on=date(2019, 5, 1), until=date(2021, 6, 1))
        london = dict(past.calendars)["london"]
        assert date(2019, 5, 6) in london.closed
        assert (london.first, london.last) == (date(2018, 1, 1), date(2024, 12, 31))


def mistakes(text: str) -> list[str]:
    """Compile what cannot be compiled, and give what it says."""
    with pytest.raises(PolicyError) as caught:
        load_policy(text, where="ours.toml", on=date(2026, 1, 5))
    return caught.value.problems


class TestCalendarTables:
    @pytest.mark.parametrize(
        ("wrong", "right", "says"),
        [
            ('zone = "Europe/London"', 'zone = "Europe/Londn"', 'did you mean "Europe/London"?'),
            ('hours = "09:00-17:30"', 'hours = "9-17:30"', 'write when it begins and ends: "09:00-17:30"'),
            (
                'hours = "09:00-17:30"',
                'hours = "17:30-09:00"',
                'write when it begins and ends: "09:00-17:30"',
            ),
            ('country = "GB"', 'country = "XX"', 'write it like "GB" or "US"'),
            ('subdivision = "ENG"', 'subdivision = "XYZ"', '"GB" has no subdivision "XYZ"'),
            (
                'hours = "09:00-17:30"',
                'hours = "09:00-17:30"\ndays = ["monday"]',
                'there is no weekday "monday"',
            ),
            ('hours = "09:00-17:30"', 'hours = "09:00-17:30"\nclosures = ["24.12.2026"]', "is no closure"),
            ('hours = "09:00-17:30"', 'hours = "09:00-17:30"\nclosed = []', 'there is no key "closed" here'),
            ("[calendar.london]", "[calendar.London]", "use small letters"),
            (
                'name = "ours"',
                'name = "ours"\nquiet-hours = "20-08"',
                'when it begins and ends: "20:00-08:00"',
            ),
        ],
    )
    def test_say_what_would_be_right(self, wrong: str, right: str, says: str) -> None:
        (problem,) = mistakes((CALENDARS + RULE).replace(wrong, right, 1))
        assert says in problem
        assert problem.startswith("ours.toml, line ")

    def test_are_asked_for_where_a_rule_needs_one(self) -> None:
        (problem,) = mistakes('name = "ours"\n' + RULE)
        assert "line 10" in problem
        assert "add [calendar.some-office]" in problem

    def test_know_shorter_days_and_closures(self) -> None:
        hours = (
            'hours = "09:00-17:30"\nhours-on = { fri = "09:00-13:00" }\nclosures = ["2026-12-29..2026-12-31"]'
        )
        policy = load_policy(
            (CALENDARS + RULE).replace('hours = "09:00-17:30"', hours, 1), where="o", on=date(2026, 1, 5)
        )
        london: Any = dict(policy.calendars)["london"]
        assert london.hours["fri"] == "09:00-13:00"
        assert {date(2026, 12, 29), date(2026, 12, 30), date(2026, 12, 31)} <= set(london.closed)
