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

DIFFERENT = 1
"""Exit code: the command ran, and what it compared is not equal."""

USAGE = 2
"""Exit code: the command line or a file named on it makes no sense; typer's own code for this."""

UNUSABLE = 3
"""Exit code: the settings, the database or the server cannot be used as they are."""

MISSING = 4
"""Exit code: there is no such session."""

err = Console(stderr=True, highlight=False, soft_wrap=True)


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
