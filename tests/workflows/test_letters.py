"""Reading a message at the door: whatever comes in, an order or one sentence comes out."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue

from events.commands import Order, RecordContact
from events.envelope import Actor
from events.errors import CallerError
from events.orders import LARGEST_MESSAGE
from workflows.letters import derived_command_id, flat, read_letter, refusal_of
from workflows.types import DIGEST_MARK, ENCRYPTED_MARK, Letter

TALK = {"by": "r-1", "channel": "phone"}


def _raw(content: object, *, encrypted: bool = False, digest: str = "d") -> RawValue:
    marks = {ENCRYPTED_MARK: b"1" if encrypted else b"0", DIGEST_MARK: digest.encode()}
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return RawValue(Payload(metadata={"encoding": b"json/plain", **marks}, data=data))


def _read(*payloads: RawValue, name: str = "record-contact") -> Letter:
    return read_letter(name, payloads, command_id=None, derived="derived-1")


class TestReadLetter:
    def test_takes_the_id_that_the_message_names(self) -> None:
        assert _read(_raw({**TALK, "command_id": "talk-1"})).order.command_id == "talk-1"

    def test_takes_the_derived_id_otherwise(self) -> None:
        assert _read(_raw(TALK)).order.command_id == "derived-1"

    def test_takes_a_command_without_any_content(self) -> None:
        assert _read(name="complete-intake").order.command.name == "complete-intake"

    def test_takes_a_personal_field_that_came_encrypted(self) -> None:
        letter = _read(_raw({**TALK, "note": "likes dogs"}, encrypted=True))
        assert isinstance(letter.order.command, RecordContact)
        assert letter.order.command.note == "likes dogs"

    def test_refuses_a_personal_field_in_clear(self) -> None:
        with pytest.raises(CallerError) as caught:
            _read(_raw({**TALK, "note": "likes dogs"}))
        assert caught.value.code == "unencrypted-personal-content"
        assert "dogs" not in str(caught.value)

    def test_takes_an_empty_personal_field_in_clear(self) -> None:
        assert _read(_raw({**TALK, "note": None})).order.command.name == "record-contact"

    def test_refuses_what_is_too_large(self) -> None:
        """Temporal takes two MiB at once, and a text travels three times."""
        with pytest.raises(CallerError, match="larger than 128 KiB of JSON") as caught:
            _read(_raw({**TALK, "note": "dogs " * 27_000}, encrypted=True))
        assert caught.value.code == "invalid-command"
        assert "dogs" not in str(caught.value)

    def test_takes_what_just_fits(self) -> None:
        data = json.dumps(TALK).encode()
        assert _read(_raw(data.ljust(LARGEST_MESSAGE))).order.command.name == "record-contact"

    def test_refuses_two_contents(self) -> None:
        with pytest.raises(CallerError, match="one JSON object"):
            _read(_raw(TALK), _raw(TALK))

    @given(
        st.binary()
        | st.recursive(st.none() | st.booleans() | st.text(), st.lists).map(json.dumps).map(str.encode)
    )
    def test_raises_nothing_else_whatever_comes(self, content: bytes) -> None:
        with contextlib.suppress(CallerError):
            assert _read(_raw(content)).order.command.name == "record-contact"

    @given(st.binary(), st.binary())
    def test_raises_nothing_else_whatever_the_encoding(self, encoding: bytes, data: bytes) -> None:
        payload = RawValue(Payload(metadata={"encoding": encoding}, data=data))
        with pytest.raises(CallerError):
            _read(payload)


class TestFlat:
    def test_reads_back_as_the_same_order(self) -> None:
        order = Order(
            command_id="talk-1",
            command=RecordContact(by="r-1", channel="phone", note="likes dogs"),
            actor=Actor(kind="person", id="r-1"),
        )
        payload = _raw(flat(order).encode(), encrypted=True)
        again = read_letter("record-contact", [payload], command_id="talk-1", derived="")
        assert again.order == order


class TestRefusalOf:
    def test_keeps_the_name_of_a_command(self) -> None:
        letter = refusal_of("record-contact", CallerError("why"), "derived-1")
        assert letter.order.command.model_dump()["message"] == "record-contact"

    def test_keeps_no_name_that_is_none(self) -> None:
        letter = refusal_of("call Ann Example", CallerError("why"), "derived-1")
        assert letter.order.command.model_dump()["message"] == "?"


class TestDerivedCommandId:
    def test_differs_by_place_and_by_content(self) -> None:
        ids = {
            derived_command_id(run, counter, [_raw(TALK, digest=digest)])
            for run in ("run-1", "run-2")
            for counter in (1, 2)
            for digest in ("a", "b")
        }
        assert len(ids) == 8

    def test_is_the_same_under_replay(self) -> None:
        first, again = (derived_command_id("run-1", 1, [_raw(TALK)]) for _ in range(2))
        assert first == again
