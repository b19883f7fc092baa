"""Fast path: a connection answers plain polls from the response cache, before ASGI begins.

It is used only while no request is open and writing is not paused, so responses keep the order of
their requests. `HttpConnection` is complete without this module: decision 0056 says how to delete
it, and what it earns.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

from conflicto.platform.cache_budget import CacheBudget
from conflicto.platform.generations import TICKS
from conflicto.platform.http.server import deadlines
from conflicto.platform.http.server.direct_path import DirectConnection
from conflicto.platform.http.server.http_connection import ALL, NO_CYCLE
from conflicto.platform.http.server.stream_connection import StreamConnection
from conflicto.platform.metrics.registry import UNTIMED_MASK
from conflicto.platform.response_cache.auth_cache import PRESENCE_INTERVAL_S

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conflicto.platform.clock import Clock
    from conflicto.platform.http.messages import Header
    from conflicto.platform.http.server.request_cycle import RequestCycle
    from conflicto.platform.limits.bucket import Bucket
    from conflicto.platform.response_cache.auth_cache import AuthCache, CachedAuth, PresenceRecorder
    from conflicto.platform.response_cache.cached_response import CachedResponse

MAX_RECENT_REQUESTS = 25_000
"""Number of parsed requests in each of two generations: one per phone of a full session."""

REQUEST_BYTES = 500
"""Size of a parsed request without its bytes."""

REQUESTS_SHARE = 0.1
"""Share of the budget of all caches."""

MAX_REQUEST_BYTES = 2_048
"""Size of the largest request that is cached. Longer ones are parsed each time."""

AUTHORIZATION = b"authorization"
IF_NONE_MATCH = b"if-none-match"

SLOW_PATH_HEADERS = frozenset(
    {
        b"accept", b"connection", b"content-length", b"cookie", b"expect", b"if-match", b"if-modified-since", b"if-range",
        b"if-unmodified-since", b"origin", b"prefer", b"range", b"te", b"trailer", b"transfer-encoding", b"upgrade",
    }
)  # fmt: skip
"""Headers that may change the response. A request with one of them takes the slow path."""

NEUTRAL_HEADERS = frozenset(
    {
        (b"accept", b"*/*"), (b"accept", b"application/json"), (b"accept", b"application/json, text/plain, */*"),
        (b"connection", b"keep-alive"), (b"te", b"trailers"),
    }
)  # fmt: skip
"""Values of these headers that fetch, curl and common libraries send by default. They change
nothing."""


class ParsedPoll:
    """A parsed poll request with its cached authentication and rate-limit bucket."""

    __slots__ = ("auth", "bucket", "if_none_match", "responses", "target")

    def __init__(self, auth: CachedAuth, target: bytes, if_none_match: bytes | None, bucket: Bucket) -> None:
        self.auth = auth
        self.responses = auth.view_cache
        self.target = target
        self.if_none_match = if_none_match
        self.bucket = bucket


class FastPath:
    """Parsed requests of one process. Only the event loop uses it."""

    def __init__(self, clock: Clock, auths: AuthCache, presence: PresenceRecorder, budget: CacheBudget | None = None) -> None:
        budget = budget or CacheBudget()
        self._request_account = budget.account("requests", share=REQUESTS_SHARE, evict=self._rotate_requests, age=self._age)
        self._recent_bytes = 0
        self._ticks = 0
        self.now_s = clock.monotonic_s
        self.recent: dict[bytes, ParsedPoll] = {}
        self.previous: dict[bytes, ParsedPoll] = {}
        self._auths = auths
        self._presence = presence

    def parse(self, target: bytes, headers: Sequence[Header]) -> tuple[ParsedPoll, CachedResponse] | None:
        """Parse a plain GET and return it with its cached response. None: take the slow path."""
        authorization: bytes | None = None
        if_none_match: bytes | None = None
        for header in headers:
            name = header[0]
            if name == AUTHORIZATION and authorization is None:
                authorization = header[1]
            elif name == IF_NONE_MATCH and if_none_match is None:
                if_none_match = header[1]
            elif (name in SLOW_PATH_HEADERS and header not in NEUTRAL_HEADERS) or name in {AUTHORIZATION, IF_NONE_MATCH}:
                return None
        auth = self._auths.find(authorization)
        if auth is None:
            return None
        response = auth.view_cache.get(target)
        if response is None:
            return None
        poll = ParsedPoll(auth, target, if_none_match, auth.bucket(response.policy))
        return (poll, response) if self.respond(poll) is response else None

    def respond(self, poll: ParsedPoll) -> CachedResponse | None:
        """Return a fresh response that the caller may read, and spend from their bucket.

        None: take the slow path; nothing was spent.
        """
        response = poll.responses.get(poll.target)
        if response is None:
            return None
        now_s, auth = self.now_s(), poll.auth
        if now_s >= auth.expires_s or now_s >= response.expires_s:
            return None
        if response.visible_to is not None and not response.visible_to.includes(auth.participant_id):
            return None
        if not poll.bucket.take(now_s):
            return None
        if now_s - auth.presence_noted_s >= PRESENCE_INTERVAL_S:
            auth.presence_noted_s = now_s
            poll.responses.was_read = True
            self._presence.record_caller(auth.caller)
        return response

    def store(self, request: bytes, poll: ParsedPoll) -> None:
        """Cache the parsed form of a request's bytes.

        The bytes must be one whole request, received on a connection without an open one: only then
        do the same bytes always mean the same request.
        """
        if len(request) <= MAX_REQUEST_BYTES:
            if len(self.recent) >= MAX_RECENT_REQUESTS:
                self._rotate_requests()
            self._store_recent(request, poll)

    def lookup(self, request: bytes) -> ParsedPoll | None:
        """Return the cached parsed form of a request's bytes, or None."""
        poll = self.recent.get(request)
        if poll is None:
            poll = self.previous.pop(request, None)
            if poll is not None:
                self._request_account.add(-REQUEST_BYTES - len(request))
                self._store_recent(request, poll)
        return poll

    def _store_recent(self, request: bytes, poll: ParsedPoll) -> None:
        if request not in self.recent:
            size = REQUEST_BYTES + len(request)
            self._recent_bytes += size
            self.recent[request] = poll
            self._request_account.add(size)
        else:
            self.recent[request] = poll

    def _age(self) -> None:
        self._ticks += 1
        if self._ticks % TICKS == 0:
            self._rotate_requests()

    def _rotate_requests(self) -> bool:
        """Drop the previous generation and replace it with the recent one.

        Return whether there was any.
        """
        dropped_bytes = self._request_account.bytes - self._recent_bytes
        self.previous, self.recent = self.recent, {}
        self._recent_bytes = 0
        self._request_account.add(-dropped_bytes)
        return bool(dropped_bytes or self.previous)


class _ConnectionOrigin:
    """Origin of a stream: all that a connection needs to begin again after it."""

    __slots__ = ("_app_state", "_config", "server_state")

    def __init__(self, connection: Connection) -> None:
        self._config = connection.config
        self._app_state = connection.app_state
        self.server_state = connection.server_state

    def take_back(self, stream: StreamConnection, received: bytes) -> None:
        """Continue with requests after the stream, from bytes received since."""
        connection = Connection(self._config, self.server_state, self._app_state)
        stream.transport.set_protocol(connection)
        connection.connection_made(stream.transport)
        connection.begin_again(received)


class Connection(DirectConnection):
    """A client connection that answers plain polls itself."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's
        super().__init__(*args, **kwargs)
        self.fast_path = self.manager.fast_path
        self._is_missed = False
        self._parsed_poll: ParsedPoll | None = None

    def data_received(self, data: bytes) -> None:
        """Answer bytes whose parsed form is cached, and parse all others.

        Known bytes without a cached response are not looked up again after they are parsed, unless
        the cached token or its bucket was replaced.
        """
        fast_path, poll = self.fast_path, None
        if fast_path is not None and self.is_idle and not self.is_stalled:
            poll = fast_path.recent.get(data) or (fast_path.lookup(data) if fast_path.previous else None)
            if poll is not None:
                response = fast_path.respond(poll)
                if response is not None:
                    self._send_cached(poll, response)
                    return
        self._is_missed = poll is not None and poll.auth.expires_s > 0 and not poll.bucket.is_evicted
        super().data_received(data)

    def _on_answered_at_once(self, data: bytes) -> None:
        """Cache the parsed form of a whole plain poll."""
        if self.message_count == 1 and self._parsed_poll is not None and self.fast_path is not None:
            self.fast_path.store(data, self._parsed_poll)

    def _respond(self) -> None:
        """Answer a parsed request from the fast path, or pass it to ASGI."""
        found = None if self._is_missed else self._find()
        if found is None:
            super()._respond()
        else:
            self._parsed_poll, response = found
            self._send_cached(self._parsed_poll, response)

    def _find(self) -> tuple[ParsedPoll, CachedResponse] | None:
        if self.fast_path is None or self.pipeline or self.is_stalled or not self.cycle.response_complete:
            return None
        if self.parser.get_method() != b"GET" or self.parser.get_http_version() != "1.1":
            return None
        return self.fast_path.parse(self.url, self.headers)

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
        self.deadline_s = self.loop.time() + deadlines.MAX_IDLE_S
        self.has_token = True

    def hand_over(self, follow: Callable[[StreamConnection], None]) -> bool:
        """Hand the connection over to a stream, whose head was written. Return whether it can be.

        The request is forgotten. Its task ends without a response, because the stream continues it.
        """
        cycle = cast("RequestCycle", self.cycle)
        if self.fast_path is None or self.pipeline or self._received is not ALL or self._pending_refusal or self.is_stalled:
            return False
        if not cycle.chunked_encoding or cycle.disconnected or self.transport.is_closing():
            return False
        stream = StreamConnection(self.manager, self.transport, _ConnectionOrigin(self))
        stream.keep_alive = cycle.keep_alive
        cycle.disconnected = True
        self.manager.hand_over(self, stream)
        self.server_state.connections.discard(self)
        self.server_state.connections.add(stream)  # type: ignore[arg-type]
        self.transport.set_protocol(stream)
        self.cycle = NO_CYCLE
        # The parser holds methods of this connection, which would wait for the garbage collector.
        self.parser = None  # type: ignore[assignment]
        follow(stream)
        return True

    def begin_again(self, received: bytes) -> None:
        """Take requests after a stream, from bytes that were received meanwhile."""
        self.has_token = True
        self._become_idle()
        if received:
            self.transport.resume_reading()
            self.data_received(received)
