"""What a stream tells: the pages of a feed, one event for each item, or results, one event for each time they changed."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Protocol

from conflicto.feed.event_cache import EventBatch
from conflicto.feed.session_state import MAX_SNAPSHOT_AGE_S
from conflicto.feed.timestamps import Since
from conflicto.feed.views import View, view_of
from conflicto.sessions.model import SessionStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Buffer

    from conflicto.feed.pages import Page
    from conflicto.feed.poll_handler import PagePlan, PollHandler
    from conflicto.feed.results_handler import ResultsHandler
    from conflicto.feed.session_state import SessionState
    from conflicto.platform.http.messages import Request

    PlanPage = Callable[[Request, SessionState, Since, int], PagePlan]
    """What one page of a stream takes."""

MAX_EVENTS_PER_PAGE = 100
"""Events that are written at once; the next ones follow when the reader took these."""


class EventSource(Protocol):
    """What one reader is told."""

    @property
    def poll_interval_s(self) -> float:
        """After how long to look for news, even if nobody told of any."""

    async def events(self, head: SessionState) -> tuple[bytes, bool]:
        """Return the frames of what the reader has not heard yet, none if there is nothing, and whether they are the last."""

    def keep_alive(self) -> bytes:
        """Return what is sent while there is nothing to tell."""


class FeedEventSource:
    """A reader of a feed: everything they were told lies at or below the cursor."""

    def __init__(self, answers: PollHandler, request: Request, ask: PlanPage, event: bytes, first: Page) -> None:
        self._polls = answers
        self._request = request
        self._plan_page = ask
        self._event_name = event
        self._first_page: Page | None = first
        self._cursor = first.since

    @property
    def poll_interval_s(self) -> float:
        """Return that a reader of a feed is always told of news."""
        return inf

    def first_events(self) -> tuple[bytes, bool]:
        """Return the frames of the page that opened the stream, and whether they are the last."""
        first, self._first_page = self._first_page, None
        assert first is not None  # noqa: S101 - called once
        self._cursor = first.cursor
        return page_events(first, self._event_name) or self.keep_alive(), first.closed and not first.has_more

    async def events(self, head: SessionState) -> tuple[bytes, bool]:
        """Return the frames of what is new; made once for all who read alike."""
        asking = self._plan_page(self._request, head, Since(self._cursor, "position"), MAX_EVENTS_PER_PAGE)
        key = None if asking.is_private else (self._event_name, asking.key)
        made = head.event_cache.get(key)
        if made is None:
            moment = head.position
            page = await self._polls.page(head, asking)
            made = EventBatch(page_events(page, self._event_name), page.cursor, page.closed and not page.has_more)
            if key is not None and head.is_current and head.position == moment:
                head.event_cache.put(key, made)
        told, self._cursor, is_last = made
        return told, is_last

    def keep_alive(self) -> bytes:
        """Return an event that holds nothing but the cursor; some clients hand on events without data as empty ones."""
        return b'id: %016d\nevent: bookmark\ndata: {"cursor":"%016d"}\n\n' % (self._cursor, self._cursor)


class ResultsEventSource:
    """A reader of results, who has the body of `tag`. They are whole each time, so nothing is missed by missing one."""

    def __init__(self, results: ResultsHandler, request: Request, tag: bytes) -> None:
        self._results = results
        self._request = request
        self._tag = tag

    @property
    def poll_interval_s(self) -> float:
        """Return after how long to look again: participants' results change without anyone being woken for it."""
        return MAX_SNAPSHOT_AGE_S if view_of(self._request.caller) is View.PARTICIPANT else inf

    async def events(self, head: SessionState) -> tuple[bytes, bool]:
        """Return the results if they are not what the reader has; nothing changes any more once the session is completed."""
        ready, seen = await self._results.response(self._request, head)
        is_last = seen.state.session.status is SessionStatus.COMPLETED
        if ready.tag == self._tag:
            return b"", is_last
        self._tag = ready.tag
        return b"id: %b\nevent: results\ndata: %b\n\n" % (ready.tag, escape_line_breaks(ready.body)), is_last

    def keep_alive(self) -> bytes:
        """Return the end of a comment, which is enough."""
        return b"\n"


def page_events(page: Page, event: bytes) -> bytes:
    """Return a page as events, one for each item, each with its own place in the feed as its id."""
    told = zip(page.timestamps, page.items, strict=True)
    return b"".join(b"id: %016d\nevent: %b\ndata: %b\n\n" % (ts, event, escape_line_breaks(item)) for ts, item in told)


LINE_BREAKS = ((b"\xe2\x80\xa8", b"\\u2028"), (b"\xe2\x80\xa9", b"\\u2029"), (b"\xc2\x85", b"\\u0085"))
"""Characters that some clients take for the end of a line, and JSON's escapes of them. Only strings of JSON can hold them."""


def escape_line_breaks(json: Buffer) -> bytes:
    """Return JSON of the same value without any character that breaks a line."""
    text = bytes(json)
    for character, escape in LINE_BREAKS:
        text = text.replace(character, escape)  # without one, the very same bytes
    return text
