"""The generic cell rate algorithm: one number per key, no timers, exact."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

ROUNDING_S = 1e-9
"""Sums of floats may miss a full bucket by this much."""


@dataclass(frozen=True, slots=True)
class Policy:
    """`quota` requests in every `window_s` seconds, in a burst if need be."""

    name: str
    quota: int
    window_s: int

    @property
    def interval_s(self) -> float:
        """Seconds that one request costs."""
        return self.window_s / self.quota


@dataclass(frozen=True, slots=True)
class Verdict:
    """`remaining` requests may follow at once; `reset_s` is the wait for the next one (0 if some remain)."""

    allowed: bool
    remaining: int
    reset_s: int


def admit(full_at_s: float, now_s: float, policy: Policy, cost: int = 1) -> tuple[float, Verdict]:
    """Return the bucket's new state and whether `cost` requests fit.

    `full_at_s` is the instant at which the bucket holds its whole quota again (0 for a new key). A refused request changes nothing.
    """
    start = max(full_at_s, now_s)
    after = start + cost * policy.interval_s
    free_s = now_s + policy.window_s - after
    if free_s < -ROUNDING_S:
        return full_at_s, Verdict(allowed=False, remaining=0, reset_s=max(1, ceil(-free_s)))
    remaining = int((free_s + ROUNDING_S) / policy.interval_s)
    return after, Verdict(allowed=True, remaining=remaining, reset_s=0 if remaining else ceil(policy.interval_s))


class Bucket:
    """One key's bucket. `forgotten`: its limiter dropped it, so whoever still holds it must ask for another."""

    __slots__ = ("_interval_s", "_window_s", "forgotten", "full_at_s")

    def __init__(self, policy: Policy) -> None:
        self.full_at_s = 0.0
        self.forgotten = False
        self._interval_s = policy.interval_s
        self._window_s = policy.window_s + ROUNDING_S

    def take(self, now_s: float) -> bool:
        """Spend one request and say whether that was allowed: `admit` for a cost of 1, in a form that every poll can afford."""
        full_at_s = self.full_at_s
        after = (full_at_s if full_at_s > now_s else now_s) + self._interval_s  # noqa: FURB136 - max() takes three times as long
        if self.forgotten or after - now_s > self._window_s:
            return False
        self.full_at_s = after
        return True


class Boundless(Bucket):
    """The bucket where there are no limits."""

    __slots__ = ()

    def take(self, now_s: float) -> bool:  # noqa: ARG002 - as above
        """Allow everything."""
        return not self.forgotten
