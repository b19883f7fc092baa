"""HTTP connection of a client: passes requests to ASGI, and keeps responses in their order.

It is a subclass of uvicorn's protocol. One request is received at a time (`_received`), and earlier
ones may still be answered (`pipeline`). The connection is idle if neither is the case.
"""

from __future__ import annotations

import asyncio
from enum import Enum
from math import inf
from typing import TYPE_CHECKING, Any, cast

import httptools
import structlog
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from conflicto.platform.http.asgi import CONNECTION, CONNECTION_EXTENSION
from conflicto.platform.http.path_prefix import without_prefix
from conflicto.platform.http.server import deadlines
from conflicto.platform.http.server.message_heads import (
    MAX_HEAD_BYTES,
    MAX_HEADERS,
    RefusedRequest,
    head_size,
    require_one_host,
    set_target,
)
from conflicto.platform.http.server.request_cycle import RequestCycle

if TYPE_CHECKING:
    from collections.abc import Callable

    from uvicorn._types import HTTPScope

    from conflicto.platform.http.server.connection_manager import ConnectionManager
    from conflicto.platform.http.server.refusals import Refusal

log = structlog.get_logger(__name__)


class Received(Enum):
    """Part of the newest request that was received."""

    PART_OF_HEAD = 1
    HEAD = 2
    ALL = 3


PART_OF_HEAD, HEAD, ALL = Received
"""Members by a name of the module. CPython 3.11 takes 0.1 µs to read one from its enum."""


class _NoCycle:
    """Stands for the cycle of a connection without a request: nothing remains to be answered."""

    response_complete = True
    response_started = True
    more_body = False
    message_event = asyncio.Event()


NO_CYCLE = cast("RequestResponseCycle", _NoCycle())


class HttpConnection(HttpToolsProtocol):
    """A client connection without the fast path.

    `deadline_s`: time by which the client must have sent or read its part. `is_stalled`: the client
    does not read. `has_token`: it has shown a valid token. `network`: the key of its eviction.
    `message_count`: the requests that began in the bytes since it was idle. `hand_over`: hands the
    connection over to a stream, None without the fast path. `on_lost`: called when the client is
    gone.
    """

    hand_over: Any = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's
        super().__init__(*args, **kwargs)
        self.manager: ConnectionManager = self.config.loaded_app.connections
        self.cycle = NO_CYCLE
        self.is_idle = True
        self.is_stalled = False
        self.has_token = False
        self.network: str | None = None
        self.deadline_s = self.loop.time() + deadlines.MAX_HEAD_S
        self._received: Received = ALL
        self._pending_refusal: Refusal | None = None
        self._head_bytes = 0
        self.message_count = 0
        self.on_lost: Callable[[], None] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept the connection, or refuse it if there are too many."""
        super().connection_made(transport)
        refusal = self.manager.accept(self)
        if refusal is not None:
            self.refuse(refusal)

    def connection_lost(self, exc: Exception | None) -> None:
        """Remove the connection, and tell the request that waits."""
        self.manager.remove(self)
        if self.on_lost is not None:
            self.on_lost()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse bytes, unless the connection is about to be refused."""
        if self._pending_refusal:
            return
        was_idle = self.is_idle
        if was_idle:
            self.deadline_s = self.loop.time() + deadlines.MAX_HEAD_S
            self._head_bytes = self.message_count = 0
        self._head_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # upgrades are not supported, so the field is ignored (RFC 9110 §7.8)
        except httptools.HttpParserError as error:
            self._refuse_invalid(error)
            return
        if was_idle and self.is_idle:
            self._on_answered_at_once(data)
        elif self._head_bytes > MAX_HEAD_BYTES and self._received is PART_OF_HEAD:
            self.refuse(self.manager.refusals.head_too_large)

    def _on_answered_at_once(self, data: bytes) -> None:
        """Do nothing. Called with bytes whose requests were all answered while they were parsed."""

    def _refuse_invalid(self, error: httptools.HttpParserError) -> None:
        """Refuse bytes that the parser or a check of the head refused."""
        if not isinstance(error, httptools.HttpParserCallbackError):
            self._refuse_in_order(self.manager.refusals.not_http)
        elif isinstance(error.__context__, RefusedRequest):
            self._refuse_in_order(error.__context__.refusal)
        else:
            log.error("connection-failed", exc_info=error.__context__ or error)
            self.refuse(self.manager.refusals.failed)

    def on_message_begin(self) -> None:
        """Note that a request is open."""
        self.is_idle = False
        self.message_count += 1
        self._received = PART_OF_HEAD
        self.url, self.headers, self.expect_100_continue = b"", [], False

    def on_headers_complete(self) -> None:
        """Check the head and pass the request to ASGI.

        Raising ends the parser's work, so that no following bytes are taken for a request.
        """
        self._received = HEAD
        require_one_host(self.headers, self.parser.get_http_version(), self.manager.refusals)
        if len(self.headers) > MAX_HEADERS or (
            self._head_bytes > MAX_HEAD_BYTES and head_size(self.url, self.headers) > MAX_HEAD_BYTES
        ):
            raise RefusedRequest(self.manager.refusals.head_too_large)
        self.deadline_s = self.loop.time() + deadlines.MAX_BODY_S
        if self.manager.prefix:
            self.url = without_prefix(self.url, self.manager.prefix)
        self._respond()

    def _respond(self) -> None:
        """Pass the request to ASGI, at once or after the responses to earlier requests."""
        version = self.parser.get_http_version()
        self.scope = scope = self._asgi_scope(version)
        set_target(scope, self.url, self.manager.refusals)
        can_begin = self.cycle.response_complete
        self.cycle = cycle = RequestCycle(
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue and version != "1.0",
            keep_alive=version != "1.0" and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        cycle.manager = self.manager
        if can_begin:
            self._start_asgi_task(cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, self.app))

    def _asgi_scope(self, version: str) -> HTTPScope:
        return {
            "type": "http",
            "asgi": {"version": self.asgi_version, "spec_version": "2.3"},
            "http_version": version,
            "method": self.parser.get_method().decode("ascii"),
            "scheme": self.scheme or "http",
            "path": "",
            "raw_path": b"",
            "query_string": b"",
            "root_path": self.root_path,
            "headers": self.headers,
            "client": self.client,
            "server": self.server,
            "state": self.app_state.copy(),
            "extensions": {CONNECTION_EXTENSION: {CONNECTION: self}},
        }

    def on_body(self, body: bytes) -> None:
        """Pass a part of the body on, unless the request is answered."""
        if not self.cycle.response_complete:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Note that the request is complete."""
        self.deadline_s = inf
        self._received = ALL
        if self.cycle.response_complete:
            self._become_idle()
        else:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Continue with the next request in the pipeline, or become idle."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
        elif self._pending_refusal:
            self.refuse(self._pending_refusal)
        else:
            self._become_idle()

    def _become_idle(self) -> None:
        """Become idle if the last request is complete, after its response."""
        if self._received is ALL and not self.pipeline:
            self.is_idle = True
            self.deadline_s = self.loop.time() + deadlines.MAX_IDLE_S

    def shutdown(self) -> None:
        """Answer waiting requests now, finish open ones and close."""
        self.manager.drain()
        super().shutdown()

    def pause_writing(self) -> None:
        """Note that the client does not read, and set its deadline."""
        super().pause_writing()
        self.is_stalled = True
        self.deadline_s = self.loop.time() + deadlines.MAX_STALL_S

    def resume_writing(self) -> None:
        """Note that the client reads again."""
        super().resume_writing()
        self.is_stalled = False
        self.deadline_s = self.loop.time() + deadlines.MAX_IDLE_S if self.is_idle else inf

    def _refuse_in_order(self, refusal: Refusal) -> None:
        """Refuse bytes that are no request, after the response to an earlier request."""
        if not self.cycle.response_complete and not self.cycle.more_body:
            self._pending_refusal = refusal
            self.flow.pause_reading()
        else:
            self.refuse(refusal)

    def refuse(self, refusal: Refusal) -> None:
        """Send a refusal if no response has begun, and close the connection."""
        if self.transport.is_closing():
            return
        self.manager.on_refusal(refusal.code)
        if self.cycle.response_complete or not self.cycle.response_started:
            self.transport.write(STATUS_LINE[refusal.status] + self.manager.date_line + refusal.rest)
        self.transport.close()
