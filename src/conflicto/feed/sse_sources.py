"""Sources of stream events; that of the feed has one for each item."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Protocol

from conflicto.feed.timestamps import Since
from conflicto.platform.response_cache.response_cache import EventBatch

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Buffer

    from conflicto.feed.pages import Page
    from conflicto.feed.poll_handler import PagePlan, PollHandler
    from conflicto.platform.http.messages import Request
    from conflicto.session_state.state import SessionState

    PlanPage = Callable[[Request, SessionState, Since, int], PagePlan]
    """Function that plans one page of a stream."""

MAX_EVENTS_PER_PAGE = 100
"""Events per write; the next ones follow when the client has read these."""


class EventSource(Protocol):
    """Events for one client."""

    @property
    def poll_interval_s(self) -> float:
        """Seconds after which to look for events without a notification."""

    async def events(self, state: SessionState) -> tuple[bytes, bool]:
        """Return the new events, empty if there are none, and whether they are the last."""

    def keep_alive(self) -> bytes:
        """Return the bytes that are sent while there is no event."""


class FeedEventSource:
    """Events of a feed for one client, who has received everything up to the cursor."""

    def __init__(self, polls: PollHandler, request: Request, plan_page: PlanPage, event: bytes, first: Page) -> None:
        self._polls = polls
        self._request = request
        self._plan_page = plan_page
        self._event_name = event
        self._first_page: Page | None = first
        self._cursor = first.since

    @property
    def poll_interval_s(self) -> float:
        """Return infinity: the notifier announces every change of a feed."""
        return inf

    def first_events(self) -> tuple[bytes, bool]:
        """Return the events of the page that opened the stream, and whether they are the last."""
        first, self._first_page = self._first_page, None
        assert first is not None  # noqa: S101 - called once
        self._cursor = first.cursor
        return page_events(first, self._event_name) or self.keep_alive(), first.closed and not first.has_more

    async def events(self, state: SessionState) -> tuple[bytes, bool]:
        """Return the new events, encoded once for all clients with the same key."""
        plan = self._plan_page(self._request, state, Since(self._cursor, "position"), MAX_EVENTS_PER_PAGE)
        key = None if plan.is_private else (self._event_name, plan.key)
        batch = state.responses.events.get(key)
        if batch is None:
            position = state.position
            page = await self._polls.page(state, plan)
            batch = EventBatch(page_events(page, self._event_name), page.cursor, page.closed and not page.has_more)
            if key is not None and state.can_cache(position):
                state.responses.events.put(key, batch)
        events, self._cursor, is_last = batch
        return events, is_last

    def keep_alive(self) -> bytes:
        """Return an event with only the cursor.

        Some clients dispatch events without data as empty ones.
        """
        return b'id: %016d\nevent: bookmark\ndata: {"cursor":"%016d"}\n\n' % (self._cursor, self._cursor)


def page_events(page: Page, event: bytes) -> bytes:
    """Return a page as events, one for each item, with its feed timestamp as id."""
    events = zip(page.timestamps, page.items, strict=True)
    return b"".join(b"id: %016d\nevent: %b\ndata: %b\n\n" % (ts, event, escape_line_breaks(item)) for ts, item in events)


LINE_BREAKS = ((b"\xe2\x80\xa8", b"\\u2028"), (b"\xe2\x80\xa9", b"\\u2029"), (b"\xc2\x85", b"\\u0085"))
"""Characters that some clients treat as the end of a line, and their JSON escapes. Only JSON
strings can contain them.
"""


def escape_line_breaks(json: Buffer) -> bytes:
    """Return equivalent JSON without any character that breaks a line."""
    text = bytes(json)
    for character, escape in LINE_BREAKS:
        text = text.replace(character, escape)  # without one, the very same bytes
    return text
