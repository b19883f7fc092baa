"""Telemetry of a process: gauges of its services, and the text that Prometheus reads."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from conflicto import __version__
from conflicto.platform.http import health
from conflicto.platform.interpreter.vulnerabilities import count_vulnerabilities
from conflicto.platform.metrics import definitions
from conflicto.platform.metrics.exposition import exposition
from conflicto.platform.metrics.gauges import add_process_metrics, add_storage_metrics
from conflicto.platform.metrics.route_metrics import route_metrics

if TYPE_CHECKING:
    from conflicto.app.services import DomainServices, PlatformServices, Services


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


async def render_metrics(platform: PlatformServices) -> bytes:
    """Return the metrics of this worker, or of all workers where there are several."""
    shared = platform.multiprocess_metrics
    series = await shared.collect_all() if shared else platform.metrics.collect()
    return await asyncio.to_thread(exposition, list(series))  # 1,500 lines with all routes take 7 ms


def redis_state(platform: PlatformServices, domain: DomainServices) -> str:
    """Return the state of Redis as readiness shows it."""
    if platform.redis is None:
        return health.UNUSED
    is_up = platform.redis.probe.is_up and (domain.worker_sync.is_subscribed or not platform.db.is_shared)
    return health.UP if is_up else health.AWAY
