"""The limiter of one process: its own buckets first, then those in Redis for shared policies."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from conflicto.platform.limits.bucket import Policy, fallback_policy

if TYPE_CHECKING:
    from conflicto.platform.limits.bucket import Verdict
    from conflicto.platform.limits.memory import MemoryLimiter
    from conflicto.platform.limits.shared_buckets import SharedBuckets

REPLAYS = Policy("replays", 60, 60)
"""Replays of answered requests beyond their limit; a phone that got no response retries every few
seconds."""


class Limiter:
    """All rate limits of one process.

    A request that the process's own bucket refuses would be refused by the shared one too, so a
    flood costs no trip to Redis. While Redis does not answer, the own bucket decides, with the
    policy's fallback quota if it has one.
    """

    def __init__(self, memory: MemoryLimiter, shared: SharedBuckets | None) -> None:
        self.memory = memory
        self.is_local = shared is None
        self.fallback_count = 0
        self._shared = shared

    async def spend(self, policy: Policy, key: str, cost: int = 1) -> Verdict:
        """Spend `cost` from the bucket of `key` and return the verdict."""
        own = self.memory.spend(policy, key, cost)
        if not own.allowed or not policy.shared or self._shared is None:
            return own
        shared = await self._shared.spend(policy, key, cost)
        if shared is None:
            self.fallback_count += 1
            return (
                replace(self.memory.spend(fallback_policy(policy), key, cost), is_fallback=True) if policy.fallback_quota else own
            )
        if not shared.allowed and cost == 1:
            self.memory.drain(policy, key)
        return shared

    def refund(self, policy: Policy, key: str, cost: int = 1, *, by: Verdict | None = None) -> None:
        """Undo a spending that the verdict `by` allowed; other workers see it a moment later."""
        self.memory.spend(policy, key, -cost)
        if by is not None and by.is_fallback:
            self.memory.spend(fallback_policy(policy), key, -cost)
        if policy.shared and self._shared is not None:
            self._shared.refund(policy, key, cost)
