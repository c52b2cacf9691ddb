"""One shape for every line, and nobody's data in it."""

import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from workers.logs import configure_logging

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """This will collect what is logged, and leave logging as it was."""
    root = logging.getLogger()
    handlers, level, usual = root.handlers[:], root.level, structlog.get_config()
    stream = io.StringIO()
    configure_logging("INFO", "json", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.configure(**usual)


class TestConfigureLogging:
    def test_gives_our_lines_and_the_librarys_one_shape(self, lines: Lines) -> None:
        structlog.get_logger("ours").info("started", port=1)
        logging.getLogger("temporalio.workflow").info("started %s", "it", extra={"port": 1})
        ours, theirs = lines()
        assert ours.keys() == theirs.keys() == {"event", "level", "logger", "timestamp", "port"}
        assert theirs["event"] == "started it"

    def test_replaces_what_was_configured_before(self, lines: Lines) -> None:
        again = io.StringIO()
        configure_logging("INFO", "json", again)
        logging.getLogger("any").info("once")
        assert not lines()
        assert len(again.getvalue().splitlines()) == 1

    def test_writes_text_for_people(self, lines: Lines) -> None:
        stream = io.StringIO()
        configure_logging("INFO", "text", stream)
        try:
            raise RuntimeError("of quux@example.org")
        except RuntimeError:
            structlog.get_logger("ours").exception("failed", phone="call-me-at-nine")
        text = stream.getvalue()
        assert "failed" in text
        assert "RuntimeError" in text
        assert "quux" not in text
        assert "call-me" not in text

    def test_takes_warnings_in(self, lines: Lines) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            configure_logging("INFO", "json", stream := io.StringIO())
            warnings.warn("old", UserWarning, stacklevel=1)
        assert json.loads(stream.getvalue())["logger"] == "py.warnings"

    def test_says_that_a_line_failed_without_the_line(self, lines: Lines) -> None:
        malformed = logging.LogRecord("any", logging.INFO, "", 1, "of %d", ("quux@example.org",), None)
        logging.getLogger().handlers[0].handle(malformed)
        (line,) = lines()
        assert line == {"event": "a log line of any could not be written"}


class TestMaskPersonal:
    def test_masks_personal_fields_at_any_depth(self, lines: Lines) -> None:
        structlog.get_logger().info("x", name="Quux", deep={"email": "y", "list": [{"words": "hi"}]}, count=2)
        (line,) = lines()
        assert line["name"] == "[personal]"
        assert line["deep"] == {"email": "[personal]", "list": [{"words": "[personal]"}]}
        assert line["count"] == 2

    def test_masks_addresses_in_any_text(self, lines: Lines) -> None:
        logging.getLogger("aiosmtplib.x").warning("no such user <quux.b+c@mail.example.org>: %s", ["x@y.org"])
        (line,) = lines()
        assert line["event"] == "no such user <[e-mail]>: ['[e-mail]']"

    def test_masks_objects_by_their_representation(self, lines: Lines) -> None:
        structlog.get_logger().info("x", error=ValueError("of quux@example.org"))
        (line,) = lines()
        assert line["error"] == "ValueError('of [e-mail]')"


class TestDescribeException:
    def test_keeps_types_and_frames_and_no_text(self, lines: Lines) -> None:
        try:
            try:
                raise KeyError("Quux's words")
            except KeyError as error:
                raise RuntimeError("about Quux") from error
        except RuntimeError:
            logging.getLogger("any").exception("failed")
        (line,) = lines()
        assert [link["type"] for link in line["raised"]] == ["builtins.RuntimeError", "builtins.KeyError"]
        assert "test_logs.py" in line["raised"][0]["frames"][0]
        assert "Quux" not in json.dumps(line)
