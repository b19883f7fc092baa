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
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from conflicto.platform.db.slow_queries import ROUTE
from conflicto.platform.http.messages import IMMUTABLE, NO_SNIFF, SAFE_HEADERS, Concealment, Incoming, Request, Response
from conflicto.platform.http.path_prefix import with_prefix
from conflicto.platform.http.problem_response import problem_code, problem_response
from conflicto.platform.http.query_fields import require_known_fields
from conflicto.platform.http.request_body import ClientDisconnected, check_body, require_size
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

METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})

FIRST_ERROR_STATUS = 400

BODILESS = frozenset({204, 304})
"""Statuses whose responses have neither a body nor its length."""

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
    """Answers requests, whatever transport they came by."""

    def __init__(self, dependencies: Dependencies) -> None:
        self._dependencies = dependencies
        self._bodies = dependencies.metrics.histogram(BODY_BYTES)
        self._request_ids = opaque_names(REQUEST_ID_BYTES)
        self.routes = dependencies.routes

    async def answer(self, incoming: Incoming) -> Response | None:
        """Return the response to a request with all its headers, None if the client left."""
        request_id = next(self._request_ids)
        started_s = self._dependencies.clock.monotonic_s()
        route: Route | None = None
        params: Mapping[str, Any] = {}
        try:
            if b"%00" in incoming.query_string:
                raise TextInvalid  # noqa: TRY301 - a function of its own would be a call for each request
            route, params = incoming.matched or self.routes.match(incoming.method, incoming.path)
            ROUTE.set(route.path)
            response = await self._respond(incoming, route, params, request_id)
        except ClientDisconnected:
            return None
        except Exception as error:  # noqa: BLE001 - the caller gets an id, the log gets the cause
            response = self._error_response(error, incoming, route, request_id)
            if route and route.problem_headers:
                response.headers += route.problem_headers(params)
        if not response.has_final_headers:
            if self._dependencies.prefix:
                response.headers = with_prefix(self._dependencies.prefix, response.headers)
            _complete_headers(response, request_id)
        duration_s = self._dependencies.clock.monotonic_s() - started_s
        self._count(incoming, route, response, request_id, duration_s)
        return response

    def _count(self, incoming: Incoming, route: Route | None, response: Response, request_id: str, duration_s: float) -> None:
        """Count a request and log it, unless that would reveal an anonymous response."""
        path = route.path if route else UNKNOWN_ROUTE
        if response.concealment is Concealment.UNTIL_RELEASE:
            self._dependencies.metrics.deferred.add(duration_s)
        elif response.concealment is Concealment.OWN_CHANGES:
            self._dependencies.metrics.fast_path(path).count_as_not_modified()
        else:
            self._dependencies.metrics.count_response(path, incoming.method, response.status, duration_s)
            if self._dependencies.access_log:
                _log_access(incoming, route, response, request_id, duration_s)

    def _error_response(self, error: Exception, incoming: Incoming, route: Route | None, request_id: str) -> Response:
        _log_error(error, request_id, route)
        self._dependencies.metrics.count_problem(route.path if route else UNKNOWN_ROUTE, incoming.method, problem_code(error))
        return problem_response(error, request_id=request_id, server=self._dependencies.server)

    async def _respond(self, incoming: Incoming, route: Route, params: Mapping[str, Any], request_id: str) -> Response:
        request = Request(
            route=route, params=params, headers=incoming.headers, query_string=incoming.query_string,
            address=incoming.address, request_id=request_id,
        )  # fmt: skip
        renewed = await self._admit(request, incoming) if route.roles else None
        if request.query_string:
            require_known_fields(request)
        if incoming.method in METHODS_WITH_BODY:
            max_bytes = require_size(request)
            body = incoming.body
            request.body = check_body(request, await incoming.read_body(max_bytes) if body is None else body)
        else:
            request.receive = incoming.receive
            request.connection = incoming.connection
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

    async def _admit(self, request: Request, incoming: Incoming) -> str | None:
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
        if incoming.connection is not None:
            incoming.connection.has_token = True
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


def _log_access(incoming: Incoming, route: Route | None, response: Response, request_id: str, duration_s: float) -> None:
    """Log the path template, never the path: it may contain a code."""
    method, path = (incoming.method, route.path) if route else ("other", UNKNOWN_ROUTE)
    log.info(
        "answered", request_id=request_id, method=method, route=path, status=response.status,
        bytes=len(response.body), ms=round(duration_s * MS_PER_S, 2), address=incoming.address or None,
    )  # fmt: skip


def _complete_headers(response: Response, request_id: str) -> None:
    """Add the headers of every response.

    A file has the referrer policy of its page and is shared by caches, so it carries fewer.
    """
    is_file = IMMUTABLE in response.headers and bool(response.body)
    headers = (
        (*response.headers, NO_SNIFF) if is_file else (*response.headers, *SAFE_HEADERS, (b"x-request-id", request_id.encode()))
    )
    if response.status not in BODILESS and response.stream is None:
        headers += ((b"content-length", b"%d" % len(response.body)),)
    response.headers = headers
