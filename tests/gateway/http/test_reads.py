"""Reads of one engagement against the fold of its whole stream: the same, byte for byte."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from starlette.requests import Request

from events.codec import ENGAGEMENT_EVENTS
from events.envelope import AppendRequest, Stored
from events.errors import CallerError
from events.fold import fold
from events.log.keys import MemoryKeys
from events.log.memory import MemoryLog
from events.projections import obligations
from events.projections.folding import fold_stream, rows_of
from events.projections.projection import told_of
from gateway import words
from gateway.access.who import Who
from gateway.cli.output import written
from gateway.cli.reading import summary, timeline
from gateway.cli.telling import engagement, state_at
from gateway.folds import Folds
from gateway.http.app import make_app
from gateway.http.doors import Doors
from gateway.http.permits import Closed
from gateway.http.replies import cursor_after
from gateway.http.routes.record import NOT_SHOWN
from tests.gateway.counting import CountingLog

if TYPE_CHECKING:
    from tests.events.specification import Life, World

law = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
AGENCY, STREAM, PATH = "agency-1", "engagement:e-1", "/v1/engagements/e-1"


class Anybody(Closed):
    """Lets everybody see every engagement of their agency, personal values as it is told."""

    def __init__(self) -> None:
        self.agency, self.personal = AGENCY, True

    async def known(self, request: Request) -> Who:
        """Say that it is a director."""
        return Who(agency=self.agency, role="director", credential="k-1", person_id="d-1")

    async def see_engagement(self, request: Request, who: Who, engagement: str) -> bool:
        """Allow it."""
        return self.personal


class Place:
    """The doors on a log in memory, and lives that come into it command by command."""

    def __init__(self, *lives: "Life") -> None:
        self.keys = [MemoryKeys() for _ in lives]
        self._logs = [MemoryLog(each) for each in self.keys]
        self._ahead = [list(life.groups) for life in lives]
        self.log, self.anybody = CountingLog(self._logs[0]), Anybody()
        having: Any = type("Having", (), {"log": self.log})
        nobody: Any = None
        doors = Doors(having, nobody, folds=Folds(self.log), permits=self.anybody)
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=make_app(doors)), base_url="http://test"
        )

    async def grow(self, commands: int = 1) -> int:
        """Append the next commands, or all but the last, to the log beneath; returns how many events."""
        ahead, before = self._ahead[self._logs.index(self.log.beneath)], len(await self.events())
        for each in ahead[:commands]:
            version = len(await self.events())
            request = AppendRequest(agency=AGENCY, stream=STREAM, expected=version, groups=(each.group,))
            await self.log.beneath.append_many([request])
        del ahead[:commands]
        return len(await self.events()) - before

    def swap(self) -> None:
        """Put the next log beneath, which knows nothing of this one."""
        self.log.beneath = self._logs[self._logs.index(self.log.beneath) - 1]

    async def events(self) -> list[Stored]:
        """Read the whole stream, uncounted."""
        return await self.log.beneath.read_stream(AGENCY, STREAM, open_personal=self.anybody.personal)

    async def get(self, path: str, **params: Any) -> httpx.Response:
        """Read; only events come in pages."""
        asked: dict[str, Any] = {
            name: params[name] for name in ("limit", "cursor") if name in params and path == "/events"
        }
        return await self.http.get(f"{PATH}{path}", params=asked)

    async def same(self, path: str, events: Sequence[Stored], **params: Any) -> None:
        """Make sure that a read answers what the whole fold does."""
        found = await self.get(path, **params)
        wanted = told(path, events, personal=self.anybody.personal, **params)
        assert (found.status_code, found.text) == (200 if events else 404, wanted or found.text)
        version = path.removeprefix("/at/") if path.startswith("/at/") else len(events)
        assert not events or found.headers["etag"] == f'"{version}"'


def told(path: str, events: Sequence[Stored], *, personal: bool, **params: Any) -> str | None:
    """Answer from the whole stream."""
    if not events:
        return None
    version = len(events)
    match path.split("/")[1:]:
        case []:
            state = fold(events)
            return written({**summary(state), "state": engagement(state, whole=True)})
        case ["events"]:
            after, limit = params.get("after", 0), params.get("limit", 50)
            if "cursor" in params:
                after = params["place"]
            tell = words.say if personal else partial(words.say, erased=NOT_SHOWN)
            rows = timeline(events, tell, ENGAGEMENT_EVENTS)[after : after + limit]
            last = after + len(rows)
            more = cursor_after(str(last)) if last < version else None
            return written({"items": rows, "next": more, "version": version})
        case ["obligations"]:
            projection = obligations.PROJECTION
            folded = fold_stream([told_of(each) for each in events], [projection])
            found = [dict(zip(projection.columns, row, strict=True)) for row in rows_of(folded, projection)]
            return written({"items": found, "next": None, "version": version})
        case ["at", number]:
            at = int(number)
            then = state_at("engagement", "e-1", events[:at], whole=at == version)
            return written({"engagement": "e-1", "version": at, "state": then})
    raise AssertionError(path)


def lived(data: st.DataObject, world: "World", lives: ModuleType) -> "Life":
    """Draw a life and live it; towards its end some of it turns out to have been wrong."""
    life = world.life(data.draw(lives.modes(world.starter)))
    lives.live(life, data.draw(lives.moves()))
    now = life.journal[-1][0]
    for number in range(4):
        wrong = data.draw(st.sampled_from([each for each in life.stream if each.origin == "business"]))
        with suppress(CallerError):
            life.do("annul-event", now, event_id=wrong.event_id)
        with suppress(CallerError):
            life.do("record-contact", now, contact_id=f"contact-late-{number}")
    return life


def question(data: st.DataObject, version: int) -> tuple[str, dict[str, Any]]:
    """Draw a read of a stream that has so many events."""
    path = data.draw(st.sampled_from(["", "/events", "/obligations", "/at"]))
    if path == "/at":
        return f"/at/{data.draw(st.integers(1, max(1, version)))}", {}
    if path == "/events":
        place = data.draw(st.integers(0, version + 1))
        cursor = {"cursor": cursor_after(str(place)), "place": place} if place else {}
        return path, {"limit": data.draw(st.sampled_from([1, 7, 50, 200])), **cursor}
    return path, {}


class TestReads:
    @law
    @given(data=st.data())
    def test_answer_what_the_whole_fold_does(
        self, data: st.DataObject, world: "World", lives: ModuleType
    ) -> None:
        """Whatever came between two reads: commands, annulments, another log, somebody who may see less."""
        place = Place(lived(data, world, lives), lived(data, world, lives))

        async def run() -> None:
            for _ in range(2):
                await place.grow(-10)
                place.swap()
            for _ in range(30):
                match data.draw(st.sampled_from(["grow", "grow", "read", "read", "read", "swap", "see"])):
                    case "grow":
                        await place.grow(data.draw(st.sampled_from([1, 2, 4])))
                    case "swap":
                        place.swap()
                    case "see":
                        place.anybody.personal = not place.anybody.personal
                    case _:
                        events = await place.events()
                        path, params = question(data, len(events))
                        await place.same(path, events, **params)

        asyncio.run(run())

    @law
    @given(data=st.data())
    def test_answer_one_version_while_the_stream_grows(
        self, data: st.DataObject, world: "World", lives: ModuleType
    ) -> None:
        """Each of several at the same time is of one version that was there, and none goes back."""
        place = Place(lived(data, world, lives))

        async def ask(path: str, shown: list[int]) -> None:
            before = len(await place.events())
            found = await place.get(path, limit=200)
            events = await place.events()
            version = found.json()["version"]
            assert before <= version <= len(events)
            wanted = told(path, events[:version], personal=True, limit=200)
            assert found.text == wanted
            shown.append(version)

        async def run() -> None:
            await place.grow(-20)
            shown: dict[str, list[int]] = {"": [], "/events": [], "/obligations": []}
            for _ in range(6):
                asking = [
                    asyncio.create_task(ask(path, said)) for path, said in shown.items() for _ in range(3)
                ]
                for _ in range(data.draw(st.integers(0, 12))):
                    await asyncio.sleep(0)
                    await place.grow()
                await asyncio.gather(*asking)
            assert all(versions == sorted(versions) for versions in shown.values())

        asyncio.run(run())

    async def test_cost_what_is_new(self, world: "World", lives: ModuleType) -> None:
        """No read of a long history reads it again."""
        life = world.life()
        lives.live(life, list(lives.STORY))
        place = Place(life)
        await place.grow(len(life.groups) - 3)
        paths = ("", "/events", "/obligations")
        for path in paths:
            await place.get(path)
        for path, page in zip(paths, (0, 5, 0), strict=True):
            place.log.reads.clear()
            await place.get(path, limit=5)
            assert place.log.reads == [1, page] if page else [1]
        new = await place.grow(3)
        for path in paths:
            place.log.reads.clear()
            await place.get(path, limit=5)
            assert place.log.reads[0] == new + 1
        place.log.reads.clear()
        await place.get("/at/2")
        assert place.log.reads == [2]

    async def test_do_not_remember_what_an_erased_person_said(
        self, world: "World", lives: ModuleType
    ) -> None:
        life = world.life()
        lives.live(life, list(lives.STORY))
        place = Place(life)
        await place.grow(len(life.groups))
        paths = ("", "/events", "/obligations", "/at/3")
        before = [(await place.get(path)).text for path in paths]
        assert words.ERASED not in before[1]
        await place.keys[0].destroy(AGENCY, STREAM)
        after = [(await place.get(path)).text for path in paths]
        events = await place.events()
        assert words.ERASED in after[1]
        assert after == [told(path, events, personal=True) for path in paths]
        assert not any(opened in text for text in after for opened in _said(life))

    async def test_keep_agencies_apart(self, world: "World", lives: ModuleType) -> None:
        life = world.life()
        lives.live(life, list(lives.STORY))
        place = Place(life)
        await place.grow(len(life.groups))
        paths = ("", "/events", "/obligations", "/at/1")
        assert [(await place.get(path)).status_code for path in paths] == [200] * 4
        place.anybody.agency = "agency-2"
        assert [(await place.get(path)).status_code for path in paths] == [404] * 4

    @pytest.mark.parametrize("beyond", [1, 10_000])
    async def test_know_no_version_beyond_the_last(
        self, world: "World", lives: ModuleType, beyond: int
    ) -> None:
        life = world.life()
        lives.live(life, list(lives.STORY))
        place = Place(life)
        await place.grow(5)
        last = len(await place.events())
        found = await place.get(f"/at/{last + beyond}")
        assert (found.status_code, found.json()["code"]) == (404, "unknown-version")
        assert str(last) in found.json()["detail"]


def _said(life: "Life") -> set[str]:
    bodies = [(json.loads(each.body), each.personal) for each in life.drafts]
    said = {body[name] for body, personal in bodies for name in personal if isinstance(body.get(name), str)}
    return {each for each in said if len(each) > 12}
