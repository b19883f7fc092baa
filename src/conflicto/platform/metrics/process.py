"""What the system says of this process."""

from __future__ import annotations

import os
import resource
from pathlib import Path

STATM = Path("/proc/self/statm")
KIB = 1024


def memory_bytes() -> float:
    """Return the resident memory; where the system does not tell it, the most that it ever was."""
    if STATM.exists():
        return float(int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIB)


def processor_s() -> float:
    """Return the processor time since the start, seconds."""
    took = os.times()
    return took.user + took.system
