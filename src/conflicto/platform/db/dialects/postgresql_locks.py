"""Locks all tables of a database in use at once, or none for now, so that waits stay short.

Locks taken one by one would deadlock with readers and writers that hold the second table and want
the first. PostgreSQL detects that only after a second of waiting, and ends one of them.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text
from sqlalchemy.exc import OperationalError

from conflicto.platform.db.schema import SchemaBusy
from conflicto.platform.ids import random_up_to

if TYPE_CHECKING:
    from sqlalchemy import Connection

MIGRATION_LOCK = 7_229_110_641
"""PostgreSQL's advisory lock of migrations: of two at once, one waits and finds nothing to do."""

LOCK_TIMEOUT = "SET LOCAL lock_timeout = '300ms'"
"""Below the second of PostgreSQL's deadlock check. A migration that waits for a table blocks
everyone behind it."""

RETRY_PAUSE_S = 0.3
"""Pause between two attempts, plus up to as much again, in which blocked transactions continue."""

MAX_WAIT_S = 60.0


def wait_for_other_migrations(connection: Connection) -> None:
    """Wait for other migrations to end."""
    connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))


def lock_tables(connection: Connection, first_table: str) -> None:
    """Lock all tables exclusively until the transaction ends.

    Every writer locks `first_table` first, so its holder waits for no second table.

    Raises:
        SchemaBusy: a table stayed in use for too long.
    """
    names = sorted(inspect(connection).get_table_names(), key=lambda name: (name != first_table, name))
    if not names:
        return
    connection.execute(text(LOCK_TIMEOUT))
    tables = ", ".join(f'"{name}"' for name in names)
    until = time.monotonic() + MAX_WAIT_S
    while True:
        try:
            with connection.begin_nested():
                connection.exec_driver_sql(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE")
        except OperationalError as error:
            if error.connection_invalidated or time.monotonic() > until:
                raise SchemaBusy("A table is in constant use. Nothing was changed; run it again later.") from error
            time.sleep(RETRY_PAUSE_S + random_up_to(RETRY_PAUSE_S))
        else:
            return
