"""Clocks of the process. The database's clock draws feed timestamps (`platform/db/sequence.py`)."""

from __future__ import annotations

import time


class Clock:
    """Wall and monotonic time; tests pass a clock that they advance by hand."""

    def wall_us(self) -> int:
        """Return µs since 1970 UTC."""
        return time.time_ns() // 1000

    monotonic_s = staticmethod(time.monotonic)
    """Return seconds of a monotonic clock; only differences have a meaning. Every poll calls it, so
    it is the bare function."""
