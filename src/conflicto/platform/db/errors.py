"""The only place that knows what a driver's error means to a caller."""

from __future__ import annotations

import structlog
from sqlalchemy.exc import DatabaseError, DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from conflicto.platform.problems import Unavailable

log = structlog.get_logger(__name__)

RETRY_AFTER_S = 2
"""Long enough for a database to be restarted by its supervisor, short enough that a phone does not look dead."""

MAX_MESSAGE_CHARS = 300
"""Characters of a driver's message in the log."""

DEADLOCK_STATES = frozenset({"40001", "40P01"})
"""PostgreSQL's serialization_failure and deadlock_detected: the transaction did nothing and may be run again."""

DATABASE_ERRORS = (OperationalError, InterfaceError, PoolTimeout)
"""What an unreachable, busy, full, read-only or too slow database raises, on either driver."""

POSSIBLE_OUTAGES = (*DATABASE_ERRORS, DatabaseError)
"""What must be looked at with `is_outage`, since bad rows are among it."""

QUERY_CANCELED_STATE = "57014"
"""PostgreSQL's query_canceled."""

READ_ONLY_STATE = "25006"
"""PostgreSQL's read_only_sql_transaction: a service whose disk is full takes no writes, for one."""


def unavailable(error: Exception) -> Unavailable:
    """Return the answer for a caller; `error` becomes its cause, and the driver's own words (never the data) go to the log."""
    root = error.__cause__ if isinstance(error.__cause__, DBAPIError) else error
    said = str(root.orig) if isinstance(root, DBAPIError) else str(root)
    log.warning("database-fault", error=type(error).__name__, said=said[:MAX_MESSAGE_CHARS])
    answer = Unavailable(
        "The database does not answer in time. Try again with the same Idempotency-Key.", retry_after_s=RETRY_AFTER_S
    )
    answer.__cause__ = error
    return answer


def is_disconnect(error: Exception) -> bool:
    """Whether the connection itself broke, so that a fresh one may do better at once."""
    return isinstance(error, DBAPIError) and error.connection_invalidated


def is_retryable(error: Exception) -> bool:
    """Whether the database undid the transaction and asks to run it again."""
    return _sqlstate(error) in DEADLOCK_STATES


def _sqlstate(error: Exception) -> str | None:
    return getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None


def is_query_canceled(error: Exception) -> bool:
    """Return whether PostgreSQL ended a statement because its time was over, or because it was asked to."""
    return _sqlstate(error) == QUERY_CANCELED_STATE


def is_bad_row(error: Exception) -> bool:
    """Whether one row of a group is at fault: its neighbours deserve a replay of their own."""
    return isinstance(error, DBAPIError) and not is_outage(error)


def is_outage(error: Exception) -> bool:
    """Whether the database is at fault, and not what was asked of it."""
    return isinstance(error, DATABASE_ERRORS) or is_damaged(error) or _sqlstate(error) == READ_ONLY_STATE


def is_damaged(error: Exception) -> bool:
    """Whether SQLite found that its file is damaged, or no database: for both it raises the mother of all errors itself.

    A page that the disk does not give is among it: SQLite calls that a damage too.
    """
    return type(error) is DatabaseError


__all__ = [
    "DATABASE_ERRORS",
    "POSSIBLE_OUTAGES",
    "RETRY_AFTER_S",
    "IntegrityError",
    "is_bad_row",
    "is_damaged",
    "is_disconnect",
    "is_outage",
    "is_query_canceled",
    "is_retryable",
    "unavailable",
]
