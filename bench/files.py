"""Open files and source addresses: each connection takes one of either in each process, and both run out."""

from __future__ import annotations

import resource

from bench.client import BenchFailed

RESERVE = 400
"""Files that a process needs beside the participants' connections: those of the answers, the database, logs, libraries."""

PORTS = 10_000
"""Connections from one source address to one port. Linux has about 28,000 ports to give, but hands out the even ones first and, once they
are gone, looks through all of them for every further connection."""


def raise_limit() -> int:
    """Let this process, and those that it starts, open as many files as it may; return how many that is."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def most_connections() -> int:
    """Return how many participants can be connected at once, in whole hundreds."""
    return max(0, raise_limit() - RESERVE) // 100 * 100


def require(connections: int) -> None:
    """Fail before anything is measured if so many connections cannot be open at once."""
    if connections > most_connections():
        message = (
            f"{connections:,} connections need {connections + RESERVE:,} open files in each process, and this machine allows "
            f"{raise_limit():,}; raise the hard limit (ulimit -Hn, LimitNOFILE=)"
        )
        raise BenchFailed(message)


def source(number: int) -> str:
    """Return the loopback address from which the connection of this number comes."""
    return f"127.0.0.{1 + number // PORTS}"
