"""The generic cell rate algorithm: one number per key, no timers, exact."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from math import ceil

ROUNDING_S = 1e-4
"""Sums of floats may miss a full bucket by this much: a thousand of them, with clocks that count from ten years ago, miss it by less."""


class LimitScope(StrEnum):
    """Who shares a bucket."""

    TOKEN = "token"  # noqa: S105 - a word, not a secret
    ADDRESS = "address"
    SERVER = "server"


@dataclass(frozen=True, slots=True)
class Policy:
    """`quota` requests in every `window_s` seconds, in a burst if need be.

    `shared`: all workers spend from one bucket, where they have a Redis. `alone`: the quota of one process while that does not answer,
    for what must rather be refused than guessed; 0: the whole quota.
    """

    name: str
    quota: int
    window_s: int
    scope: LimitScope = LimitScope.TOKEN
    shared: bool = False
    fallback_quota: int = 0

    @property
    def interval_s(self) -> float:
        """Seconds that one request costs."""
        return self.window_s / self.quota


@cache
def fallback_policy(policy: Policy) -> Policy:
    """Return what one process holds to while it does not know what the others do."""
    return (
        replace(policy, name=f"{policy.name}-fallback", quota=policy.fallback_quota, shared=False, fallback_quota=0)
        if policy.fallback_quota
        else policy
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """`remaining` requests may follow at once; `reset_s` is the wait for the next one (0 if some remain).

    `is_alone`: one process decided by its policy's `alone` quota, because the bucket that all share did not answer.
    """

    allowed: bool
    remaining: int
    reset_s: int
    is_fallback: bool = False


def admit(full_at_s: float, now_s: float, policy: Policy, cost: int = 1) -> tuple[float, Verdict]:
    """Return the bucket's new state and whether `cost` requests fit; a negative cost gives requests back.

    `full_at_s` is the instant at which the bucket holds its whole quota again (0 if it does now).
    A refused request changes nothing.
    A bucket is never emptier than empty: a clock that was set back, however far, costs one window at most.
    """
    if full_at_s > now_s + policy.window_s + ROUNDING_S:
        full_at_s = now_s + policy.window_s
    after = max(full_at_s, now_s) + cost * policy.interval_s
    free_s = now_s + policy.window_s - after
    allowed = free_s >= -ROUNDING_S
    state = after if allowed else full_at_s
    return state if state > now_s else 0.0, to_verdict(policy, free_s, allowed=allowed)


def to_verdict(policy: Policy, free_s: float, *, allowed: bool) -> Verdict:
    """Put a bucket into words: `free_s` seconds of its window are unspent, or are missing if it is negative."""
    if not allowed:
        return Verdict(allowed=False, remaining=0, reset_s=max(1, ceil(-free_s)))
    remaining = min(policy.quota, int((free_s + ROUNDING_S) / policy.interval_s))
    return Verdict(allowed=True, remaining=remaining, reset_s=0 if remaining else ceil(policy.interval_s))


class Bucket:
    """One key's bucket. `forgotten`: its limiter dropped it, so whoever still holds it must ask for another."""

    __slots__ = ("_interval_s", "_window_s", "full_at_s", "is_evicted")

    def __init__(self, policy: Policy) -> None:
        self.full_at_s = 0.0
        self.is_evicted = False
        self._interval_s = policy.interval_s
        self._window_s = policy.window_s + ROUNDING_S

    def take(self, now_s: float) -> bool:
        """Spend one request and say whether that was allowed: `admit` for a cost of 1, in a form that every poll can afford."""
        full_at_s = self.full_at_s
        after = (full_at_s if full_at_s > now_s else now_s) + self._interval_s  # noqa: FURB136 - max() takes three times as long
        if self.is_evicted or after - now_s > self._window_s:
            return False
        self.full_at_s = after
        return True


class Unlimited(Bucket):
    """The bucket where there are no limits."""

    __slots__ = ()

    def take(self, now_s: float) -> bool:  # noqa: ARG002 - as above
        """Allow everything."""
        return not self.is_evicted
