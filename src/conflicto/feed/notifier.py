"""The one wait: whoever has seen everything registers first, looks again, and only then waits, so no change slips in between."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

DEBOUNCE_S = 0.03
"""How long a change is left alone before it is told: a burst arrives as one page."""

MAX_WAKES_PER_TURN = 1000
"""How many are woken in one turn of the event loop, about 30 ms of work; polls and commits of others come in between. With 200, those who
were told first and asked again held up the rest: 8,000 long-polls took 2.0 s instead of 1.4 s.
"""


class Subscriber:
    """One caller who waits, again and again, until the wait `is_over`; `bearer` is their seat, None for hosts and screens."""

    __slots__ = ("_is_woken", "_wakeup", "is_finished", "participant_id")

    def __init__(self, bearer: int | None) -> None:
        self.participant_id = bearer
        self.is_finished = False
        self._is_woken = False
        self._wakeup: asyncio.Future[None] | None = None

    def wake(self) -> None:
        """End the wait, now or as soon as it begins."""
        self._is_woken = True
        if self._wakeup is not None and not self._wakeup.done():
            self._wakeup.set_result(None)

    def finish(self) -> None:
        """End the wait for good: the time is over, or nobody is left to hear of it."""
        self.is_finished = True
        self.wake()

    async def wait(self) -> None:
        """Wait to be woken, unless that has happened since the last wait."""
        if not self._is_woken:
            self._wakeup = asyncio.get_running_loop().create_future()
            await self._wakeup
            self._wakeup = None
        self._is_woken = False


class Notifier:
    """Everyone who waits for one kind of change of one session."""

    __slots__ = ("_is_scheduled", "_subscribers")

    def __init__(self) -> None:
        self._subscribers: set[Subscriber] = set()
        self._is_scheduled = False

    def subscribe(self, waiter: Subscriber) -> None:
        """Begin to wake someone with every change."""
        self._subscribers.add(waiter)

    def unsubscribe(self, waiter: Subscriber) -> None:
        """Stop that."""
        self._subscribers.discard(waiter)

    @contextmanager
    def subscribed(self, waiter: Subscriber) -> Iterator[None]:
        """Wake someone with every change meanwhile."""
        self._subscribers.add(waiter)
        try:
            yield
        finally:
            self._subscribers.discard(waiter)

    def notify(self) -> None:
        """Wake everyone in a moment; changes until then are told together with this one."""
        if self._subscribers and not self._is_scheduled:
            self._is_scheduled = True
            asyncio.get_running_loop().call_later(DEBOUNCE_S, self.notify_now)

    def notify_now(self) -> None:
        """Wake everyone who is registered now."""
        self._is_scheduled = False
        _wake_in_batches(list(self._subscribers))

    def notify_participants(self, participant_ids: Container[int | None]) -> None:
        """Wake the waiters of some seats alone, at once."""
        _wake_in_batches([each for each in self._subscribers if each.participant_id in participant_ids])


def _wake_in_batches(waiters: list[Subscriber]) -> None:
    for waiter in waiters[-MAX_WAKES_PER_TURN:]:
        waiter.wake()
    del waiters[-MAX_WAKES_PER_TURN:]
    if waiters:
        asyncio.get_running_loop().call_soon(_wake_in_batches, waiters)
