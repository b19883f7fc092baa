"""The one wait: whoever has seen everything registers first, looks again, and only then waits, so no change slips in between."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Waiter:
    """One caller who waits; `bearer` is their seat, None for hosts and screens."""

    __slots__ = ("_woken", "bearer", "is_gone")

    def __init__(self, bearer: int | None) -> None:
        self.bearer = bearer
        self.is_gone = False
        self._woken: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def wake(self, *, news: bool = True) -> None:
        """End the wait, now or as soon as it begins; without news it ends as if the time were over."""
        if not self._woken.done():
            self._woken.set_result(news)

    def leave(self) -> None:
        """End the wait because nobody is left to hear of it."""
        self.is_gone = True
        self.wake(news=False)

    async def until(self, seconds: float) -> bool:
        """Wait for a change, at most so long; say whether there was one."""
        timer = asyncio.get_running_loop().call_later(seconds, lambda: self.wake(news=False))
        try:
            return await self._woken
        finally:
            timer.cancel()


class Bell:
    """Everyone who waits for one kind of change of one session."""

    __slots__ = ("_waiters",)

    def __init__(self) -> None:
        self._waiters: set[Waiter] = set()

    @contextmanager
    def waiter(self, bearer: int | None) -> Iterator[Waiter]:
        """Register before looking, so that what changes meanwhile is not missed."""
        waiter = Waiter(bearer)
        self._waiters.add(waiter)
        try:
            yield waiter
        finally:
            self._waiters.discard(waiter)

    def ring(self) -> None:
        """Wake everyone."""
        waiters, self._waiters = self._waiters, set()
        for waiter in waiters:
            waiter.wake()

    def ring_for(self, bearer: int) -> None:
        """Wake one seat's waiters alone."""
        for waiter in [each for each in self._waiters if each.bearer == bearer]:
            waiter.wake()
