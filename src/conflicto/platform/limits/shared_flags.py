"""Flags in Redis that all workers see until they expire. Without Redis no flag is ever set."""

from __future__ import annotations

import asyncio
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from conflicto.platform.redis import Redis


class SharedFlags:
    """Flags of one kind. Their names are digests, so Redis stores neither addresses nor codes."""

    def __init__(self, redis: Redis | None, prefix: str, ttl_s: int) -> None:
        self._redis = redis
        self._prefix = prefix
        self._ttl_s = ttl_s
        self._pending: set[asyncio.Task[Any]] = set()

    def set(self, *name: str) -> None:
        """Set a flag in the background."""
        if self._redis is None:
            return
        key = self._key(name)
        task = asyncio.ensure_future(self._redis.run(lambda client: client.set(key, b"", ex=self._ttl_s), default=None))
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    async def is_set(self, *name: str) -> bool:
        """Return whether a worker set the flag; false if Redis does not answer."""
        if self._redis is None:
            return False
        key = self._key(name)
        return bool(await self._redis.run(lambda client: client.exists(key), default=0))

    def _key(self, name: tuple[str, ...]) -> str:
        return self._prefix + blake2b("\0".join(name).encode(), digest_size=16).hexdigest()
