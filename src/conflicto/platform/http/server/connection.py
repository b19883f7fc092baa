"""Connection of a client, with the fast path: plain polls are answered before ASGI.

The fast path is used only while no request is open and writing is not paused, so responses keep the
order of their requests. `HttpConnection` is complete without this module.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

from conflicto.platform.http.server import deadlines
from conflicto.platform.http.server.http_connection import HttpConnection
from conflicto.platform.metrics.registry import UNTIMED_MASK

if TYPE_CHECKING:
    from conflicto.platform.fast_path import ParsedPoll
    from conflicto.platform.response_cache.cached_response import CachedResponse


class Connection(HttpConnection):
    """A client connection that answers plain polls itself."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's
        super().__init__(*args, **kwargs)
        self.fast_path = self.manager.fast_path
        self._parsed_poll: ParsedPoll | None = None

    def data_received(self, data: bytes) -> None:
        """Answer bytes whose parsed form is cached, and parse all others."""
        fast_path = self.fast_path
        if fast_path is not None and self.is_idle and not self.is_stalled:
            poll = fast_path.recent.get(data) or fast_path.lookup(data)
            if poll is not None:
                response = fast_path.respond(poll)
                if response is not None:
                    self._send_cached(poll, response)
                    return
        super().data_received(data)

    def _on_answered_at_once(self, data: bytes) -> None:
        """Cache the parsed form of a whole plain poll."""
        if self.message_count == 1 and self._parsed_poll is not None and self.fast_path is not None:
            self.fast_path.store(data, self._parsed_poll)

    def _respond(self) -> None:
        """Answer a parsed request from the fast path, or pass it to ASGI."""
        found = None
        in_order = self._is_answered() and not self.pipeline and not self.is_stalled
        is_get = self.parser.get_method() == b"GET" and self.parser.get_http_version() == "1.1"
        if self.fast_path is not None and in_order and is_get:
            found = self.fast_path.parse(self.url, self.headers)
        if found is None:
            super()._respond()
        else:
            self._parsed_poll, response = found
            self._send_cached(self._parsed_poll, response)

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
