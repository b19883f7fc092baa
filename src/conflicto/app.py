"""Composition root: creates the services of a process and connects them."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import structlog
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from conflicto import __version__
from conflicto.access import http as access_http
from conflicto.access.authentication import TokenAuthenticator, refusals
from conflicto.access.code_guard import CodeGuard, share_of_server_policy
from conflicto.access.identity import Identity, build_tokens, load_identity
from conflicto.access.receipts import Receipts
from conflicto.access.roles import ANYONE, METRICS_READERS
from conflicto.access.tickets import UsedTickets
from conflicto.access.used_codes import LIFETIME_S, UsedCodes
from conflicto.activities import http as activities_http
from conflicto.activities import store as activities_store
from conflicto.activities import subscriptions as activity_subscriptions
from conflicto.activities.expiry import ExpiryTimer
from conflicto.activities.queries import session_counts
from conflicto.activity_types import http as types_http
from conflicto.activity_types.registry import load_registry
from conflicto.aggregation.spec import validate_spec
from conflicto.exports import http as exports_http
from conflicto.exports.service import Exports
from conflicto.feed import http as feed_http
from conflicto.feed.long_poll import LongPoll
from conflicto.feed.poll_handler import PollHandler
from conflicto.feed.response_builder import ResponseBuilder
from conflicto.feed.shared_pages import SharedPages
from conflicto.feed.streams import StreamRegistry
from conflicto.participants import http as participants_http
from conflicto.participants import store as participants_store
from conflicto.participants.presence import Presence
from conflicto.participants.presence_saver import run_presence_saver, save_presence
from conflicto.platform.cache_budget import BYTES_PER_MB, CacheBudget
from conflicto.platform.clock import Clock
from conflicto.platform.db.engine import Database, PoolSize
from conflicto.platform.db.epochs import start_epoch_guard
from conflicto.platform.db.group import GroupRunner
from conflicto.platform.db.schema import require_current
from conflicto.platform.db.slow_queries import MS_PER_S, SlowQueries
from conflicto.platform.db.timeouts import Timeouts
from conflicto.platform.db.writer import Writer
from conflicto.platform.event_bus import EventBus
from conflicto.platform.fast_path import FastPath
from conflicto.platform.http import health
from conflicto.platform.http.cors import with_cors
from conflicto.platform.http.openapi.document import ApiDocument
from conflicto.platform.http.path_prefix import prefix_of
from conflicto.platform.http.request_pipeline import Dependencies, RequestPipeline
from conflicto.platform.http.route_table import RouteTable
from conflicto.platform.http.routes import Route
from conflicto.platform.http.server.connection_manager import ConnectionManager
from conflicto.platform.interpreter.tuning import set_switch_interval, tune_garbage_collector
from conflicto.platform.interpreter.vulnerabilities import count_vulnerabilities, log_vulnerabilities
from conflicto.platform.limits.limiter import Limiter
from conflicto.platform.limits.memory import MemoryLimiter
from conflicto.platform.limits.shared_buckets import MAX_BATCH_S as LIMITS_DEADLINE_S
from conflicto.platform.limits.shared_buckets import SharedBuckets
from conflicto.platform.limits.shared_flags import SharedFlags
from conflicto.platform.logs import configure_logs
from conflicto.platform.metrics import definitions
from conflicto.platform.metrics.commit_metrics import CommitMetrics
from conflicto.platform.metrics.exposition import exposition
from conflicto.platform.metrics.gauges import add_process_metrics, add_storage_metrics
from conflicto.platform.metrics.multiprocess import MultiprocessMetrics
from conflicto.platform.metrics.registry import Metrics
from conflicto.platform.metrics.route_metrics import route_metrics
from conflicto.platform.redis import Redis
from conflicto.platform.redis_probe import RedisProbe
from conflicto.platform.response_cache.auth_cache import AuthCache
from conflicto.platform.shared_cache import SharedCache
from conflicto.platform.shutdown import exit_within
from conflicto.rehearsal import http as rehearsal_http
from conflicto.rehearsal.manager import Rehearsals
from conflicto.rehearsal.simulation import Context
from conflicto.responses import http as responses_http
from conflicto.responses import store as responses_store
from conflicto.responses import subscriptions as response_subscriptions
from conflicto.responses.capacity import Caps, ResponseCapacity
from conflicto.responses.queries import reserved_places
from conflicto.responses.release_metrics import ReleaseMetrics
from conflicto.responses.release_timer import ReleaseTimer
from conflicto.responses.validation import ResponseValidator
from conflicto.results import http as results_http
from conflicto.results import store as results_store
from conflicto.results.leaderboard_handler import LeaderboardHandler
from conflicto.results.results_handler import ResultsHandler
from conflicto.results.segment_service import SegmentService
from conflicto.results.state_parts import STATE_PARTS
from conflicto.session_state.join_code_cache import JoinCodeCache
from conflicto.session_state.session_cache import SessionCache
from conflicto.session_state.worker_sync import WorkerSync
from conflicto.sessions import http as sessions_http
from conflicto.sessions import link_http
from conflicto.sessions.feed_gaps.store import SessionFeedStore
from conflicto.sessions.feed_heads.store import FeedHeads
from conflicto.sessions.purge import Purger
from conflicto.sessions.retention import Retention
from conflicto.settings import Settings, read_settings
from conflicto.web import pages as web_pages

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

ABOUT = {
    "title": "Conflicto", "version": __version__,
    "description": "Live sessions: polls, quizzes, Q&A and any activity in JSON. JSON in, JSON out, in order, nothing lost.",
}  # fmt: skip

log = structlog.get_logger(__name__)


class App:
    """One process of Conflicto: an ASGI application and its services."""

    def __init__(self, settings: Settings, *, clock: Clock | None = None, timeouts: Timeouts | None = None) -> None:
        self.settings, self.clock, self.bus, self.budget = settings, clock or Clock(), EventBus(), _budget(settings)
        self.db = Database(
            settings.url, pool=PoolSize.share(settings.pool_size, settings.max_overflow, workers=settings.workers), timeouts=timeouts,
            slow_queries=SlowQueries(settings.slow_query_ms / MS_PER_S),
        )  # fmt: skip
        require_current(self.db)
        self.sessions = SessionCache(self.db, STATE_PARTS, self.bus, self.budget)
        self.epoch_guard = start_epoch_guard(self.db, SessionFeedStore(), self.sessions.positions)
        self.identity: Identity = load_identity(
            self.db, data_dir=settings.data_dir, secret_key=settings.secret("secret_key"),
            admin_token=settings.secret("admin_token"),
        )  # fmt: skip
        self.metrics, issuer = Metrics(), self.identity.issuer
        self.multiprocess_metrics = MultiprocessMetrics(settings.metrics_dir, self.metrics) if settings.metrics_dir else None
        self._close_callbacks: list[Callable[[], Awaitable[None]]] = []
        self.redis = self._connect_redis()
        self.presence = Presence(self.clock, self.sessions.may_be_anonymous)
        self.writer = Writer(self._build_group_runner(), self.clock, caller_s=self.db.timeouts.caller_s, on_commit=self.bus.publish)
        self.worker_sync = WorkerSync(self.sessions, self.writer, self.redis, issuer)
        self.types = load_registry(settings.activity_types)
        self.expiry, self.releases = ExpiryTimer(self.db, self.writer, self.clock), ReleaseTimer(self.db, self.writer, self.clock)
        self.purger, self.retention = self._build_removal()
        self.tokens = build_tokens(self.db, self.identity, self.clock, max_days=settings.max_token_days, budget=self.budget)
        self.authenticator = TokenAuthenticator(
            self.tokens, self.identity.admin_hash, self.sessions, UsedTickets(self.clock, self.redis, issuer, self.budget),
            metrics_token=settings.secret("metrics_token"),
        )  # fmt: skip
        self.limiter, self.code_guard = self._build_limits()
        self.auths, self.long_poll = AuthCache(self.clock, self.limiter.memory, self.budget), LongPoll(self.sessions, self.metrics)
        self.fast_path = FastPath(self.clock, self.auths, self.presence.record_caller, self.budget)
        self.connections = ConnectionManager(
            self.fast_path if settings.fast_path else None, server=issuer, max_connections=settings.max_connections, drain=self.drain,
            on_tick=self.metrics.histogram(definitions.LOOP_LATE).observe, on_refusal=self.metrics.count_rejected_connection,
            is_proxy=lambda address: address in self._http.trusted_hosts,
        )  # fmt: skip
        self.connections.prefix = prefix_of(settings.public_url).encode()
        self.exports = Exports(self.db, self.types, settings.exports_path, self.clock)
        self.routes = self._build_routes()
        self._register_metrics()
        self.api_document = ApiDocument(self.routes, about=ABOUT | {"url": settings.public_url}, refusals=refusals)
        self.pages = web_pages.Pages(
            settings.public_url, self.types.all(), settings.image_origins, settings.retention_days, server=issuer
        )
        self._pipeline = self._build_pipeline()
        self._http = self._with_middleware()

    def _with_middleware(self) -> ProxyHeadersMiddleware:
        """Return the pipeline behind the middleware for CORS and trusted proxies."""
        api = with_cors(self._pipeline, self.settings.cors_origins)
        return ProxyHeadersMiddleware(api, trusted_hosts=self.settings.trusted_proxies)

    def drain(self) -> None:
        """Answer waiting requests before the server stops. Only the first call has an effect."""
        if not self.streams.is_open:
            return
        self.long_poll.close()
        self.streams.close()
        self.exports.writer.close()
        self.rehearsals.close()
        self.sessions.close()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        """Serve HTTP and the lifespan."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[App]:
        """Run writer and background tasks. At the end, commit queued work, close the database."""
        self._subscribe()
        self.writer.start()
        loops: list[Callable[[], Awaitable[None]]] = [
            self.expiry.run, self.releases.run, self.purger.run, self.retention.run, self.connections.run, self.streams.run,
            self.exports.run, lambda: run_presence_saver(self.presence, self.writer),
        ]  # fmt: skip
        if self.db.is_shared:
            loops.append(self.worker_sync.run)
        if self.multiprocess_metrics:
            loops.append(self.multiprocess_metrics.run)
        if self.redis is not None:
            await self.redis_probe.check()
            loops.append(self.redis_probe.run)
        tasks = [asyncio.ensure_future(loop()) for loop in loops]
        log.info("started", version=__version__, database=self.db.dialect.name, workers=self.settings.workers)
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await save_presence(self.presence, self.writer)
            await self.writer.stop()
            for close in self._close_callbacks:
                await close()
            await asyncio.to_thread(self.db.close)
            if self.multiprocess_metrics:
                await self.multiprocess_metrics.write()
                self.multiprocess_metrics.close()
            log.info("stopped")

    async def _lifespan(self, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        await receive()
        self.pages.prepare()
        async with self.running():
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    def _shared_cache(self) -> SharedCache | None:
        if self.redis is None:
            return None
        prefix = f"conflicto:{self.identity.epoch}:pages:"
        return SharedCache(self.redis, prefix, self.identity.signing_key, self.settings.redis_cache_ttl, self.clock)

    def _connect_redis(self) -> Redis | None:
        if (url := self.settings.secret("redis_url")) is None:
            return None
        redis = Redis(url, self.clock)
        self.redis_probe = RedisProbe(redis.with_deadline(LIMITS_DEADLINE_S), f"conflicto:{self.identity.issuer}:")
        self._close_callbacks += [redis.close, self.redis_probe.redis.close]
        return redis

    def _build_limits(self) -> tuple[Limiter, CodeGuard]:
        memory = MemoryLimiter(self.clock, enabled=self.settings.rate_limits, budget=self.budget)
        codes = UsedCodes(self.clock, self.budget), self.tokens.link_keys
        if self.redis is None or not self.settings.rate_limits:
            local = Limiter(memory, None)
            return local, CodeGuard(local, SharedFlags(None, "", LIFETIME_S), *codes, share_of_server_policy(self.settings.workers))
        # Limits use connections of their own: their load and timeouts must not affect others.
        redis, prefix = self.redis.with_deadline(LIMITS_DEADLINE_S), f"conflicto:{self.identity.issuer}:"
        self._close_callbacks.append(redis.close)
        limiter = Limiter(memory, SharedBuckets(redis, prefix + "limits:"))
        return limiter, CodeGuard(limiter, SharedFlags(redis, prefix + "hits:", LIFETIME_S), *codes)

    def _register_metrics(self) -> None:
        metrics, set_gauge, started_s = self.metrics, self.metrics.set_function, self.clock.monotonic_s()
        self.commit_metrics = CommitMetrics(metrics, self.clock)
        self.release_metrics = ReleaseMetrics(metrics.deferred, responses_http.SUBMIT_ROUTE, access_log=self.settings.access_log)
        set_gauge(definitions.BUILD_INFO, lambda: 1, __version__, self.db.dialect.name)
        set_gauge(definitions.INTERPRETER_VULNERABILITIES, lambda: count_vulnerabilities("guarded"), "guarded")
        set_gauge(definitions.INTERPRETER_VULNERABILITIES, lambda: count_vulnerabilities("exposed"), "exposed")
        set_gauge(definitions.WORKERS, lambda: 1)
        set_gauge(definitions.UPTIME, lambda: self.clock.monotonic_s() - started_s)
        add_process_metrics(metrics, workers=self.settings.workers)
        set_gauge(definitions.LOOP_LAG, lambda: self.connections.load_average.lag_s)
        set_gauge(definitions.CONNECTIONS, lambda: len(self.connections.connections))
        set_gauge(definitions.CONNECTIONS_EVICTED, lambda: self.connections.eviction.evicted)
        set_gauge(definitions.LONG_POLLS_WAITING, lambda: self.long_poll.waiting)
        set_gauge(definitions.STREAMS, lambda: self.streams.open_count)
        set_gauge(definitions.QUEUE, lambda: self.writer.queued)
        add_storage_metrics(metrics, self.db, self.budget)
        set_gauge(definitions.SESSIONS_CACHED, lambda: len(self.sessions))
        if (redis := self.redis) is not None:
            set_gauge(definitions.REDIS_UP, lambda: self.redis_probe.is_up)
            set_gauge(definitions.REDIS_ERRORS, lambda: redis.errors)
            set_gauge(definitions.PUBSUB_CONNECTED, lambda: self.worker_sync.is_subscribed)
        set_gauge(definitions.LIMIT_FALLBACKS, lambda: self.limiter.fallback_count)
        metrics.set_route_metrics(route_metrics(self.routes))

    async def _render_metrics(self) -> bytes:
        series = await self.multiprocess_metrics.collect_all() if self.multiprocess_metrics else self.metrics.collect()
        return await asyncio.to_thread(exposition, list(series))  # 1,500 lines with all routes take 7 ms

    def _build_removal(self) -> tuple[Purger, Retention]:
        steps = {
            "tally_segments": results_store.purge, "responses": responses_store.purge, "participants": participants_store.purge,
            "activities": activities_store.purge,
        }  # fmt: skip
        days, draft_days = self.settings.retention_days, self.settings.draft_retention_days
        return Purger(self.db, self.writer, steps), Retention(self.db, self.writer, self.clock, days=days, draft_days=draft_days)

    def _build_group_runner(self) -> GroupRunner:
        heads = FeedHeads(self.settings.max_session_bytes)
        return GroupRunner(self.db, heads, self.clock, self.bus.in_transaction, self.epoch_guard)

    def _subscribe(self) -> None:
        """Subscribe to events, in the order in which handlers of one event run."""
        for subscriber in (
            activity_subscriptions, response_subscriptions, self.sessions, self.worker_sync, self.commit_metrics,
            self.release_metrics, self.expiry, self.releases, self.purger, self.exports, self.response_validator,
        ):  # fmt: skip
            subscriber.subscribe(self.bus)

    def _build_routes(self) -> list[Route]:
        db, writer, tokens, clock, days = self.db, self.writer, self.tokens, self.clock, self.settings.retention_days
        lookup, links = JoinCodeCache(db, self.sessions), link_http.LinkTokens(db, writer, tokens, clock)
        caps = Caps(self.settings.max_responses, self.settings.max_responses_per_participant, self.settings.max_session_bytes)
        receipts = Receipts(self.identity.receipt_key, self.identity.issuer, clock)
        builder = ResponseBuilder(clock, self.metrics, self.connections.load_average, self.connections.prefix)
        polls = PollHandler(db, clock, builder, SharedPages(self._shared_cache()), caps, self.tokens.link_keys)
        segments = SegmentService(db, writer)
        self._close_callbacks.append(segments.close)
        results = ResultsHandler(db, segments, self.sessions, polls, builder, clock)
        leaderboard = LeaderboardHandler(db, self.sessions, polls, results, builder)
        self.streams = StreamRegistry(self.sessions, polls, clock)
        validator = self.response_validator = ResponseValidator(db, self.types, self.sessions, self.budget)
        self.rehearsals = Rehearsals(Context(db, writer, clock, self.presence, self.types, self.sessions.find, validator.validate))
        return [
            *sessions_http.routes(
                sessions_http.SessionEndpoints(db, writer, links, receipts, session_counts),
                sessions_http.SessionActionEndpoints(db, writer, links, self.code_guard, lookup),
            ),
            *activities_http.routes(
                activities_http.ActivityEndpoints(db, writer, self.types, validate_spec, receipts),
                activities_http.ActivityControls(db, writer, links),
            ),
            *participants_http.routes(
                participants_http.JoinEndpoints(db, writer, tokens, self.code_guard, clock, lookup, days, reserved_places),
                participants_http.SeatEndpoints(db, writer, self.presence, clock, self.sessions.find, receipts, reserved_places),
            ),
            *responses_http.routes(
                responses_http.ResponseEndpoints(db, writer, clock, validator, leaderboard, ResponseCapacity(caps), receipts)
            ),
            *types_http.routes(types_http.TypeEndpoints(self.types), anyone=ANYONE),
            *feed_http.routes(feed_http.FeedEndpoints(polls, self.long_poll, self.streams, self.authenticator, clock)),
            *results_http.routes(results_http.ResultsEndpoints(results, leaderboard, self.long_poll, self.streams)),
            *rehearsal_http.routes(rehearsal_http.RehearsalEndpoints(self.rehearsals)),
            *exports_http.routes(exports_http.ExportEndpoints(self.exports, clock, self.connections.prefix.decode())),
            *access_http.routes(access_http.KeyEndpoints(db, clock)),
            *health.routes(self._build_health(), operator=METRICS_READERS),
        ]

    def _build_health(self) -> health.HealthEndpoints:
        document = lambda: self.api_document.content  # noqa: E731 - the document is made after its routes
        render, redis = self._render_metrics, self._redis_state
        return health.HealthEndpoints(self.db, self.writer, self.clock, render_metrics=render, redis=redis, document=document)

    def _redis_state(self) -> str:
        is_up = self.redis is not None and self.redis_probe.is_up and (self.worker_sync.is_subscribed or not self.db.is_shared)
        return health.UNUSED if self.redis is None else health.UP if is_up else health.AWAY

    def _build_pipeline(self) -> RequestPipeline:
        self.page_routes = web_pages.routes(self.pages, anyone=ANYONE)
        return RequestPipeline(Dependencies(
            routes=RouteTable([*self.routes, *self.page_routes]), authenticator=self.authenticator, limiter=self.limiter, clock=self.clock,
            metrics=self.metrics, auths=self.auths, view_cache_of=self.sessions.view_cache_of, prefix=self.connections.prefix,
            note_presence=self.presence.record_caller, access_log=self.settings.access_log, server=self.identity.issuer,
        ))  # fmt: skip


def _budget(settings: Settings) -> CacheBudget:
    return CacheBudget(settings.max_cache_mb * BYTES_PER_MB)


def from_environment() -> App:
    """Return the application for this process's environment, which every worker runs."""
    set_switch_interval()
    exit_within()
    settings = read_settings(os.environ)
    configure_logs(json=settings.has_json_logs(at_terminal=sys.stderr.isatty()))
    log_vulnerabilities()
    app = App(settings)
    tune_garbage_collector()
    return app
