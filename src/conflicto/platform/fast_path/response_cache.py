"""Cached responses of one process, bounded in bytes across all maps that hold them."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from conflicto.platform.cache_budget import CacheBudget

if TYPE_CHECKING:
    from collections.abc import Hashable

    from conflicto.platform.fast_path.cached_response import CachedResponse

MAX_BODY_BYTES = 512 * 1024
"""Size of the largest body that is cached. A larger page is built for each request."""

ENTRY_BYTES = 400
"""Size of an entry without its response: its key, its place in the map, and its place in the queue.
"""

SHARE = 0.25
"""Share of the budget of all caches."""


class ResponseMap(dict[object, "CachedResponse"]):
    """Cached responses by key. Read it as a dictionary and add entries with `put` only."""

    __slots__ = ("_cache", "bytes")

    def __init__(self, cache: ResponseCache) -> None:
        super().__init__()
        self._cache = cache
        self.bytes = 0

    def put(self, key: Hashable, response: CachedResponse) -> bool:
        """Cache a response unless its body is too large. Return whether it was cached."""
        self.remove(key)
        if len(response.body) > MAX_BODY_BYTES:
            return False
        self[key] = response
        size = _entry_bytes(key, response)
        self.bytes += size
        self._cache.record(self, key, response, size)
        return key in self

    def remove(self, key: Hashable) -> bool:
        """Remove a response. Return whether it was there."""
        response = self.pop(key, None)
        if response is None:
            return False
        size = _entry_bytes(key, response)
        self.bytes -= size
        self._cache.account.add(-size)
        return True

    def clear(self) -> None:
        """Remove every response."""
        self._cache.account.add(-self.bytes)
        self.bytes = 0
        super().clear()


class ResponseCache:
    """All cached responses of a process.

    Responses live for seconds, so the oldest are evicted first.
    """

    def __init__(self, budget: CacheBudget | None = None) -> None:
        self.account = (budget or CacheBudget()).account("responses", share=SHARE, evict=self.evict)
        self._queue: deque[tuple[ResponseMap, Hashable, float]] = deque()

    def new_map(self) -> ResponseMap:
        """Return an empty map."""
        return ResponseMap(self)

    def record(self, owner: ResponseMap, key: Hashable, response: CachedResponse, size: int) -> None:
        """Record a new entry of `size` bytes, and remove up to two expired ones."""
        self._queue.append((owner, key, response.expires_s))
        for _ in range(2):
            self._remove_if_expired(response.created_s)
        self.account.add(size)

    def evict(self) -> bool:
        """Remove the oldest entry that is still cached. Return whether there was one."""
        while self._queue:
            owner, key, expires_s = self._queue.popleft()
            found = owner.get(key)
            if found is not None and found.expires_s == expires_s:
                return owner.remove(key)
        return False

    def _remove_if_expired(self, now_s: float) -> None:
        owner, key, expires_s = self._queue[0]
        found = owner.get(key)
        is_cached = found is not None and found.expires_s == expires_s
        if not is_cached or expires_s < now_s:
            self._queue.popleft()
            if is_cached:
                owner.remove(key)


def _entry_bytes(key: Hashable, response: CachedResponse) -> int:
    return response.size_bytes + ENTRY_BYTES + (len(key) if isinstance(key, bytes) else 0)
