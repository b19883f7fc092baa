"""Exponential moving average."""

from __future__ import annotations


class MovingAverage:
    """Average of samples in which each counts `newest_weight` (0 to 1) when it is the newest.

    Its share then falls with every further sample. `value` is 0 before the first one.
    """

    __slots__ = ("_newest_weight", "value")

    def __init__(self, newest_weight: float) -> None:
        self._newest_weight = newest_weight
        self.value = 0.0

    def add(self, sample: float) -> None:
        """Add a sample."""
        self.value += (sample - self.value) * self._newest_weight
