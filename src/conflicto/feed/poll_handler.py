"""Handler of polls: status and feed pages of a session.

It reads from memory where possible, else by one query shared by identical requests.
"""

from __future__ import annotations

import asyncio
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from conflicto.activities.model import MAX_ACTIVITIES_EVER
from conflicto.activities.queries import activities_with_contents
from conflicto.feed import status
from conflicto.feed.changes import changes_in_memory, read_changes, visible_changed_activities
from conflicto.feed.pages import read_responses, require_known_position, require_responses, responses_in_memory
from conflicto.feed.row_sources import MemoryRows, Window
from conflicto.feed.schemas import DEFAULT_LIMIT, MAX_LIMIT
from conflicto.feed.timestamps import Since, parse
from conflicto.platform.http.messages import Concealment
from conflicto.platform.problems import FieldError, InvalidInput
from conflicto.platform.response_cache.cached_response import VisibleTo
from conflicto.session_state.state import MAX_SNAPSHOT_AGE_S, has_anonymous_round
from conflicto.session_state.views import View, view_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Hashable

    from conflicto.access.link_keys import LinkKeys
    from conflicto.access.roles import Caller
    from conflicto.feed.pages import Page
    from conflicto.feed.response_builder import ResponseBuilder
    from conflicto.feed.shared_pages import SharedPages
    from conflicto.feed.sse_sources import Reader
    from conflicto.platform.clock import Clock
    from conflicto.platform.db.engine import Database
    from conflicto.platform.http.messages import Request, Response
    from conflicto.platform.response_cache.cached_response import CachedResponse
    from conflicto.responses.capacity import Caps
    from conflicto.session_state.state import CountsSnapshot, SessionState

T = TypeVar("T")

MAX_LIMIT_DIGITS = 8
"""Digits of a limit that are parsed; Python refuses to parse thousands of digits."""

MAX_CONFIG_READS = 10
MAX_CONFIGS_PER_READ = 64
MAX_STALLED_READS = 1
"""Limits of reading the JSON of activities into memory: reads, activities per read, and reads
without progress.

The page is read as a whole after that. Activities may change meanwhile, or be too large for the
cache.
"""

UNKNOWN_TS = 2**63
"""Newest change of a participant whose rows are not in memory. It is newer than any position, so
only the database can answer.
"""


class PagePlan(NamedTuple):
    """Plan of a page. `from_memory` builds it, or returns None if `read` must query the database.

    Identical requests share a `key`. The page is valid for the caller's whole view, for the seats
    in `visible_to`, or for the caller alone if it `is_private`.
    """

    key: Hashable
    from_memory: Callable[[], Page | None]
    read: Callable[[], Coroutine[Any, Any, Page]]
    since: Since
    follows_data: bool
    visible_to: VisibleTo | None = None
    is_private: bool = False


class PollHandler:
    """Builds poll responses from session states. One per process, on the event loop."""

    def __init__(
        self, db: Database, clock: Clock, builder: ResponseBuilder, pages: SharedPages, caps: Caps, link_keys: LinkKeys
    ) -> None:
        self._db = db
        self._shared_pages = pages
        self._clock = clock
        self._builder = builder
        self._caps = caps
        self._link_keys = link_keys
        self._reads: dict[Hashable, asyncio.Task[Any]] = {}

    async def session_status(self, request: Request, state: SessionState) -> Response:
        """Answer with the session's status."""
        view = view_of(request.caller)
        near = self._caps.is_near(state.stored_responses, state.stored_bytes) if view is View.HOST else None
        response = self.cached(request, state, view)
        if response is None:
            snapshot = state.current_counts_snapshot(self._clock.monotonic_s()) if view is View.PARTICIPANT else None
            response = self._cache_status(request, state, view, snapshot, status.session_status(state, snapshot, near_cap=near))
        return response.to_response(request)

    async def activity_status(self, request: Request, state: SessionState) -> Response:
        """Answer with an activity's status; `NotFound` if the caller may not know of it."""
        view = view_of(request.caller)
        activity = state.activity(request.params["activity_id"], for_host=view is View.HOST)
        response = self.cached(request, state, view)
        if response is None:
            snapshot = state.current_counts_snapshot(self._clock.monotonic_s()) if view is View.PARTICIPANT else None
            response = self._cache_status(request, state, view, snapshot, status.activity_status(state, activity, view, snapshot))
        return response.to_response(request)

    async def responses(self, request: Request, state: SessionState) -> Response:
        """Return a page of an activity's responses.

        Raises:
            NotFound, ResponsesHidden: the activity does not exist, or is closed to the caller.
            InvalidTimestamp, InvalidInput, CursorInFuture: invalid position or limit.
            CursorExpired: the position points to changes lost in a restore.
        """
        return self._cached_page(request, state) or await self._page_response(
            request, state, self.plan_responses(request, state, parse(request.params["timestamp"]), page_limit(request))
        )

    async def changes(self, request: Request, state: SessionState) -> Response:
        """Return a page of the session's changes, as the caller's role may see them.

        Raises:
            InvalidTimestamp, InvalidInput, CursorInFuture: invalid position or limit.
            CursorExpired: the position points to changes lost in a restore.
        """
        return self._cached_page(request, state) or await self._page_response(
            request, state, self.plan_changes(request, state, parse(request.params["timestamp"]), page_limit(request))
        )

    def plan_responses(self, reader: Reader | Request, state: SessionState, since: Since, limit: int) -> PagePlan:
        """Plan a page of an activity's responses.

        Raises:
            NotFound, ResponsesHidden: the activity does not exist, or is closed to the caller.
            CursorExpired: the position points to changes lost in a restore.
        """
        require_known_position(since, state.gaps)
        view = view_of(reader.caller)
        activity = state.activity(reader.params["activity_id"], for_host=view is View.HOST)
        require_responses(activity, view)
        newest = state.newest_visible_ts(activity) if view is View.PARTICIPANT else state.ts
        is_in_memory = since.kind == "now" or (since.kind == "position" and MemoryRows.floor(state) <= since.us <= newest)
        now_us = self._clock.wall_us()
        return PagePlan(
            (activity.id, view, since, limit),
            partial(responses_in_memory, state, activity, view, since, newest, limit=limit) if is_in_memory else _not_in_memory,
            partial(self._db.read, read_responses, activity.id, view, since, limit=limit, now_us=now_us),
            since,
            follows_data=True,
        )

    def plan_changes(self, reader: Reader | Request, state: SessionState, since: Since, limit: int) -> PagePlan:
        """Plan a page of the session's changes; raises `CursorExpired`."""
        require_known_position(since, state.gaps)
        seat, view = reader.caller.participant_id, view_of(reader.caller)
        visible_to = None if seat is None else _visible_to(state, seat, since)
        return PagePlan(
            (
                "changes",
                view,
                since,
                limit,
                None if visible_to and visible_to.min_ts == 0 else (seat, state.own_timestamps.get(seat or 0)),
            ),
            partial(self._changes_in_memory, state, reader.caller, since, limit),
            partial(self._read_changes, reader.caller, state, since, limit),
            since,
            follows_data=seat is None,
            visible_to=visible_to,
            is_private=seat is not None and visible_to is None,
        )

    async def page(self, state: SessionState, plan: PagePlan) -> Page:
        """Return the page; identical requests at one position share one query."""
        page = plan.from_memory()
        if page is not None:
            return page
        read: Page = await self.single_flight(state, plan.key, partial(self._shared_pages.read, state, plan))
        return read

    def _cached_page(self, request: Request, state: SessionState) -> Response | None:
        """Return a cached page without a plan, unless its request may have to be concealed."""
        if _may_be_concealed(request, state):
            return None
        cached = self.cached(request, state, view_of(request.caller))
        return None if cached is None else cached.to_response(request)

    async def _page_response(self, request: Request, state: SessionState, plan: PagePlan) -> Response:
        """Return a page as a response, cached unless the session changed meanwhile."""
        may_be_cached = _may_be_concealed(request, state) and not plan.is_private  # else `_cached_page` has looked
        view = view_of(request.caller)
        response = self.cached(request, state, view) if may_be_cached else None
        if response is None:
            position = state.position
            response = self._builder.page(request, state, await self.page(state, plan), plan)
            if not plan.is_private:
                self.cache(request, state, view, position, response)
        is_own = _may_be_concealed(request, state) and _has_only_own_rows(request, state, plan)
        request.concealment = Concealment.OWN_CHANGES if is_own else None
        return response.to_response(request)

    async def _read_changes(self, caller: Caller, state: SessionState, since: Since, limit: int) -> Page:
        """Read the rows that memory lacks: the JSON of activities, or else the whole page."""
        left, stalls = MAX_ACTIVITIES_EVER, 0
        for _ in range(MAX_CONFIG_READS):
            window = _window(state, caller.participant_id, since, limit)
            if window is None:
                break
            unread = state.configs.missing(visible_changed_activities(MemoryRows(state), view_of(caller), window))
            stalls += len(unread) >= left
            if stalls > MAX_STALLED_READS:
                break
            left, unread = len(unread), unread[:MAX_CONFIGS_PER_READ]
            read = partial(self._db.read, activities_with_contents, unread)
            state.configs.put(await self.single_flight(state, ("contents", *unread), read))
            page_in_memory = self._changes_in_memory(state, caller, since, limit)
            if page_in_memory is not None:
                return page_in_memory
        now_us = self._clock.wall_us()
        seat: int | None = caller.participant_id
        page, own = await self._db.read(read_changes, state.session.id, caller, since, self._link_keys, limit=limit, now_us=now_us)
        if seat is not None:
            state.own_timestamps.add(seat, own)
        return page

    def _changes_in_memory(self, state: SessionState, caller: Caller, since: Since, limit: int) -> Page | None:
        """Build a page of the session's changes from memory; None if memory lacks a part of it."""
        window = _window(state, caller.participant_id, since, limit)
        if window is None or state.configs.missing(visible_changed_activities(MemoryRows(state), view_of(caller), window)):
            return None
        return changes_in_memory(state, caller, window, self._link_keys)

    def _cache_status(
        self, request: Request, state: SessionState, view: View, snapshot: CountsSnapshot | None, body: bytes
    ) -> CachedResponse:
        until_s = snapshot.taken_s + MAX_SNAPSHOT_AGE_S if snapshot else inf
        return self.cache(request, state, view, state.position, self._builder.status(request, state, view, body, until_s=until_s))

    def cached(self, request: Request, state: SessionState, view: View) -> CachedResponse | None:
        """Return a cached response to a request that is still fresh, or None."""
        return state.responses.get(view, request.canonical_target, request.caller.participant_id, self._clock.monotonic_s())

    def cache(self, request: Request, state: SessionState, view: View, position: int, response: CachedResponse) -> CachedResponse:
        """Cache a response that was built from the state at a position, unless it changed since."""
        target = request.canonical_target
        if target is not None and state.can_cache(position):
            state.responses.views[view].put(target, response)
        return response

    async def single_flight(self, state: SessionState, key: Hashable, read: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Share one query among identical requests at the same position."""
        read_key = (state.session.id, state.position, key)
        task = self._reads.get(read_key)
        if task is None:
            task = self._reads[read_key] = asyncio.create_task(read())
            task.add_done_callback(lambda done: self._end_read(read_key, done))
        found: T = await asyncio.shield(task)
        return found

    def _end_read(self, read_key: Hashable, done: asyncio.Task[Any]) -> None:
        del self._reads[read_key]
        _ = done.cancelled() or done.exception()  # retrieved, so that asyncio does not log it again


def page_limit(request: Request) -> int:
    """Return the number of items per page; `InvalidInput` unless it is a number from 1 to 1,000."""
    text = request.query("limit")
    if text is None:
        return DEFAULT_LIMIT
    limit = int(text) if text.isascii() and text.isdecimal() and len(text) < MAX_LIMIT_DIGITS else 0
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidInput(errors=(FieldError("/query/limit", f"must be a whole number from 1 to {MAX_LIMIT}"),))
    return limit


def _newest_visible_ts(state: SessionState, participant_id: int | None, since: Since) -> int | None:
    """Return the newest change in the caller's view, or None if only the database knows."""
    if participant_id is None:
        return state.ts
    own = state.newest_own_ts(participant_id, since.us)
    return None if own is None else max(state.control_ts, own)


def _has_rows_after(state: SessionState, participant_id: int | None, since: Since, newest: int) -> bool:
    """Return whether memory holds all rows after a position.

    A position beyond the newest one in memory may come from another worker, which knows more. Only
    the database can clamp it.
    """
    if since.kind == "now":
        return True
    if participant_id is not None:
        floor = MemoryRows.own_floor(state, participant_id)
        if floor is None or since.us > newest:
            return False
        return (since.kind == "position" and floor <= since.us) or _is_seat_after(state, participant_id, floor)
    return since.kind == "position" and MemoryRows.floor(state) <= since.us <= newest


def _is_seat_after(state: SessionState, participant_id: int, floor: int) -> bool:
    """Return whether a seat is newer than the floor, so that memory holds all of its rows."""
    seat = state.recent_seats.get(participant_id)
    return seat is not None and seat.created_ts > floor


def _visible_to(state: SessionState, seat: int, since: Since) -> VisibleTo | None:
    """Return the seats for which a page after `since` is the same, None for this seat alone.

    Up to the newest control change these are all seats without own changes after it. Beyond it, the
    page belongs to the seat whose own change it is.
    """
    own, least = state.newest_own_ts(seat, since.us), 0 if since.us <= state.control_ts else since.us
    if since.kind != "position" or own is None or not least <= own <= since.us:
        return None
    return VisibleTo(
        state.own_timestamps, min_ts=least, max_ts=since.us, default_ts=0 if since.us >= state.loaded_ts else UNKNOWN_TS
    )


def _may_be_concealed(request: Request, state: SessionState) -> bool:
    """Return whether a participant polls while an anonymous round is open."""
    return request.caller.participant_id is not None and has_anonymous_round(state)


def _has_only_own_rows(request: Request, state: SessionState, plan: PagePlan) -> bool:
    """Return whether a page contains only a participant's own rows, or starts at one of them."""
    if request.caller.participant_id is None or plan.since.kind != "position":
        return False
    return plan.since.us > state.control_ts or (plan.is_private and plan.since.us == state.control_ts)


def _window(state: SessionState, seat: int | None, since: Since, limit: int) -> Window | None:
    """Return the window of rows of a page, None if memory does not reach so far."""
    newest = _newest_visible_ts(state, seat, since)
    if newest is None or not _has_rows_after(state, seat, since, newest):
        return None
    return Window(newest if since.kind == "now" else since.us, newest, limit + 1)


def _not_in_memory() -> None:
    """Have nothing in memory."""
