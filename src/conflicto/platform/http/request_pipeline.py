"""Request pipeline: the steps that every request passes, in this order.

1. Match the route.
2. Authenticate the caller, from the cache if their token was verified before.
3. Spend from the caller's rate-limit bucket.
4. Read and check the body.
5. Call the handler.
6. Convert any error to a problem document.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from conflicto.platform.db.slow_queries import ROUTE
from conflicto.platform.http.messages import IMMUTABLE, NO_SNIFF, SAFE_HEADERS, Concealment, Request, Response
from conflicto.platform.http.path_prefix import with_prefix
from conflicto.platform.http.problem_response import problem_code, problem_response
from conflicto.platform.http.query_fields import require_known_fields
from conflicto.platform.http.request_body import ClientDisconnected, read_body
from conflicto.platform.http.route_table import TextInvalid
from conflicto.platform.ids import opaque_names
from conflicto.platform.instants import MS_PER_S
from conflicto.platform.limits.addresses import network_of
from conflicto.platform.limits.bucket import LimitScope
from conflicto.platform.limits.errors import TooManyRequests
from conflicto.platform.limits.headers import policy_header
from conflicto.platform.limits.limiter import REPLAYS
from conflicto.platform.metrics.definitions import BODY_BYTES
from conflicto.platform.metrics.registry import UNKNOWN_ROUTE
from conflicto.platform.problems import DomainError, Kind
from conflicto.platform.response_cache.auth_cache import PRESENCE_INTERVAL_S

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from conflicto.platform.clock import Clock
    from conflicto.platform.http.route_table import RouteTable
    from conflicto.platform.http.routes import Route
    from conflicto.platform.limits.limiter import Limiter
    from conflicto.platform.metrics.registry import Metrics
    from conflicto.platform.response_cache.auth_cache import AuthCache, PresenceRecorder
    from conflicto.platform.response_cache.response_cache import ViewCache

log = structlog.get_logger(__name__)

CONNECTION_EXTENSION = "conflicto.connection"
"""Name of our server's ASGI extension (`platform/http/server`)."""

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
    """Authenticates callers; the package of session state implements it."""

    async def authenticate(
        self, roles: frozenset[Any], authorization: str | None, params: Mapping[str, object], ticket: str | None = None
    ) -> tuple[Any, str | None, int, Callable[[], Awaitable[None]], ViewCache | None]:
        """Authenticate the caller of a route that `roles` may use.

        Returns five values: the caller, None where anyone may call; a renewed token if theirs is
        old; the seconds for which this result is valid; a function that raises once the caller is
        no longer valid; the cache of the caller's view, if the result may be cached.
        """

    def require_access(self, caller: Any, roles: frozenset[Any], params: Mapping[str, object]) -> None:  # noqa: ANN401 - its own
        """Refuse a caller whose token is valid, as `authenticate` does."""

    def refusals(self, roles: frozenset[Any]) -> tuple[type[DomainError], ...]:
        """Return the errors of `authenticate` on a route for these roles."""


@dataclass(frozen=True, slots=True)
class Dependencies:
    """Services that the request pipeline uses."""

    routes: RouteTable
    authenticator: Authenticator
    limiter: Limiter
    metrics: Metrics
    clock: Clock
    access_log: bool
    auths: AuthCache
    presence: PresenceRecorder
    server: str
    prefix: bytes = b""


class RequestPipeline:
    """ASGI application for HTTP requests."""

    def __init__(self, dependencies: Dependencies) -> None:
        self._dependencies = dependencies
        self._bodies = dependencies.metrics.histogram(BODY_BYTES)
        self._request_ids = opaque_names(REQUEST_ID_BYTES)

    async def __call__(
        self, scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        """Answer one request."""
        request_id = next(self._request_ids)
        started_s = self._dependencies.clock.monotonic_s()
        route: Route | None = None
        params: dict[str, Any] = {}
        try:
            if b"%00" in scope["query_string"]:
                raise TextInvalid  # noqa: TRY301 - a function of its own would be a call for each request
            route, params = self._dependencies.routes.match(scope["method"], scope["path"])
            ROUTE.set(route.path)
            response = await self._respond(scope, receive, route, params, request_id)
        except ClientDisconnected:
            return
        except Exception as error:  # noqa: BLE001 - the caller gets an id, the log gets the cause
            response = self._error_response(error, scope, route, request_id)
            if route and route.problem_headers:
                response.headers += route.problem_headers(params)
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
        renewed = await self._admit(request, scope) if route.roles else None
        if request.query_string:
            require_known_fields(request)
        if scope["method"] in METHODS_WITH_BODY:
            request.body = await read_body(request, receive)
        else:
            request.receive = receive
        try:
            is_shared = route.policy.scope is LimitScope.SERVER
            response = await (self._spend_and_dispatch(request) if is_shared else route.handler(request))
        finally:
            if request.body and request.concealment is None:
                self._bodies.observe(len(request.body))
        response.concealment = request.concealment
        if not response.has_final_headers:
            self._add_policy(request, response)
        if renewed:
            response.headers += ((b"renewed-token", renewed.encode()),)
        return response

    async def _spend_and_dispatch(self, request: Request) -> Response:
        """Spend from the limit that all callers of a route share, and call the handler.

        Failed requests get a refund. Otherwise, deliberate failures could lock everybody out.
        """
        has_spent, response = await self._spend(request, SERVER_KEY), None
        try:
            response = await request.route.handler(request)
        finally:
            if has_spent and (response is None or response.status >= FIRST_ERROR_STATUS):
                self._dependencies.limiter.refund(request.route.policy, SERVER_KEY)
        return response

    def _add_policy(self, request: Request, response: Response) -> None:
        if (
            response.status < FIRST_ERROR_STATUS
            and not request.route.is_page
            and (request.caller is not None or request.route.policy.scope is LimitScope.SERVER)
        ):
            response.headers += (policy_header(request.route.policy),)

    async def _admit(self, request: Request, scope: dict[str, Any]) -> str | None:
        """Authenticate the caller, note their presence, and spend from their bucket.

        Returns a renewed token if theirs is old.
        """
        authorization, renewed = request.first_values.get(b"authorization"), None
        auth = self._dependencies.auths.find(authorization)
        if auth is None:
            renewed = await self._authenticate(request, authorization)
            auth = self._dependencies.auths.find(authorization)
        else:
            self._dependencies.authenticator.require_access(auth.caller, request.route.roles, request.params)
            request.caller, request.reauthenticate = auth.caller, auth.reauthenticate
        if extension := scope.get("extensions", {}).get(CONNECTION_EXTENSION):
            extension[CONNECTION].has_token = True
        now_s = self._dependencies.clock.monotonic_s()
        if request.route.shows_presence and (auth is None or now_s - auth.presence_noted_s >= PRESENCE_INTERVAL_S):
            self._dependencies.presence.record_caller(request.caller)
            if auth is not None:
                auth.presence_noted_s = now_s
        policy = request.route.policy
        is_own_bucket = not policy.shared or self._dependencies.limiter.is_local
        if auth is None or not is_own_bucket or not auth.bucket(policy).take(now_s):
            await self._spend(request, request.caller.subject)
        return renewed

    async def _authenticate(self, request: Request, authorization: bytes | None) -> str | None:
        """Authenticate the caller, cache the result and return a renewed token, if any."""
        ticket = request.query("ticket") if request.route.takes_ticket else None
        text = None if authorization is None else authorization.decode("latin-1")
        authenticated = await self._dependencies.authenticator.authenticate(request.route.roles, text, request.params, ticket)
        request.caller, renewed, lifetime_s, request.reauthenticate, view_cache = authenticated
        if view_cache is not None and authorization is not None:
            self._dependencies.auths.add(authorization, request.caller, request.reauthenticate, view_cache, lifetime_s=lifetime_s)
        return renewed

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
        bytes=len(response.body), ms=round(duration_s * MS_PER_S, 2), address=address,
    )  # fmt: skip


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
