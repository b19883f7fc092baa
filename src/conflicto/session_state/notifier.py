"""Notifier of session changes.

A subscriber registers, looks again, and only then waits, so that it misses no change.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator

log = structlog.get_logger(__name__)

DEBOUNCE_S = 0.03
"""Delay between a change and its notification: a burst arrives as one page."""

MAX_WAKES_PER_TURN = 1000
"""Limit of wakes in one turn of the event loop, about 30 ms of work, so that other requests
interleave.

With 200, early subscribers polled again and delayed the others: 8,000 long-polls took 2.0 s instead
of 1.4 s.
"""


class Subscriber:
    """One waiting caller.

    `participant_id` is None for hosts and screens; `is_finished` ends repeated waits.
    """

    __slots__ = ("_is_woken", "_wakeup", "is_finished", "participant_id")

    def __init__(self, bearer: int | None) -> None:
        self.participant_id = bearer
        self.is_finished = False
        self._is_woken = False
        self._wakeup: asyncio.Future[None] | None = None

    def wake(self) -> None:
        """End the present wait, or the next one if there is none."""
        self._is_woken = True
        if self._wakeup is not None and not self._wakeup.done():
            self._wakeup.set_result(None)

    def prepare(self) -> None:
        """Prepare what the subscribers will need. One of them is asked before all are woken."""

    def finish(self) -> None:
        """End the wait permanently: its time is over, or the client is gone."""
        self.is_finished = True
        self.wake()

    async def wait(self) -> None:
        """Wait to be woken; return at once if that happened since the last wait."""
        if not self._is_woken:
            self._wakeup = asyncio.get_running_loop().create_future()
            await self._wakeup
            self._wakeup = None
        self._is_woken = False


class Notifier:
    """Subscribers of one view of one session."""

    __slots__ = ("_is_scheduled", "_subscribers")

    def __init__(self) -> None:
        self._subscribers: set[Subscriber] = set()
        self._is_scheduled = False

    @property
    def has_subscribers(self) -> bool:
        """Return whether anybody waits."""
        return bool(self._subscribers)

    def subscribe(self, subscriber: Subscriber) -> None:
        """Wake a subscriber at every change."""
        self._subscribers.add(subscriber)

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Stop waking a subscriber."""
        self._subscribers.discard(subscriber)

    @contextmanager
    def subscribed(self, subscriber: Subscriber) -> Iterator[None]:
        """Wake a subscriber at every change within the context."""
        self._subscribers.add(subscriber)
        try:
            yield
        finally:
            self._subscribers.discard(subscriber)

    def notify(self) -> None:
        """Wake all subscribers after `DEBOUNCE_S`; one wake covers all changes until then."""
        if self._subscribers and not self._is_scheduled:
            self._is_scheduled = True
            asyncio.get_running_loop().call_later(DEBOUNCE_S, self.notify_now)
            _guard(next(iter(self._subscribers)).prepare)

    def notify_now(self) -> None:
        """Wake all present subscribers."""
        self._is_scheduled = False
        _wake_in_batches(list(self._subscribers))

    def notify_participants(self, participant_ids: Container[int | None]) -> None:
        """Wake the subscribers of some participants, at once."""
        _wake_in_batches([each for each in self._subscribers if each.participant_id in participant_ids])


def _wake_in_batches(subscribers: list[Subscriber]) -> None:
    for subscriber in subscribers[-MAX_WAKES_PER_TURN:]:
        _guard(subscriber.wake)
    del subscribers[-MAX_WAKES_PER_TURN:]
    if subscribers:
        asyncio.get_running_loop().call_soon(_wake_in_batches, subscribers)


def _guard(notice: Callable[[], None]) -> None:
    """Notify one subscriber. Its fault is logged and stops no other."""
    try:
        notice()
    except Exception:
        log.exception("subscriber-failed")
