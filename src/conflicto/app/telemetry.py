"""Telemetry of a process: gauges of its services, and the state of Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto import __version__
from conflicto.platform.http import health
from conflicto.platform.interpreter.vulnerabilities import count_vulnerabilities
from conflicto.platform.metrics import definitions
from conflicto.platform.metrics.gauges import add_process_metrics, add_storage_metrics
from conflicto.platform.metrics.route_metrics import route_metrics

if TYPE_CHECKING:
    from conflicto.app.services import PlatformServices, Services
    from conflicto.session_state.worker_sync import WorkerSync


def register_gauges(services: Services) -> None:
    """Register the gauges of all services, and the metrics of their routes."""
    platform, domain, edge = services
    set_gauge, clock, started_s = platform.metrics.set_function, platform.clock, platform.clock.monotonic_s()
    set_gauge(definitions.BUILD_INFO, lambda: 1, __version__, platform.db.dialect.name)
    set_gauge(definitions.INTERPRETER_VULNERABILITIES, lambda: count_vulnerabilities("guarded"), "guarded")
    set_gauge(definitions.INTERPRETER_VULNERABILITIES, lambda: count_vulnerabilities("exposed"), "exposed")
    set_gauge(definitions.WORKERS, lambda: 1)
    set_gauge(definitions.UPTIME, lambda: clock.monotonic_s() - started_s)
    add_process_metrics(platform.metrics, workers=platform.settings.workers)
    set_gauge(definitions.LOOP_LAG, lambda: edge.connections.load_average.lag_s)
    set_gauge(definitions.CONNECTIONS, lambda: len(edge.connections.connections))
    set_gauge(definitions.CONNECTIONS_EVICTED, lambda: edge.connections.eviction.evicted)
    set_gauge(definitions.LONG_POLLS_WAITING, lambda: edge.long_poll.waiting)
    set_gauge(definitions.STREAMS, lambda: edge.streams.open_count)
    set_gauge(definitions.QUEUE, lambda: domain.writer.queued)
    add_storage_metrics(platform.metrics, platform.db, platform.budget)
    set_gauge(definitions.SESSIONS_CACHED, lambda: len(domain.sessions))
    if (redis := platform.redis) is not None:
        set_gauge(definitions.REDIS_UP, lambda: redis.probe.is_up)
        set_gauge(definitions.REDIS_ERRORS, lambda: redis.data.errors)
        set_gauge(definitions.PUBSUB_CONNECTED, lambda: domain.worker_sync.is_subscribed)
    set_gauge(definitions.LIMIT_FALLBACKS, lambda: platform.limiter.fallback_count)
    platform.metrics.set_route_metrics(route_metrics(edge.routes))


class RedisReadiness:
    """State of Redis as readiness shows it: up only if doorbells arrive where workers need them."""

    def __init__(self, platform: PlatformServices, worker_sync: WorkerSync) -> None:
        self._redis = platform.redis
        self._is_shared = platform.db.is_shared
        self._worker_sync = worker_sync

    def current(self) -> str:
        """Return the present state."""
        if self._redis is None:
            return health.UNUSED
        is_up = self._redis.probe.is_up and (self._worker_sync.is_subscribed or not self._is_shared)
        return health.UP if is_up else health.AWAY
