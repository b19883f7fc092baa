"""Cached authentication: a verified token, which the next request need not verify."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conflicto.platform.fast_path.view_cache import NO_PARTICIPANT

if TYPE_CHECKING:
    from conflicto.platform.fast_path.view_cache import ViewCache
    from conflicto.platform.limits.bucket import Bucket, Policy
    from conflicto.platform.limits.memory import MemoryLimiter

MAX_LIFETIME_S = 300.0
"""Longest life of an entry. Wall clocks jump and tokens expire by them, so tokens are verified
again after this time."""


class CachedAuth:
    """The cached authentication of one token.

    `expires_s` is monotonic, and 0 once the entry is invalid. `presence_noted_s` is the time at
    which the caller was last noted as present.
    """

    __slots__ = ("_buckets", "_limiter", "caller", "expires_s", "participant_id", "presence_noted_s", "view_cache")

    def __init__(self, caller: Any, view_cache: ViewCache, *, now_s: float, lifetime_s: float, limiter: MemoryLimiter) -> None:  # noqa: ANN401 - the access package's
        self.caller = caller
        self.view_cache = view_cache
        self.participant_id: int = caller.participant_id or NO_PARTICIPANT
        self.expires_s = now_s + min(lifetime_s, MAX_LIFETIME_S)
        self.presence_noted_s = 0.0
        self._limiter = limiter
        self._buckets: dict[str, Bucket] = {}
        view_cache.add_auth(self, now_s)

    def bucket(self, policy: Policy) -> Bucket:
        """Return the limiter's bucket that requests under `policy` spend from."""
        bucket = self._buckets.get(policy.name)
        if bucket is None or bucket.is_evicted:
            bucket = self._buckets[policy.name] = self._limiter.bucket(policy, self.caller.subject)
        return bucket

    def invalidate(self) -> None:
        """Invalidate the entry at once and for good."""
        self.expires_s = 0.0
