"""How a migration gets the tables of a database that is in use: all of them at once, or none for now, so that nobody waits for long.

A migration that took one table after the other would meet readers and writers that hold the second and want the first. PostgreSQL finds
such a deadlock only after a second, in which everyone waits, and then ends one of the two.
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
"""PostgreSQL's advisory lock of migrations: of two that start together, one waits and finds nothing to do."""

TRY = "SET LOCAL lock_timeout = '300ms'"
"""Below the second after which PostgreSQL looks for deadlocks. While a migration waits for a table, everyone else waits behind it."""

REST_S = 0.3
"""Between two tries, and up to as much more: those who waited go on meanwhile."""

PATIENCE_S = 60.0

FIRST = "feed_heads"
"""What every writer takes first: whoever has it has to wait for nobody's second table."""


def take_turn(connection: Connection) -> None:
    """Wait for other migrations to end."""
    connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))


def take_tables(connection: Connection) -> None:
    """Keep everyone else out of all tables until the transaction ends.

    Raises:
        SchemaBusy: somebody would not let go of a table.
    """
    names = sorted(inspect(connection).get_table_names(), key=lambda name: (name != FIRST, name))
    if not names:
        return
    connection.execute(text(TRY))
    tables = ", ".join(f'"{name}"' for name in names)
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            with connection.begin_nested():
                connection.exec_driver_sql(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE")
        except OperationalError as error:
            if error.connection_invalidated or time.monotonic() > until:
                raise SchemaBusy("Somebody keeps a table for long. Nothing was changed; run it again later.") from error
            time.sleep(REST_S + random_up_to(REST_S))
        else:
            return
