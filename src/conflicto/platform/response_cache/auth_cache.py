"""Cache of authentication: verified tokens, which the next request need not verify."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

from conflicto.platform.cache_budget import CacheBudget
from conflicto.platform.generations import MAX_DROPPED
from conflicto.platform.response_cache.response_cache import NO_PARTICIPANT

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from conflicto.platform.clock import Clock
    from conflicto.platform.limits.bucket import Bucket, Policy
    from conflicto.platform.limits.memory import MemoryLimiter
    from conflicto.platform.response_cache.response_cache import ViewCache

MAX_LIFETIME_S = 300.0
"""Longest life of an entry. Wall clocks jump and tokens expire by them, so tokens are verified
again after this time."""

MAX_CACHED_AUTHS = 100_000
"""Number of tokens whose authentication is cached. Beyond it the oldest are evicted and verified
again."""

MAX_AUTHORIZATION_BYTES = 2_048
"""Size of the largest `Authorization` field whose token is cached."""

AUTH_BYTES = 1_400
"""Size of a cached authentication with its caller, without its token."""

AUTHS_SHARE = 0.1
"""Share of the budget of all caches."""

EVICTION_PARTS = 8
"""Divisor of the cached authentications: one eviction removes this part of them."""

PRESENCE_INTERVAL_S = 1.0
"""Shortest time between two notes of one caller's presence."""


class PresenceRecorder(Protocol):
    """Recorder of callers' signs of life; a domain package implements it."""

    def record_caller(self, caller: Any) -> None:  # noqa: ANN401 - the access package's
        """Record a sign of life of a caller, if they are a participant."""


class CachedAuth:
    """The cached authentication of one token.

    `expires_s` is monotonic, and 0 once the entry is invalid. `presence_noted_s` is the time at
    which the caller was last noted as present. `reauthenticate` raises once the token is invalid.
    """

    __slots__ = (
        "_buckets", "_limiter", "caller", "expires_s", "participant_id", "presence_noted_s", "reauthenticate", "view_cache",
    )  # fmt: skip

    def __init__(
        self,
        caller: Any,  # noqa: ANN401 - the access package's
        reauthenticate: Callable[[], Awaitable[None]],
        view_cache: ViewCache,
        limiter: MemoryLimiter,
        expires_s: float,
    ) -> None:
        self.caller = caller
        self.reauthenticate = reauthenticate
        self.view_cache = view_cache
        self.participant_id: int = caller.participant_id or NO_PARTICIPANT
        self.expires_s = expires_s
        self.presence_noted_s = 0.0
        self._limiter = limiter
        self._buckets: dict[str, Bucket] = {}

    def bucket(self, policy: Policy) -> Bucket:
        """Return the limiter's bucket that requests under `policy` spend from."""
        bucket = self._buckets.get(policy.name)
        if bucket is None or bucket.is_evicted:
            bucket = self._buckets[policy.name] = self._limiter.bucket(policy, self.caller.subject)
        return bucket

    def invalidate(self) -> None:
        """Invalidate the entry at once and for good."""
        self.expires_s = 0.0


class AuthCache:
    """Cached authentication of one process, by `Authorization` field. For the event loop only."""

    def __init__(self, clock: Clock, limiter: MemoryLimiter, budget: CacheBudget | None = None) -> None:
        self.now_s = clock.monotonic_s
        self._account = (budget or CacheBudget()).account("passes", share=AUTHS_SHARE, evict=self._evict, age=self._age)
        self._limiter = limiter
        self._auths: dict[bytes, CachedAuth] = {}

    def __len__(self) -> int:
        return len(self._auths)

    def find(self, authorization: bytes | None) -> CachedAuth | None:
        """Return the valid authentication of a field's value, or None."""
        auth = self._auths.get(authorization or b"")
        return auth if auth is not None and self.now_s() < auth.expires_s else None

    def add(
        self,
        authorization: bytes,
        caller: Any,  # noqa: ANN401 - the access package's
        reauthenticate: Callable[[], Awaitable[None]],
        view_cache: ViewCache,
        *,
        lifetime_s: float,
    ) -> None:
        """Cache an authentication that was just verified, unless its field is too long."""
        if len(authorization) > MAX_AUTHORIZATION_BYTES:
            return
        self._remove(authorization)
        if len(self._auths) >= MAX_CACHED_AUTHS:
            self._evict()
        now_s = self.now_s()
        expires_s = now_s + min(lifetime_s, MAX_LIFETIME_S)
        auth = self._auths[authorization] = CachedAuth(caller, reauthenticate, view_cache, self._limiter, expires_s)
        view_cache.add_auth(auth, now_s)
        self._account.add(AUTH_BYTES + len(authorization))

    def _evict(self) -> bool:
        """Evict the oldest part of the cached authentications.

        The request pipeline adds valid ones again.
        """
        oldest = list(islice(self._auths, max(1, len(self._auths) // EVICTION_PARTS))) if self._auths else []
        for authorization in oldest:
            self._remove(authorization)
        return bool(oldest)

    def _age(self) -> None:
        """Drop expired entries; the oldest come first, and all live equally long."""
        now_s = self.now_s()
        for authorization in list(islice(self._auths, MAX_DROPPED)):
            if self._auths[authorization].expires_s > now_s:
                return
            self._remove(authorization)

    def _remove(self, authorization: bytes) -> None:
        auth = self._auths.pop(authorization, None)
        if auth is not None:
            auth.invalidate()
            auth.view_cache.remove_auth(auth)
            self._account.add(-AUTH_BYTES - len(authorization))
