"""Build the services of a process from its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.access.identity import load_identity
from conflicto.app.domain import build_domain
from conflicto.app.edge import build_edge
from conflicto.app.services import PlatformServices, Services
from conflicto.app.subscriptions import subscribe_all
from conflicto.app.telemetry import register_gauges
from conflicto.platform.cache_budget import CacheBudget
from conflicto.platform.clock import Clock
from conflicto.platform.db.engine import Database, PoolSize
from conflicto.platform.db.epochs import start_epoch_guard
from conflicto.platform.db.schema import require_current
from conflicto.platform.db.slow_queries import SlowQueries
from conflicto.platform.event_bus import EventBus
from conflicto.platform.instants import MS_PER_S
from conflicto.platform.limits.limiter import Limiter
from conflicto.platform.limits.memory import MemoryLimiter
from conflicto.platform.metrics.multiprocess import MultiprocessMetrics
from conflicto.platform.metrics.registry import Metrics
from conflicto.platform.sizes import MIB
from conflicto.results.state_parts import STATE_PARTS
from conflicto.session_state.session_cache import SessionCache
from conflicto.sessions.feed_gaps.store import SessionFeedStore

if TYPE_CHECKING:
    from conflicto.app.services import RedisServices
    from conflicto.platform.db.timeouts import Timeouts
    from conflicto.platform.limits.shared_buckets import SharedBuckets
    from conflicto.settings import Settings


def build(settings: Settings, *, clock: Clock | None = None, timeouts: Timeouts | None = None) -> Services:
    """Return the connected services of a process; nothing runs yet.

    Raises:
        SchemaOutdated: the database must be migrated first.
    """
    db, bus, budget = _open_database(settings, timeouts), EventBus(), CacheBudget(settings.max_cache_mb * MIB)
    sessions = SessionCache(db, STATE_PARTS, bus, budget)
    epoch_guard = start_epoch_guard(db, SessionFeedStore(), sessions.positions)  # first, as the identity has an epoch
    platform = _build_platform(settings, clock or Clock(), db, bus, budget)
    domain = build_domain(platform, sessions, epoch_guard)
    services = Services(platform, domain, build_edge(platform, domain))
    register_gauges(services)
    subscribe_all(services)
    return services


def _open_database(settings: Settings, timeouts: Timeouts | None) -> Database:
    pool = PoolSize.share(settings.pool_size, settings.max_overflow, workers=settings.workers)
    db = Database(settings.url, pool=pool, timeouts=timeouts, slow_queries=SlowQueries(settings.slow_query_ms / MS_PER_S))
    require_current(db)
    return db


def _build_platform(settings: Settings, clock: Clock, db: Database, bus: EventBus, budget: CacheBudget) -> PlatformServices:
    identity = load_identity(
        db, data_dir=settings.data_dir, secret_key=settings.secret("secret_key"), admin_token=settings.secret("admin_token")
    )
    metrics, prefix = Metrics(), f"conflicto:{identity.issuer}:"
    redis, shared = _connect_redis(settings, clock, prefix)
    memory = MemoryLimiter(clock, enabled=settings.rate_limits, budget=budget)
    return PlatformServices(
        settings=settings, clock=clock, budget=budget, bus=bus, db=db, identity=identity, metrics=metrics,
        multiprocess_metrics=MultiprocessMetrics(settings.metrics_dir, metrics) if settings.metrics_dir else None,
        redis=redis, limiter=Limiter(memory, shared if settings.rate_limits else None),
    )  # fmt: skip


def _connect_redis(settings: Settings, clock: Clock, prefix: str) -> tuple[RedisServices | None, SharedBuckets | None]:
    url = settings.secret("redis_url")
    if url is None:
        return None, None
    from conflicto.app.redis import connect_redis  # noqa: PLC0415 - it imports the client

    return connect_redis(url, clock, prefix)
