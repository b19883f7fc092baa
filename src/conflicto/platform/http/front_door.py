"""The front door: every request of both planes passes here, in this order.

match the route → admit the caller → spend from their bucket → gate the body → hand over → turn any error into a problem document.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from conflicto.platform.http.body import ClientGone, gated_body
from conflicto.platform.http.messages import Answer, Call
from conflicto.platform.http.problem_response import problem_answer
from conflicto.platform.http.routes import TextInvalid
from conflicto.platform.limits.headers import limit_header, policy_header
from conflicto.platform.problems import DomainError, Kind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from conflicto.platform.clock import Clock
    from conflicto.platform.http.control_plane import ControlPlane
    from conflicto.platform.http.messages import Header
    from conflicto.platform.http.routes import Route, RouteTable
    from conflicto.platform.limits.memory import MemoryLimiter
    from conflicto.platform.metrics import Metrics

log = structlog.get_logger(__name__)

SAFE_HEADERS: tuple[Header, ...] = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer"))
WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class TooManyRequests(DomainError):
    """The token's bucket is empty; `Retry-After` and `RateLimit` say when there is more."""

    code = "too-many-requests"
    title = "Too many requests with this token"
    kind = Kind.TOO_MANY

    def __init__(self, *, retry_after_s: int, headers: tuple[Header, ...]) -> None:
        super().__init__(retry_after_s=retry_after_s)
        self.headers = headers


class Gatekeeper(Protocol):
    """Who is let in; the access room provides it."""

    async def admit(self, who: frozenset[Any], authorization: str | None, params: Mapping[str, object]) -> tuple[Any, str | None]:
        """Return the caller, or None where anyone may call, and a renewed token if theirs is old."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What the front door works with."""

    table: RouteTable
    gatekeeper: Gatekeeper
    limiter: MemoryLimiter
    control: ControlPlane
    metrics: Metrics
    clock: Clock
    on_caller: Callable[[Any], None]


class FrontDoor:
    """The ASGI application for HTTP requests."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._numbers = count(1)
        self._life = f"{desk.clock.wall_us():x}"

    async def __call__(
        self, scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        """Answer one request."""
        request_id = f"{self._life}-{next(self._numbers):x}"
        began = self._desk.clock.monotonic_s()
        route: Route | None = None
        try:
            _require_text(scope["query_string"])
            route, params = self._desk.table.match(scope["method"], scope["path"])
            answer = await self._answer(scope, receive, route, params, request_id)
        except ClientGone:
            return
        except Exception as error:  # noqa: BLE001 - the last resort: the caller gets an id, the log gets the cause
            _note(error, request_id, route)
            answer = problem_answer(error, request_id=request_id)
            if isinstance(error, TooManyRequests):
                answer = Answer(answer.status, answer.body, answer.headers + error.headers)
        self._desk.metrics.answered(
            route.path if route else "unknown", scope["method"], answer.status, self._desk.clock.monotonic_s() - began
        )
        await _send(send, answer, request_id, head=scope["method"] == "HEAD")

    async def _answer(
        self, scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], route: Route, params: dict[str, Any], request_id: str
    ) -> Answer:
        client = scope.get("client")
        call = Call(
            route=route, params=params, headers=scope["headers"], query_string=scope["query_string"],
            address=client[0] if client else "", request_id=request_id,
        )  # fmt: skip
        call.caller, renewed = await self._desk.gatekeeper.admit(route.who, call.header(b"authorization"), params)
        limits: tuple[Header, ...] = ()
        if call.caller is not None:
            self._desk.on_caller(call.caller)
            limits = self._spend(call)
        if scope["method"] in WITH_BODY:
            call.body = await gated_body(call, receive)
        answer = await (route.handler(call) if route.handler else self._desk.control.answer(scope, call))
        if renewed:
            limits = (*limits, (b"renewed-token", renewed.encode()))
        return Answer(answer.status, answer.body, answer.headers + limits) if limits else answer

    def _spend(self, call: Call) -> tuple[Header, ...]:
        policy = call.route.policy
        verdict = self._desk.limiter.spend(policy, call.caller.subject)
        if not verdict.allowed:
            raise TooManyRequests(retry_after_s=verdict.reset_s, headers=(policy_header(policy), limit_header(policy, verdict)))
        return (policy_header(policy),)


def _require_text(query_string: bytes) -> None:
    if b"%00" in query_string:
        raise TextInvalid


def _note(error: Exception, request_id: str, route: Route | None) -> None:
    if not isinstance(error, DomainError):
        log.error("request-failed", request_id=request_id, route=route.name if route else None, exc_info=error)
    elif error.kind in {Kind.UNAVAILABLE, Kind.INTERNAL}:
        cause = type(error.__cause__).__name__ if error.__cause__ else None
        log.warning("request-refused", request_id=request_id, route=route.name if route else None, code=error.code, cause=cause)


async def _send(send: Callable[[Any], Awaitable[None]], answer: Answer, request_id: str, *, head: bool) -> None:
    headers = [*answer.headers, *SAFE_HEADERS, (b"x-request-id", request_id.encode())]
    if answer.status not in {204, 304}:
        headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else answer.body})
