"""Buckets of one process, bounded in number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.platform.limits.bucket import Policy, Verdict, admit

if TYPE_CHECKING:
    from collections.abc import Hashable

    from conflicto.platform.clock import Clock

MOST_KEYS = 200_000
"""About 20 MB. Full buckets hold no information, so they are dropped first."""


class MemoryLimiter:
    """Spends from buckets by (policy, key). With `enabled` false everything is allowed."""

    def __init__(self, clock: Clock, *, enabled: bool = True) -> None:
        self._clock = clock
        self._enabled = enabled
        self._full_at: dict[Hashable, float] = {}

    def spend(self, policy: Policy, key: Hashable, cost: int = 1) -> Verdict:
        """Take `cost` from the bucket and say whether that was allowed."""
        if not self._enabled:
            return Verdict(allowed=True, remaining=policy.quota, reset_s=0)
        now = self._clock.monotonic_s()
        name = (policy.name, key)
        state, verdict = admit(self._full_at.get(name, 0.0), now, policy, cost)
        if verdict.allowed:
            if len(self._full_at) >= MOST_KEYS:
                self._forget(now)
            self._full_at[name] = state
        return verdict

    def is_empty(self, policy: Policy, key: Hashable) -> bool:
        """Whether nothing can be spent from the bucket now."""
        if not self._enabled:
            return False
        _, verdict = admit(self._full_at.get((policy.name, key), 0.0), self._clock.monotonic_s(), policy)
        return not verdict.allowed

    def _forget(self, now: float) -> None:
        self._full_at = {name: full_at for name, full_at in self._full_at.items() if full_at > now}
        if len(self._full_at) >= MOST_KEYS:
            self._full_at.clear()
