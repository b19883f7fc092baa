"""Ready answers of a process by the maps in which they lie, bounded in bytes together."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from conflicto.platform.cache_budget import CacheBudget

if TYPE_CHECKING:
    from collections.abc import Hashable

    from conflicto.platform.express.ready import Ready

MAX_CACHED_BYTES = 512 * 1024
"""Of one body. A larger page is made anew for everyone who asks."""

KEY_BYTES = 400
"""Of an entry beside its answer: its key, its place in the map, and its place in the queue."""

SHARE = 0.25
"""Of the budget of all caches."""


class ReadyMap(dict[object, "Ready"]):
    """Ready answers by key. Reading is a dictionary's; entries come by `put` alone."""

    __slots__ = ("_cache", "bytes")

    def __init__(self, cache: ResponseCache) -> None:
        super().__init__()
        self._cache = cache
        self.bytes = 0

    def put(self, key: Hashable, ready: Ready) -> bool:
        """Keep an answer, unless it is large; whether it was kept."""
        self.drop(key)
        if len(ready.body) > MAX_CACHED_BYTES:
            return False
        self[key] = ready
        size = _size(key, ready)
        self.bytes += size
        self._cache.added(self, key, ready, size)
        return key in self

    def drop(self, key: Hashable) -> bool:
        """Remove an answer; whether it was there."""
        ready = self.pop(key, None)
        if ready is None:
            return False
        size = _size(key, ready)
        self.bytes -= size
        self._cache.account.change(-size)
        return True

    def clear(self) -> None:
        """Remove every answer."""
        self._cache.account.change(-self.bytes)
        self.bytes = 0
        super().clear()


class ResponseCache:
    """All ready answers of a process. They live for seconds, so the oldest go first."""

    def __init__(self, budget: CacheBudget | None = None) -> None:
        self.account = (budget or CacheBudget()).account("responses", share=SHARE, evict=self.evict)
        self._queue: deque[tuple[ReadyMap, Hashable, float]] = deque()

    def map(self) -> ReadyMap:
        """Return an empty map."""
        return ReadyMap(self)

    def added(self, where: ReadyMap, key: Hashable, ready: Ready, size: int) -> None:
        """Note an entry. Two older ones are looked at, and leave if they are over: so the queue is as long as what was added of late."""
        self._queue.append((where, key, ready.until_s))
        for _ in range(2):
            self._forget_if_over(ready.made_s)
        self.account.change(size)

    def evict(self) -> bool:
        """Remove the oldest entry that is still there; whether there was one."""
        while self._queue:
            where, key, until_s = self._queue.popleft()
            found = where.get(key)
            if found is not None and found.until_s == until_s:
                return where.drop(key)
        return False

    def _forget_if_over(self, now_s: float) -> None:
        where, key, until_s = self._queue[0]
        found = where.get(key)
        is_there = found is not None and found.until_s == until_s
        if not is_there or until_s < now_s:
            self._queue.popleft()
            if is_there:
                where.drop(key)


def _size(key: Hashable, ready: Ready) -> int:
    return ready.size + KEY_BYTES + (len(key) if isinstance(key, bytes) else 0)
