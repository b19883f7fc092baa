"""Build what needs Redis. Only a server with `REDIS_URL` imports this module and its client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.app.services import RedisServices
from conflicto.platform.limits.shared_buckets import MAX_BATCH_S as LIMITS_DEADLINE_S
from conflicto.platform.limits.shared_buckets import SharedBuckets
from conflicto.platform.redis import Redis
from conflicto.platform.redis_probe import RedisProbe

if TYPE_CHECKING:
    from conflicto.platform.clock import Clock


def connect_redis(url: str, clock: Clock, prefix: str) -> tuple[RedisServices, SharedBuckets]:
    """Return the connections to Redis, and the buckets that all workers share."""
    redis = Redis(url, clock)
    limits, probed = redis.with_deadline(LIMITS_DEADLINE_S), redis.with_deadline(LIMITS_DEADLINE_S)
    return RedisServices(redis, limits, RedisProbe(probed, prefix)), SharedBuckets(limits, prefix + "limits:")
