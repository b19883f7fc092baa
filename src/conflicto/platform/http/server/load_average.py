"""Load average: the lag of the event loop, which lengthens the poll interval."""

from __future__ import annotations

from conflicto.platform.moving_average import MovingAverage

ACCEPTABLE_LAG_S = 0.05
"""Lag of the event loop that leaves the poll interval as it is. Delivering a commit and a garbage
collection take less."""

MAX_FACTOR = 5.0
"""Largest factor of the poll interval: 10 s instead of 2."""

NEWEST_WEIGHT = 0.2
"""Weight of the newest tick. With ten ticks a second, half of a lag is gone after 0.3 s."""


class LoadAverage:
    """Moving average of the event loop's lag. The server adds a sample at each tick."""

    def __init__(self) -> None:
        self._lag = MovingAverage(NEWEST_WEIGHT)
        self.poll_interval_factor = 1.0
        """Factor of the usual poll interval, from 1 to `MAX_FACTOR`."""

    @property
    def lag_s(self) -> float:
        """The average lag in seconds."""
        return self._lag.value

    def add(self, lag_s: float) -> None:
        """Add the lag of one tick, in seconds."""
        self._lag.add(max(0.0, lag_s))
        self.poll_interval_factor = min(MAX_FACTOR, max(1.0, self._lag.value / ACCEPTABLE_LAG_S))
