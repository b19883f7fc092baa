"""Connection of a client: answers plain polls from the fast path and passes other requests to ASGI.

It is a subclass of uvicorn's protocol. The fast path is used only while no request is open and
writing is not paused, so responses keep the order of their requests. `deadline_s` is the time by
which the client must have sent or read its part. The tick of `connection_manager.py` checks it, so
no request needs a timer.
"""

from __future__ import annotations

import asyncio
import re
from math import inf
from time import perf_counter
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import httptools
import structlog
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from conflicto.platform.http.path_prefix import without_prefix
from conflicto.platform.http.request_pipeline import CONNECTION, CONNECTION_EXTENSION
from conflicto.platform.metrics.registry import UNTIMED_MASK

if TYPE_CHECKING:
    from conflicto.platform.fast_path import ParsedPoll
    from conflicto.platform.http.server.connection_manager import ConnectionManager
    from conflicto.platform.http.server.refusals import Refusal
    from conflicto.platform.response_cache.cached_response import CachedResponse

log = structlog.get_logger(__name__)

MAX_HEAD_S = 10.0
"""Longest time from the first byte of a request's head to its end, and from a connection to that
byte."""

MAX_BODY_S = 30.0
"""Longest time for a body: 256 KiB over the slowest mobile network."""

MAX_IDLE_S = 75.0
"""Longest pause between two requests. It exceeds the longest poll interval, `Poll-After` of
completed sessions."""

MAX_STALL_S = 20.0
"""Longest time that written bytes wait for a client that does not read."""

MAX_HEAD_BYTES = 32 * 1024
HOST = b"host"
_HOST_VALUE = re.compile(rb"[A-Za-z0-9._~!$&'()*+,;=%:\[\]-]*")
"""Characters of a host and a port (RFC 3986 §3.2). Whether the host exists is not checked."""

BODILESS = frozenset({204, 304})
MAX_HEADERS = 100
"""Largest number of header fields. A browser sends about 20."""


class _RefusedRequest(Exception):
    """Raised for a head that is refused before it becomes a request."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


class Cycle(RequestResponseCycle):
    """A request that ASGI handles. `manager` is set right after the object is created.

    A response with a known length is held until its body arrives, then written in one piece.
    Others, mainly streams, are left to uvicorn, except for their chunks, which thousands of readers
    get at once. HTTP/1.0 has no chunks (RFC 9112 §6.1): its clients read an unframed stream until
    the connection ends.
    """

    manager: ConnectionManager
    _head: bytes | None = None
    _is_unframed = False

    async def send(self, message: Any) -> None:  # noqa: ANN401 - ASGI
        """Send an ASGI message of the application."""
        kind = message["type"]
        if self._head is not None:
            head, self._head = self._head, None
            await self._send_message(head + message["body"])
        elif self._is_unframed and kind == "http.response.body":
            await self._send_unframed(message["body"], more=message.get("more_body", False))
        elif kind == "http.response.body" and self.chunked_encoding and message.get("more_body"):
            await self._send_chunk(message["body"])
        elif kind == "http.response.start" and not self.response_started and _is_complete(message):
            self._head = _head_to_bytes(message, self.manager.date_line)
        elif kind == "http.response.start" and self.scope["http_version"] == "1.0":
            self._begin_unframed(_head_to_bytes(message, self.manager.date_line))
        else:
            await super().send(message)

    def _begin_unframed(self, head: bytes) -> None:
        """Begin a response that ends with the connection."""
        self._is_unframed = self.response_started = True
        self.transport.write(head.removesuffix(b"\r\n") + b"connection: close\r\n\r\n")

    async def _send_unframed(self, part: bytes, *, more: bool) -> None:
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        self.transport.write(part)
        if not more:
            self.response_complete = True
            self.message_event.set()
            self.transport.close()
            self.on_response()

    async def _send_message(self, message: bytes) -> None:
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        self.response_started = self.response_complete = True
        if not self.keep_alive:
            message = message.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n", 1)
        self.transport.write(message)
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()

    async def _send_chunk(self, part: bytes) -> None:
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if not self.disconnected and part:
            self.transport.write(b"%x\r\n%b\r\n" % (len(part), part))


def _is_complete(message: Any) -> bool:  # noqa: ANN401 - ASGI
    """Return whether a response has a known length, or no body by its status."""
    return message["status"] in BODILESS or any(name == b"content-length" for name, _ in message["headers"])


def _head_to_bytes(message: Any, date_line: bytes) -> bytes:  # noqa: ANN401 - ASGI
    """Return a response head as bytes.

    Raises:
        ValueError: a header holds a line break or NUL.
    """
    lines = b"".join([b"%b: %b\r\n" % (name, value) for name, value in message["headers"]])
    if lines.count(b"\n") != len(message["headers"]) or b"\0" in lines:
        raise ValueError("a header holds a line break or NUL")
    return STATUS_LINE[message["status"]] + date_line + lines + b"\r\n"


class Connection(HttpToolsProtocol):
    """A client connection; see the module."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's
        super().__init__(*args, **kwargs)
        self.manager: ConnectionManager = self.config.loaded_app.connections
        self.fast_path = self.manager.fast_path
        self.is_idle = True
        self.is_stalled = False
        self.has_token = False
        self.network: str | None = None
        self.deadline_s = self.loop.time() + MAX_HEAD_S
        self._is_received = True
        self._is_in_head = False
        self._served_from_cache = False
        self._pending_refusal: Refusal | None = None
        self._messages = 0
        self._head_bytes = 0
        self._parsed_poll: ParsedPoll | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept the connection, or refuse it if there are too many."""
        super().connection_made(transport)
        refusal = self.manager.accept(self)
        if refusal is not None:
            self.refuse(refusal)

    def connection_lost(self, exc: Exception | None) -> None:
        """Remove the connection."""
        self.manager.remove(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Answer bytes whose parsed form is cached, and parse all others."""
        if self._pending_refusal:
            return
        fast_path = self.fast_path
        if fast_path is not None and self.is_idle and not self.is_stalled:
            poll = fast_path.recent.get(data) or fast_path.lookup(data)
            if poll is not None:
                response = fast_path.respond(poll)
                if response is not None:
                    self._send_cached(poll, response)
                    return
        self._parse(data)

    def _send_cached(self, poll: ParsedPoll, response: CachedResponse) -> None:
        variant = response.select_variant(poll.if_none_match)
        counts = response.tally.counts
        counts[variant] = count = counts[variant] + 1
        if count & UNTIMED_MASK:
            self.transport.write(response.to_bytes(variant, self.manager.date_line))
        else:
            began_s = perf_counter()
            self.transport.write(response.to_bytes(variant, self.manager.date_line))
            response.tally.seconds.observe(perf_counter() - began_s)
        self.deadline_s = self.loop.time() + MAX_IDLE_S
        self.has_token = True

    def _parse(self, data: bytes) -> None:
        was_idle = self.is_idle
        if was_idle:
            self.deadline_s = self.loop.time() + MAX_HEAD_S
            self._messages = self._head_bytes = 0
        self._head_bytes += len(data)
        self._parsed_poll = None
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserCallbackError as error:
            if isinstance(error.__context__, _RefusedRequest):
                self._refuse_in_order(error.__context__.refusal)
                return
            log.error("connection-failed", exc_info=error.__context__ or error)  # noqa: TRY400 - the cause, not its wrapper
            self.refuse(self.manager.refusals.failed)
            return
        except httptools.HttpParserUpgrade:
            pass  # upgrades are not supported, so the field is ignored (RFC 9110 §7.8)
        except httptools.HttpParserError:
            self._refuse_in_order(self.manager.refusals.not_http)
            return
        if self._parsed_poll is not None and was_idle and self._messages == 1 and self.is_idle and self.fast_path is not None:
            self.fast_path.store(data, self._parsed_poll)
        elif self._head_bytes > MAX_HEAD_BYTES and not self._is_received and self._is_in_head:
            self.refuse(self.manager.refusals.head_too_large)

    def _refuse_in_order(self, refusal: Refusal) -> None:
        """Refuse bytes that are no request, after the response to an earlier request."""
        if not self._is_cycle_complete() and not self.cycle.more_body:
            self._pending_refusal = refusal
            self.flow.pause_reading()
        else:
            self.refuse(refusal)

    def on_message_begin(self) -> None:
        """Note that a request is open."""
        self.is_idle = self._is_received = False
        self._is_in_head = True
        self._messages += 1
        super().on_message_begin()
        self.scope["extensions"] = {CONNECTION_EXTENSION: {CONNECTION: self}}

    def on_headers_complete(self) -> None:
        """Answer from the fast path or pass the request to ASGI.

        Raising ends the parser's work, so that no following bytes are taken for a request.
        """
        self._is_in_head = False
        self._require_one_host()
        self.deadline_s = self.loop.time() + MAX_BODY_S
        if self.manager.prefix:
            self.url = without_prefix(self.url, self.manager.prefix)
        fast_path = self.fast_path
        if (
            fast_path is not None
            and self._is_cycle_complete()
            and not self.pipeline
            and not self.is_stalled
            and self.parser.get_method() == b"GET"
            and self.parser.get_http_version() == "1.1"
        ):
            found = fast_path.parse(self.url, self.headers)
            if found is not None:
                self._parsed_poll, response = found
                self._send_cached(self._parsed_poll, response)
                self._served_from_cache = True
                return
        if len(self.headers) > MAX_HEADERS or self._head_size() > MAX_HEAD_BYTES:
            raise _RefusedRequest(self.manager.refusals.head_too_large)
        self._open_cycle()

    def _require_one_host(self) -> None:
        """Refuse a head without exactly one valid `Host` field (RFC 9112 §3.2).

        HTTP/1.0 may leave it out.
        """
        hosts = [value for name, value in self.headers if name == HOST]
        if not hosts and self.parser.get_http_version() == "1.0":
            return
        if len(hosts) != 1 or not _HOST_VALUE.fullmatch(hosts[0]):
            raise _RefusedRequest(self.manager.refusals.host_invalid)

    def _head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def _open_cycle(self) -> None:
        """Pass the request to ASGI, at once or after the responses to earlier requests."""
        scope, version = self.scope, self.parser.get_http_version()
        scope["method"] = self.parser.get_method().decode("ascii")
        scope["http_version"] = version
        try:
            target = httptools.parse_url(self.url)
            scope["path"] = unquote((target.path or b"").decode("ascii"))
        except (httptools.HttpParserInvalidURLError, UnicodeDecodeError):
            raise _RefusedRequest(self.manager.refusals.not_http) from None
        scope["raw_path"] = target.path or b""
        scope["query_string"] = target.query or b""
        can_begin = self._is_cycle_complete()
        self.cycle = Cycle(
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
        self.cycle.manager = self.manager
        if can_begin:
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def on_body(self, body: bytes) -> None:
        """Pass a part of the body on."""
        if not self._served_from_cache and self.cycle is not None:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Note that the request is complete."""
        self._is_received = True
        if self._served_from_cache:
            self._served_from_cache = False
        elif self.cycle is not None:
            self.deadline_s = inf
            super().on_message_complete()
        self._become_idle()

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

    def _is_cycle_complete(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle  # uvicorn's annotation omits None
        return cycle is None or cycle.response_complete

    def _become_idle(self) -> None:
        """Become idle if the last request and its response are complete."""
        if self._is_received and not self.pipeline and self._is_cycle_complete():
            self.is_idle = True
            self.deadline_s = self.loop.time() + MAX_IDLE_S

    def shutdown(self) -> None:
        """Answer waiting requests now, finish open ones and close."""
        self.manager.drain()
        super().shutdown()

    def pause_writing(self) -> None:
        """Note that the client does not read, and set its deadline."""
        super().pause_writing()
        self.is_stalled = True
        self.deadline_s = self.loop.time() + MAX_STALL_S

    def resume_writing(self) -> None:
        """Note that the client reads again."""
        super().resume_writing()
        self.is_stalled = False
        self.deadline_s = self.loop.time() + MAX_IDLE_S if self.is_idle else inf

    def refuse(self, refusal: Refusal) -> None:
        """Send a refusal if no response has begun, and close the connection."""
        if self.transport.is_closing():
            return
        self.manager.on_refusal(refusal.code)
        if self._is_cycle_complete() or not self.cycle.response_started:
            self.transport.write(STATUS_LINE[refusal.status] + self.manager.date_line + refusal.rest)
        self.transport.close()
