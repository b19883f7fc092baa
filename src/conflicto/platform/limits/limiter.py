"""Spending: from this process's bucket first, and from the one that all workers share where a policy says so and there is a Redis."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from conflicto.platform.limits.bucket import Policy, fallback_policy

if TYPE_CHECKING:
    from conflicto.platform.limits.bucket import Verdict
    from conflicto.platform.limits.memory import MemoryLimiter
    from conflicto.platform.limits.shared_buckets import SharedBuckets

REPLAYS = Policy("replays", 60, 60)
"""Requests above a limit that may repeat one which was answered; a phone that did not hear the answer tries again every few seconds."""


class Limiter:
    """All limits of one process.

    What its own bucket refuses, the shared one would refuse as well, so a flood is turned away without a question. While Redis does not
    answer, the own bucket decides: a policy with an `alone` quota is then held to that.
    """

    def __init__(self, memory: MemoryLimiter, shared: SharedBuckets | None) -> None:
        self.memory = memory
        self.fallback_count = 0
        self._shared = shared

    async def spend(self, policy: Policy, key: str, cost: int = 1) -> Verdict:
        """Take `cost` from the bucket and say whether that was allowed."""
        own = self.memory.spend(policy, key, cost)
        if not own.allowed or not policy.shared or self._shared is None:
            return own
        said = await self._shared.spend(policy, key, cost)
        if said is None:
            self.fallback_count += 1
            return (
                replace(self.memory.spend(fallback_policy(policy), key, cost), is_fallback=True) if policy.fallback_quota else own
            )
        if not said.allowed and cost == 1:
            self.memory.drain(policy, key)
        return said

    def refund(self, policy: Policy, key: str, cost: int = 1, *, by: Verdict | None = None) -> None:
        """Undo a spending that `by` allowed; other workers see it a moment later."""
        self.memory.spend(policy, key, -cost)
        if by is not None and by.is_fallback:
            self.memory.spend(fallback_policy(policy), key, -cost)
        if policy.shared and self._shared is not None:
            self._shared.refund(policy, key, cost)
