"""One shape for every log line of a process: ours, the standard library's, Temporal's, asyncpg's.

No line may carry personal data: log ids, never what people wrote; the masks here are the net below that.
"""

import contextlib
import logging
import re
import sys
import traceback
from types import TracebackType
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

LogFormat = Literal["auto", "json", "text"]

PERSONAL_FIELDS = frozenset({"name", "email", "phone", "note", "words", "reason"})
PERSONAL = "[personal]"
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
_DEEPEST = 6
# Their informative lines repeat what clients said to them, word for word.
_TALKATIVE = ("mail.log", "asyncio", "aiosmtplib", "httpx", "httpcore")


def configure_logging(level: str = "INFO", shape: LogFormat = "auto", stream: TextIO | None = None) -> None:
    """This will send all logging to *stream* (stderr), as JSON unless it is a terminal.

    Call it once, first thing in a process; a second call replaces the first.
    """
    target = sys.stderr if stream is None else stream
    text = shape == "text" or (shape == "auto" and target.isatty())
    renderer: Processor = (
        structlog.dev.ConsoleRenderer() if text else structlog.processors.JSONRenderer(default=repr)
    )
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    handler = _Handler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            # Masking comes last, so that nothing added on the way escapes it.
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                describe_exception,
                mask_personal,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(True)
    for talkative in _TALKATIVE:
        logging.getLogger(talkative).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


class _Handler(logging.StreamHandler[TextIO]):
    """A handler that does not print the line it could not write, as the standard one would."""

    def handleError(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(OSError, ValueError):
            self.stream.write(f'{{"event": "a log line of {record.name} could not be written"}}\n')


def describe_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """This will replace an exception by its types and frames; its text may repeat a person's data."""
    given = event.pop("exc_info", None)
    if given is True:
        given = sys.exc_info()
    error = given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["raised"] = _chain(error)
    return event


def mask_personal(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """This will mask personal fields at any depth, and e-mail addresses in any text."""
    return {key: _masked(key, value, _DEEPEST) for key, value in event.items()}


def _masked(key: str, value: Any, depth: int) -> Any:
    if key in PERSONAL_FIELDS and value is not None:
        return PERSONAL
    match value:
        case bool() | int() | float() | None:
            return value
        case str():
            return _EMAIL.sub("[e-mail]", value)
        case _ if depth == 0:
            return PERSONAL
        case dict():
            return {str(k): _masked(str(k), v, depth - 1) for k, v in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_masked("", item, depth - 1) for item in value]
        case _:
            return _EMAIL.sub("[e-mail]", repr(value))


def _chain(error: BaseException) -> list[dict[str, Any]]:
    links: list[dict[str, Any]] = []
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        kind = type(at)
        links.append({"type": f"{kind.__module__}.{kind.__qualname__}", "frames": _frames(at.__traceback__)})
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)
    return links


def _frames(trace: TracebackType | None) -> list[str]:
    return [
        f"{'/'.join(frame.filename.split('/')[-3:])}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(trace)
    ]
