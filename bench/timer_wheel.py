"""Timer wheel: one ring of slots and one timer for all participants."""

from __future__ import annotations

import ctypes
import os
import sys
from math import ceil, floor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TICKS_PER_S = 1_000
SLOTS = 8_192
"""The ring holds actions of the next eight seconds."""

ROUNDING = 1e-3
"""Share of a tick that float arithmetic may add to a time."""

CLOCK_MONOTONIC = 1
TICK_NS = 1_000_000_000 // TICKS_PER_S


class TimerWheel:
    """Actions by their due tick.

    Late ticks are still delivered in order, so no action is skipped.
    """

    def __init__(self, start_s: float) -> None:
        self._start_s = start_s
        self._slots: list[list[Callable[[float], None]]] = [[] for _ in range(SLOTS)]
        self._next = 0

    def add(self, at_s: float, action: Callable[[float], None]) -> None:
        """Call `action` with the time of the first tick at or after `at_s`.

        A past time is due at the next tick.
        """
        tick = max(ceil((at_s - self._start_s) * TICKS_PER_S - ROUNDING), self._next)
        if tick >= self._next + SLOTS:
            raise ValueError("further away than the ring is long")
        self._slots[tick % SLOTS].append(action)

    def due(self, now_s: float) -> Iterator[tuple[float, list[Callable[[float], None]]]]:
        """Yield the due ticks that have actions, each with its time."""
        last = floor((now_s - self._start_s) * TICKS_PER_S + ROUNDING)
        while self._next <= last:
            place = self._next % SLOTS
            at_s = self._start_s + self._next / TICKS_PER_S
            self._next += 1
            if actions := self._slots[place]:
                self._slots[place] = []
                yield at_s, actions


class Ticker:
    """File that becomes readable at every tick.

    An event loop's own timers have only milliseconds.
    """

    def __init__(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self.file = libc.timerfd_create(CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self.file < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        every = (ctypes.c_long * 4)(0, TICK_NS, 0, TICK_NS)
        if libc.timerfd_settime(self.file, 0, every, None):
            raise OSError(ctypes.get_errno(), "timerfd_settime")

    def read(self) -> int:
        """Return the number of ticks since the last read. The file stays readable until then."""
        return int.from_bytes(os.read(self.file, 8), sys.byteorder)

    def close(self) -> None:
        """Stop the ticks."""
        os.close(self.file)
