"""Structured logs: one JSON line for each event, tracebacks without the values of variables (they may be secrets)."""

from __future__ import annotations

import logging
import sys

import structlog


def configure_logs(*, json: bool) -> None:
    """Send everything to standard error, as JSON lines or (for a person at a terminal) as readable lines."""
    plain = structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False))
    renderer: list[structlog.typing.Processor] = (
        [plain, structlog.processors.JSONRenderer()]
        if json
        else [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
