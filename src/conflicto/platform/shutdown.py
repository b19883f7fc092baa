"""The end of a process that was told to stop: within its time, whatever its threads and its event loop do."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from types import FrameType

MAX_SHUTDOWN_S = 10.0
"""From the signal to the end of the process."""

MAX_REQUESTS_S = 7
"""Part of it in which requests under way may end; the writer then commits what waits for it, and connections are closed."""

log = structlog.get_logger(__name__)


def exit_within(seconds: float = MAX_SHUTDOWN_S) -> None:
    """Let the process end `seconds` after SIGTERM or SIGINT at the latest. Handlers that are installed already are called as before."""
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            _Watch(number, seconds).install()


class _Watch:
    def __init__(self, number: signal.Signals, seconds: float) -> None:
        self._number = number
        self._seconds = seconds
        self._before: Any = None
        self._is_set = False

    def install(self) -> None:
        self._before = signal.signal(self._number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if not self._is_set:
            self._is_set = True
            timer = threading.Timer(self._seconds, _end)
            timer.daemon = True
            timer.start()
        if callable(self._before):
            self._before(number, frame)


def _end() -> None:
    """End the process. Nothing acknowledged is lost: that is on disk."""
    log.error("ended-by-force", threads=[each.name for each in threading.enumerate() if not each.daemon])
    os._exit(1)
