"""The words of outreach."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from activities.letters import (
    OURS,
    BrokenTemplate,
    Templates,
    UnknownTemplate,
    Words,
    moment,
    span,
    what_would_help,
)

PROMISE: dict[str, str | int] = {
    "reader": "Quux",
    "candidate": "<b>Quux</b>",
    "owner": "Quux (r-1)",
    "engagement_id": "e-1",
    "rule": "keep-in-touch",
    "says": "No candidate goes 7 days without a talk.",
    "about": "",
    "since": "",
    "due": "Monday",
    "level": 2,
    "why_you": "You answer for it.",
    "help": "Call.",
    "late": "2 days",
    "template": "escalation",
    "for_whom": "",
    "code": "123456",
    "minutes": 10,
}
WORDS: Words = {
    **PROMISE,
    "code": "123456",
    "minutes": 10,
    "count": 2,
    "promises": [PROMISE, {**PROMISE, "template": "propose-reassignment"}],
}


def written(directory: Path, body: str, name: str = "own") -> Path:
    (directory / name).mkdir()
    for part in ("subject.txt", "body.html"):
        (directory / name / part).write_text("plain")
    (directory / name / "body.txt").write_text(body)
    return directory


class TestRender:
    @pytest.mark.parametrize("name", sorted(path.name for path in OURS.iterdir()))
    def test_fills_every_template_of_ours(self, name: str) -> None:
        wording = Templates().render(name, WORDS)
        assert "\n" not in wording.subject
        assert "{" not in wording.text + wording.html

    @pytest.mark.parametrize("name", ["obligation-reminder", "propose-reassignment", "digest"])
    def test_says_for_whom_somebody_gets_it(self, name: str) -> None:
        promise = {**PROMISE, "for_whom": "for Lead One (t-1), who is away until Friday"}
        wording = Templates().render(name, {**promise, "count": 1, "promises": [promise]})
        for part in (wording.text, wording.html):
            assert part.count("for Lead One (t-1), who is away until Friday") == 1

    @pytest.mark.parametrize("name", ["obligation-reminder", "escalation", "propose-reassignment", "digest"])
    def test_tells_a_recruiter_who_waits_and_what_to_do(self, name: str) -> None:
        wording = Templates().render(name, WORDS)
        for part in (wording.text, wording.html):
            assert "No candidate goes 7 days without a talk." in part
            assert "rapport show e-1" in part
        assert "Quux" not in wording.subject

    def test_never_pretends_to_be_a_person(self) -> None:
        assert "no person wrote it" in Templates().render("candidate-apology", WORDS).text

    @pytest.mark.parametrize("name", ["escalation", "digest"])
    def test_escapes_html(self, name: str) -> None:
        wording = Templates().render(name, WORDS)
        assert "&lt;b&gt;Quux&lt;/b&gt;" in wording.html
        assert "<b>Quux</b>" in wording.text

    def test_prefers_an_agencys_own_words(self, tmp_path: Path) -> None:
        own = written(tmp_path, "Dear {{ reader }}", name="escalation")
        assert Templates([own]).render("escalation", WORDS).text == "Dear Quux"

    def test_says_when_there_is_none(self) -> None:
        with pytest.raises(UnknownTemplate, match="no template 'unheard-of'"):
            Templates().render("unheard-of", WORDS)

    @pytest.mark.parametrize(
        "body",
        [
            "{{ reader.__class__.__mro__ }}",
            "{{ reader|attr('__class__') }}",
            "{{ ''.__class__.__base__.__subclasses__() }}",
            "{{ '{0.__class__}'.format(reader) }}",
            "{{ cycler.__init__.__globals__ }}",
            "{% for n in range(10000000) %}x{% endfor %}",
            "{{ not_given }}",
            "{{ reader",
            "{{ 1 / 0 }}",
        ],
    )
    def test_refuses_what_reaches_too_far(self, tmp_path: Path, body: str) -> None:
        """A template may come from an agency, and sees texts only."""
        with pytest.raises(BrokenTemplate) as caught:
            Templates([written(tmp_path, body)]).render("own", WORDS)
        assert "Quux" not in str(caught.value)


class TestMoment:
    NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)

    def test_is_told_in_the_candidates_zone(self) -> None:
        assert moment(self.NOON, "Europe/Berlin") == "Monday 5 January 2026, 13:00 (Europe/Berlin)"

    @pytest.mark.parametrize("zone", ["Nowhere/Land", "../etc", ""])
    def test_falls_back_to_utc(self, zone: str) -> None:
        assert moment(self.NOON, zone) == "Monday 5 January 2026, 12:00 (UTC)"

    def test_may_be_missing(self) -> None:
        assert moment(None, "UTC") == ""


class TestWhatWouldHelp:
    def test_has_advice_for_any_rule(self) -> None:
        assert "Call" in what_would_help("keep-in-touch")
        assert what_would_help("a-rule-of-their-own") == what_would_help(None)


class TestSpan:
    @pytest.mark.parametrize(
        ("time", "told"),
        [
            (timedelta(days=2, hours=3, minutes=5), "2 days 3 hours"),
            (timedelta(days=1), "1 day"),
            (timedelta(hours=1, minutes=1), "1 hour 1 minute"),
            (timedelta(seconds=59), "no time"),
            (timedelta(days=-1), "no time"),
        ],
    )
    def test_is_as_exact_as_people_are(self, time: timedelta, told: str) -> None:
        assert span(time) == told
