"""What a figure means nothing without: the machine, the versions, the day."""

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

PACKAGES = ("uvicorn", "uvloop", "httptools", "sqlalchemy", "psycopg", "fastapi")
PERCENT_IDLE = 0.3


def facts(scale: Scale) -> dict[str, str]:
    """Return what heads the report."""
    load = os.getloadavg()[0]
    busy = " (something else was running: do not trust these figures)" if load > PERCENT_IDLE * (os.cpu_count() or 1) else ""
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


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def _memory_gib() -> float:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
