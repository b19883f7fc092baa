"""Limits of open files and source addresses, which each connection uses."""

from __future__ import annotations

import resource

from bench.client import BenchmarkError

RESERVE = 400
"""Files of a process besides participants' connections: answers, database, logs, libraries."""

PORTS = 10_000
"""Connections from one source address to one port.

Linux has about 28,000 ports, and hands out the even ones first. After those, it searches all ports
for every further connection.
"""


def raise_limit() -> int:
    """Raise the limit of open files for this process and its children. Return the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def max_connections() -> int:
    """Return the number of participants that can connect at once, in hundreds."""
    return max(0, raise_limit() - RESERVE) // 100 * 100


def require(connections: int) -> None:
    """Raise an error if this number of connections cannot be open at once."""
    if connections > max_connections():
        message = (
            f"{connections:,} connections need {connections + RESERVE:,} open files in each process, and this machine allows "
            f"{raise_limit():,}; raise the hard limit (ulimit -Hn, LimitNOFILE=)"
        )
        raise BenchmarkError(message)


def source_address(number: int) -> str:
    """Return the loopback address of a connection by its number."""
    return f"127.0.0.{1 + number // PORTS}"
