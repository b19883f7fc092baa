"""Probe of Redis: it is up if it accepts every command that this program sends.

A server that answers a ping may still refuse writes.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from conflicto.platform.limits.bucket import Policy
from conflicto.platform.limits.shared_buckets import SpendRequest, spend

if TYPE_CHECKING:
    from conflicto.platform.redis import Redis

PROBE_INTERVAL_S = 2.0
"""Pause between two checks."""

TTL_MS = 10_000

_BUCKET = Policy("probe", 1_000, 1)


class RedisProbe:
    """Periodically tries every kind of command, under names of this installation.

    For the event loop only.
    """

    def __init__(self, redis: Redis, prefix: str) -> None:
        self.redis = redis
        self.is_up = False
        self._name = f"{prefix}probe"

    async def run(self) -> None:
        """Check until cancelled."""
        while True:
            await self.check()
            await asyncio.sleep(PROBE_INTERVAL_S)

    async def check(self) -> None:
        """Check whether all commands succeed now; the error log has the cause if not."""
        self.is_up = await self.redis.run(self._succeeds, default=False)

    async def _succeeds(self, client: Any) -> bool:  # noqa: ANN401 - redis-py's own types are too loose
        await client.set(self._name, b"", px=TTL_MS)
        await client.get(self._name)
        await client.exists(self._name)
        await spend(client, [SpendRequest(f"{self._name}:bucket", _BUCKET, 1)])
        await client.publish(self._name, b"")
        return True
