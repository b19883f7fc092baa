"""Server-Sent Events: pages of the feed, or other events, pushed to clients.

A stream has a cursor and no queue. It writes nothing while its client does not read, and the next
page starts where the last one ended. Events for many streams are encoded once.
"""

from __future__ import annotations

import asyncio
from functools import partial
from math import ceil
from typing import TYPE_CHECKING, Protocol

from conflicto.feed.errors import TooManyStreams
from conflicto.feed.fan_out import FanOut
from conflicto.feed.sse_sources import MAX_EVENTS_PER_PAGE, FeedEventSource, Reader, with_retry
from conflicto.feed.stream_follower import StreamFollower
from conflicto.feed.timer_wheel import TimerWheel
from conflicto.feed.timestamps import parse
from conflicto.platform.http.messages import Response
from conflicto.platform.ids import random_up_to
from conflicto.platform.instants import US_PER_S
from conflicto.platform.problems import DomainError
from conflicto.session_state.notifier import Subscriber
from conflicto.session_state.views import view_of

if TYPE_CHECKING:
    from collections.abc import Coroutine, Hashable
    from typing import Any

    from conflicto.access.roles import Caller
    from conflicto.feed.pages import Page
    from conflicto.feed.poll_handler import PollHandler
    from conflicto.feed.sse_sources import EventSource, PlanPage
    from conflicto.platform.clock import Clock
    from conflicto.platform.http.messages import Header, Request, Write
    from conflicto.platform.http.server.stream_connection import StreamConnection
    from conflicto.session_state.session_cache import SessionCache
    from conflicto.session_state.state import SessionState

MAX_SILENCE_S = 8.0
"""Longest silence of a stream. Clients treat 20 s as a dead connection, so one lost comment is
harmless.
"""

TICK_S = 1.0
"""The timer's tick."""

LIFETIME_S = (300.0, 900.0)
"""Lifetime of a stream, at random, so that clients spread over servers and never reconnect all at
once.
"""

MAX_STREAMS = 20_000
MAX_STREAMS_PER_TOKEN = 6
"""Streams with one token: as many connections as a browser opens to one host."""

HEADERS: tuple[Header, ...] = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"vary", b"Authorization, Accept"),
    (b"x-accel-buffering", b"no"),
)
EVENT_STREAM = b"text/event-stream"


class OpenStream(Protocol):
    """A stream that a request or a follower writes. It writes something at `due_s` in any case."""

    due_s: float

    def wake(self) -> None:
        """Look for news, or write what is due."""

    def finish(self) -> None:
        """End soon."""


class StreamRegistry:
    """Open streams of this process."""

    def __init__(self, sessions: SessionCache, polls: PollHandler, clock: Clock) -> None:
        self.sessions = sessions
        self._polls = polls
        self.clock = clock
        self.is_open = True
        self.open_count = 0
        self.fan_out = FanOut(clock)
        self.waiting_for_page: dict[Hashable, list[StreamFollower]] = {}
        self._reads: set[asyncio.Task[Page]] = set()
        self._by_subject: dict[str, list[OpenStream]] = {}
        self._wheel: TimerWheel[OpenStream] = TimerWheel()

    def close(self) -> None:
        """End every stream and ask its client to reconnect. `SessionCache.close` wakes them."""
        self.is_open = False

    async def changes(self, request: Request, default: str) -> Response:
        """Stream the session's changes; raises as `_open` does."""
        return await self._open(request, self._polls.plan_changes, b"change", default)

    async def responses(self, request: Request, default: str) -> Response:
        """Stream an activity's answers; raises as `_open` does, and `ResponsesHidden`."""
        return await self._open(request, self._polls.plan_responses, b"response", default)

    async def _open(self, request: Request, plan_page: PlanPage, event: bytes, default: str) -> Response:
        """Return a stream from `Last-Event-ID`, else from `default`; 204 if it would stay empty.

        Raises:
            InvalidTimestamp, CursorInFuture: invalid position.
            CursorExpired: the position points to changes lost in a restore.
            TooManyStreams: this server has reached its limit.
        """
        since = parse(request.header(b"last-event-id") or default)
        state = await self.sessions.get(request.params["session_id"])
        page = await self._polls.page(state, plan_page(request, state, since, MAX_EVENTS_PER_PAGE))
        if page.closed and not page.items:
            return Response(204)
        source = FeedEventSource(self._polls, Reader(request), plan_page, event, page)
        first = source.first_events()
        response = self._response(request, source, first)
        response.follow = partial(self._follow, request, source, first)
        return response

    def _follow(self, request: Request, source: FeedEventSource, first: tuple[bytes, bool], connection: StreamConnection) -> None:
        """Follow the session on a connection of the fast path."""
        follower = StreamFollower(
            self, connection, source, request.params["session_id"], request.reauthenticate, ends_at_s=self.ends_at_s(request.caller)
        )
        follower.begin(first[0], is_last=first[1])

    async def follow(self, request: Request, source: EventSource) -> Response:
        """Stream the events of a source; 204 if there is none and there will be none.

        Raises:
            DomainError: an error of the source.
            TooManyStreams: this server has reached its limit.
        """
        events, is_last = await source.events(await self.sessions.get(request.params["session_id"]))
        if is_last and not events:
            return Response(204)
        return self._response(request, source, (events, is_last))

    def _response(self, request: Request, source: EventSource, first: tuple[bytes, bool]) -> Response:
        if not self.is_open or self.open_count >= MAX_STREAMS:
            raise TooManyStreams(retry_after_s=2)
        response = Response(200, b"", HEADERS)
        response.stream = Stream(self, request, source, first).run
        return response

    async def run(self) -> None:
        """Wake streams that were silent too long, or reached their lifetime, until cancelled.

        One timer serves all of them.
        """
        while True:
            tick_s = _tick_s()
            await asyncio.sleep(tick_s)
            now_s = self.clock.monotonic_s()
            for stream in self._wheel.advance():
                if stream.due_s <= now_s:
                    stream.wake()
                self._wheel.put(stream, ceil((stream.due_s - now_s) / tick_s))

    def read_ahead(self, read: Coroutine[Any, Any, Page]) -> None:
        """Read a page soon. Whoever wants it afterwards meets the error, if there is one."""
        task = asyncio.create_task(read)
        self._reads.add(task)
        task.add_done_callback(self._note_read)

    def _note_read(self, task: asyncio.Task[Page]) -> None:
        self._reads.discard(task)
        _ = task.cancelled() or task.exception()  # retrieved, so that asyncio does not log it again

    def ends_at_s(self, caller: Caller) -> float:
        """Return a random end of a stream that begins now, at the latest when its token expires."""
        lifetime_s = LIFETIME_S[0] + random_up_to(LIFETIME_S[1] - LIFETIME_S[0])
        if caller.expires_s is not None:
            lifetime_s = min(lifetime_s, caller.expires_s - self.clock.wall_us() / US_PER_S)
        return self.clock.monotonic_s() + lifetime_s

    @staticmethod
    def silence_s() -> float:
        """Return the time after which a silent stream writes something.

        It is random, so that streams that were opened together do not write together.
        """
        return MAX_SILENCE_S - _tick_s() - random_up_to(_tick_s())

    def add(self, stream: OpenStream, subject: str) -> None:
        """Add a stream.

        If its token has too many, end the oldest ones, whose clients are most likely gone.
        """
        self.open_count += 1
        self._wheel.put(stream, 1)
        streams = self._by_subject.setdefault(subject, [])
        streams.append(stream)
        for oldest in streams[:-MAX_STREAMS_PER_TOKEN]:
            oldest.finish()

    def remove(self, stream: OpenStream, subject: str) -> None:
        """Remove a stream."""
        self.open_count -= 1
        self._wheel.remove(stream)
        self._by_subject[subject].remove(stream)
        if not self._by_subject[subject]:
            del self._by_subject[subject]


class Stream:
    """One client's stream. It writes something at `due_s` in any case."""

    __slots__ = ("_ends_at_s", "_first_events", "_registry", "_request", "_source", "_state", "due_s", "subscriber")

    def __init__(self, streams: StreamRegistry, request: Request, source: EventSource, first: tuple[bytes, bool]) -> None:
        self._registry = streams
        self._request = request
        self._source = source
        self._first_events = first
        self._state: SessionState | None = None
        self._ends_at_s = streams.ends_at_s(request.caller)
        self.due_s = 0.0
        self.subscriber = Subscriber(request.caller.participant_id)

    def wake(self) -> None:
        """Look for news, or write what is due."""
        self.subscriber.wake()

    def finish(self) -> None:
        """End soon."""
        self.subscriber.finish()

    async def run(self, write: Write) -> None:
        """Write until the client leaves, loses access, or is asked to reconnect."""
        subject = self._request.caller.subject
        self._registry.add(self, subject)
        try:
            with self._request.on_disconnect(self.subscriber.finish):
                (events, is_last), self._first_events = self._first_events, (b"", False)
                await self._write(write, with_retry(events))
                await self._follow(write, is_last=is_last)
        except DomainError:
            pass  # the caller lost access, and the response to its next request says why
        finally:
            self._subscribe_to(None)
            self._registry.remove(self, subject)

    async def _follow(self, write: Write, *, is_last: bool) -> None:
        while not is_last and not self.subscriber.is_finished:
            now_s = self._registry.clock.monotonic_s()
            if not self._registry.is_open or now_s >= self._ends_at_s:
                await write(with_retry(self._source.keep_alive()))
                return
            state = await self._registry.sessions.get(self._request.params["session_id"])
            self._subscribe_to(state)
            events, is_last = await self._source.events(state)
            if events:
                await self._write(write, events)
            elif now_s >= self.due_s:
                await self._write(write, b":\n" + self._source.keep_alive())
            elif not is_last:
                await self.subscriber.wait()
                await self._request.reauthenticate()

    def _subscribe_to(self, state: SessionState | None) -> None:
        """Subscribe to this state's notifier only."""
        if state is not self._state:
            view = view_of(self._request.caller)
            if self._state is not None:
                self._state.notifiers[view].unsubscribe(self.subscriber)
            if state is not None:
                state.notifiers[view].subscribe(self.subscriber)
            self._state = state

    async def _write(self, write: Write, part: bytes) -> None:
        silence_s = min(self._registry.silence_s(), self._source.poll_interval_s)
        self.due_s = min(self._registry.clock.monotonic_s() + silence_s, self._ends_at_s)
        await write(part)


def _tick_s() -> float:
    return min(TICK_S, MAX_SILENCE_S / 8)
