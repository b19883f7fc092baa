"""Alembic's entry: open the database as the program does, and run the history in one transaction."""

from __future__ import annotations

import os

from alembic import context
from alembic.util import CommandError
from sqlalchemy import Connection

import conflicto.activities.tables
import conflicto.participants.tables
import conflicto.responses.tables
import conflicto.results.tables
import conflicto.sessions.tables  # noqa: F401 - the rooms' tables join the metadata
from conflicto.migrations.locks import take_tables, take_turn
from conflicto.platform.db.engine import Database
from conflicto.platform.db.schema import revision
from conflicto.platform.db.tables import metadata_obj
from conflicto.platform.db.timeouts import Timeouts
from conflicto.settings import read_settings

PATIENT = Timeouts(lock_s=900.0, statement_s=3600.0)
"""The second of two that migrate together waits for the first; a migration of many rows takes its time."""

GENERATED = frozenset({"response_data", "config", "secret", "aggregate"})
"""JSONB columns that only PostgreSQL has, generated from the stored text."""


def _is_ours(thing: object, name: str | None, kind: str, reflected: bool, compared: object) -> bool:  # noqa: FBT001 - Alembic's signature
    return not (reflected and ((kind == "column" and name in GENERATED) or name == "ix_responses_response_data"))


def _run() -> None:
    given = context.config.attributes.get("connection")
    if given is not None:
        _migrate(given)
        return
    database = Database(context.config.attributes.get("url") or read_settings(os.environ).url, timeouts=PATIENT)
    try:
        with database.writer_connection() as connection, connection.begin():
            _migrate(connection)
    finally:
        database.close()


def _migrate(connection: Connection) -> None:
    """Run the history in the transaction that is open; on SQLite it holds the write lock from its beginning on."""
    if connection.dialect.name == "postgresql":
        take_turn(connection)
        if not _is_there(connection):
            take_tables(connection)
    context.configure(connection=connection, target_metadata=metadata_obj, include_object=_is_ours, compare_type=False)
    context.run_migrations()


def _is_there(connection: Connection) -> bool:
    """Whether the database has the revision that is asked for, or nobody asks for one."""
    try:
        return context.get_revision_argument() == revision(connection)
    except KeyError:
        return True  # `alembic check` and its like
    except CommandError:
        return False  # "-1": a number of steps


_run()
