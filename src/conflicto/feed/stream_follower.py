"""Stream follower: a stream of the feed as a record of the fast path, without a task.

It does what `Stream` does, in the same order, in one step of the fan-out. What memory lacks is read
by a task that ends with the reading.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from conflicto.feed.sse_sources import with_retry
from conflicto.platform.http.server.stream_connection import chunk_of
from conflicto.platform.problems import DomainError
from conflicto.session_state.notifier import Subscriber
from conflicto.session_state.views import view_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Hashable
    from typing import Any

    from conflicto.feed.sse_sources import FeedEventSource
    from conflicto.feed.streams import StreamRegistry
    from conflicto.platform.http.server.stream_connection import StreamConnection
    from conflicto.platform.response_cache.response_cache import ViewCache
    from conflicto.session_state.state import SessionState

log = structlog.get_logger(__name__)


class StreamFollower(Subscriber):
    """One client's stream. It writes something at `due_s` in any case."""

    __slots__ = (
        "_connection", "_ends_at_s", "_is_queued", "_is_verified", "_reading", "_registry", "_revocations", "_seat_version",
        "_session_id", "_silence_s", "_source", "_state", "_tokens", "due_s", "reauthenticate",
    )  # fmt: skip

    def __init__(
        self,
        registry: StreamRegistry,
        connection: StreamConnection,
        source: FeedEventSource,
        session_id: int,
        reauthenticate: Callable[[], Awaitable[None]],
        *,
        ends_at_s: float,
    ) -> None:
        super().__init__(source.caller.participant_id)
        self._registry = registry
        self._connection = connection
        self._source = source
        self._session_id = session_id
        self._state: SessionState | None = None
        self._tokens: ViewCache | None = None
        self._revocations = self._seat_version = 0
        self._ends_at_s = ends_at_s
        self._silence_s = registry.silence_s()
        self._is_queued = False
        self._is_verified = True
        self._reading: asyncio.Task[None] | None = None
        self.due_s = 0.0
        self.reauthenticate = reauthenticate

    def begin(self, events: bytes, *, is_last: bool) -> None:
        """Write the first events, and follow the session."""
        self._connection.follower = self
        self._registry.add(self, self._source.caller.subject)
        self._write(chunk_of(with_retry(events)), self._registry.clock.monotonic_s())
        if is_last:
            self._end()
        else:
            self.wake()

    def wake(self) -> None:
        """Step soon."""
        if not self._is_queued:
            self._is_queued = True
            self._registry.fan_out.put(self)

    def finish(self) -> None:
        """End soon; at once if the client does not read, so that its place is free."""
        if self._connection.is_stalled:
            self._leave()
            self._connection.transport.abort()
        else:
            super().finish()

    def prepare(self) -> None:
        """Read the next page into memory before thousands of followers want it at once."""
        state = self._state
        if self._reading is None and state is not None and not self._is_changed(state):
            read = self._source.prepare(state)
            if read is not None:
                self._registry.read_ahead(read)

    def on_readable_again(self) -> None:
        """Continue where the client stopped reading."""
        self.wake()

    def on_disconnect(self) -> None:
        """Leave: the client is gone."""
        self._leave()

    def step(self, now_s: float) -> None:
        """Write what is new, or what is due; end if the client lost access or its time is over."""
        self._is_queued = False
        connection = self._connection
        if self._reading is not None or connection.is_stalled or connection.follower is not self:
            return
        try:
            state = self._state
            if state is not None and now_s < self.due_s and not self._is_changed(state):
                chunk = self._source.take_shared(state)
                if chunk is not None:
                    self.due_s = min(now_s + self._silence_s, self._ends_at_s)
                    connection.transport.write(chunk)
                    return
            self._step(now_s)
        except Exception as error:  # noqa: BLE001 - other followers of the queue continue
            self._fail(error)

    def _step(self, now_s: float) -> None:
        if self.is_finished:
            self._end()
            return
        if not self._registry.is_open or now_s >= self._ends_at_s:
            _is_done_at_once(self.reauthenticate())  # an expired token ends the stream without a bookmark
            self._connection.write(with_retry(self._source.keep_alive()))
            self._end()
            return
        state = self._state
        if state is None or not state.is_current or state.is_behind:
            state = self._registry.sessions.cached(self._session_id)
        if self._registry.waiting_for_page and self._waits_for_page((self._session_id, self._source.key(state))):
            return
        if state is None or not self._has_access(state, now_s) or not self._write_news(state, now_s):
            self._read_soon(state)

    def _read_soon(self, state: SessionState | None) -> None:
        """Let a task read what memory lacks, one for all followers that lack the same page."""
        key = (self._session_id, self._source.key(state))
        self._registry.waiting_for_page.setdefault(key, [])
        self._reading = asyncio.create_task(self._read(key))

    def _waits_for_page(self, key: Hashable) -> bool:
        """Wait for another follower that reads the same page, if there is one."""
        waiting = self._registry.waiting_for_page.get(key)
        if waiting is not None:
            self._is_queued = True
            waiting.append(self)
        return waiting is not None

    def _has_access(self, state: SessionState, now_s: float) -> bool:
        """Return whether the caller still has access; False if only the database knows.

        A token is verified when tokens were revoked, and when the stream was silent.

        Raises:
            DomainError: the caller lost access.
        """
        if state is not self._state:
            self._subscribe_to(state)
            self._is_verified = False
        elif now_s >= self.due_s or self._is_changed(state):
            self._is_verified = False
        if not self._is_verified and _is_done_at_once(self.reauthenticate()):
            self._note_verified(state)
        return self._is_verified

    def _is_changed(self, state: SessionState) -> bool:
        """Return whether anything but the data may have changed since the last step."""
        return (
            not self._is_verified
            or self.is_finished
            or not state.is_current
            or state.is_behind
            or self._tokens is None
            or self._tokens.revocations != self._revocations
            or (self.participant_id is not None and state.seat_versions.get(self.participant_id, 1) != self._seat_version)
            or not self._registry.is_open
        )

    def _note_verified(self, state: SessionState) -> None:
        self._is_verified = True
        self._revocations = state.responses.views[view_of(self._source.caller)].revocations
        self._seat_version = 0 if self.participant_id is None else state.seat_version(self.participant_id)

    def _write_news(self, state: SessionState, now_s: float) -> bool:
        """Write new events, or a sign of life if it is due. Return False if memory lacks a page."""
        while (batch := self._source.take(state)) is not None:
            chunk, is_last = batch
            if chunk:
                self._write(chunk, now_s)
            elif now_s >= self.due_s:
                self._write(chunk_of(b":\n" + self._source.keep_alive()), now_s)
            if is_last:
                self._end()
            if is_last or not chunk or self._connection.is_stalled:
                return True
        return False

    async def _read(self, key: Hashable) -> None:
        """Read from the database what the next steps need, and let them follow."""
        try:
            await self.reauthenticate()
            state = await self._registry.sessions.get(self._session_id)
            self._subscribe_to(state)
            self._note_verified(state)
            events, is_last = await self._source.events(state)
            if events:
                self._write(chunk_of(events), self._registry.clock.monotonic_s())
            if is_last:
                self._end()
        except Exception as error:  # noqa: BLE001 - as above
            self._fail(error)
        finally:
            self._reading = None
            for follower in self._registry.waiting_for_page.pop(key, ()):
                self._registry.fan_out.put(follower)
        if self._connection.follower is self:
            self.wake()

    def _write(self, chunk: bytes, now_s: float) -> None:
        self.due_s = min(now_s + self._silence_s, self._ends_at_s)
        self._connection.transport.write(chunk)

    def _fail(self, error: Exception) -> None:
        """End. If the caller lost access, the response to its next request says why."""
        if not isinstance(error, DomainError):
            log.error("stream-failed", exc_info=error)
        self._end()

    def _end(self) -> None:
        self._leave()
        self._connection.end()

    def _leave(self) -> None:
        if self._connection.follower is self:
            self._connection.follower = None
            self._subscribe_to(None)
            self._registry.remove(self, self._source.caller.subject)
            if self._reading is not None:
                self._reading.cancel()

    def _subscribe_to(self, state: SessionState | None) -> None:
        """Subscribe to this state's notifier only."""
        if state is not self._state:
            view = view_of(self._source.caller)
            if self._state is not None:
                self._state.notifiers[view].unsubscribe(self)
            if state is not None:
                state.notifiers[view].subscribe(self)
                self._tokens = state.responses.views[view]
            self._state = state


def _is_done_at_once(awaitable: Awaitable[None]) -> bool:
    """Run up to the first wait. Return whether there was none; raises what the awaitable raises."""
    run: Generator[Any, None, None] = awaitable.__await__()
    try:
        next(run)
    except StopIteration:
        return True
    run.close()
    return False
