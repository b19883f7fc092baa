"""Build the edge: connections, delivery, routes and the pipeline that requests pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from conflicto import __version__
from conflicto.access.roles import ANYONE, METRICS_READERS
from conflicto.app.delivery import build_delivery
from conflicto.app.endpoints import build_routes
from conflicto.app.services import EdgeServices
from conflicto.app.shutdown import Drain
from conflicto.app.telemetry import RedisReadiness
from conflicto.platform.http import health
from conflicto.platform.http.asgi import AsgiApplication
from conflicto.platform.http.cors import with_cors
from conflicto.platform.http.openapi.document import ApiDocument
from conflicto.platform.http.path_prefix import prefix_of
from conflicto.platform.http.request_pipeline import Dependencies, RequestPipeline
from conflicto.platform.http.route_table import RouteTable
from conflicto.platform.http.server.connection_manager import ConnectionManager
from conflicto.platform.http.server.direct_path import DirectPath
from conflicto.platform.http.server.fast_path import FastPath
from conflicto.platform.metrics import definitions
from conflicto.platform.metrics.exposition import MetricsExposition
from conflicto.platform.response_cache.auth_cache import AuthCache
from conflicto.web import pages as web_pages
from conflicto.web.kept_builds import KeptBuilds
from conflicto.web.session_types import SessionTypeFiles

if TYPE_CHECKING:
    from conflicto.app.services import DomainServices, PlatformServices

ABOUT = {
    "title": "Conflicto", "version": __version__,
    "description": "Live sessions: polls, quizzes, Q&A and any activity in JSON. JSON in, JSON out, in order, nothing lost.",
}  # fmt: skip


def build_edge(platform: PlatformServices, domain: DomainServices) -> EdgeServices:
    """Return what stands between the network and the domain."""
    settings, issuer, drain = platform.settings, platform.identity.issuer, Drain()
    auths = AuthCache(platform.clock, platform.limiter.memory, platform.budget)
    fast_path = FastPath(platform.clock, auths, domain.presence, platform.budget)
    connections = ConnectionManager(
        fast_path if settings.fast_path else None, server=issuer, max_connections=settings.max_connections, drain=drain,
        on_tick=platform.metrics.histogram(definitions.LOOP_LATE).observe, on_refusal=platform.metrics.count_rejected_connection,
    )  # fmt: skip
    connections.prefix = prefix_of(settings.public_url).encode()
    delivery = build_delivery(platform, domain, connections)
    drain.add(delivery.long_poll.close, delivery.streams.close)
    drain.add(domain.exports.writer.close, domain.rehearsals.close, domain.sessions.close)
    routes = build_routes(platform, domain, delivery)
    api_document = ApiDocument(routes, about=ABOUT | {"url": settings.public_url}, authenticator=domain.authenticator)
    routes += health.routes(_health_endpoints(platform, domain, api_document), operator=METRICS_READERS)
    pages = web_pages.Pages(
        settings.public_url, domain.types.every_version(), settings.image_origins, settings.retention_days, server=issuer,
        kept_builds=KeptBuilds(settings.builds_path, platform.clock),
        session_types=SessionTypeFiles(platform.db) if settings.session_types_mb else None,
    )  # fmt: skip
    page_routes = web_pages.routes(pages, anyone=ANYONE)
    pipeline = RequestPipeline(Dependencies(
        routes=RouteTable([*routes, *page_routes]), authenticator=domain.authenticator, limiter=platform.limiter, clock=platform.clock,
        metrics=platform.metrics, auths=auths, presence=domain.presence,
        access_log=settings.access_log, server=issuer, prefix=connections.prefix,
    ))  # fmt: skip
    http = ProxyHeadersMiddleware(
        with_cors(AsgiApplication(pipeline), settings.cors_origins), trusted_hosts=settings.trusted_proxies
    )
    if settings.fast_path:
        connections.direct = DirectPath(pipeline, has_origins=bool(settings.cors_origins))
    connections.eviction.proxies = http.trusted_hosts
    return EdgeServices(
        auths=auths, fast_path=fast_path, connections=connections, long_poll=delivery.long_poll, streams=delivery.streams, routes=routes,
        page_routes=page_routes, pages=pages, api_document=api_document, pipeline=pipeline, http=http, drain=drain,
    )  # fmt: skip


def _health_endpoints(platform: PlatformServices, domain: DomainServices, api_document: ApiDocument) -> health.HealthEndpoints:
    return health.HealthEndpoints(
        platform.db, domain.writer, platform.clock, document=api_document,
        metrics=MetricsExposition(platform.metrics, platform.multiprocess_metrics),
        redis=RedisReadiness(platform, domain.worker_sync),
        warnings=[f"activity-type-rejected: {each.name}" for each in domain.types.rejected],
    )  # fmt: skip
