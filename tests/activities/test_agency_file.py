"""The file of an agency's people: what it may say, and one sentence for each mistake."""

from pathlib import Path

import pytest

from activities.agency_file import AgencyFileError, parse_people, read_people

ROOT = Path(__file__).parents[2]


class TestReadPeople:
    def test_reads_the_example(self) -> None:
        people = read_people(ROOT / "deploy" / "agencies" / "example.toml")
        assert [entry.person_id for entry in people] == ["d-1", "t-1", "r-1", "r-2", "r-3", "r-4", "c-1"]
        assert people[2].team_lead == "t-1"

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


PERSON = '[[people]]\nid = "r-1"\nrole = "recruiter"\n'


class TestParsePeople:
    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("", "f: names nobody; write a [[people]] table for each person"),
            ("people = 3", "f: names nobody; write a [[people]] table for each person"),
            ("[[people]\n", "f: is not valid TOML (at line 1, column 9)"),
            ("[[persons]]\n", "f: 'persons' means nothing here; write [[people]] tables only"),
            ('[[people]]\nid = "r-1"\n', "f, line 1: 'role' is missing"),
            (PERSON + '\n[[people]]\nid = "r 2"\nrole = "recruiter"\n', "f, line 5: 'id' must be an id of"),
            (PERSON.replace("recruiter", "boss"), "f, line 1: 'role' must be one of recruiter"),
            (PERSON + 'mail = "x"\n', "f, line 1: 'mail' is no key of a person"),
            (PERSON + 'email = "secret"\n', "f, line 1: 'email' must be an e-mail address"),
            (PERSON + "name = 7\n", "f, line 1: 'name' must be a text"),
            (PERSON + PERSON, "f: person 'r-1' comes twice"),
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
