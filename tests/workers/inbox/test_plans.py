"""One message: what is overtaken is left out, what was begun is finished, a hint is asked about."""

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from activities.asking.errors import CannotBeAsked
from events.errors import CallerError
from workers.inbox.connections import Connection

if TYPE_CHECKING:
    from events.integrations.message import Message
    from tests.workers.inbox.desk import Office

pytestmark = pytest.mark.postgres


class Api:
    """Stands where the provider's API is: away at first, or not to be asked at all."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[str] = []

    async def fetch(self, connection: Connection, what: str, message: "Message") -> Any:
        """Answer from the second time on."""
        self.asked.append(what)
        if isinstance(self.answer, Exception):
            raise self.answer
        if len(self.asked) == 1:
            raise ConnectionError("nobody answers")
        return self.answer


@pytest.fixture
def asks(desks: Any) -> Any:
    """This will be a rule whose message is only a hint."""
    command = desks.RuleCommand(
        name="record-check",
        refs={"engagement": desks.Ref(kind="candidate", path="body.candidate")},
        fields={"check": desks.Value(value="references"), "outcome": desks.Value(path="fetched.outcome")},
    )
    return desks.Rule(events=("hint",), fetch="scorecards", command=(command,))


async def maps(office: "Office", desks: Any, *rules: Any) -> None:
    """This will give the office's connection other rules."""
    mended = desks.mapping(*rules)
    await office.post.connections.set_mapping(office.post.agency, office.connection.id, mended)


class TestAHint:
    async def test_is_applied_as_the_provider_tells(self, office: "Office", desks: Any, asks: Any) -> None:
        await maps(office, desks, asks)
        office.asking = Api({"outcome": "good"})
        await office.comes("m-1", "hint", candidate="cand-1")
        async with office.pump():
            await office.settled()
        [event] = await office.desk.events("e-1", "check-recorded")
        assert json.loads(event.body)["outcome"] == "good"
        assert office.asking.asked == ["scorecards", "scorecards"]

    async def test_waits_where_the_provider_cannot_be_asked(
        self, office: "Office", desks: Any, asks: Any
    ) -> None:
        await maps(office, desks, asks)
        office.asking = Api(CannotBeAsked("the connection has no API key; give it one"))
        await office.comes("m-1", "hint", candidate="cand-1")
        async with office.pump():
            await office.settled()
        [kept] = await office.messages()
        assert (kept.state, kept.needs) == ("waiting", "fetch")
        assert kept.says == "the connection has no API key; give it one"

    async def test_is_not_asked_about_where_it_is_nobodys(
        self, office: "Office", desks: Any, asks: Any
    ) -> None:
        await maps(office, desks, asks)
        office.asking = Api({"outcome": "good"})
        await office.comes("m-1", "hint", candidate="cand-9")
        async with office.pump():
            await office.settled()
        assert [each.state for each in await office.messages()] == ["unmatched"]
        assert office.asking.asked == []


class TestOvertaken:
    async def test_is_only_what_something_newer_speaks_of(self, office: "Office", desks: Any) -> None:
        """A fact beside an old time is still a fact: it is applied, at its own time."""
        scheduled, moved, *_ = desks.RULES
        wrote = desks.RuleCommand(
            name="record-message",
            refs={"engagement": desks.Ref(kind="interview", path="body.interview")},
            fields={"message_id": desks.Value(path="body.id")},
        )
        both = moved.model_copy(update={"events": ("both",), "command": (*moved.command, wrote)})
        await maps(office, desks, scheduled, moved, both)
        times = [f"2030-01-0{day}T10:00:00Z" for day in (7, 8, 9)]
        await office.comes("m-1", "scheduled", 1, application="app-1", interview="i-7", starts=times[0])
        async with office.pump():
            await office.settled()
            await office.comes("m-3", "moved", 3, interview="i-7", starts=times[2])
            await office.settled()
            await office.comes("m-2", "both", 2, interview="i-7", starts=times[1], id="w-1")
            await office.settled()
        kept = (await office.messages())[1]
        assert kept.state == "applied"
        assert "1 of its 2 commands left out" in (kept.says or "")
        [event] = await office.desk.events("e-1", "candidate-wrote")
        assert event.command_id == f"hook:{kept.message_id}:1"
        assert len(await office.desk.events("e-1", "interview-moved")) == 1

    @pytest.mark.parametrize(
        ("newer", "older"),
        [
            (("answered", "yes"), ("judged", "reject")),
            (("judged", "reject"), ("answered", "yes")),
            (("judged", "advance"), ("answered", "no")),
        ],
    )
    async def test_is_what_the_client_has_said_otherwise_since(
        self, office: "Office", desks: Any, newer: tuple[str, str], older: tuple[str, str]
    ) -> None:
        """An answer and what came of an interview both say whether the submission is alive."""
        interview, submission = (
            desks.Ref(kind=kind, path=f"body.{kind}") for kind in ("interview", "application")
        )
        judged = desks.RuleCommand(
            name="record-interview-result",
            refs={"interview_id": interview},
            fields={"result": desks.Value(path="body.said")},
        )
        answered = desks.RuleCommand(
            name="record-client-answer",
            refs={"submission_id": submission},
            fields={"answer": desks.Value(path="body.said")},
        )
        rules = [
            desks.Rule(events=(name,), command=(each,))
            for name, each in zip(("judged", "answered"), (judged, answered), strict=True)
        ]
        await maps(office, desks, desks.RULES[0], *rules)
        about = {"application": "app-1", "interview": "i-7"}
        await office.comes("m-1", "scheduled", 1, **about, starts="2030-01-07T10:00:00Z")
        async with office.pump():
            await office.settled()
            await office.comes("m-3", newer[0], 3, **about, said=newer[1])
            await office.settled()
            await office.comes("m-2", older[0], 2, **about, said=older[1])
            await office.settled()
        assert [each.state for each in await office.messages()] == ["applied", "superseded", "applied"]
        stored = await office.desk.log.read_stream(office.post.agency, "engagement:e-1")
        alive = newer[1] != "reject"
        assert (desks.fold(stored).submissions["s-1"].status == "live") is alive

    async def test_is_nothing_by_what_could_not_be_given(
        self, office: "Office", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The newer one passed the rehearsal and failed all the same: it has told nothing yet."""
        give = office.desk.give

        async def fails_the_newest(agency: str, step: Any, *rest: Any) -> Any:
            if step.fields["starts_at"].startswith("2030-01-09"):
                raise CallerError("the engagement was closed a moment ago")
            return await give(agency, step, *rest)

        monkeypatch.setattr(office.desk, "give", fails_the_newest)
        days = [f"2030-01-0{day}T10:00:00Z" for day in (7, 8, 9)]
        await office.comes("m-1", "scheduled", 1, application="app-1", interview="i-7", starts=days[0])
        async with office.pump():
            await office.settled()
            await office.comes("m-3", "moved", 3, interview="i-7", starts=days[2])
            await office.settled()
            await office.comes("m-2", "moved", 2, interview="i-7", starts=days[1])
            await office.settled()
        assert [each.state for each in await office.messages()] == ["applied", "applied", "waiting"]

    async def test_is_nothing_by_a_time_that_has_not_come(self, office: "Office", desks: Any) -> None:
        """One message with its clock decades ahead must not silence all that come after it."""
        scheduled, moved, *_ = desks.RULES
        dated = moved.command[0].model_copy(update={"at": "body.at"})
        await maps(office, desks, scheduled, moved.model_copy(update={"command": (dated,)}))
        days = [f"2030-01-0{day}T10:00:00Z" for day in (7, 8, 9)]
        told = ["2026-01-05T12:02:00Z", "2026-01-05T12:03:00Z"]
        decades = 40 * 365 * 24 * 60
        await office.comes("m-1", "scheduled", 1, application="app-1", interview="i-7", starts=days[0])
        async with office.pump():
            await office.settled()
            await office.comes("m-2", "moved", decades, interview="i-7", starts=days[1], at=told[0])
            await office.settled()
            now = (datetime.now(UTC) - desks.NOON) // timedelta(minutes=1) + 1
            await office.comes("m-3", "moved", now, interview="i-7", starts=days[2], at=told[1])
            await office.settled()
        assert [each.state for each in await office.messages()] == ["applied", "applied", "applied"]


class TestATimeThatLiesAhead:
    async def test_puts_nothing_off(self, office: "Office", desks: Any) -> None:
        """Neither the message's own time nor one that its mapping reads: a STOP works when it comes."""
        scheduled, moved, wrote, *_ = desks.RULES
        dated = wrote.command[0].model_copy(update={"at": "body.at"})
        await maps(office, desks, scheduled, moved, wrote.model_copy(update={"command": (dated,)}))
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        ahead = (tomorrow - desks.NOON) // timedelta(minutes=1)
        await office.comes("m-1", "wrote", ahead, candidate="cand-1", id="w-1", at=tomorrow.isoformat())
        await office.comes("m-2", "wrote", ahead, candidate="cand-1", id="w-2")
        async with office.pump():
            await office.settled()
        assert [each.state for each in await office.messages()] == ["applied", "applied"]
        for event in await office.desk.events("e-1", "candidate-wrote"):
            assert event.occurred_at < tomorrow - timedelta(hours=23)

    async def test_is_the_providers_where_it_was_asked_later(
        self, office: "Office", desks: Any, asks: Any
    ) -> None:
        """What happened between the hint and the answer keeps its time."""
        dated = asks.command[0].model_copy(update={"at": "fetched.at"})
        await maps(office, desks, asks.model_copy(update={"command": (dated,)}))
        await office.comes("m-1", "hint", candidate="cand-1")
        received = (await office.messages())[0].received_at
        later = received + timedelta(milliseconds=1)
        office.asking = Api({"outcome": "good", "at": later.isoformat()})
        async with office.pump():
            await office.settled()
        [event] = await office.desk.events("e-1", "check-recorded")
        assert event.occurred_at == later


class TestBegun:
    async def test_is_finished_under_the_same_ids(self, office: "Office", desks: Any) -> None:
        """It died between its two commands: the first is in the record and is not decided anew."""
        check = {"check": desks.Value(value="references"), "outcome": desks.Value(value="good")}
        to = [desks.Ref(kind="candidate", path=f"body.{each}") for each in ("one", "two")]
        rule = desks.Rule(
            events=("both",),
            command=tuple(
                desks.RuleCommand(name="record-check", refs={"engagement": ref}, fields=check) for ref in to
            ),
        )
        await maps(office, desks, rule)
        await office.comes("m-1", "both", one="cand-1", two="cand-2")
        office.desk.away.add("e-2")

        async def tried() -> bool:
            return ("e-2" in {about for about, _ in office.desk.tries}) and (
                (await office.messages())[0].attempts > 0
            )

        async with office.pump():
            await office.until(tried)
        assert len(await office.desk.events("e-1", "check-recorded")) == 1
        office.desk.away.clear()
        async with office.pump():
            await office.settled()
        assert [len(await office.desk.events(each, "check-recorded")) for each in ("e-1", "e-2")] == [1, 1]
        [kept] = await office.messages()
        assert kept.state == "applied"
        assert kept.engagements == ("e-1", "e-2")

    async def test_says_how_far_it_came_where_the_rest_cannot_be_given(
        self, office: "Office", desks: Any
    ) -> None:
        """Somebody closed the second engagement between the try and the giving."""
        check = {"check": desks.Value(value="references"), "outcome": desks.Value(value="good")}
        one, two = (desks.Ref(kind="candidate", path=f"body.{each}") for each in ("one", "two"))
        applied = {"application_id": desks.Value(value="a-1")}
        rule = desks.Rule(
            events=("both",),
            command=(
                desks.RuleCommand(name="record-check", refs={"engagement": one}, fields=check),
                desks.RuleCommand(name="record-application", refs={"engagement": two}, fields=applied),
            ),
        )
        await maps(office, desks, rule)
        await office.desk.person("e-9", "open-engagement", candidate_id="c-9", owner="r-1")
        await office.link("candidate", "cand-9", "e-9")
        await office.comes("m-1", "both", one="cand-1", two="cand-9")
        office.desk.away.add("e-9")

        async def tried() -> bool:
            return (await office.messages())[0].attempts > 0

        async with office.pump():
            await office.until(tried)
            await office.desk.person("e-9", "close-engagement", reason="withdrawn")
            office.desk.away.clear()
            await office.settled()
        [kept] = await office.messages()
        assert (kept.state, kept.needs) == ("waiting", "command")
        assert (kept.says or "").startswith("1 of its commands are given")
        assert kept.outcome is not None
        assert len(kept.outcome["commands"]) == 1


class TestAJobOrder:
    async def test_hears_of_its_client_through_the_command_service(
        self, office: "Office", desks: Any
    ) -> None:
        rule = desks.Rule(
            events=("on hold",),
            command=(
                desks.RuleCommand(
                    name="hold-job-order", refs={"job_order": desks.Ref(kind="job", path="body.job")}
                ),
            ),
        )
        await maps(office, desks, rule)
        await office.link("job", "job-1", None, None, "j-1")
        await office.comes("m-1", "on hold", job="job-1")
        async with office.pump():
            await office.settled()
            [kept] = await office.messages()
            assert (kept.state, kept.needs) == ("waiting", "command")
            await office.desk.service.give(
                office.desk.stream_command("job-order:j-1", "open-job-order", job_order_id="j-1", owner="r-1")
            )
            await office.hand().work.look_again(timedelta(days=1))
            await office.settled()
        [kept] = await office.messages()
        assert (kept.state, kept.engagements) == ("applied", ("job-order:j-1",))
        stored = await office.desk.log.read_stream(office.post.agency, "job-order:j-1")
        assert [each.type for each in stored] == ["job-order-opened", "job-order-held"]
