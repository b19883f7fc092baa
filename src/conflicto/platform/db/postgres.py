"""PostgreSQL as it must be opened: durable commits, one snapshot per read, and every wait bounded by the server itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import structlog
from psycopg.errors import OperationalError
from sqlalchemy import Engine, create_engine, event, text

from conflicto.platform.db.silence import MARGIN_S, connecting

if TYPE_CHECKING:
    from psycopg import Connection as DriverConnection
    from sqlalchemy import URL, Connection

    from conflicto.platform.db.deadlines import Deadlines

log = structlog.get_logger(__name__)

CANCEL_S = 2.0
"""Time that the server gets to take a cancellation."""

OLDEST_SUPPORTED = 140_000
"""`server_version_num` of PostgreSQL 14."""

IDLE_IN_TRANSACTION_S = 10.0
"""A process that hangs between its head-row lock and its commit must not stop a session's feed for longer."""


LINE = "left(pg_walfile_name(pg_current_wal_lsn()), 8)"
"""The line of history (timeline) that a server writes: another one after every promotion. Its checkpoints tell of it minutes later."""

UNTOLD = ""
"""What is said instead where a service keeps such things to itself."""


class OtherLine(OperationalError):
    """The server is not on the line of history that this process knows."""


class PostgresOld(RuntimeError):
    """The server is older than what the program is tested on."""


def require_supported(connection: Connection) -> None:
    """Refuse a server that is too old.

    Raises:
        PostgresOld: it is older than PostgreSQL 14.
    """
    found = int(connection.execute(text("SHOW server_version_num")).scalar_one())
    if found < OLDEST_SUPPORTED:
        message = f"PostgreSQL {found // 10_000} is too old; Conflicto needs PostgreSQL 14 or newer."
        raise PostgresOld(message)


class Capacity(NamedTuple):
    """Connections of a server: how many others than superusers may open, and how many are open now."""

    most: int
    used: int


_CAPACITY = text(
    "SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int"
    " - coalesce(current_setting('reserved_connections', true), '0')::int AS most,"
    " (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()) AS used"
)


def capacity(connection: Connection) -> Capacity:
    """Return how many connections a server takes."""
    most, used = connection.execute(_CAPACITY).one()
    return Capacity(int(most), int(used))


def require_line(connection: DriverConnection[tuple[str]], known: str | None) -> None:
    """Refuse a new connection to a server on another line of history than the one that is known, if any is.

    Raises:
        OtherLine: it lives another life; what it tells must not be mixed with what is remembered.
    """
    if known in {None, UNTOLD}:
        return
    found = connection.execute(f"SELECT {LINE}").fetchone()  # a constant
    connection.rollback()
    if found is None or found[0] != known:
        raise OtherLine("the server is on another line of history than before")


def interrupt(connection: Connection) -> None:
    """End the statement that runs on a connection, which serves no other read afterwards: the signal may come late.

    Called from another thread. A server that does not answer is given up on; it ends its statements by itself.
    """
    driver_connection: Any = connection.connection.driver_connection
    try:
        driver_connection.cancel_safe(timeout=CANCEL_S)
    except OperationalError as error:
        log.warning("cancel-failed", error=type(error).__name__)


def engine(url: URL, deadlines: Deadlines, *, pool_size: int, max_overflow: int, read_only: bool) -> Engine:
    """Return an engine for reads (repeatable read, read-only) or for the one writer (read committed)."""
    settings = {
        "statement_timeout": round(deadlines.statement_s * 1000),
        "lock_timeout": round(deadlines.lock_s * 1000),
        "idle_in_transaction_session_timeout": round(IDLE_IN_TRANSACTION_S * 1000),
        "synchronous_commit": "on",
        "timezone": "UTC",
    }
    if read_only:
        settings |= {"default_transaction_isolation": r"repeatable\ read", "default_transaction_read_only": "on"}
    else:
        # The writer looks up single rows. Its plans are kept, and one made while a table was small would read all of it when it is not.
        settings["enable_seqscan"] = "off"
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        hide_parameters=True,
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_timeout=deadlines.acquire_s,
        pool_pre_ping=read_only,
        connect_args={
            "target_session_attrs": "primary",
            "connect_timeout": max(2, round(deadlines.connect_s)),
            "tcp_user_timeout": round(deadlines.caller_s * 1000),
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 2,
            "application_name": "conflicto",
            "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
        },
    )
    connect = connecting(max(deadlines.statement_s + MARGIN_S, deadlines.caller_s))
    event.listen(engine, "do_connect", lambda _, __, arguments, given: connect(*arguments, **given))
    return engine
