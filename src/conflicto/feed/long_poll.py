"""Long-poll: hold a response without changes until there are some, or until the wait ends."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

from conflicto.platform.ids import random_up_to
from conflicto.platform.metrics.definitions import LONG_POLLS
from conflicto.platform.problems import FieldError, InvalidInput
from conflicto.session_state.notifier import Subscriber
from conflicto.session_state.views import view_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from conflicto.platform.http.messages import Request, Response
    from conflicto.platform.metrics.registry import Metrics
    from conflicto.session_state.session_cache import SessionCache
    from conflicto.session_state.state import SessionState

MAX_WAIT_S = 25
"""Limit below the 30 s at which the first proxies cut an idle connection, jitter included."""

JITTER_SHARE = 1 / 16
"""Share of the wait that is added at random, so that clients spread their next requests."""

MAX_WAITING = 20_000
"""Limit of waiting requests in one process, about 8 KB each. Requests beyond it are answered at
once.
"""

MAX_WAITING_PER_TOKEN = 6
"""Waiting requests with one token: as many connections as a browser opens to one host."""

_PREFER = re.compile(r'(?:^|[,;])[ \t]{0,8}wait[ \t]{0,8}=[ \t]{0,8}"?([0-9]{1,6})"?', re.IGNORECASE | re.ASCII)
_SECONDS = re.compile(r"[0-9]{1,6}", re.ASCII)


class LongPoll:
    """Waiting requests of this process."""

    def __init__(self, sessions: SessionCache, metrics: Metrics) -> None:
        self.sessions = sessions
        self._with_change, self._without_change, self._without_wait = (
            metrics.counter(LONG_POLLS, how) for how in ("told", "ended", "not_held")
        )
        self.waiting = 0
        self._waiting_by_subject: Counter[str] = Counter()
        self._is_open = True

    def close(self) -> None:
        """Answer new requests at once from now on. `SessionCache.close` wakes the waiting ones."""
        self._is_open = False

    async def respond(self, request: Request, make: Callable[[Request, SessionState], Awaitable[Response]]) -> Response:
        """Return a response at once or, if the caller prefers to wait, once there is a change.

        Raises:
            InvalidInput: `wait` is no number of seconds.
            DomainError: an error of `make`, or a revoked token.
        """
        if request.query_string or b"prefer" in request.first_values:
            seconds = requested_wait_s(request)
            if seconds:
                with self._reserve_slot(request.caller.subject) as granted:
                    if granted:
                        return await self._wait_for_change(request, make, seconds)
                self._without_wait.inc()
        return await make(request, await self.sessions.get(request.params["session_id"]))

    async def _wait_for_change(
        self, request: Request, make: Callable[[Request, SessionState], Awaitable[Response]], seconds: int
    ) -> Response:
        view, subscriber = view_of(request.caller), Subscriber(request.caller.participant_id)
        timer = asyncio.get_running_loop().call_later(seconds * (1 + random_up_to(JITTER_SHARE)), subscriber.finish)
        try:
            with request.on_disconnect(subscriber.finish):
                while True:
                    state = await self.sessions.get(request.params["session_id"])
                    with state.notifiers[view].subscribed(subscriber):
                        response = await make(request, state)
                        is_stale = response.has_no_changes
                        if not is_stale or subscriber.is_finished or not self._is_open:
                            (self._without_change if is_stale or request.concealment else self._with_change).inc()
                            response.headers += ((b"preference-applied", b"wait=%d" % seconds),)
                            return response
                        await subscriber.wait()
                    await request.reauthenticate()
        finally:
            timer.cancel()

    @contextmanager
    def _reserve_slot(self, subject: str) -> Iterator[bool]:
        if not self._is_open or self.waiting >= MAX_WAITING or self._waiting_by_subject[subject] >= MAX_WAITING_PER_TOKEN:
            yield False
            return
        self.waiting += 1
        self._waiting_by_subject[subject] += 1
        try:
            yield True
        finally:
            self.waiting -= 1
            self._waiting_by_subject[subject] -= 1
            if not self._waiting_by_subject[subject]:
                del self._waiting_by_subject[subject]


def requested_wait_s(request: Request) -> int:
    """Return the seconds from `Prefer: wait=N` or `?wait=N`, at most 25, or 0.

    Raises:
        InvalidInput: the query's `wait` is no number of seconds. An invalid preference is ignored.
    """
    text = request.query("wait")
    if text is not None:
        if not _SECONDS.fullmatch(text):
            raise InvalidInput(errors=(FieldError("/query/wait", f"must be a whole number of seconds, at most {MAX_WAIT_S}"),))
        return min(int(text), MAX_WAIT_S)
    preferred = request.header(b"prefer")
    match = None if preferred is None else _PREFER.search(preferred)
    return min(int(match[1]), MAX_WAIT_S) if match else 0
