"""Shutdown within a bounded time, even if threads or the event loop block."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from types import FrameType

MAX_SHUTDOWN_S = 10.0
"""Longest time from the signal to the end of the process."""

MAX_REQUESTS_S = 7
"""Part of it for open requests. Afterwards the writer commits queued work and connections close."""

log = structlog.get_logger(__name__)


def exit_within(seconds: float = MAX_SHUTDOWN_S) -> None:
    """Exit at most `seconds` after SIGTERM or SIGINT.

    Handlers that are already installed still run.
    """
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            _SignalHandler(number, seconds).install()


class _SignalHandler:
    def __init__(self, number: signal.Signals, seconds: float) -> None:
        self._number = number
        self._seconds = seconds
        self._previous: Any = None
        self._has_timer = False

    def install(self) -> None:
        self._previous = signal.signal(self._number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if not self._has_timer:
            self._has_timer = True
            timer = threading.Timer(self._seconds, _exit)
            timer.daemon = True
            timer.start()
        if callable(self._previous):
            self._previous(number, frame)


def _exit() -> None:
    """Exit the process. Acknowledged changes are on disk, so none is lost."""
    log.error("ended-by-force", threads=[each.name for each in threading.enumerate() if not each.daemon])
    os._exit(1)
