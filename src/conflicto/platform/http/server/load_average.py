"""How busy the process is, by how late its event loop wakes: what everyone who polls is asked to make allowance for."""

from __future__ import annotations

ACCEPTABLE_LAG_S = 0.05
"""Lag of the event loop up to which nobody is asked for anything: a commit's delivery and a garbage collection take less."""

MAX_FACTOR = 5.0
"""Polls become at most so many times rarer: 10 s instead of 2."""

PREVIOUS_WEIGHT = 0.8
"""Weight of what was before in the moving average, ten times a second: half of it is gone after a third of a second."""


class LoadAverage:
    """A moving average of the event loop's lag, fed by the server's clock tick."""

    def __init__(self) -> None:
        self.lag_s = 0.0

    def add(self, lag_s: float) -> None:
        """Take in by how much one tick came late."""
        self.lag_s = self.lag_s * PREVIOUS_WEIGHT + max(0.0, lag_s) * (1 - PREVIOUS_WEIGHT)

    def poll_interval_factor(self) -> float:
        """Return by what the usual time between polls should be multiplied, from 1 to 5."""
        return min(MAX_FACTOR, max(1.0, self.lag_s / ACCEPTABLE_LAG_S))
