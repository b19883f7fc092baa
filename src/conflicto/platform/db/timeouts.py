"""How long anything may wait for the database. Beyond these a caller gets 503 with Retry-After, never a hang."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. The order matters: lock < statement < caller, so the innermost reason is the one that is reported."""

    connect_s: float = 3.0
    lock_s: float = 3.0
    """Waiting for a head row or for SQLite's write lock."""
    acquire_s: float = 3.0
    """Waiting for a reader while none comes free: they are stuck."""
    queue_s: float = 6.0
    """Waiting in the queue for a reader while others come free. With the read itself, less than phones wait (10 s) as a rule."""
    statement_s: float = 5.0
    caller_s: float = 8.0
    """Waiting for the answer of a reader or of the writer, queue included."""
