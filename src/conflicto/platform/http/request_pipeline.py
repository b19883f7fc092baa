"""Request pipeline: the steps that every request of both planes passes, in this order.

1. Match the route.
2. Authenticate the caller.
3. Spend from the caller's rate-limit bucket.
4. Read and check the body.
5. Call the handler.
6. Convert any error to a problem document.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from conflicto.platform.db.slow_queries import ROUTE
from conflicto.platform.fast_path.cached_response import NOT_MODIFIED, VARIANT_STATUS
from conflicto.platform.http.canonical_target import canonical_target
from conflicto.platform.http.messages import IMMUTABLE, NO_SNIFF, SAFE_HEADERS, Concealment, Request, Response
from conflicto.platform.http.path_prefix import with_prefix
from conflicto.platform.http.problem_response import problem_code, problem_response
from conflicto.platform.http.query_fields import require_known_fields
from conflicto.platform.http.request_body import ClientDisconnected, read_body
from conflicto.platform.http.routes import TextInvalid
from conflicto.platform.ids import opaque_names
from conflicto.platform.limits.addresses import network_of
from conflicto.platform.limits.bucket import LimitScope
from conflicto.platform.limits.errors import TooManyRequests
from conflicto.platform.limits.headers import policy_header
from conflicto.platform.limits.limiter import REPLAYS
from conflicto.platform.metrics.definitions import BODY_BYTES
from conflicto.platform.metrics.registry import UNKNOWN_ROUTE, UNTIMED_MASK
from conflicto.platform.problems import DomainError, Kind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from conflicto.platform.clock import Clock
    from conflicto.platform.fast_path.cacheable import Cacheable
    from conflicto.platform.fast_path.fast_path import FastPath
    from conflicto.platform.fast_path.view_cache import ViewCache
    from conflicto.platform.http.control_plane import ControlPlane
    from conflicto.platform.http.routes import Route, RouteTable
    from conflicto.platform.limits.limiter import Limiter
    from conflicto.platform.metrics.registry import Metrics

log = structlog.get_logger(__name__)

CACHED_RESPONSE = "conflicto.response.whole"
"""Name of our server's ASGI extension and message: a cached response sent in one piece
(`platform/http/server`)."""

CONNECTION = "connection"
"""Key of the connection in that extension. A valid token on it protects the connection from
eviction."""

METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})

FIRST_ERROR_STATUS = 400

REQUEST_ID_BYTES = 12
"""Random bytes of a request id. Consecutive numbers would reveal requests that the log leaves out.
"""

SERVER_KEY = ""
"""Bucket key of policies that all callers share."""


class Authenticator(Protocol):
    """Authenticates callers; the access package implements it."""

    async def authenticate(
        self, roles: frozenset[Any], authorization: str | None, params: Mapping[str, object], ticket: str | None = None
    ) -> tuple[Any, str | None, int, Callable[[], Awaitable[None]]]:
        """Authenticate the caller of a route that `roles` may use.

        Returns four values: the caller, None where anyone may call; a renewed token if theirs is
        old; the seconds for which this result is valid; a function that raises once the caller is
        no longer valid.
        """


@dataclass(frozen=True, slots=True)
class Dependencies:
    """Services that the request pipeline uses."""

    routes: RouteTable
    authenticator: Authenticator
    limiter: Limiter
    control_plane: ControlPlane
    metrics: Metrics
    clock: Clock
    access_log: bool
    fast_path: FastPath
    view_cache_of: Callable[[Any], ViewCache | None]
    note_presence: Callable[[Any], None]
    server: str
    prefix: bytes = b""


class RequestPipeline:
    """ASGI application for HTTP requests."""

    def __init__(self, dependencies: Dependencies) -> None:
        self._dependencies = dependencies
        self._bodies = dependencies.metrics.histogram(BODY_BYTES)
        self._request_ids = opaque_names(REQUEST_ID_BYTES)

    async def send_cached(self, scope: dict[str, Any], send: Callable[[Any], Awaitable[None]]) -> bool:
        """Send the cached response to a plain poll.

        Return False if there is none; then nothing was sent.
        """
        found = self._dependencies.fast_path.parse(_target(scope), scope["headers"]) if scope["method"] == "GET" else None
        if found is None:
            return False
        poll, response = found
        variant, started_s = response.select_variant(poll.if_none_match), perf_counter()
        response.tally.counts[variant] += 1
        if CACHED_RESPONSE in scope.get("extensions", ()):
            await send({"type": CACHED_RESPONSE, "response": response, "variant": variant})
        else:
            body = b"" if variant == NOT_MODIFIED else response.body
            await send({"type": "http.response.start", "status": VARIANT_STATUS[variant], "headers": response.headers[variant]})
            await send({"type": "http.response.body", "body": body})
        if not response.tally.counts[variant] & UNTIMED_MASK:
            response.tally.seconds.observe(perf_counter() - started_s)
        return True

    async def __call__(
        self, scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        """Answer one request on the slow path."""
        request_id = next(self._request_ids)
        started_s = self._dependencies.clock.monotonic_s()
        route: Route | None = None
        try:
            _require_no_nul(scope["query_string"])
            route, params = self._dependencies.routes.match(scope["method"], scope["path"])
            ROUTE.set(route.path)
            response = await self._respond(scope, receive, route, params, request_id)
        except ClientDisconnected:
            return
        except Exception as error:  # noqa: BLE001 - the caller gets an id, the log gets the cause
            response = self._error_response(error, scope, route, request_id)
        if self._dependencies.prefix and not response.has_final_headers:
            response.headers = with_prefix(self._dependencies.prefix, response.headers)
        duration_s = self._dependencies.clock.monotonic_s() - started_s
        self._count(scope, route, response, request_id, duration_s)
        await _send(send, response, request_id, head=scope["method"] == "HEAD")

    def _count(self, scope: dict[str, Any], route: Route | None, response: Response, request_id: str, duration_s: float) -> None:
        """Count a request and log it, unless that would reveal an anonymous response."""
        path = route.path if route else UNKNOWN_ROUTE
        if response.concealment is Concealment.UNTIL_RELEASE:
            self._dependencies.metrics.deferred.add(duration_s)
        elif response.concealment is Concealment.OWN_CHANGES:
            self._dependencies.metrics.fast_path(path).count_as_not_modified()
        else:
            self._dependencies.metrics.count_response(path, scope["method"], response.status, duration_s)
            if self._dependencies.access_log:
                _log_access(scope, route, response, request_id, duration_s)

    def _error_response(self, error: Exception, scope: dict[str, Any], route: Route | None, request_id: str) -> Response:
        _log_error(error, request_id, route)
        self._dependencies.metrics.count_problem(route.path if route else UNKNOWN_ROUTE, scope["method"], problem_code(error))
        return problem_response(error, request_id=request_id, server=self._dependencies.server)

    async def _respond(
        self, scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], route: Route, params: dict[str, Any], request_id: str
    ) -> Response:
        client = scope.get("client")
        request = Request(
            route=route, params=params, headers=scope["headers"], query_string=scope["query_string"],
            address=client[0] if client else "", request_id=request_id,
        )  # fmt: skip
        renewed = await self._authenticate(request)
        if request.caller is not None:
            if extension := scope.get("extensions", {}).get(CACHED_RESPONSE):
                extension[CONNECTION].has_token = True
            if request.route.shows_presence:
                self._dependencies.note_presence(request.caller)
            await self._spend(request, request.caller.subject)
        if request.query_string:
            require_known_fields(request)
        if scope["method"] in METHODS_WITH_BODY:
            request.body = await read_body(request, receive)
        else:
            request.receive = receive
        response = await self._dispatch_measured(scope, request)
        if request.problem:
            self._dependencies.metrics.count_problem(route.path, scope["method"], request.problem)
        self._add_headers(scope, request, response, renewed)
        return response

    async def _dispatch_measured(self, scope: dict[str, Any], request: Request) -> Response:
        """Call the handler and measure the size of the body, unless the request is concealed."""
        try:
            response = await (
                self._dispatch(scope, request)
                if request.route.policy.scope is LimitScope.TOKEN
                else self._dispatch_within_server_limit(scope, request)
            )
        finally:
            if request.body and request.concealment is None:
                self._bodies.observe(len(request.body))
        response.concealment = request.concealment
        return response

    async def _dispatch(self, scope: dict[str, Any], request: Request) -> Response:
        return await (
            request.route.handler(request) if request.route.handler else self._dependencies.control_plane.respond(scope, request)
        )

    async def _dispatch_within_server_limit(self, scope: dict[str, Any], request: Request) -> Response:
        """Call the handler of a route whose limit all callers share.

        Failed requests get a refund. Otherwise, deliberate failures could lock everybody out.
        """
        has_spent, response = await self._spend(request, SERVER_KEY), None
        try:
            response = await self._dispatch(scope, request)
        finally:
            if has_spent and (response is None or response.status >= FIRST_ERROR_STATUS):
                self._dependencies.limiter.refund(request.route.policy, SERVER_KEY)
        return response

    def _add_headers(self, scope: dict[str, Any], request: Request, response: Response, renewed: str | None) -> None:
        """Add the policy and a renewed token, and cache the response if it is cacheable.

        A cacheable response already contains its policy.
        """
        if response.cacheable is not None:
            self._cache_response(scope, request, response.cacheable)
        elif (
            not response.has_final_headers
            and response.status < FIRST_ERROR_STATUS
            and not request.route.is_page
            and (request.caller is not None or request.route.policy.scope is LimitScope.SERVER)
        ):
            response.headers += (policy_header(request.route.policy),)
        if renewed:
            response.headers += ((b"renewed-token", renewed.encode()),)

    async def _authenticate(self, request: Request) -> str | None:
        """Authenticate the caller, cache the result and return a renewed token, if any."""
        authorization, ticket = request.header(b"authorization"), request.query("ticket") if request.route.takes_ticket else None
        authenticated = await self._dependencies.authenticator.authenticate(
            request.route.roles, authorization, request.params, ticket
        )
        request.caller, renewed, lifetime_s, request.reauthenticate = authenticated
        if lifetime_s > 0 and authorization is not None:
            view_cache = self._dependencies.view_cache_of(request.caller)
            if view_cache is not None:
                self._dependencies.fast_path.cache_auth(
                    authorization.encode("latin-1"), request.caller, view_cache, lifetime_s=lifetime_s
                )
        return renewed

    def _cache_response(self, scope: dict[str, Any], request: Request, cacheable: Cacheable) -> None:
        """Cache a response for later requests, if the target is spelled canonically."""
        if cacheable.view_cache is not None and canonical_target(request) == (target := _target(scope)):
            cacheable.view_cache.put(target, cacheable.response, follows_data=cacheable.follows_data)

    async def _spend(self, request: Request, key: str) -> bool:
        """Spend from the bucket of `key`. Return False for a replay, which spends nothing.

        Raises:
            TooManyRequests: the bucket is empty.
        """
        policy = request.route.policy
        verdict = await self._dependencies.limiter.spend(policy, key)
        if verdict.allowed or await self._is_replay(request, key):
            return verdict.allowed
        raise TooManyRequests(policy, verdict)

    async def _is_replay(self, request: Request, key: str) -> bool:
        """Return whether a request was answered before.

        The check reads the database, so it is limited too.
        """
        if request.route.replays is None or request.header(b"idempotency-key") is None:
            return False
        if not self._dependencies.limiter.memory.spend(REPLAYS, key or network_of(request.address)).allowed:
            return False
        return await request.route.replays(request)


def _require_no_nul(query_string: bytes) -> None:
    if b"%00" in query_string:
        raise TextInvalid


def _log_error(error: Exception, request_id: str, route: Route | None) -> None:
    if not isinstance(error, DomainError):
        log.error("request-failed", request_id=request_id, route=route.name if route else None, exc_info=error)
    elif error.kind in {Kind.UNAVAILABLE, Kind.INTERNAL}:
        cause = type(error.__cause__).__name__ if error.__cause__ else None
        log.warning("request-refused", request_id=request_id, route=route.name if route else None, code=error.code, cause=cause)


def _log_access(scope: dict[str, Any], route: Route | None, response: Response, request_id: str, duration_s: float) -> None:
    """Log the path template, never the path: it may contain a code."""
    method, path = (scope["method"], route.path) if route else ("other", UNKNOWN_ROUTE)
    address = scope["client"][0] if scope.get("client") else None
    log.info(
        "answered", request_id=request_id, method=method, route=path, status=response.status,
        bytes=len(response.body), ms=round(duration_s * 1000, 2), address=address,
    )  # fmt: skip


def _target(scope: dict[str, Any]) -> bytes:
    """Return the request's target as it was sent, as far as ASGI provides it."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw + b"?" + scope["query_string"] if scope["query_string"] else raw


async def _send(send: Callable[[Any], Awaitable[None]], response: Response, request_id: str, *, head: bool) -> None:
    headers = list(response.headers)
    if not response.has_final_headers:
        # A file has the referrer policy of its page and is shared by caches, so it carries fewer
        # headers.
        is_file = IMMUTABLE in headers and bool(response.body)
        headers += (NO_SNIFF,) if is_file else (*SAFE_HEADERS, (b"x-request-id", request_id.encode()))
        if response.status not in {204, 304} and response.stream is None:
            headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    if response.stream is not None and not head:
        await response.stream(partial(_send_part, send))
    await send({"type": "http.response.body", "body": b"" if head else response.body})


async def _send_part(send: Callable[[Any], Awaitable[None]], part: bytes) -> None:
    await send({"type": "http.response.body", "body": part, "more_body": True})
