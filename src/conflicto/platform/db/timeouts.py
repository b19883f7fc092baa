"""Timeouts of the database. Beyond them a caller gets 503 with Retry-After."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Timeouts in seconds. The order lock < statement < caller reports the innermost cause."""

    connect_s: float = 3.0
    lock_s: float = 3.0
    """Wait for a head row or for SQLite's write lock."""
    acquire_s: float = 3.0
    """Wait for a reader while none comes free: they are stuck."""
    queue_s: float = 6.0
    """Wait for a reader while others come free. Wait and read together usually take less than the
    10 s that phones wait."""
    statement_s: float = 5.0
    caller_s: float = 8.0
    """Wait for the result of a reader or of the writer, queue included."""
