"""The generic cell rate algorithm (GCRA): one number per key, no timers, exact."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from math import ceil

ROUNDING_S = 1e-4
"""Tolerance for rounding: larger than the error of a thousand sums with a clock of ten years."""


class LimitScope(StrEnum):
    """The clients that share one bucket."""

    TOKEN = "token"  # noqa: S105 - a word, not a secret
    ADDRESS = "address"
    SERVER = "server"


@dataclass(frozen=True, slots=True)
class Policy:
    """A limit of `quota` requests in every `window_s` seconds, which may come in one burst.

    With `shared` and Redis, all workers spend from one bucket. `fallback_quota` is the quota of one
    process while Redis does not answer; 0 stands for the whole quota.
    """

    name: str
    quota: int
    window_s: int
    scope: LimitScope = LimitScope.TOKEN
    shared: bool = False
    fallback_quota: int = 0

    @property
    def interval_s(self) -> float:
        """Seconds in which one request is regained."""
        return self.window_s / self.quota


@cache
def fallback_policy(policy: Policy) -> Policy:
    """Return the policy of one process while Redis does not answer."""
    return (
        replace(policy, name=f"{policy.name}-fallback", quota=policy.fallback_quota, shared=False, fallback_quota=0)
        if policy.fallback_quota
        else policy
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision about one request.

    `remaining` requests are allowed at once; `reset_s` is the wait for the next one, 0 if some
    remain. `is_fallback`: the process decided by the fallback quota because Redis did not answer.
    """

    allowed: bool
    remaining: int
    reset_s: int
    is_fallback: bool = False


def admit(full_at_s: float, now_s: float, policy: Policy, cost: int = 1) -> tuple[float, Verdict]:
    """Return the bucket's new state and whether `cost` requests are allowed.

    A negative cost is a refund. `full_at_s` is the time at which the bucket has its whole quota
    again (0 if it has now). A refused request changes nothing. A clock that was set back delays
    requests by one window at most.
    """
    if full_at_s > now_s + policy.window_s + ROUNDING_S:
        full_at_s = now_s + policy.window_s
    after = max(full_at_s, now_s) + cost * policy.interval_s
    free_s = now_s + policy.window_s - after
    allowed = free_s >= -ROUNDING_S
    state = after if allowed else full_at_s
    return state if state > now_s else 0.0, to_verdict(policy, free_s, allowed=allowed)


def to_verdict(policy: Policy, free_s: float, *, allowed: bool) -> Verdict:
    """Return the verdict of a bucket with `free_s` unspent seconds of its window."""
    if not allowed:
        return Verdict(allowed=False, remaining=0, reset_s=max(1, ceil(-free_s)))
    remaining = min(policy.quota, int((free_s + ROUNDING_S) / policy.interval_s))
    return Verdict(allowed=True, remaining=remaining, reset_s=0 if remaining else ceil(policy.interval_s))


class Bucket:
    """The bucket of one key. After `is_evicted` is set, its holder must get a new bucket."""

    __slots__ = ("_interval_s", "_window_s", "full_at_s", "is_evicted")

    def __init__(self, policy: Policy) -> None:
        self.full_at_s = 0.0
        self.is_evicted = False
        self._interval_s = policy.interval_s
        self._window_s = policy.window_s + ROUNDING_S

    def take(self, now_s: float) -> bool:
        """Spend one request and return whether it is allowed: a faster `admit` for a cost of 1."""
        full_at_s = self.full_at_s
        after = (full_at_s if full_at_s > now_s else now_s) + self._interval_s  # noqa: FURB136 - max() takes three times as long
        if self.is_evicted or after - now_s > self._window_s:
            return False
        self.full_at_s = after
        return True


class Unlimited(Bucket):
    """A bucket without a limit."""

    __slots__ = ()

    def take(self, now_s: float) -> bool:  # noqa: ARG002 - as above
        """Return true unless the bucket is evicted."""
        return not self.is_evicted
