"""Structured logs: one line per event, as JSON or text, without data that clients sent.

A log line may contain event names, route templates, problem codes, ids of requests and sessions,
numbers, exception types and stack frames. The message of an exception is logged only if its type
describes code, not data: a database error would repeat the answer in a row, and an error about a
token would contain the token.
"""

from __future__ import annotations

import io
import logging
import os
import sys
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TextIO, cast

import structlog

from conflicto.platform.db.errors import driver_fields

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor, WrappedLogger

SAFE_MESSAGE_TYPES = (AttributeError, ImportError, NameError, NotImplementedError, TypeError, RecursionError, OSError)
"""Exceptions whose messages name only attributes, modules, types, files and system errors."""

MAX_MESSAGE_CHARACTERS = 300
"""Maximum length of a logged exception message."""

MAX_FRAMES = 30
MAX_CAUSES = 5


class LossyStream(io.TextIOBase):
    """A stream that drops text that it cannot write: a full disk must not stop the program."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write the text, or drop it after an error."""
        with suppress(OSError, ValueError):  # ValueError: the stream is closed
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush the stream; an error is ignored."""
        with suppress(OSError, ValueError):
            self._stream.flush()


class LibraryHandler(logging.Handler):
    """A handler that logs records of libraries as events, with their message or their exception."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log the record as an event `library`."""
        fields: dict[str, Any] = {"logger": record.name}
        if record.exc_info and record.exc_info[1]:
            fields["exc_info"] = record.exc_info[1]
        else:
            fields["message"] = record.getMessage()[:MAX_MESSAGE_CHARACTERS]
        structlog.get_logger().log(record.levelno, "library", **fields)


def configure_logs(*, json: bool) -> None:
    """Log to standard error, libraries included, as JSON lines or as readable lines."""
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), repr_native_str=True)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _add_process,
            _describe_exception,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        # One write per line and its end: lines of workers that share an unbuffered stream stay
        # whole.
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", LossyStream(sys.stderr))),
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    root.handlers[:] = [LibraryHandler()]
    root.setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)


def _add_process(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    event["pid"] = os.getpid()
    return event


def _describe_exception(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Replace an exception by the types, messages and stack frames of it and its causes."""
    info = event.pop("exc_info", None)
    error = info if isinstance(info, BaseException) else sys.exception() if info else None
    if error is not None:
        event["exception"] = [_described(each) for each in _causes(error)]
    return event


def _causes(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and len(found) < MAX_CAUSES:
        found.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return found


def _described(error: BaseException) -> dict[str, Any]:
    described: dict[str, Any] = {"type": f"{type(error).__module__}.{type(error).__qualname__}"}
    if fields := driver_fields(error):
        described |= fields
    elif isinstance(error, SAFE_MESSAGE_TYPES):
        described["message"] = str(error)[:MAX_MESSAGE_CHARACTERS]
    frames = traceback.extract_tb(error.__traceback__)[-MAX_FRAMES:]
    described["at"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return described
