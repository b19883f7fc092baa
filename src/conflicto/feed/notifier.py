"""The one wait: whoever has seen everything registers first, looks again, and only then waits, so no change slips in between."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

DEBOUNCE_S = 0.03
"""How long a change is left alone before it is told: a burst arrives as one page."""

AT_ONCE = 1000
"""How many are woken in one turn of the event loop, about 30 ms of work; polls and commits of others come in between. With 200, those who
were told first and asked again held up the rest: 8,000 long-polls took 2.0 s instead of 1.4 s.
"""


class Subscriber:
    """One caller who waits, again and again, until the wait `is_over`; `bearer` is their seat, None for hosts and screens."""

    __slots__ = ("_is_rung", "_sleep", "bearer", "is_over")

    def __init__(self, bearer: int | None) -> None:
        self.bearer = bearer
        self.is_over = False
        self._is_rung = False
        self._sleep: asyncio.Future[None] | None = None

    def wake(self) -> None:
        """End the wait, now or as soon as it begins."""
        self._is_rung = True
        if self._sleep is not None and not self._sleep.done():
            self._sleep.set_result(None)

    def finish(self) -> None:
        """End the wait for good: the time is over, or nobody is left to hear of it."""
        self.is_over = True
        self.wake()

    async def wait(self) -> None:
        """Wait to be woken, unless that has happened since the last wait."""
        if not self._is_rung:
            self._sleep = asyncio.get_running_loop().create_future()
            await self._sleep
            self._sleep = None
        self._is_rung = False


class Notifier:
    """Everyone who waits for one kind of change of one session."""

    __slots__ = ("_is_rung", "_waiters")

    def __init__(self) -> None:
        self._waiters: set[Subscriber] = set()
        self._is_rung = False

    def register(self, waiter: Subscriber) -> None:
        """Begin to wake someone with every change."""
        self._waiters.add(waiter)

    def remove(self, waiter: Subscriber) -> None:
        """Stop that."""
        self._waiters.discard(waiter)

    @contextmanager
    def waking(self, waiter: Subscriber) -> Iterator[None]:
        """Wake someone with every change meanwhile."""
        self._waiters.add(waiter)
        try:
            yield
        finally:
            self._waiters.discard(waiter)

    def ring(self) -> None:
        """Wake everyone in a moment; changes until then are told together with this one."""
        if self._waiters and not self._is_rung:
            self._is_rung = True
            asyncio.get_running_loop().call_later(DEBOUNCE_S, self.ring_now)

    def ring_now(self) -> None:
        """Wake everyone who is registered now."""
        self._is_rung = False
        _wake(list(self._waiters))

    def ring_for(self, bearers: Container[int | None]) -> None:
        """Wake the waiters of some seats alone, at once."""
        _wake([each for each in self._waiters if each.bearer in bearers])


def _wake(waiters: list[Subscriber]) -> None:
    for waiter in waiters[-AT_ONCE:]:
        waiter.wake()
    del waiters[-AT_ONCE:]
    if waiters:
        asyncio.get_running_loop().call_soon(_wake, waiters)
