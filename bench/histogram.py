"""Histogram of latencies in buckets of 1 %, with constant memory."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, exp, inf, log

STEP = log(1.01)
BUCKETS = 2_200
"""The last bucket begins beyond 3,000 s."""


class Histogram:
    """Histogram of latencies.

    A percentile is at most 1 % too large and never too small. The largest and the smallest value
    are exact.
    """

    __slots__ = ("_buckets", "count", "largest_s", "smallest_s")

    def __init__(self) -> None:
        self._buckets = [0] * BUCKETS
        self.count = 0
        self.largest_s = 0.0
        self.smallest_s = inf

    def record(self, latency_s: float) -> None:
        """Count one latency."""
        us = latency_s * 1e6
        self._buckets[min(int(log(us) / STEP), BUCKETS - 1) if us > 1 else 0] += 1
        self.count += 1
        self.largest_s = max(self.largest_s, latency_s)
        self.smallest_s = min(self.smallest_s, latency_s)

    def percentile_ms(self, percent: float) -> float:
        """Return the latency that `percent` of the values did not exceed.

        An empty histogram returns 0.
        """
        wanted = ceil(self.count * percent / 100)
        seen = 0
        for place, count in enumerate(self._buckets):
            seen += count
            if count and seen >= wanted:
                return min(exp((place + 1) * STEP) / 1000, self.largest_s * 1000)
        return 0.0

    def summary(self) -> Percentiles:
        """Return the figures of the report."""
        return Percentiles(self.count, *(self.percentile_ms(percent) for percent in (50, 99, 99.9)), self.largest_s * 1000)


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Percentiles of a histogram, ms."""

    count: int
    p50: float
    p99: float
    p999: float
    largest: float

    def __str__(self) -> str:
        return f"p50 {self.p50:.1f}, p99 {self.p99:.1f}, p99.9 {self.p999:.1f}, max {self.largest:.0f} ms"
