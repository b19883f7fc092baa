"""Interpreter settings for a server: thread switching and garbage collection."""

from __future__ import annotations

import gc
import sys

SWITCH_INTERVAL_S = 0.001
"""Time for which the writer's thread may hold the GIL while the event loop waits for it.

With Python's default of 5 ms, polls during a commit took a third longer (docs/decisions/0019).
"""

GC_THRESHOLDS = 10_000, 5, 1_000
"""Thresholds of the three generations; the default of the first is 700 objects.

A full collection with a million objects, as in a full hall, stops the process for 220 ms. Requests
leave no cycles, and objects from the start are exempt (`gc.freeze`).
"""


def set_switch_interval() -> None:
    """Set the interpreter's switch interval to `SWITCH_INTERVAL_S`."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)


def tune_garbage_collector() -> None:
    """Set `GC_THRESHOLDS`, and exempt all objects of the start from collection."""
    gc.set_threshold(*GC_THRESHOLDS)
    gc.freeze()
