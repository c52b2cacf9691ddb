"""A log that cannot be read gets one sentence, and no object's name stands in it."""

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest

from events.sources.errors import SourceError
from events.sources.ocel import SourceLog, read_ocel

NOON = "2021-03-01T12:00:00.000Z"


def event(**changes: Any) -> dict[str, Any]:
    return {
        "ocel:activity": "open vacancy",
        "ocel:timestamp": NOON,
        "ocel:omap": ["Secret Name"],
        "ocel:vmap": {},
        **changes,
    }


def log(*events: Any, objects: Any = None) -> bytes:
    named = {"Secret Name": {"ocel:type": "vacancies"}} if objects is None else objects
    numbered = {str(number): each for number, each in enumerate(events, start=1)}
    return json.dumps({"ocel:events": numbered, "ocel:objects": named}).encode()


BROKEN: dict[str, tuple[bytes, str]] = {
    "empty": (b"  \n", "the file is empty"),
    "not text": (b"\xff\xfe\x00\x01", "not UTF-8"),
    "not JSON": (b"id;activity\n1;open", "not JSON"),
    "not a number": (b'{"ocel:events": NaN}', "'NaN' is no JSON value"),
    "nested too deeply": (b"[" * 200_000, "nested too deeply"),
    "a list": (b"[]", "no OCEL 1.0 log"),
    "OCEL 2.0": (b'{"events": [], "objects": []}', "no OCEL 1.0 log"),
    "no objects": (b'{"ocel:events": {}}', "no OCEL 1.0 log"),
    "no event": (log(), "holds no event"),
    "events as a list": (b'{"ocel:events": [], "ocel:objects": {}}', "not an object that maps ids to events"),
    "objects as a list": (
        b'{"ocel:events": {}, "ocel:objects": []}',
        "not an object that maps ids to objects",
    ),
    "an object without a type": (
        log(event(), objects={"Secret Name": {}}),
        "object 1 of the log has no 'ocel:type'",
    ),
    "an event that is none": (log("open"), "event 1 of the log is not an object"),
    "no activity": (log(event(**{"ocel:activity": None})), "event 1 of the log has no 'ocel:activity'"),
    "no timestamp": (
        log(event(), event(**{"ocel:timestamp": 7})),
        "event 2 of the log has no 'ocel:timestamp'",
    ),
    "no date": (log(event(**{"ocel:timestamp": "yesterday"})), "no ISO 8601"),
    "a date before time": (log(event(**{"ocel:timestamp": "0001-01-01T00:00:00+14:00"})), "no ISO 8601"),
    "a date without zone": (log(event(**{"ocel:timestamp": "2021-03-01T12:00:00"})), "without a zone"),
    "no objects named": (log(event(**{"ocel:omap": "Secret Name"})), "no 'ocel:omap'"),
    "a dangling object": (
        log(event(**{"ocel:omap": ["Secret Name", "Another"]})),
        "(its 2.) that the log does not hold",
    ),
    "an id twice": (b'{"ocel:events": {"1": {}, "1": {}}, "ocel:objects": {}}', "twice in one place"),
}


class TestReadOcel:
    @pytest.mark.parametrize(("content", "says"), BROKEN.values(), ids=BROKEN.keys())
    def test_says_in_one_sentence_what_is_wrong(self, content: bytes, says: str) -> None:
        with pytest.raises(SourceError) as failed:
            read_ocel(content)
        sentence = str(failed.value)
        assert says in sentence
        assert "\n" not in sentence
        assert "Secret" not in sentence
        assert "Another" not in sentence

    @pytest.mark.parametrize("share", [0.2, 0.5, 0.77, 0.999])
    def test_knows_a_file_that_is_cut_off(self, generate: Callable[..., bytes], share: float) -> None:
        whole = generate()
        with pytest.raises(SourceError, match="cut off"):
            read_ocel(whole[: int(len(whole) * share)])

    def test_never_takes_a_part_for_the_whole(self, generate: Callable[..., bytes]) -> None:
        """Wherever a copy breaks off, it is refused."""
        whole = generate(applicants=1, vacancies=1)
        for length in range(len(whole)):
            with pytest.raises(SourceError):
                read_ocel(whole[:length])

    def test_keeps_the_files_order_for_events_that_share_a_moment(self) -> None:
        later, first, second = event(**{"ocel:timestamp": "2021-03-02T12:00:00Z"}), event(), event()
        read = read_ocel(log(later, first, second))
        assert [each.place for each in read.events] == [2, 3, 1]

    def test_reads_another_zone_as_the_same_moment(self) -> None:
        read = read_ocel(log(event(), event(**{"ocel:timestamp": "2021-03-01T13:00:00.000+01:00"})))
        assert read.events[0].at == read.events[1].at == read.until

    def test_groups_an_events_objects_by_type_in_its_own_order(self) -> None:
        objects = {name: {"ocel:type": kind} for name, kind in (("b", "x"), ("a", "x"), ("c", "y"))}
        (read,) = read_ocel(log(event(**{"ocel:omap": ["b", "c", "a"]}), objects=objects)).events
        assert read.named("x") == ("b", "a")
        assert read.named("z") == ()


class TestTheRealLog:
    def test_is_read_whole(self, real_log: SourceLog) -> None:
        assert len(real_log.events) == 6980
        assert real_log.kinds == {
            "applicants",
            "applications",
            "offers",
            "vacancies",
            "recruiters",
            "managers",
        }

    def test_rejects_and_takes_the_next_application_at_the_very_same_moment(
        self, real_log: SourceLog
    ) -> None:
        """97 ties that only the file's order can tell apart: the rejection comes first."""
        ties = [
            (first, second)
            for first, second in itertools.pairwise(real_log.events)
            if first.at == second.at and first.named("applicants") == second.named("applicants") != ()
        ]
        assert len(ties) == 97
        assert {(first.activity, second.activity) for first, second in ties} == {
            ("send rejection", "submit application")
        }
