"""Bounded queue before the readers: a burst of reads waits for its turn, and readers that are stuck are noticed.

Reads begin in the order of arrival, except that a lane with as many running reads as it may hold is passed over. A read is refused
after `max_wait_s` of its lane, when no read of the lane began for `stalled_s`, or at once when the queue is full or so long that the
wait would exceed its bound.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from conflicto.platform.db.faults import RETRY_AFTER_S
from conflicto.platform.problems import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_WAITING_READS = 20_000
"""Of all lanes, 2 KB each; as many as commands wait for the writer."""

WAIT_MARGIN = 2
"""Multiple of `max_wait_s` that the expected wait must reach for a refusal at once: the estimate may be too high."""

NEWEST_SHARE = 0.1
"""Weight of the newest read in the running mean of how long one takes."""

FIRST = -1
"""Number of a read that goes before all others."""


@dataclass(eq=False, slots=True)
class Lane:
    """Reads of one kind that wait, by their number; `size` of them may run at once."""

    size: int
    max_wait_s: float
    stalled_s: float
    busy: str
    running: int = 0
    mean_s: float = 0.0
    moved_s: float = 0.0
    waiting: OrderedDict[asyncio.Future[None], int] = field(default_factory=OrderedDict)

    @property
    def expected_wait_s(self) -> float:
        """Time that one more read would wait, by the mean of those that ended."""
        return len(self.waiting) * self.mean_s / self.size

    @property
    def first(self) -> int:
        """Number of the read that has waited longest."""
        return next(iter(self.waiting.values()))

    def refusal(self) -> Unavailable:
        """Return the error for a read that waits in vain."""
        return Unavailable(self.busy, retry_after_s=RETRY_AFTER_S)


class ReaderQueue:
    """Places for reads, given out on the event loop. Who has acquired one releases it with `release`."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._numbers: Iterator[int] = count()
        self._lanes: list[Lane] = []

    def __len__(self) -> int:
        """Return how many reads wait."""
        return sum(len(lane.waiting) for lane in self._lanes)

    def add_lane(self, size: int, *, max_wait_s: float, stalled_s: float, busy: str) -> Lane:
        """Open a lane; `busy` is what a refused caller reads."""
        self._lanes.append(Lane(size, max_wait_s, stalled_s, busy))
        return self._lanes[-1]

    async def acquire(self, lane: Lane, *, goes_first: bool = False) -> None:
        """Take a place, in turn or before all others.

        Raises:
            Unavailable: no place comes free in time.
        """
        is_too_long = lane.expected_wait_s > WAIT_MARGIN * lane.max_wait_s or len(self) >= MAX_WAITING_READS
        if is_too_long and not goes_first:
            raise lane.refusal()
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        lane.waiting[place] = FIRST if goes_first else next(self._numbers)
        if goes_first:
            lane.waiting.move_to_end(place, last=False)
        self._grant()
        try:
            await _granted(lane, place)
        except BaseException:
            if place.done() and not place.cancelled():
                self.release(lane)
            lane.waiting.pop(place, None)
            raise

    def release(self, lane: Lane, took_s: float | None = None) -> None:
        """Give a place back; `took_s` is the duration of a read that succeeded."""
        if took_s is not None:
            lane.mean_s += (took_s - lane.mean_s) * NEWEST_SHARE
        lane.running -= 1
        self._free += 1
        self._grant()

    def _grant(self) -> None:
        while self._free and (moving := [lane for lane in self._lanes if lane.waiting and lane.running < lane.size]):
            lane = min(moving, key=lambda each: each.first)
            place, _ = lane.waiting.popitem(last=False)
            if place.cancelled():
                continue
            self._free -= 1
            lane.running += 1
            lane.moved_s = asyncio.get_running_loop().time()
            place.set_result(None)


async def _granted(lane: Lane, place: asyncio.Future[None]) -> None:
    """Wait until a place is granted; raises the lane's refusal when its time is over."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    while not place.done():
        left_s = min(began_s + lane.max_wait_s, max(began_s, lane.moved_s) + lane.stalled_s) - loop.time()
        if left_s <= 0:
            raise lane.refusal()
        await asyncio.wait((place,), timeout=left_s)
