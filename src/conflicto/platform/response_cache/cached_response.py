"""Cached response: headers, body, and the finished bytes of its variants 200 and 304."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from conflicto.platform.http.conditional_requests import etag_matches
from conflicto.platform.http.messages import JSON_HEADER, SAFE_HEADERS, Response
from conflicto.platform.sizes import KIB

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conflicto.platform.http.messages import Header, Request
    from conflicto.platform.limits.bucket import Policy
    from conflicto.platform.metrics.registry import FastPathMetrics

Variant = int
"""Index of a variant: `FULL` has the status 200 and a body, `NOT_MODIFIED` has the status 304 and
none."""

FULL: Variant = 0
NOT_MODIFIED: Variant = 1
VARIANT_STATUS = (200, 304)
"""Status by variant."""

MAX_CACHED_MESSAGE_BYTES = 64 * KIB
"""Largest message that is kept as bytes. A longer one is built for each send, because keeping it
doubles the memory."""

OVERHEAD_BYTES = 5_000
"""Size of a cached response beside its body: the headers, and both messages without it."""

_STATUS_LINES = (b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 304 Not Modified\r\n")


class VisibleTo:
    """Readers of a shared response, by the timestamp of their newest change.

    It must lie between `min_ts` and `max_ts`, inclusive. `newest_ts` maps participant ids to the
    timestamp of their newest change. It belongs to somebody else and is only read here.
    Participants who are missing in it count as `default_ts`.
    """

    __slots__ = ("default_ts", "max_ts", "min_ts", "newest_ts")

    def __init__(self, newest_ts: Mapping[int, int], *, min_ts: int, max_ts: int, default_ts: int) -> None:
        self.newest_ts = newest_ts
        self.min_ts = min_ts
        self.max_ts = max_ts
        self.default_ts = default_ts

    def includes(self, participant_id: int) -> bool:
        """Return whether this participant may read the response now."""
        return self.min_ts <= self.newest_ts.get(participant_id, self.default_ts) <= self.max_ts


@dataclass(frozen=True, slots=True)
class Freshness:
    """Conditions of reuse: creation and expiry in monotonic seconds, and readers (None: everyone).

    `follows_data`: changes of data invalidate it too, not only changes of control. `is_empty`: the
    response contains no items.
    """

    expires_s: float = inf
    created_s: float = 0.0
    visible_to: VisibleTo | None = None
    follows_data: bool = True
    is_empty: bool = False


class CachedResponse:
    """One response for everyone who may read its view. `tag` is the ETag of the body.

    `size_bytes` includes the messages that sending it will cache.
    """

    __slots__ = (
        "_header_lines", "_messages", "body", "created_s", "expires_s", "follows_data", "headers", "is_empty", "policy", "size_bytes",
        "tag", "tally", "visible_to",
    )  # fmt: skip

    def __init__(
        self, body: bytes, headers: tuple[Header, ...], *, tag: bytes, policy: Policy, tally: FastPathMetrics, freshness: Freshness
    ) -> None:
        self.body = body
        self.tag = tag
        self.policy = policy
        self.tally = tally
        self.expires_s = freshness.expires_s
        self.visible_to = freshness.visible_to
        self.follows_data = freshness.follows_data
        self.is_empty = freshness.is_empty
        self.size_bytes = OVERHEAD_BYTES + len(body) * (2 if len(body) <= MAX_CACHED_MESSAGE_BYTES else 1)
        common = (*headers, *SAFE_HEADERS)
        self.headers: tuple[tuple[Header, ...], ...] = (
            (JSON_HEADER, *common, (b"content-length", b"%d" % len(body))),
            common,
        )
        self.created_s = freshness.created_s
        self._header_lines: list[bytes | None] = [None, None]
        self._messages: list[tuple[bytes, bytes]] = [(b"", b""), (b"", b"")]

    def select_variant(self, if_none_match: bytes | None) -> Variant:
        """Return `NOT_MODIFIED` if the condition names the tag, else `FULL`."""
        if if_none_match is None:
            return FULL
        if if_none_match == self.tag or etag_matches(if_none_match.decode("latin-1"), self.tag):
            return NOT_MODIFIED
        return FULL

    def to_bytes(self, variant: Variant, date_line: bytes) -> bytes:
        """Return the whole message.

        `date_line` is a finished header line, the same object for a whole second.
        """
        last_date_line, message = self._messages[variant]
        if last_date_line is not date_line:
            body = self.body if variant == FULL else b""
            message = b"%b%b%b\r\n%b" % (_STATUS_LINES[variant], date_line, self._headers_to_bytes(variant), body)
            if len(message) <= MAX_CACHED_MESSAGE_BYTES:
                self._messages[variant] = date_line, message
        return message

    def _headers_to_bytes(self, variant: Variant) -> bytes:
        lines = self._header_lines[variant]
        if lines is None:
            lines = self._header_lines[variant] = b"".join(b"%b: %b\r\n" % header for header in self.headers[variant])
        return lines

    def to_response(self, request: Request) -> Response:
        """Return 304 if the caller has the body already, else 200 with the body.

        Both have the same headers.
        """
        variant = self.select_variant(request.first_values.get(b"if-none-match"))
        response = Response(VARIANT_STATUS[variant], b"" if variant == NOT_MODIFIED else self.body, self.headers[variant])
        response.has_final_headers = True
        response.has_no_changes = variant == NOT_MODIFIED or self.is_empty
        return response
