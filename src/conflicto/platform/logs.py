"""Structured logs: one line for each event, as JSON or for a person at a terminal, and nothing in it that somebody sent us.

What a log may hold: names of events, routes as templates, codes of problems, ids of requests and sessions, figures, types of exceptions
and where they were raised. What an exception says of itself stays out unless its type speaks of code and not of data: a database's
complaint about a row would repeat the answer in it, and a token that cannot be read would stand there in the clear.
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
from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor, WrappedLogger

SAFE_MESSAGE_TYPES = (AttributeError, ImportError, NameError, NotImplementedError, TypeError, RecursionError, OSError)
"""Exceptions whose own words name attributes, modules, types, files and system errors."""

MAX_MESSAGE_CHARACTERS = 300
"""Characters of such words."""

MAX_FRAMES = 30
MAX_CAUSES = 5


class LossyStream(io.TextIOBase):
    """A stream that loses what it cannot write: a full disk under the log must not stop the work that the log is about."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, or lose it."""
        with suppress(OSError, ValueError):  # the second: the stream is closed
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Pass on what was written, or try again the next time."""
        with suppress(OSError, ValueError):
            self._stream.flush()


class LibraryHandler(logging.Handler):
    """What libraries log, as events of ours: their message, unless it comes with an exception, which is told as ours are."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log it again."""
        told: dict[str, Any] = {"logger": record.name}
        if record.exc_info and record.exc_info[1]:
            told["exc_info"] = record.exc_info[1]
        else:
            told["said"] = record.getMessage()[:MAX_MESSAGE_CHARACTERS]
        structlog.get_logger().log(record.levelno, "library", **told)


def configure_logs(*, json: bool) -> None:
    """Send everything to standard error, libraries included, as JSON lines or (for a person at a terminal) as readable lines."""
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
        # In one write with its end, or the lines of workers that share the stream come to stand in one another where it is not buffered.
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
    """Replace an exception by its type, its place and its causes."""
    given = event.pop("exc_info", None)
    error = given if isinstance(given, BaseException) else sys.exception() if given else None
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
    told: dict[str, Any] = {"type": f"{type(error).__module__}.{type(error).__qualname__}"}
    if isinstance(error, DBAPIError):
        told |= {"driver": type(error.orig).__name__, "sqlstate": getattr(error.orig, "sqlstate", None)}
    elif isinstance(error, SAFE_MESSAGE_TYPES):
        told["said"] = str(error)[:MAX_MESSAGE_CHARACTERS]
    frames = traceback.extract_tb(error.__traceback__)[-MAX_FRAMES:]
    told["at"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return told
