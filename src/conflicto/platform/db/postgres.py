"""PostgreSQL engines: durable commits, one snapshot per read, timeouts enforced by the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import structlog
from psycopg.errors import OperationalError
from sqlalchemy import Engine, create_engine, event, text

from conflicto.platform.db.database_url import libpq_parameters
from conflicto.platform.db.read_timeout import TRANSFER_MARGIN_S, connect_factory
from conflicto.platform.db.session_settings import SessionSettings
from conflicto.platform.db.timed_cursors import Stopwatch

if TYPE_CHECKING:
    from psycopg import Connection as DriverConnection
    from sqlalchemy import URL, Connection

    from conflicto.platform.db.slow_queries import SlowQueries
    from conflicto.platform.db.timeouts import Timeouts

log = structlog.get_logger(__name__)

CANCEL_TIMEOUT_S = 2.0
"""Time for the server to accept a cancellation."""

MIN_SERVER_VERSION = 140_000
"""`server_version_num` of PostgreSQL 14."""

IDLE_IN_TRANSACTION_TIMEOUT_S = 10.0
"""Limit for a process that hangs between its head row lock and its commit and blocks the feed."""


TIMELINE = "left(pg_walfile_name(pg_current_wal_lsn()), 8)"
"""The timeline that a server writes. Every promotion begins a new one; its checkpoints show it
minutes later."""

UNKNOWN = ""
"""Value where a service does not disclose its timeline."""


class TimelineMismatch(OperationalError):
    """The server is not on the timeline that this process knows."""


class PostgresTooOld(RuntimeError):
    """The server is older than the oldest supported version."""


def require_supported(connection: Connection) -> None:
    """Refuse a server that is too old.

    Raises:
        PostgresTooOld: it is older than PostgreSQL 14.
    """
    found = int(connection.execute(text("SHOW server_version_num")).scalar_one())
    if found < MIN_SERVER_VERSION:
        message = f"PostgreSQL {found // 10_000} is too old; Conflicto needs PostgreSQL 14 or newer."
        raise PostgresTooOld(message)


class ConnectionLimit(NamedTuple):
    """Connections that this user may open, connections in use, and the source of the limit.

    The source is the server's setting or a `CONNECTION LIMIT`.
    """

    max_connections: int
    used: int
    source: str


_CONNECTION_LIMITS = text(
    "SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int"
    " - coalesce(current_setting('reserved_connections', true), '0')::int AS most,"
    " (SELECT rolconnlimit FROM pg_roles WHERE rolname = session_user AND NOT rolsuper) AS of_role,"
    " (SELECT datconnlimit FROM pg_database WHERE datname = current_database()) AS of_database,"
    " count(*) AS used, count(*) FILTER (WHERE usename = session_user) AS by_role,"
    " count(*) FILTER (WHERE datname = current_database()) AS in_database"
    " FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
)


def connection_limit(connection: Connection) -> ConnectionLimit | None:
    """Return the narrowest connection limit, None behind a pooler."""
    if getattr(connection.connection.dbapi_connection, "is_pooled", False):
        return None
    row = connection.execute(_CONNECTION_LIMITS).one()
    bounds = [ConnectionLimit(row.most, row.used, "max_connections")]
    if row.of_role is not None and row.of_role >= 0:
        bounds.append(ConnectionLimit(row.of_role, row.by_role, "the role's CONNECTION LIMIT"))
    if row.of_database >= 0:
        bounds.append(ConnectionLimit(row.of_database, row.in_database, "the database's CONNECTION LIMIT"))
    return min(bounds)


def require_timeline(connection: DriverConnection[tuple[str]], known: str | None) -> None:
    """Refuse a new connection to a server on another timeline than the known one.

    Raises:
        TimelineMismatch: its data must not be mixed with data in memory.
    """
    if known in {None, UNKNOWN}:
        return
    found = connection.execute(f"SELECT {TIMELINE}").fetchone()  # a constant
    connection.rollback()
    if found is None or found[0] != known:
        raise TimelineMismatch("the server is on another timeline than before")


def interrupt(connection: Connection) -> None:
    """End the statement that runs on a connection, from another thread.

    The connection must serve no other read afterwards: the signal may come late. A server that does
    not answer ends its statements by its own timeout.
    """
    driver_connection: Any = connection.connection.driver_connection
    try:
        driver_connection.cancel_safe(timeout=CANCEL_TIMEOUT_S)
    except OperationalError as error:
        log.warning("cancel-failed", error=type(error).__name__)


def engine(
    url: URL, deadlines: Timeouts, slow_queries: SlowQueries, *, pool_size: int, max_overflow: int, read_only: bool
) -> Engine:
    """Return an engine for reads (repeatable read, read-only) or the writer (read committed)."""
    settings = {
        "statement_timeout": str(round(deadlines.statement_s * 1000)),
        "lock_timeout": str(round(deadlines.lock_s * 1000)),
        "idle_in_transaction_session_timeout": str(round(IDLE_IN_TRANSACTION_TIMEOUT_S * 1000)),
        "synchronous_commit": "on",
        "timezone": "UTC",
    }
    if read_only:
        settings |= {"default_transaction_isolation": "repeatable read", "default_transaction_read_only": "on"}
    else:
        # The writer looks up single rows. A plan cached for a small table would scan a large one.
        settings["enable_seqscan"] = "off"
    engine = create_engine(
        "postgresql+psycopg://",
        hide_parameters=True,
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_timeout=deadlines.acquire_s,
        pool_pre_ping=read_only,
    )
    stopwatch = Stopwatch(slow_queries, "reader" if read_only else "writer")
    connect = connect_factory(max(deadlines.statement_s + TRANSFER_MARGIN_S, deadlines.caller_s), stopwatch)
    opening = SessionSettings(connect, _connection_parameters(url, deadlines), settings, read_only=read_only)
    event.listen(engine, "do_connect", lambda *_: opening.open())
    event.listen(engine, "begin", opening.begin)
    return engine


def _connection_parameters(url: URL, deadlines: Timeouts) -> dict[str, Any]:
    """Return libpq's parameters: those of the URL, with defaults that detect dead connections."""
    return {
        "target_session_attrs": "primary",
        "connect_timeout": max(2, round(deadlines.connect_s)),
        "tcp_user_timeout": round(deadlines.caller_s * 1000),
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 2,
        "application_name": "conflicto",
    } | libpq_parameters(url)
