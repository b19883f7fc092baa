"""Fast path: parses plain polls and returns cached responses to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conflicto.platform.cache_budget import CacheBudget
from conflicto.platform.response_cache.auth_cache import PRESENCE_INTERVAL_S

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conflicto.platform.clock import Clock
    from conflicto.platform.http.messages import Header
    from conflicto.platform.limits.bucket import Bucket
    from conflicto.platform.response_cache.auth_cache import AuthCache, CachedAuth
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

    def __init__(
        self, clock: Clock, auths: AuthCache, note_presence: Callable[[Any], None], budget: CacheBudget | None = None
    ) -> None:
        budget = budget or CacheBudget()
        self._request_account = budget.account("requests", share=REQUESTS_SHARE, evict=self._rotate_requests)
        self._recent_bytes = 0
        self.now_s = clock.monotonic_s
        self.recent: dict[bytes, ParsedPoll] = {}
        self.previous: dict[bytes, ParsedPoll] = {}
        self._auths = auths
        self._note_presence = note_presence

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
            self._note_presence(auth.caller)
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

    def _rotate_requests(self) -> bool:
        """Drop the previous generation and replace it with the recent one.

        Return whether there was any.
        """
        dropped_bytes = self._request_account.bytes - self._recent_bytes
        self.previous, self.recent = self.recent, {}
        self._recent_bytes = 0
        self._request_account.add(-dropped_bytes)
        return bool(dropped_bytes or self.previous)
