"""Classification of driver errors: the only module that knows what they mean to a caller."""

from __future__ import annotations

import structlog
from sqlalchemy.exc import DatabaseError, DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from conflicto.platform.problems import Unavailable

log = structlog.get_logger(__name__)

RETRY_AFTER_S = 2
"""Time for a supervisor to restart the database, short enough for people who wait at a phone."""

MAX_MESSAGE_CHARS = 300
"""Characters of a driver's message in the log, and for operators."""

DEADLOCK_STATES = frozenset({"40001", "40P01"})
"""PostgreSQL's serialization_failure and deadlock_detected: nothing was done, a retry may succeed.
"""

DATABASE_ERRORS = (OperationalError, InterfaceError, PoolTimeout)
"""Errors of an unreachable, busy, full, read-only or slow database, on either driver."""

POSSIBLE_OUTAGES = (*DATABASE_ERRORS, DatabaseError)
"""Errors to check with `is_outage`, since bad rows raise some of them too."""

QUERY_CANCELED_STATE = "57014"
"""PostgreSQL's query_canceled."""

READ_ONLY_STATE = "25006"
"""PostgreSQL's read_only_sql_transaction. Some services raise it when their disk is full."""


def unavailable(error: Exception) -> Unavailable:
    """Return the problem for a caller, with `error` as its cause; log the driver's message."""
    root = error.__cause__ if isinstance(error.__cause__, DBAPIError) else error
    message = str(root.orig) if isinstance(root, DBAPIError) else str(root)
    log.warning("database-fault", error=type(error).__name__, message=message[:MAX_MESSAGE_CHARS])
    problem = Unavailable(
        "The database does not answer in time. Try again with the same Idempotency-Key.", retry_after_s=RETRY_AFTER_S
    )
    problem.__cause__ = error
    return problem


def is_disconnect(error: Exception) -> bool:
    """Return whether the connection broke, so that a new one may succeed at once."""
    return isinstance(error, DBAPIError) and error.connection_invalidated


def is_retryable(error: Exception) -> bool:
    """Return whether the database rolled the transaction back and a retry may succeed."""
    return _sqlstate(error) in DEADLOCK_STATES


def _sqlstate(error: Exception) -> str | None:
    return getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None


def driver_error(error: BaseException) -> BaseException:
    """Return the driver's error behind another error, or its first cause."""
    while not isinstance(error, DBAPIError) and error.__cause__ is not None:
        error = error.__cause__
    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error


def first_line(error: Exception) -> str:
    """Return the first line of an error's message; libpq adds a line for each address it tried."""
    return str(driver_error(error)).strip().partition("\n")[0][:MAX_MESSAGE_CHARS]


def driver_fields(error: BaseException) -> dict[str, str | None]:
    """Return type and SQLSTATE of a driver's error for the log, empty for other errors.

    The message may hold data of a row.
    """
    if not isinstance(error, DBAPIError):
        return {}
    return {"driver": type(error.orig).__name__, "sqlstate": getattr(error.orig, "sqlstate", None)}


def is_query_canceled(error: Exception) -> bool:
    """Return whether PostgreSQL ended a statement because of its timeout or a cancellation."""
    return _sqlstate(error) == QUERY_CANCELED_STATE


def is_bad_row(error: Exception) -> bool:
    """Return whether one row of a group is at fault, so that the others deserve a replay."""
    return isinstance(error, DBAPIError) and not is_outage(error)


def is_outage(error: Exception) -> bool:
    """Return whether the database is at fault, and not the statement."""
    return isinstance(error, DATABASE_ERRORS) or is_damaged(error) or _sqlstate(error) == READ_ONLY_STATE


def is_damaged(error: Exception) -> bool:
    """Return whether SQLite found its file damaged, or no database.

    SQLite raises the base class itself for both, and for a page that the disk does not return.
    """
    return type(error) is DatabaseError


__all__ = [
    "DATABASE_ERRORS",
    "POSSIBLE_OUTAGES",
    "RETRY_AFTER_S",
    "IntegrityError",
    "driver_error",
    "driver_fields",
    "first_line",
    "is_bad_row",
    "is_damaged",
    "is_disconnect",
    "is_outage",
    "is_query_canceled",
    "is_retryable",
    "unavailable",
]
