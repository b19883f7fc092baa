"""Set the interpreter up for a server: short turns for threads, and a garbage collector that looks rarely."""

from __future__ import annotations

import gc
import sys

SWITCH_INTERVAL_S = 0.001
"""How long the writer's thread may keep the event loop's waiting for the interpreter. Python's own 5 ms let polls that came during a
commit wait a third longer (docs/decisions/0019).
"""

YOUNG, OLDER, WHOLE = 10_000, 5, 1_000
"""When the collector looks for cycles: after so many new objects (instead of 700) at the youngest, after so many such looks at the older
ones, and hardly ever at all of them. A look at a million objects, which is a full hall, stops everything for 220 ms; what a request leaves
behind is not cyclic, and what a start has made (`gc.freeze`) is not looked at.
"""


def set_switch_interval() -> None:
    """Let threads take turns of `SWITCH_S`."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)


def tune_garbage_collector() -> None:
    """Let the collector look rarely, and never at what a start has made."""
    gc.set_threshold(YOUNG, OLDER, WHOLE)
    gc.freeze()
