"""Bounded queue for reads, which limits their waiting time and detects stuck readers.

Reads begin in order of arrival, except in a category that already runs its maximum. A read is
refused after `max_wait_s` of its category, or when no read of the category began for `stalled_s`.
It is refused at once when the queue is full or the expected wait exceeds its limit.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from conflicto.platform.db.errors import RETRY_AFTER_S
from conflicto.platform.moving_average import MovingAverage
from conflicto.platform.problems import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_WAITING_READS = 20_000
"""Waiting reads of all categories, 2 KB each; as many as commands may wait for the writer."""

WAIT_MARGIN = 2
"""Multiple of `max_wait_s` at which the expected wait causes a refusal: the estimate may be too
high."""

NEWEST_WEIGHT = 0.1
"""Weight of the newest read in the moving average of a read's duration."""

URGENT_NUMBER = -1
"""Number of a read that goes before all others."""


@dataclass(eq=False, slots=True)
class ReadCategory:
    """Waiting reads of one kind, by number; at most `max_running` run at once."""

    max_running: int
    max_wait_s: float
    stalled_s: float
    busy_detail: str
    running: int = 0
    duration_s: MovingAverage = field(default_factory=lambda: MovingAverage(NEWEST_WEIGHT))
    last_start_s: float = 0.0
    waiting: OrderedDict[asyncio.Future[None], int] = field(default_factory=OrderedDict)

    @property
    def expected_wait_s(self) -> float:
        """Expected wait of one more read, by the mean duration of finished reads."""
        return len(self.waiting) * self.duration_s.value / self.max_running

    @property
    def oldest_number(self) -> int:
        """Number of the read that has waited longest."""
        return next(iter(self.waiting.values()))

    def busy_error(self) -> Unavailable:
        """Return the error for a read that got no reader."""
        return Unavailable(self.busy_detail, retry_after_s=RETRY_AFTER_S)


class ReaderQueue:
    """Places for reads, granted on the event loop. Callers return them with `release`."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._numbers: Iterator[int] = count()
        self._categories: list[ReadCategory] = []

    def __len__(self) -> int:
        """Return the number of waiting reads."""
        return sum(len(category.waiting) for category in self._categories)

    def add_category(self, max_running: int, *, max_wait_s: float, stalled_s: float, busy_detail: str) -> ReadCategory:
        """Register a category; `busy_detail` is the problem's detail for refused callers."""
        self._categories.append(ReadCategory(max_running, max_wait_s, stalled_s, busy_detail))
        return self._categories[-1]

    async def acquire(self, category: ReadCategory, *, is_urgent: bool = False) -> None:
        """Take a place in order of arrival, or before all waiting reads if urgent.

        Raises:
            Unavailable: no place comes free in time.
        """
        is_too_long = category.expected_wait_s > WAIT_MARGIN * category.max_wait_s or len(self) >= MAX_WAITING_READS
        if is_too_long and not is_urgent:
            raise category.busy_error()
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        category.waiting[place] = URGENT_NUMBER if is_urgent else next(self._numbers)
        if is_urgent:
            category.waiting.move_to_end(place, last=False)
        self._grant()
        try:
            await _wait_for_grant(category, place)
        except BaseException:
            if place.done() and not place.cancelled():
                self.release(category)
            category.waiting.pop(place, None)
            raise

    def release(self, category: ReadCategory, duration_s: float | None = None) -> None:
        """Return a place; `duration_s` is the duration of a successful read."""
        if duration_s is not None:
            category.duration_s.add(duration_s)
        category.running -= 1
        self._free += 1
        self._grant()

    def _grant(self) -> None:
        while self._free and (
            runnable := [category for category in self._categories if category.waiting and category.running < category.max_running]
        ):
            category = min(runnable, key=lambda each: each.oldest_number)
            place, _ = category.waiting.popitem(last=False)
            if place.cancelled():
                continue
            self._free -= 1
            category.running += 1
            category.last_start_s = asyncio.get_running_loop().time()
            place.set_result(None)


async def _wait_for_grant(category: ReadCategory, place: asyncio.Future[None]) -> None:
    """Wait for a place; raises the category's error after its time limit."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    while not place.done():
        left_s = min(began_s + category.max_wait_s, max(began_s, category.last_start_s) + category.stalled_s) - loop.time()
        if left_s <= 0:
            raise category.busy_error()
        await asyncio.wait((place,), timeout=left_s)
