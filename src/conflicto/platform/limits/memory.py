"""Buckets in memory, bounded in number."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from conflicto.platform.cache_budget import CacheBudget
from conflicto.platform.generations import MAX_DROPPED
from conflicto.platform.limits.bucket import Bucket, Policy, Unlimited, Verdict, admit

if TYPE_CHECKING:
    from collections.abc import Hashable

    from conflicto.platform.clock import Clock

MAX_BUCKETS = 200_000

BUCKET_BYTES = 350
"""Memory of a bucket with its key."""

BUDGET_SHARE = 0.05
"""Share of the budget of all caches. Other caches never evict buckets: that would reset used
quotas."""

SAMPLE_BUCKETS = 1_000
"""Buckets in the sample from which the median is estimated."""


class MemoryLimiter:
    """Buckets by policy and key. Without `enabled`, every request is allowed."""

    def __init__(self, clock: Clock, *, enabled: bool = True, budget: CacheBudget | None = None) -> None:
        self._account = (budget or CacheBudget()).account("limits", share=BUDGET_SHARE, age=self._age)
        self._clock = clock
        self._enabled = enabled
        self._buckets: dict[Hashable, Bucket] = {}

    def bucket(self, policy: Policy, key: Hashable) -> Bucket:
        """Return the bucket of a key, for callers that spend often."""
        if not self._enabled:
            return Unlimited(policy)
        name = (policy.name, key)
        found = self._buckets.get(name)
        if found is None:
            if len(self._buckets) >= MAX_BUCKETS:
                self._evict(self._clock.monotonic_s())
            found = self._buckets[name] = Bucket(policy)
            self._account.add(BUCKET_BYTES)
        return found

    def spend(self, policy: Policy, key: Hashable, cost: int = 1) -> Verdict:
        """Spend `cost` from the bucket of `key` and return the verdict."""
        if not self._enabled:
            return Verdict(allowed=True, remaining=policy.quota, reset_s=0)
        bucket = self.bucket(policy, key)
        bucket.full_at_s, verdict = admit(bucket.full_at_s, self._clock.monotonic_s(), policy, cost)
        return verdict

    def drain(self, policy: Policy, key: Hashable) -> None:
        """Empty the bucket, because the shared bucket of the key is empty."""
        self.bucket(policy, key).full_at_s = self._clock.monotonic_s() + policy.window_s

    def _age(self) -> None:
        """Drop buckets that are full again, among the next ones in turn."""
        now_s = self._clock.monotonic_s()
        dropped = 0
        for name in list(islice(self._buckets, MAX_DROPPED)):
            bucket = self._buckets.pop(name)
            if bucket.full_at_s > now_s:
                self._buckets[name] = bucket
            else:
                bucket.is_evicted = True
                dropped += 1
        self._account.add(-dropped * BUCKET_BYTES)

    def _evict(self, now: float) -> None:
        """Drop full buckets, and if too many are left, the half that is full again first.

        A flood of keys that are used once is dropped early, and used quotas stay.
        """
        remaining = {name: bucket for name, bucket in self._buckets.items() if bucket.full_at_s > now}
        if len(remaining) > MAX_BUCKETS // 2:
            sample = sorted(
                bucket.full_at_s for bucket in islice(remaining.values(), 0, None, max(1, len(remaining) // SAMPLE_BUCKETS))
            )
            median = sample[len(sample) // 2]
            remaining = {name: bucket for name, bucket in remaining.items() if bucket.full_at_s > median}
        for name, bucket in self._buckets.items():
            bucket.is_evicted = name not in remaining
        self._account.add((len(remaining) - len(self._buckets)) * BUCKET_BYTES)
        self._buckets = remaining
