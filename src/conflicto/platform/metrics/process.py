"""What the system says of this process."""

from __future__ import annotations

import os
import resource
from pathlib import Path

PROC = Path("/proc")
KIB = 1024


def resident_memory_bytes() -> float:
    """Return the resident memory; where the system does not tell it, the most that it ever was."""
    if (told := process_memory_bytes("self")) is not None:
        return told
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIB)


def process_memory_bytes(process: str) -> float | None:
    """Return the resident memory of a process, by its id; None where the system does not tell it."""
    try:
        return float(int((PROC / process / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
    except OSError:
        return None


def parent_memory_bytes() -> float:
    """Return the resident memory of the process that started this one, 0 where the system does not tell it."""
    return process_memory_bytes(str(os.getppid())) or 0.0


def cpu_seconds() -> float:
    """Return the processor time since the start, seconds."""
    took = os.times()
    return took.user + took.system
