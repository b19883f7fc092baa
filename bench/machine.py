"""Facts of a run: machine, versions, date."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pysqlite3

import conflicto
from conflicto.platform.clock import Clock
from conflicto.platform.instants import rfc3339

if TYPE_CHECKING:
    from bench.scale import Scale

PACKAGES = ("uvicorn", "uvloop", "httptools", "sqlalchemy", "psycopg", "pydantic")
MAX_QUIET_LOAD = 0.3
"""Load average per core that shows other work."""

MAX_OTHER_LOAD = 0.1
"""Largest share of the machine for other processes. Above it, the figures are in doubt."""


def facts(scale: Scale) -> dict[str, str]:
    """Return the facts at the top of the report."""
    load = os.getloadavg()[0]
    busy = " (something else was running: do not trust these figures)" if load > MAX_QUIET_LOAD * (os.cpu_count() or 1) else ""
    return {
        "Date": rfc3339(Clock().wall_us()),
        "Machine": f"{_processor()}, {os.cpu_count()} cores, {_memory_gib():.0f} GiB, {platform.system()} {platform.release()}",
        "Versions": ", ".join(
            [
                f"Conflicto {conflicto.__version__}",
                f"Python {platform.python_version()}",
                f"SQLite {pysqlite3.sqlite_version}",
                *(f"{name} {version(name)}" for name in PACKAGES),
            ]
        ),
        "Load average before": f"{load:.2f}{busy}",
        "Scale": f"{scale.name}: {scale.rounds} runs of each measure, medians with (min–max)",
    }


class LoadWatch:
    """Load of other processes during the run. Read it after every server has ended."""

    def __init__(self) -> None:
        self._busy_s, self._all_s = _processor_times_s()
        self._own_s = sum(os.times()[:4])

    def facts(self) -> dict[str, str]:
        """Return further facts for the top of the report."""
        busy_s, all_s = _processor_times_s()
        strangers = (busy_s - self._busy_s - (sum(os.times()[:4]) - self._own_s)) / (all_s - self._all_s)
        doubt = ": do not trust these figures" if strangers > MAX_OTHER_LOAD else ""
        return {"Other processes meanwhile": f"{max(strangers, 0):.0%} of the machine{doubt}"}


def _processor_times_s() -> tuple[float, float]:
    """Return (busy, all) seconds of all cores together. Steal time counts as busy."""
    ticks = [int(each) for each in Path("/proc/stat").read_text(encoding="utf-8").split("\n", 1)[0].split()[1:9]]
    idle = ticks[3] + ticks[4]
    per_s = os.sysconf("SC_CLK_TCK")
    return (sum(ticks) - idle) / per_s, sum(ticks) / per_s


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def _memory_gib() -> float:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
