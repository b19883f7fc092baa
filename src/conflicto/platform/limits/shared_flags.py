"""Marks that all workers see, for a while: one bit under a name, in Redis; without one, nobody else's marks are seen."""

from __future__ import annotations

import asyncio
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from conflicto.platform.redis import Redis


class SharedFlags:
    """The marks of one kind. Names are kept as digests: Redis learns neither addresses nor codes."""

    def __init__(self, redis: Redis | None, prefix: str, ttl_s: int) -> None:
        self._redis = redis
        self._prefix = prefix
        self._ttl_s = ttl_s
        self._pending: set[asyncio.Task[Any]] = set()

    def set(self, *name: str) -> None:
        """Set a mark, some time soon; nobody waits for it."""
        if self._redis is None:
            return
        key = self._key(name)
        task = asyncio.ensure_future(self._redis.run(lambda client: client.set(key, b"", ex=self._ttl_s), default=None))
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    async def is_set(self, *name: str) -> bool:
        """Whether somebody set it; no, if that is not known."""
        if self._redis is None:
            return False
        key = self._key(name)
        return bool(await self._redis.run(lambda client: client.exists(key), default=0))

    def _key(self, name: tuple[str, ...]) -> str:
        return self._prefix + blake2b("\0".join(name).encode(), digest_size=16).hexdigest()
