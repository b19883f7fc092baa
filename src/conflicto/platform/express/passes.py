"""A pass: a token that was verified, admitted and found alive, so that the next request with it need not be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conflicto.platform.express.shelf import NOBODY

if TYPE_CHECKING:
    from conflicto.platform.express.shelf import Shelf
    from conflicto.platform.limits.bucket import Bucket, Policy
    from conflicto.platform.limits.memory import MemoryLimiter

LONGEST_S = 300.0
"""How long a pass is good before the whole way is taken again: wall clocks jump, and tokens expire by the wall clock."""


class Pass:
    """`until_s` is monotonic and 0 once the pass is over. `seen_s` is when its bearer was last noted as present."""

    __slots__ = ("_buckets", "_limiter", "bearer", "caller", "seen_s", "shelf", "until_s")

    def __init__(self, caller: Any, shelf: Shelf, *, now_s: float, life_s: float, limiter: MemoryLimiter) -> None:  # noqa: ANN401 - the access room's
        self.caller = caller
        self.shelf = shelf
        self.bearer: int = caller.participant_id or NOBODY
        self.until_s = now_s + min(life_s, LONGEST_S)
        self.seen_s = 0.0
        self._limiter = limiter
        self._buckets: dict[str, Bucket] = {}
        shelf.admit(self, now_s)

    def bucket(self, policy: Policy) -> Bucket:
        """Return the bucket that requests under `policy` spend from: the limiter's own."""
        bucket = self._buckets.get(policy.name)
        if bucket is None or bucket.is_evicted:
            bucket = self._buckets[policy.name] = self._limiter.bucket(policy, self.caller.subject)
        return bucket

    def end(self) -> None:
        """Make it worthless, at once and for good."""
        self.until_s = 0.0
