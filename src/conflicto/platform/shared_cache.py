"""Cache in Redis for immutable values that several workers need.

Every value is signed together with its name, so that foreign or forged values are ignored. A
missing or invalid value costs only its recomputation.
"""

from __future__ import annotations

from collections import deque
from hashlib import blake2b
from hmac import compare_digest
from typing import TYPE_CHECKING

from conflicto.platform.clock import Clock
from conflicto.platform.sizes import KIB, MIB

if TYPE_CHECKING:
    from conflicto.platform.redis import Redis

SIGNATURE_BYTES = 32
MAX_VALUE_BYTES = 256 * KIB
"""Size of a value; workers compute larger ones themselves."""

MAX_STORED_BYTES = 64 * MIB
"""Total size of one worker's unexpired values in Redis; further ones are not stored."""


class SharedCache:
    """Values by name, for workers of one installation with one `key`. For the event loop only."""

    def __init__(self, redis: Redis, prefix: str, key: bytes, ttl_s: int, clock: Clock | None = None) -> None:
        self._clock = clock or Clock()
        self._stored: deque[tuple[float, int]] = deque()
        self._stored_bytes = 0
        self._redis = redis
        self._prefix = prefix
        self._key = blake2b(key, person=b"shared-cache").digest()
        self._ttl_s = ttl_s

    async def get(self, name: str) -> bytes | None:
        """Return a value, None if it is missing or not signed by a worker under this name."""
        found = await self._redis.run(lambda client: client.get(self._prefix + name), default=None)
        if not isinstance(found, bytes):
            return None
        signature, value = found[:SIGNATURE_BYTES], found[SIGNATURE_BYTES:]
        return value if compare_digest(signature, self._signature(name, value)) else None

    async def put(self, name: str, value: bytes) -> None:
        """Store an immutable value, if there is room."""
        if len(value) <= MAX_VALUE_BYTES and self._has_room(len(value) + len(name)):
            signed = self._signature(name, value) + value
            await self._redis.run(lambda client: client.set(self._prefix + name, signed, ex=self._ttl_s), default=None)

    def _has_room(self, size: int) -> bool:
        """Count a value, and return whether it fits beside this worker's unexpired values."""
        now_s = self._clock.monotonic_s()
        while self._stored and self._stored[0][0] <= now_s:
            self._stored_bytes -= self._stored.popleft()[1]
        if self._stored_bytes + size > MAX_STORED_BYTES:
            return False
        self._stored.append((now_s + self._ttl_s, size))
        self._stored_bytes += size
        return True

    def _signature(self, name: str, value: bytes) -> bytes:
        digest = blake2b(key=self._key, digest_size=SIGNATURE_BYTES)
        digest.update(b"%d %b " % (len(name), name.encode()))
        digest.update(value)
        return digest.digest()
