"""Sources of stream events; that of the feed has one for each item."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any, Protocol

from conflicto.feed.timestamps import Since
from conflicto.platform.http.server.stream_connection import chunk_of
from conflicto.platform.ids import random_up_to
from conflicto.platform.response_cache.response_cache import EventBatch
from conflicto.session_state.views import view_of
from conflicto.sessions.model import SessionStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Hashable, Mapping

    from typing_extensions import Buffer

    from conflicto.feed.pages import Page
    from conflicto.feed.poll_handler import PagePlan, PollHandler
    from conflicto.platform.http.messages import Request
    from conflicto.session_state.state import SessionState
    from conflicto.session_state.views import View

    PlanPage = Callable[["Reader | Request", SessionState, Since, int], PagePlan]
    """Function that plans one page of a stream."""

MAX_EVENTS_PER_PAGE = 100
"""Events per write; the next ones follow when the client has read these."""


RETRY_MS = (2_000, 5_000)
"""Delay before a browser reconnects, at random."""

CHANGE, CHUNK, CHANGE_CHUNK = b"change", b"chunk", b"change-chunk"
"""Name of a change's event, and parts of keys of chunks that streams share."""

NOTHING = b"", False
"""No new event, and more may follow."""


class Reader:
    """Reader of pages: the caller, and the parameters of the path."""

    __slots__ = ("caller", "params")

    def __init__(self, request: Request) -> None:
        self.caller: Any = request.caller
        self.params: Mapping[str, Any] = request.params


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
    """Events of a feed for one client, who has received everything up to the cursor.

    `control_cursor` is not newer. Since then no change of control happened that the client lacks.
    So clients with changes of their own, whose cursors differ, still share what a host changes.
    """

    __slots__ = ("_control_cursor", "_cursor", "_event_name", "_first_page", "_plan_page", "_polls", "_reader", "_seat", "_view")

    def __init__(self, polls: PollHandler, reader: Reader, plan_page: PlanPage, event: bytes, first: Page) -> None:
        self._polls = polls
        self._reader = reader
        self._view: View = view_of(reader.caller)
        self._seat: int | None = reader.caller.participant_id
        self._plan_page = plan_page
        self._event_name = event
        self._first_page: Page | None = first
        self._cursor = self._control_cursor = first.since

    @property
    def caller(self) -> Any:  # noqa: ANN401 - the access package's
        """The client."""
        return self._reader.caller

    @property
    def poll_interval_s(self) -> float:
        """Return infinity: the notifier announces every change of a feed."""
        return inf

    def first_events(self) -> tuple[bytes, bool]:
        """Return the events of the page that opened the stream, and whether they are the last."""
        first, self._first_page = self._first_page, None
        assert first is not None  # noqa: S101 - called once
        self._cursor = self._control_cursor = first.cursor
        return page_events(first, self._event_name) or self.keep_alive(), first.closed and not first.has_more

    async def events(self, state: SessionState) -> tuple[bytes, bool]:
        """Return the new events, encoded once for all clients with the same key."""
        plan = self._plan_page(self._reader, state, Since(self._cursor, "position"), MAX_EVENTS_PER_PAGE)
        key = None if plan.is_private else (self._event_name, plan.key)
        batch = state.responses.events.get(key)
        if batch is None:
            position = state.position
            page = await self._polls.page(state, plan)
            batch = EventBatch(page_events(page, self._event_name), page.cursor, page.closed and not page.has_more)
            if key is not None and state.can_cache(position):
                state.responses.events.put(key, batch)
        events, self._cursor, is_last = batch
        self._control_cursor = self._cursor
        return events, is_last

    def key(self, state: SessionState | None) -> Hashable:
        """Return the key of the next page. Clients with the same one wait for one read."""
        seat = self._seat
        if state is None:
            return None
        is_own = seat is not None and not self._has_own(state, seat)
        return (
            self._event_name,
            self._reader.params.get("activity_id"),
            self._view,
            self._control_cursor,
            seat if is_own else None,
        )

    def _has_own(self, state: SessionState, seat: int) -> bool:
        """Return whether the client has its own changes; False if only the database knows."""
        newest = state.own_timestamps.get(seat)
        return self._cursor >= (state.loaded_ts if newest is None else newest)

    def prepare(self, state: SessionState) -> Coroutine[Any, Any, Page] | None:
        """Return a coroutine that reads the next changes into memory, None if memory holds them."""
        if self._event_name != CHANGE or state.gaps:
            return None
        plan = self._plan(state)
        return self._polls.page(state, plan) if plan.from_memory() is None else None

    def take_shared(self, state: SessionState) -> bytes | None:
        """Return the chunk that others took before, if it is the next one and all there is.

        None: look with `take`. This is the part of `take` that thousands of clients share.
        """
        seat = self._seat
        if self._event_name != CHANGE or (seat is not None and not self._has_own(state, seat)):
            return None
        batch = state.responses.events.get((CHANGE_CHUNK, self._view, self._control_cursor))
        if batch is None or batch.is_last or batch.cursor != (state.ts if seat is None else state.control_ts):
            return None
        self._cursor = self._control_cursor = batch.cursor
        return batch.data

    def take(self, state: SessionState) -> tuple[bytes, bool] | None:
        """Return what `events` returns, as a chunk and without waiting; None if memory lacks it."""
        if self._event_name != CHANGE or state.gaps:
            return self._take_planned(state)
        seat = self._seat
        newest = state.ts if seat is None else state.control_ts
        if seat is not None and not self._has_own(state, seat):
            return self._take_planned(state)
        if newest <= self._cursor:
            self._control_cursor = newest if self._cursor <= state.position else self._cursor
            return NOTHING if state.session.status is not SessionStatus.COMPLETED else (b"", True)
        key = (CHANGE_CHUNK, self._view, self._control_cursor)
        return self._take_batch(state.responses.events.get(key) or self._make_batch(state, self._plan(state), key))

    def _take_planned(self, state: SessionState) -> tuple[bytes, bool] | None:
        """Take a page by its plan: it may be one client's, or its view may have closed."""
        plan = self._plan(state)
        key = None if plan.is_private else (self._event_name, CHUNK, plan.key)
        return self._take_batch(state.responses.events.get(key) or self._make_batch(state, plan, key))

    def _plan(self, state: SessionState) -> PagePlan:
        return self._plan_page(self._reader, state, Since(self._cursor, "position"), MAX_EVENTS_PER_PAGE)

    def _make_batch(self, state: SessionState, plan: PagePlan, key: Hashable | None) -> EventBatch | None:
        """Make a chunk if memory holds the page, and share it unless it is one client's."""
        page = plan.from_memory()
        if page is None:
            return None
        chunk = chunk_of(page_events(page, self._event_name))
        batch = EventBatch(chunk, page.cursor, page.closed and not page.has_more)
        if key is not None and state.can_cache(state.position):
            state.responses.events.put(key, batch)
        return batch

    def _take_batch(self, batch: EventBatch | None) -> tuple[bytes, bool] | None:
        if batch is None:
            return None
        self._cursor = self._control_cursor = batch.cursor
        return batch.data, batch.is_last

    def keep_alive(self) -> bytes:
        """Return an event with only the cursor.

        Some clients dispatch events without data as empty ones.
        """
        return b'id: %016d\nevent: bookmark\ndata: {"cursor":"%016d"}\n\n' % (self._cursor, self._cursor)


def with_retry(events: bytes) -> bytes:
    """Return events with the reconnection delay in the first one.

    Alone it would reach some clients as an empty event.
    """
    if not events.startswith(b"id: "):
        return b":\n\n"
    return b"retry: %d\n%b" % (RETRY_MS[0] + random_up_to(RETRY_MS[1] - RETRY_MS[0]), events)


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
