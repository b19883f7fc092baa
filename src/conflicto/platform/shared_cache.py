"""What one worker made and another may need as well, kept in Redis for a while. A copy of what never changes, and nothing more.

Every value is signed together with its name, so that whatever Redis holds instead, by mistake or by malice, is not believed: what is
missing, late or wrong there costs the work of making it again.
"""

from __future__ import annotations

from collections import deque
from hashlib import blake2b
from hmac import compare_digest
from typing import TYPE_CHECKING

from conflicto.platform.clock import Clock

if TYPE_CHECKING:
    from conflicto.platform.redis import Redis

SIGNATURE_BYTES = 32
MAX_VALUE_BYTES = 256 * 1024
"""Of a value; larger ones are made again by whoever needs them."""

MAX_STORED_BYTES = 64 * 1024 * 1024
"""Of the values that one worker has in Redis at a time; what comes beyond it is not stored."""


class SharedCache:
    """Values by name, for the workers of one installation, which all know `key`. The event loop's alone."""

    def __init__(self, redis: Redis, prefix: str, key: bytes, ttl_s: int, clock: Clock | None = None) -> None:
        self._clock = clock or Clock()
        self._stored: deque[tuple[float, int]] = deque()
        self._stored_bytes = 0
        self._redis = redis
        self._prefix = prefix
        self._key = blake2b(key, person=b"shared-cache").digest()
        self._ttl_s = ttl_s

    async def get(self, name: str) -> bytes | None:
        """Return a value, None if it is not there or was not put there by one of us under this name."""
        found = await self._redis.run(lambda client: client.get(self._prefix + name), default=None)
        if not isinstance(found, bytes):
            return None
        signature, value = found[:SIGNATURE_BYTES], found[SIGNATURE_BYTES:]
        return value if compare_digest(signature, self._signature(name, value)) else None

    async def put(self, name: str, value: bytes) -> None:
        """Keep a value that will never be another under this name, if there is room."""
        if len(value) <= MAX_VALUE_BYTES and self._has_room(len(value) + len(name)):
            signed = self._signature(name, value) + value
            await self._redis.run(lambda client: client.set(self._prefix + name, signed, ex=self._ttl_s), default=None)

    def _has_room(self, size: int) -> bool:
        """Count a value, and return whether it fits beside those that Redis still has of this worker."""
        now_s = self._clock.monotonic_s()
        while self._stored and self._stored[0][0] <= now_s:
            self._stored_bytes -= self._stored.popleft()[1]
        if self._stored_bytes + size > MAX_STORED_BYTES:
            return False
        self._stored.append((now_s + self._ttl_s, size))
        self._stored_bytes += size
        return True

    def _signature(self, name: str, value: bytes) -> bytes:
        made = blake2b(key=self._key, digest_size=SIGNATURE_BYTES)
        made.update(b"%d %b " % (len(name), name.encode()))
        made.update(value)
        return made.digest()
