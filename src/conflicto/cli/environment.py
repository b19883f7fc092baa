"""What every command needs first: the settings, and a database with the right schema."""

from __future__ import annotations

import importlib
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from conflicto.platform.db.engine import Database
from conflicto.platform.db.faults import DATABASE_FAULTS
from conflicto.platform.db.postgres import PostgresOld
from conflicto.platform.db.schema import SCHEMA, SchemaOld, require_current, revision
from conflicto.platform.db.sqlite import SqliteAffected
from conflicto.settings import Settings, SettingsInvalid, read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

UNUSABLE = 3
"""Exit code: the settings or the database cannot be used as they are."""

err = Console(stderr=True, highlight=False)


def settings_or_exit() -> Settings:
    """Return the settings of the environment, or say what is wrong with them and exit with 3."""
    try:
        return read_settings(os.environ)
    except SettingsInvalid as error:
        err.print(str(error))
        raise typer.Exit(UNUSABLE) from None


def migrate(url: str, to: str = "head") -> None:
    """Run the migrations; Alembic is imported only now, so that an ordinary start does not wait for it."""
    importlib.import_module("conflicto.migrations").upgrade(url, to)


@contextmanager
def prepared_database(settings: Settings) -> Iterator[Database]:
    """Yield the database with the newest schema: the embedded one migrates itself, PostgreSQL is left to the operator."""
    try:
        db = Database(settings.url)
        try:
            with db.writer_connection() as connection:
                found = revision(connection)
            if settings.is_embedded and (found is None or found < SCHEMA):
                migrate(settings.url)
            require_current(db)
            yield db
        finally:
            db.close()
    except (SchemaOld, SqliteAffected, PostgresOld) as error:
        err.print(str(error))
        raise typer.Exit(UNUSABLE) from None
    except DATABASE_FAULTS as error:
        err.print(f"The database cannot be used: {type(error).__name__}. Is it running, and is DATABASE_URL right?")
        raise typer.Exit(UNUSABLE) from None
