import io
from datetime import UTC, datetime

import pytest

from events.commands import PassOnFeedback, RecordContact
from gateway.cli import given
from gateway.cli.errors import Wrong


class TestStreamOf:
    def test_takes_a_bare_id_for_an_engagement(self) -> None:
        assert given.stream_of("e-1") == ("engagement", "e-1")

    def test_reads_a_category(self) -> None:
        assert given.stream_of("job-order:j-1") == ("job-order", "j-1")

    @pytest.mark.parametrize("text", ["invoice:i-1", "candidate:c-1"])
    def test_refuses_other_categories(self, text: str) -> None:
        with pytest.raises(Wrong, match="no kind of stream"):
            given.stream_of(text)

    @pytest.mark.parametrize("text", ["", "job-order:", "Candidate Quux", "-x"])
    def test_refuses_what_is_no_id(self, text: str) -> None:
        with pytest.raises(Wrong, match="letters, digits"):
            given.stream_of(text)


class TestContent:
    def test_reads_pairs(self) -> None:
        assert given.content(None, ["channel=phone", "note=a=b"], RecordContact) == {
            "channel": "phone",
            "note": "a=b",
        }

    def test_splits_lists_by_comma(self) -> None:
        assert given.content(None, ["about=s-1,i-1"], RecordContact) == {"about": ["s-1", "i-1"]}

    def test_leaves_commas_in_texts(self) -> None:
        assert given.content(None, ["words=no, thanks"], PassOnFeedback) == {"words": "no, thanks"}

    def test_reads_one_object(self) -> None:
        assert given.content('{"channel": "phone", "about": ["s-1"]}', [], RecordContact) == {
            "channel": "phone",
            "about": ["s-1"],
        }

    def test_reads_stdin(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """So that personal words need not stand in the list of processes."""
        monkeypatch.setattr("sys.stdin", io.StringIO('{"words": "hello"}'))

        assert given.content("-", [], PassOnFeedback) == {"words": "hello"}

    @pytest.mark.parametrize(
        ("data", "pairs", "complaint"),
        [
            ("{", [], "not JSON"),
            ("[1]", [], "one JSON object"),
            ("{}", ["a=b"], "not both"),
            (None, ["channel"], "field=value"),
            (None, ["=phone"], "field=value"),
            (None, ["channel=phone", "channel=email"], "twice"),
        ],
    )
    def test_complains_in_one_sentence(self, data: str | None, pairs: list[str], complaint: str) -> None:
        with pytest.raises(Wrong, match=complaint):
            given.content(data, pairs, RecordContact)

    def test_repeats_no_value(self) -> None:
        """A value can be a name."""
        with pytest.raises(Wrong) as caught:
            given.content('{"note": "Candidate Quux"', [], RecordContact)

        assert "Quux" not in str(caught.value)


class TestActor:
    def test_reads_kind_and_id(self) -> None:
        actor = given.actor("person:r-1")

        assert (actor.kind, actor.id) == ("person", "r-1")

    @pytest.mark.parametrize("text", ["r-1", "person:", "robot:r-1"])
    def test_names_the_kinds(self, text: str) -> None:
        with pytest.raises(Wrong, match="candidate, person"):
            given.actor(text)


class TestMoment:
    def test_reads_a_time_with_a_zone(self) -> None:
        assert given.moment("2026-01-05T10:00:00+01:00") == datetime(2026, 1, 5, 9, tzinfo=UTC)

    def test_asks_for_a_zone(self) -> None:
        with pytest.raises(Wrong, match="without a zone"):
            given.moment("2026-01-05T09:00:00")

    def test_shows_how_a_time_is_written(self) -> None:
        with pytest.raises(Wrong, match="2026-01-05T09:00:00"):
            given.moment("tomorrow")


class TestExternals:
    def test_reads_connection_kind_and_id(self) -> None:
        [said] = given.externals("submit", ["client-1:application:a:1"], engagement=True)
        assert (said.connection, said.kind, said.id) == ("client-1", "application", "a:1")

    @pytest.mark.parametrize("text", ["client-1", "client-1:265277"])
    def test_says_how_it_is_written(self, text: str) -> None:
        with pytest.raises(Wrong, match="CONNECTION:KIND:ID"):
            given.externals("submit", [text], engagement=True)

    def test_goes_with_an_engagement_alone(self) -> None:
        with pytest.raises(Wrong, match="to an engagement"):
            given.externals("open-job-order", ["client-1:job:7"], engagement=False)
