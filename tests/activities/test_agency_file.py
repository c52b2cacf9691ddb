"""The file of an agency's people: what it may say, and one sentence for each mistake."""

from pathlib import Path

import pytest

from activities.agency_file import AgencyFileError, parse_people, read_people

ROOT = Path(__file__).parents[2]


class TestReadPeople:
    def test_reads_the_example(self) -> None:
        people = read_people(ROOT / "deploy" / "agencies" / "example.toml")
        assert [entry.person_id for entry in people] == ["d-1", "t-1", "r-1", "r-2", "r-3", "r-4", "c-1"]
        assert (people[2].team, people[2].team_lead, people[2].director) == ("north", "t-1", "d-1")

    def test_reads_json_too(self, tmp_path: Path) -> None:
        path = tmp_path / "people.json"
        path.write_text('{"people": [{"id": "r-1", "role": "recruiter"}]}')
        [entry] = read_people(path)
        assert entry.person_id == "r-1"

    def test_says_when_there_is_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(AgencyFileError, match="cannot be read"):
            read_people(tmp_path / "missing.toml")

    def test_says_when_it_is_no_text(self, tmp_path: Path) -> None:
        path = tmp_path / "people.toml"
        path.write_bytes(b"\xff\xfe\x00")
        with pytest.raises(AgencyFileError, match="is not UTF-8 text"):
            read_people(path)


TEAM = '[team.north]\nlead = "t-1"\noffice = "zurich"\n\n'
PERSON = '[[people]]\nid = "r-1"\nrole = "recruiter"\n'


class TestParsePeople:
    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("", "f: names nobody; write a [[people]] table for each person"),
            ("people = 3", "f: names nobody; write a [[people]] table for each person"),
            ("[[people]\n", "f: is not valid TOML (at line 1, column 9)"),
            ("[[persons]]\n", "f: 'persons' means nothing here; write [[people]] and [team.NAME]"),
            ('[[people]]\nid = "r-1"\n', "f, line 1: 'role' is missing"),
            (PERSON + '\n[[people]]\nid = "r 2"\nrole = "recruiter"\n', "f, line 5: 'id' must be an id of"),
            (PERSON.replace("recruiter", "boss"), "f, line 1: 'role' must be one of recruiter"),
            (PERSON + 'mail = "x"\n', "f, line 1: 'mail' is no key of a person"),
            (PERSON + 'email = "secret"\n', "f, line 1: 'email' must be an e-mail address"),
            (PERSON + "name = 7\n", "f, line 1: 'name' must be a text"),
            (PERSON + PERSON, "f: person 'r-1' comes twice"),
            (PERSON + 'team = "north"\n', "f, line 1: 'team' must be the name of a team of this file"),
            (TEAM + PERSON + 'team = "nort"\n', "f, line 5: 'team' must be the name of a team of this file"),
            (TEAM + PERSON, "f, line 1: 'lead' must be the id of a person in this file"),
            ("[team.north]\nboss = 'x'\n" + PERSON, "f, line 1: 'boss' is no key of a team"),
            ("[team.north]\noffice = 7\n" + PERSON, "f, line 1: 'office' must be the name of one of"),
            ("[team.North]\n" + PERSON, "f, line 1: a team's name is of small letters"),
            ('team = "north"\n' + PERSON, "f: a team is a table of its own; write [team.NAME]"),
            (PERSON + 'office = "Zu rich"\n', "f, line 1: 'office' must be the name of one of"),
            (PERSON + 'team-lead = "t-1"\n', "f: the team-lead 't-1' of 'r-1' is not in the list"),
        ],
    )
    def test_says_what_is_wrong_and_where(self, text: str, sentence: str) -> None:
        with pytest.raises(AgencyFileError) as caught:
            parse_people(text, where="f")
        assert str(caught.value).startswith(sentence)
        assert "secret" not in str(caught.value)

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("{", "f: is not valid JSON (at line 1)"),
            ("[]", "f: must hold one object"),
            ('{"people": [{"id": "r-1"}]}', "f, person 1: 'role' is missing"),
        ],
    )
    def test_says_so_of_json(self, text: str, sentence: str) -> None:
        with pytest.raises(AgencyFileError) as caught:
            parse_people(text, where="f", is_json=True)
        assert str(caught.value).startswith(sentence)


class TestATeam:
    FILE = (
        TEAM
        + """
[team.south]

[[people]]
id = "d-1"
role = "director"
team = "north"

[[people]]
id = "t-1"
role = "team-lead"
team = "north"
director = "d-1"

[[people]]
id = "t-2"
role = "team-lead"

[[people]]
id = "r-1"
role = "recruiter"
team = "north"

[[people]]
id = "r-2"
role = "recruiter"
team = "north"
team-lead = "t-2"
office = "lisbon"

[[people]]
id = "r-3"
role = "recruiter"
team = "south"
"""
    )

    def test_gives_its_members_its_lead_and_office_unless_they_have_their_own(self) -> None:
        people = parse_people(self.FILE, where="f")
        assert [(each.person_id, each.team, each.team_lead, each.office) for each in people] == [
            ("d-1", "north", None, "zurich"),
            ("t-1", "north", None, "zurich"),
            ("t-2", None, None, None),
            ("r-1", "north", "t-1", "zurich"),
            ("r-2", "north", "t-2", "lisbon"),
            ("r-3", "south", None, None),
        ]

    def test_suggests_a_person_for_a_misspelt_lead(self) -> None:
        wrong = self.FILE.replace('lead = "t-1"', 'lead = "t1"', 1)
        with pytest.raises(AgencyFileError, match="did you mean 't-1'"):
            parse_people(wrong, where="f")

    def test_is_read_from_json_too(self) -> None:
        text = (
            '{"team": {"north": {"lead": "t-1"}}, "people": [{"id": "t-1", "role": "team-lead"},'
            ' {"id": "r-1", "role": "recruiter", "team": "north"}]}'
        )
        assert parse_people(text, where="f", is_json=True)[1].team_lead == "t-1"
