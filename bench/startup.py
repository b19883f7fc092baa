"""Suite of startup: from the command to readiness, on a migrated database."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from bench import servers
from bench.client import request_bytes
from bench.report import Row, Section, Series

if TYPE_CHECKING:
    from pathlib import Path

    from bench.scale import Scale

GOAL_S = 2.0


def measure(scale: Scale) -> list[Section]:
    """Start the same server repeatedly.

    The first start, which creates the database, does not count.
    """
    with servers.scratch() as folder:
        _start_s(folder)
        took_s = Series([_start_s(folder) for _ in range(scale.starts)], "s")
    row = Row("start to ready", took_s, goal=f"≤ {GOAL_S:.0f} s", met=took_s.middle <= GOAL_S)
    about = (
        "From the start of the process `conflicto serve` to the first 200 of `/health/ready`, which proves a commit; SQLite, the schema "
        "current."
    )
    return [Section("Start", about, [row])]


def _start_s(folder: Path) -> float:
    """Return the time from the start of the process to readiness."""
    began_s = perf_counter()
    with servers.conflicto(folder) as server, server.connect() as line:
        line.timed(request_bytes("GET", "/health/ready"), 200)
        return perf_counter() - began_s
