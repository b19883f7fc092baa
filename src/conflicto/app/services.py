"""Services of a process, by layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

    from conflicto.access.code_guard import CodeGuard
    from conflicto.access.identity import Identity
    from conflicto.access.tokens import Tokens
    from conflicto.activities.expiry import ExpiryTimer
    from conflicto.activity_types.registry import Registry
    from conflicto.app.shutdown import Drain
    from conflicto.exports.service import Exports
    from conflicto.feed.long_poll import LongPoll
    from conflicto.feed.streams import StreamRegistry
    from conflicto.platform.cache_budget import CacheBudget
    from conflicto.platform.clock import Clock
    from conflicto.platform.db.engine import Database
    from conflicto.platform.db.writer import Writer
    from conflicto.platform.event_bus import EventBus
    from conflicto.platform.http.openapi.document import ApiDocument
    from conflicto.platform.http.request_pipeline import RequestPipeline
    from conflicto.platform.http.routes import Route
    from conflicto.platform.http.server.connection_manager import ConnectionManager
    from conflicto.platform.http.server.fast_path import FastPath
    from conflicto.platform.limits.limiter import Limiter
    from conflicto.platform.metrics.multiprocess import MultiprocessMetrics
    from conflicto.platform.metrics.registry import Metrics
    from conflicto.platform.peers.peers import Peers
    from conflicto.platform.redis import Redis
    from conflicto.platform.redis_probe import RedisProbe
    from conflicto.platform.response_cache.auth_cache import AuthCache
    from conflicto.rehearsal.manager import Rehearsals
    from conflicto.responses.release_timer import ReleaseTimer
    from conflicto.responses.validation import ResponseValidator
    from conflicto.results.segment_service import SegmentService
    from conflicto.session_state.authentication import TokenAuthenticator
    from conflicto.session_state.join_code_cache import JoinCodeCache
    from conflicto.session_state.presence import Presence
    from conflicto.session_state.presence_saver import PresenceSaver
    from conflicto.session_state.session_cache import SessionCache
    from conflicto.session_state.worker_sync import WorkerSync
    from conflicto.sessions.purge import Purger
    from conflicto.sessions.retention import Retention
    from conflicto.settings import Settings
    from conflicto.web.pages import Pages


class RedisServices(NamedTuple):
    """Redis for data, for limits, and the probe of its state.

    Limits use connections of their own: their load and timeouts must not affect others.
    """

    data: Redis
    limits: Redis
    probe: RedisProbe


@dataclass(frozen=True, slots=True)
class PlatformServices:
    """Services that know no domain word. `redis` is None without an address of Redis."""

    settings: Settings
    clock: Clock
    budget: CacheBudget
    bus: EventBus
    db: Database
    identity: Identity
    metrics: Metrics
    multiprocess_metrics: MultiprocessMetrics | None
    redis: RedisServices | None
    limiter: Limiter


@dataclass(frozen=True, slots=True)
class DomainServices:
    """State and background work of sessions, activities, participants and responses.

    `peers` is None for the only worker of a machine.
    """

    sessions: SessionCache
    join_codes: JoinCodeCache
    writer: Writer
    worker_sync: WorkerSync
    peers: Peers | None
    presence: Presence
    presence_saver: PresenceSaver
    types: Registry
    tokens: Tokens
    authenticator: TokenAuthenticator
    code_guard: CodeGuard
    validator: ResponseValidator
    segments: SegmentService
    expiry: ExpiryTimer
    releases: ReleaseTimer
    purger: Purger
    retention: Retention
    exports: Exports
    rehearsals: Rehearsals


@dataclass(frozen=True, slots=True)
class EdgeServices:
    """Connections, routes and delivery. `http` is the pipeline behind the middleware."""

    auths: AuthCache
    fast_path: FastPath
    connections: ConnectionManager
    long_poll: LongPoll
    streams: StreamRegistry
    routes: list[Route]
    page_routes: list[Route]
    api_document: ApiDocument
    pipeline: RequestPipeline
    http: ProxyHeadersMiddleware
    pages: Pages
    drain: Drain


class Services(NamedTuple):
    """All services of a process."""

    platform: PlatformServices
    domain: DomainServices
    edge: EdgeServices
