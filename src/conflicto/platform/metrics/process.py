"""Memory and processor time of this process and its parent, from the operating system."""

from __future__ import annotations

import os
import resource
from pathlib import Path

from conflicto.platform.sizes import KIB

PROC = Path("/proc")


def resident_memory_bytes() -> float:
    """Return the resident memory; without `/proc`, the maximum since the start."""
    if (resident := process_memory_bytes("self")) is not None:
        return resident
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIB)


def process_memory_bytes(process: str) -> float | None:
    """Return the resident memory of the process with this id, or None without `/proc`."""
    try:
        return float(int((PROC / process / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
    except OSError:
        return None


def parent_memory_bytes() -> float:
    """Return the resident memory of the parent process, or 0 without `/proc`."""
    return process_memory_bytes(str(os.getppid())) or 0.0


def cpu_seconds() -> float:
    """Return the user and system processor time since the start, in seconds."""
    took = os.times()
    return took.user + took.system
