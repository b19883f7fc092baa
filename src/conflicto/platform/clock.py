"""The process's clocks. Feed timestamps come from the database's clock instead (see `platform/db/sequence.py`)."""

from __future__ import annotations

import time


class Clock:
    """Wall and monotonic time; tests pass one that they advance by hand."""

    def wall_us(self) -> int:
        """Return µs since 1970 UTC."""
        return time.time_ns() // 1000

    monotonic_s = staticmethod(time.monotonic)
    """Return seconds that never run backwards; only differences mean something. Asked on every poll, so nothing stands before it."""
