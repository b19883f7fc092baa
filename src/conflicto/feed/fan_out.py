"""Fan-out: thousands of followers continue in short slices of the event loop.

A commit, a heartbeat and a client that reads again put a follower into one queue. Between two
slices the event loop serves everything else, so polls have their turn.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from conflicto.platform.clock import Clock

SLICE_S = 0.004
"""Time of one slice. Sending what it wrote takes the event loop about as long."""

STEPS_PER_LOOK = 16
"""Steps between two looks at the clock."""


class Steps(Protocol):
    """Follower of a stream or a long-poll."""

    def step(self, now_s: float) -> None:
        """Do what is due, without waiting."""


class FanOut:
    """Queue of the followers that have something to do. One per process, on its event loop."""

    def __init__(self, clock: Clock) -> None:
        self._now_s = clock.monotonic_s
        self._queue: deque[Steps] = deque()
        self._is_scheduled = False

    def put(self, follower: Steps) -> None:
        """Let a follower step soon. It must not be in the queue."""
        self._queue.append(follower)
        if not self._is_scheduled:
            self._is_scheduled = True
            asyncio.get_running_loop().call_soon(self._run)

    def _run(self) -> None:
        """Run one slice, and schedule the next one if some are left."""
        queue, now_s = self._queue, self._now_s()
        until_s = now_s + SLICE_S
        try:
            while queue and now_s < until_s:
                for _ in range(min(STEPS_PER_LOOK, len(queue))):
                    queue.popleft().step(now_s)
                now_s = self._now_s()
        finally:
            self._is_scheduled = bool(queue)
            if queue:
                asyncio.get_running_loop().call_soon(self._run)
