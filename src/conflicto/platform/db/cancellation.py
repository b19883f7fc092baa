"""Deadline of one read: it ends when its time is over or when its caller has gone.

The driver's statements end through `interrupt`; Python's own loops call `check` between rows.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from math import inf
from typing import TYPE_CHECKING

from conflicto.platform.db.errors import RETRY_AFTER_S
from conflicto.platform.problems import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


CANCELLATION_INTERVAL_S = 0.1
MAX_CANCELLATIONS = 100


class Deadline:
    """Instant on the monotonic clock at which a read has to end. Any thread may `cancel` it."""

    __slots__ = ("_interrupt", "_lock", "is_cancelled", "until_s")

    def __init__(self, until_s: float = inf) -> None:
        self.until_s = until_s
        self.is_cancelled = False
        self._interrupt: Callable[[], None] | None = None
        self._lock = threading.Lock()

    def start(self, seconds: float) -> None:
        """Set the end to `seconds` from now."""
        self.until_s = time.monotonic() + seconds

    def check(self) -> None:
        """Return if the work may continue.

        Raises:
            Unavailable: the time is over, or the read was cancelled.
        """
        if self.is_cancelled or time.monotonic() >= self.until_s:
            raise Unavailable("Reading took too long. Ask for fewer rows, or try again later.", retry_after_s=RETRY_AFTER_S)

    def cancel(self) -> None:
        """End the work now; returns after the driver has the cancellation."""
        self.is_cancelled = True
        with self._lock:
            if self._interrupt is not None:
                self._interrupt()

    def cancel_until_ended(self) -> None:
        """Cancel repeatedly: PostgreSQL ignores a cancellation that comes before the statement."""
        for _ in range(MAX_CANCELLATIONS):
            self.cancel()
            if self._interrupt is None:
                return
            time.sleep(CANCELLATION_INTERVAL_S)

    @contextmanager
    def interrupting(self, interrupt: Callable[[], None]) -> Iterator[None]:
        """Let `cancel` call `interrupt` inside the block only.

        Afterwards the connection may serve another read.
        """
        self.check()
        with self._lock:
            self._interrupt = interrupt
        try:
            yield
        finally:
            with self._lock:
                self._interrupt = None
        if self.is_cancelled:
            self.check()


NO_DEADLINE = Deadline()
"""Deadline of work that nobody cancels: commands of the writer, and programs at a terminal."""
