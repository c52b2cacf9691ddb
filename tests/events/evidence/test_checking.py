"""Whatever was done to evidence is noticed, and named in one sentence; must-show 6."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events.evidence.checking import NotEvidence, check
from events.evidence.lines import written
from events.evidence.signing import SigningKey, fingerprint
from events.policy import Policy

KEY = SigningKey(bytes(range(32)))
FORGER = SigningKey(bytes(32))
OURS = fingerprint(KEY.public)


def said(data: bytes, known: str | None = None) -> str:
    checked = check(data, known)
    assert not checked.sound
    return checked.faults[0].says


def failed(data: bytes) -> set[str]:
    return {name for name, answer in check(data).answers.items() if answer == "fails"}


class TestSoundEvidence:
    def test_holds_without_a_database(self, sealed: bytes) -> None:
        checked = check(sealed, OURS)
        assert checked.sound
        assert {name for name, answer in checked.answers.items() if answer != "holds"} == {"opened"}
        assert checked.signer == OURS

    def test_holds_with_personal_data(self, opened: bytes) -> None:
        checked = check(opened, OURS)
        assert checked.sound
        assert set(checked.answers.values()) == {"holds"}

    async def test_says_what_was_not_checked(self, made: Callable[..., Any]) -> None:
        """Without links nothing ties the stream to the agency's head, and that is no pass."""
        checked = check(await made(links=False))
        assert checked.sound
        assert [name for name, answer in checked.answers.items() if answer == "not-checked"] == [
            "opened",
            "head",
            "key",
        ]

    def test_holds_no_personal_word_unless_asked(self, sealed: bytes, opened: bytes, forged: Any) -> None:
        events = type(forged).of(opened).events()
        words = [each["value"] for event in events for each in event["opened"].values()]
        assert len(words) > 5
        assert [each for each in words if written({"": each})[4:-1] in sealed] == []


class TestAFieldEdited:
    def test_is_named_with_its_event_and_version(self, forged: Any) -> None:
        forged.line("event", 4)["occurred_at"] = "2026-01-01T00:00:00.000000Z"
        data = forged.written()
        kind = forged.line("event", 4)["type"]
        assert said(data) == f"event 4 ({kind}) was edited in the field 'occurred_at'"
        assert (check(data).faults[0].version, check(data).faults[0].field) == (4, "occurred_at")
        assert failed(data) == {"untouched", "content", "signature"}

    def test_within_a_body_is_named(self, forged: Any) -> None:
        forged.body(2, name="another")
        assert said(forged.written()).endswith("was edited in the field 'body.name'")

    def test_is_named_although_its_hash_was_recomputed(self, forged: Any) -> None:
        forged.line("event", 4)["actor"] = {"kind": "person", "id": "somebody-else"}
        forged.rehash()
        says = said(forged.written())
        assert says.startswith("event 4 (")
        assert "edited in the field 'actor' and its chain hash and its content hash recomputed" in says

    def test_is_noticed_where_the_list_of_lines_was_recomputed_too(self, forged: Any) -> None:
        forged.body(4, by="somebody-else")
        forged.relist()
        assert "does not give the hash that was written for it" in said(forged.written())
        forged.rehash()
        forged.relist()
        assert said(forged.written()) == (
            "the events do not lead to the head of the agency's log that the file names"
        )
        forged.rehead()
        forged.relist()
        assert "though all else fits together" in said(forged.written())

    def test_is_noticed_where_the_forger_signs_with_a_key_of_their_own(self, forged: Any) -> None:
        """Only who knows the agency's key can tell: that is why its fingerprint must be known."""
        forged.body(4, by="somebody-else")
        forged.rehash()
        forged.rehead()
        forged.relist()
        data = forged.written(FORGER)
        assert check(data).answers["key"] == "not-checked"
        assert said(data, OURS).startswith("the file is signed with another key (sha256:")

    def test_of_one_hash_alone_is_named(self, forged: Any) -> None:
        forged.line("event", 3)["chain_hash"] = "00" * 32
        data = forged.written()
        assert said(data).endswith("was edited in the field 'chain_hash'")
        assert {"chain", "head"} <= failed(data)

    def test_of_what_no_hash_covers_is_named(self, forged: Any) -> None:
        """The sentences are for people, so they may not be edited either."""
        forged.line("event", 3)["says"] = "Nothing happened."
        forged.line("summary")["says"] = ["All is well."]
        faults = check(forged.written()).faults
        assert [each.says for each in faults if each.check == "untouched"] == [
            "the summary was edited in the field 'says'",
            f"event 3 ({forged.line('event', 3)['type']}) was edited in the field 'says'",
        ]

    def test_of_the_first_line_is_named(self, forged: Any) -> None:
        forged.line("evidence")["agency"] = "another"
        assert said(forged.written()) == (
            "the first line, which says what the file is, was edited in the field 'agency'"
        )

    def test_shows_no_word_of_a_forger(self, forged: Any) -> None:
        """A name of a field may hold what a terminal would obey."""
        forged.line("event", 4)["\x1b[2J"] = "x"
        assert "'?'" in said(forged.written())


class TestAnEventRemoved:
    def test_is_named(self, forged: Any) -> None:
        kind = forged.line("event", 3)["type"]
        del forged.lines[forged.place("event", 3)]
        data = forged.written()
        assert said(data) == f"event 3 ({kind}) was removed"
        assert {"untouched", "order", "head"} <= failed(data)

    def test_is_named_at_the_end(self, forged: Any) -> None:
        last = len(forged.events())
        del forged.lines[forged.place("event", last)]
        assert said(forged.written()).startswith(f"event {last} (")
        forged.relist()
        assert said(forged.written()) == f"event {last} was removed"

    def test_is_named_although_the_others_were_renumbered(self, forged: Any) -> None:
        kind = forged.line("event", 3)["type"]
        del forged.lines[forged.place("event", 3)]
        for number, each in enumerate(forged.events(), 1):
            each["version"] = number
        forged.rehash()
        assert said(forged.written()) == f"event 3 ({kind}) was removed"

    def test_is_noticed_where_all_was_recomputed(self, forged: Any) -> None:
        del forged.lines[forged.place("event", 3)]
        for number, each in enumerate(forged.events(), 1):
            each["version"] = number
        forged.line("evidence")["events"] = forged.line("head")["version"] = len(forged.events())
        forged.rehash()
        forged.relist()
        assert said(forged.written()).endswith("is an event's of this engagement, and the event is not there")

    def test_put_in_is_named(self, forged: Any) -> None:
        place = forged.place("event", 3)
        forged.lines.insert(place, dict(forged.lines[place]))
        assert "event 3 comes more than once" in [each.says[:28] for each in check(forged.written()).faults]


class TestTwoSwapped:
    def test_are_named(self, forged: Any) -> None:
        one, other = forged.place("event", 3), forged.place("event", 6)
        forged.lines[one], forged.lines[other] = forged.lines[other], forged.lines[one]
        data = forged.written()
        assert said(data) == "events 3 and 6 were swapped"
        assert failed(data) == {"untouched", "order", "signature"}
        forged.relist()
        assert said(forged.written()) == "events 3 and 6 were swapped"

    def test_are_named_although_they_took_each_others_number(self, forged: Any) -> None:
        one, other = forged.place("event", 3), forged.place("event", 4)
        forged.lines[one], forged.lines[other] = forged.lines[other], forged.lines[one]
        for name in ("version", "position"):
            first, second = forged.lines[one], forged.lines[other]
            first[name], second[name] = second[name], first[name]
        forged.rehash()
        assert said(forged.written()) == "events 3 and 4 were swapped"

    def test_of_other_lines_are_named(self, forged: Any) -> None:
        one, other = forged.place("summary"), forged.place("head")
        forged.lines[one], forged.lines[other] = forged.lines[other], forged.lines[one]
        assert said(forged.written()) == "the summary and the agency's head were swapped"


class TestAPolicyReplaced:
    def test_by_its_text_is_named(self, forged: Any, other_policy: Policy) -> None:
        forged.line("policy")["body"] = other_policy.body()
        data = forged.written()
        assert said(data).startswith("policy starter (")
        assert said(data).endswith(") was edited in the field 'body'")
        forged.relist()
        assert "was replaced: it does not give the digest under which it was adopted" in said(
            forged.written()
        )

    def test_as_a_whole_is_named(self, forged: Any, other_policy: Policy) -> None:
        forged.lines[forged.place("policy")] = {
            "record": "policy",
            "digest": other_policy.digest(),
            "name": "starter",
            "body": other_policy.body(),
        }
        data = forged.written()
        assert "was replaced by another policy" in said(data)
        assert failed(data) == {"untouched", "policies", "signature"}
        forged.relist()
        assert said(forged.written()).endswith("was put in: no event of the file names it")

    def test_removed_is_named(self, forged: Any) -> None:
        del forged.lines[forged.place("policy")]
        assert said(forged.written()).endswith(") was removed")
        forged.relist()
        assert "was removed or replaced" in said(forged.written())


class TestATruncatedFile:
    def test_is_named_wherever_it_ends(self, sealed: bytes) -> None:
        """Cut anywhere, also within the signature: no other complaint hides that it was cut."""
        for end in range(1, len(sealed), max(1, len(sealed) // 499)):
            try:
                checked = check(sealed[:end])
            except NotEvidence:
                assert sealed[:end].count(b"\n") == 0
                continue
            assert checked.faults[0].check in ("whole", "signature"), end
            assert "missing" in checked.faults[0].says

    def test_says_how_far_it_goes(self, forged: Any, sealed: bytes) -> None:
        count, place = len(forged.events()), forged.place("event", 5)
        cut = b"\n".join(sealed.split(b"\n")[:place])[:-10]
        assert said(cut) == (
            f"the file is cut off after event 3 of {count}: its end, with the signature, is missing"
        )
        assert said(sealed[:-1]) == (
            "the file is cut off behind its events: its end, with the signature, is missing"
        )

    def test_is_told_from_a_missing_signature(self, sealed: bytes) -> None:
        without = sealed[: sealed.rstrip(b"\n").rindex(b"\n") + 1]
        assert said(without) == "the signature is missing: nobody vouches for this file"

    def test_is_noticed_where_only_the_list_is_gone(self, forged: Any) -> None:
        del forged.lines[forged.place("manifest")]
        assert "list of the file's lines" in said(forged.written())


class TestOpenedValues:
    @staticmethod
    def _first(file: Any) -> tuple[dict[str, Any], str]:
        event = next(each for each in file.events() if each["opened"])
        return event, next(iter(event["opened"]))

    def test_forged_are_named(self, opened: bytes, forged: Any) -> None:
        file = type(forged).of(opened)
        event, name = self._first(file)
        event["opened"][name]["value"] = "something else entirely"
        says = said(file.written())
        assert f"was edited in the field 'opened.{name}'" in says
        file.relist()
        assert said(file.written()).endswith("was forged: what was sealed is of another length")

    def test_of_the_same_length_rest_on_the_signature(self, opened: bytes, forged: Any) -> None:
        """Nobody without the data key can tell them from the ciphertext: the signature alone proves them."""
        file = type(forged).of(opened)
        event, name = self._first(file)
        value = event["opened"][name]["value"]
        event["opened"][name]["value"] = value[:-1] + ("x" if value[-1] != "x" else "y")
        file.relist()
        assert failed(file.written()) == {"signature"}

    def test_with_another_ciphertext_are_named(self, opened: bytes, forged: Any) -> None:
        file = type(forged).of(opened)
        event, name = self._first(file)
        event["opened"][name]["ciphertext"] = "AAAA"
        file.relist()
        assert "comes with a ciphertext that is not the one the event names" in said(file.written())

    def test_put_into_a_sealed_file_are_named(self, forged: Any) -> None:
        forged.line("event", 1)["opened"] = {"name": {"value": "x", "ciphertext": "AAAA"}}
        forged.relist()
        assert said(forged.written()).endswith("was put in: the file was made without personal data")


class TestTheSignature:
    def test_by_a_known_key_holds(self, sealed: bytes) -> None:
        assert check(sealed, OURS).answers["key"] == "holds"
        assert said(sealed, fingerprint(FORGER.public)).endswith("than the one you named")

    def test_with_a_byte_more_is_none(self, sealed: bytes) -> None:
        """Nothing but itself vouches for that line, so it is written in one way only."""
        assert check(sealed[:-2] + b" }\n").sound is False
        assert check(sealed + b"\n").sound is False
        assert check(sealed + b'{"record":"summary"}\n').sound is False


class TestTheLineEnds:
    def test_changed_are_told_as_such(self, sealed: bytes) -> None:
        """An editor or a mail program does so; the lines themselves are as they were."""
        changed = sealed.replace(b"\n", b"\r\n")
        checked = check(changed, OURS)
        assert said(changed, OURS).startswith(
            "the line ends of the file were changed (to CRLF), so its bytes"
        )
        assert [each.check for each in checked.faults] == ["untouched", "signature"]
        assert {name for name, answer in checked.answers.items() if answer == "fails"} == {
            "untouched",
            "signature",
        }

    def test_changed_hide_no_other_fault(self, sealed: bytes) -> None:
        changed = sealed.replace(b'"source":"test"', b'"source":"other"', 1).replace(b"\n", b"\r\n")
        assert check(changed).answers["content"] == "fails"


class TestWhatIsNoEvidence:
    @pytest.mark.parametrize(
        "data", [b"", b"\n", b"hello", b"{}\n", b"[1]\n", b"\xff\xfe\n", b"\r" * 9999 + b"\n", b"[" * 100_000]
    )
    def test_is_told_in_one_sentence(self, data: bytes) -> None:
        with pytest.raises(NotEvidence, match="this is no evidence file of Rapport"):
            check(data)

    def test_of_a_newer_format_is_told(self, forged: Any) -> None:
        forged.line("evidence")["format"] = "rapport-evidence-2"
        with pytest.raises(NotEvidence, match="has format rapport-evidence-2, and this version reads"):
            check(forged.written())


class TestAnyByte:
    @settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(place=st.integers(0), byte=st.integers(0, 255), personal=st.booleans())
    def test_changed_is_noticed(
        self, sealed: bytes, opened: bytes, place: int, byte: int, personal: bool
    ) -> None:
        """Whatever it is changed to, wherever in the file: there is a fault, and never an error."""
        data = opened if personal else sealed
        place %= len(data)
        if data[place] == byte:
            return
        self._noticed(data[:place] + bytes([byte]) + data[place + 1 :])

    def test_removed_or_doubled_is_noticed(self, sealed: bytes) -> None:
        for place in range(0, len(sealed), max(1, len(sealed) // 199)):
            self._noticed(sealed[:place] + sealed[place + 1 :])
            self._noticed(sealed[:place] + sealed[place : place + 1] + sealed[place:])

    @staticmethod
    def _noticed(data: bytes) -> None:
        try:
            checked = check(data)
        except NotEvidence:
            return
        assert not checked.sound
        assert checked.faults[0].says
        assert "\n" not in checked.faults[0].says

    def test_of_what_a_line_holds_never_raises(self, forged: Any) -> None:
        """A forger's line may hold anything that is JSON."""
        strange: tuple[Any, ...] = (None, [{}], {"a": 1}, 10**30, "é\\ud800")
        for line in {each["record"]: each for each in forged.lines}.values():
            for name in list(line):
                kept = line[name]
                for value in strange:
                    if value == kept and type(value) is type(kept):
                        continue
                    line[name] = value
                    self._noticed(forged.written())
                line[name] = kept

    def test_of_a_body_never_raises(self, forged: Any) -> None:
        event = forged.line("event", 2)
        for body in ("[]", "1", "{", '{"a":NaN}', '{"a":"\\ud800"}', "[" * 5000, '{"digest":7}'):
            event["body"] = body
            self._noticed(forged.written())
        assert written(json.loads(written(event))) == written(event)
