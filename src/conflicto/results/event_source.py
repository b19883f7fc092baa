"""Source of stream events of results: one for each change."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from conflicto.feed.sse_sources import escape_line_breaks
from conflicto.session_state.state import MAX_SNAPSHOT_AGE_S
from conflicto.session_state.views import View, view_of
from conflicto.sessions.model import SessionStatus

if TYPE_CHECKING:
    from conflicto.platform.http.messages import Request
    from conflicto.results.results_handler import ResultsHandler
    from conflicto.session_state.state import SessionState


class ResultsEventSource:
    """Events of results for a client that has the body of `tag`.

    Each event is complete, so a client may miss some.
    """

    def __init__(self, results: ResultsHandler, request: Request, tag: bytes) -> None:
        self._results = results
        self._request = request
        self._tag = tag

    @property
    def poll_interval_s(self) -> float:
        """Return the seconds between looks: participants' results change without a notification."""
        return MAX_SNAPSHOT_AGE_S if view_of(self._request.caller) is View.PARTICIPANT else inf

    async def events(self, state: SessionState) -> tuple[bytes, bool]:
        """Return the results if they changed. Nothing changes after the session is completed."""
        response, round_snapshot = await self._results.response(self._request, state)
        is_last = round_snapshot.state.session.status is SessionStatus.COMPLETED
        if response.tag == self._tag:
            return b"", is_last
        self._tag = response.tag
        return b"id: %b\nevent: results\ndata: %b\n\n" % (response.tag, escape_line_breaks(response.body)), is_last

    def keep_alive(self) -> bytes:
        """Return the end of a comment, which is enough."""
        return b"\n"
