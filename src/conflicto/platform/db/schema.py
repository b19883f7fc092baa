"""Which schema this program speaks, and which one a database has. Alembic is not imported for this: a start takes no second for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from conflicto.platform.db import postgres

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from conflicto.platform.db.engine import Database

SCHEMA = "0015"
"""The newest revision of `conflicto/migrations`; a test holds the two together."""


class SchemaMismatch(RuntimeError):
    """The database's schema is not the one that this program speaks."""


class SchemaTooNew(SchemaMismatch):
    """A newer program was here. This one must not write, since it does not know what it would break."""


class SchemaBusy(SchemaMismatch):
    """It could not be changed now, because somebody uses the tables without a break."""


def revision(connection: Connection) -> str | None:
    """Return the database's revision, None if it has no schema yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def require_current(db: Database) -> None:
    """Refuse a database with another schema, with the command that mends it.

    Raises:
        SchemaMismatch: it is older, or empty.
        SchemaTooNew: it is newer.
        PostgresTooOld: the server is older than PostgreSQL 14.
    """
    with db.writer_connection() as connection:
        if db.dialect == "postgresql":
            postgres.require_supported(connection)
        found = revision(connection)
    require_not_newer(found)
    if found != SCHEMA:
        message = f"The database has schema {found or 'none'}, this program needs {SCHEMA}. Run `conflicto db upgrade`."
        raise SchemaMismatch(message)


def require_not_newer(found: str | None) -> None:
    """Refuse what only a newer program can read.

    Raises:
        SchemaTooNew: says what can be done.
    """
    if found is not None and found > SCHEMA:
        message = (
            f"The database has schema {found}, which is newer than {SCHEMA}, the newest that this program knows. Run the program that "
            "made it, or restore a backup from before the upgrade (`conflicto db restore`)."
        )
        raise SchemaTooNew(message)
