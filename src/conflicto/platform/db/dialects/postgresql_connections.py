"""PostgreSQL engines: durable commits, one snapshot per read, timeouts enforced by the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, create_engine, event, text

from conflicto.platform.db.dialects.dialect import DatabaseUnsupported
from conflicto.platform.db.dialects.postgresql_read_timeout import TRANSFER_MARGIN_S, connect_factory
from conflicto.platform.db.dialects.postgresql_session import SessionSettings
from conflicto.platform.db.dialects.postgresql_url import libpq_parameters
from conflicto.platform.db.timed_cursors import Stopwatch
from conflicto.platform.instants import MS_PER_S

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection

    from conflicto.platform.db.slow_queries import SlowQueries
    from conflicto.platform.db.timeouts import Timeouts

MIN_SERVER_VERSION = 140_000
"""`server_version_num` of PostgreSQL 14."""

IDLE_IN_TRANSACTION_TIMEOUT_S = 10.0
"""Limit for a process that hangs between its head row lock and its commit and blocks the feed."""


def require_supported(connection: Connection) -> None:
    """Refuse a server that is too old.

    Raises:
        DatabaseUnsupported: it is older than PostgreSQL 14.
    """
    found = int(connection.execute(text("SHOW server_version_num")).scalar_one())
    if found < MIN_SERVER_VERSION:
        message = f"PostgreSQL {found // 10_000} is too old; Conflicto needs PostgreSQL 14 or newer."
        raise DatabaseUnsupported(message)


def open_engine(
    url: URL, deadlines: Timeouts, slow_queries: SlowQueries, *, pool_size: int, max_overflow: int, read_only: bool
) -> Engine:
    """Return an engine for reads (repeatable read, read-only) or the writer (read committed)."""
    settings = {
        "statement_timeout": str(round(deadlines.statement_s * MS_PER_S)),
        "lock_timeout": str(round(deadlines.lock_s * MS_PER_S)),
        "idle_in_transaction_session_timeout": str(round(IDLE_IN_TRANSACTION_TIMEOUT_S * MS_PER_S)),
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
        "tcp_user_timeout": round(deadlines.caller_s * MS_PER_S),
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 2,
        "application_name": "conflicto",
    } | libpq_parameters(url)
