"""Schema revision of this program and of a database, without the slow import of Alembic."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from conflicto.platform.db.engine import Database

VERSIONS = Path(__file__).parents[2] / "migrations" / "versions"
"""Folder of the revisions; the name of each file begins with its number."""

SCHEMA = max(file.name.partition("_")[0] for file in VERSIONS.glob("[0-9]*.py"))
"""The newest revision of `conflicto/migrations`; a test compares it with Alembic's."""


VERSION_TABLE = "alembic_version"
"""Table in which Alembic keeps the revision."""


class SchemaMismatch(RuntimeError):
    """The database's schema is not the one that this program needs."""


class SchemaTooNew(SchemaMismatch):
    """A newer program has used the database. Writes by this one could damage it."""


class SchemaBusy(SchemaMismatch):
    """The schema could not be changed now, because the tables are in constant use."""


def revision(connection: Connection) -> str | None:
    """Return the database's revision, None without a schema."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def require_current(db: Database) -> None:
    """Refuse a database with another schema, with the command that upgrades it.

    Raises:
        SchemaMismatch: it is older, or empty.
        SchemaTooNew: it is newer.
        DatabaseUnsupported: the database is too old.
    """
    with db.writer_connection() as connection:
        db.dialect.require_supported(connection)
        found = revision(connection)
    require_not_newer(found)
    if found != SCHEMA:
        message = f"The database has schema {found or 'none'}, this program needs {SCHEMA}. Run `conflicto db upgrade`."
        raise SchemaMismatch(message)


def require_not_newer(found: str | None) -> None:
    """Refuse a schema that only a newer program can use.

    Raises:
        SchemaTooNew: says what can be done.
    """
    if found is not None and found > SCHEMA:
        message = (
            f"The database has schema {found}, which is newer than {SCHEMA}, the newest that this program knows. Run the program that "
            "made it, or restore a backup from before the upgrade (`conflicto db restore`)."
        )
        raise SchemaTooNew(message)
