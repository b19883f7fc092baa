"""What every command needs first: the settings, and a database with the right schema."""

from __future__ import annotations

import importlib
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from sqlalchemy import make_url
from sqlalchemy.exc import DatabaseError

from conflicto.activity_types.errors import TypeRefused
from conflicto.activity_types.registry import registered
from conflicto.platform.db.deadlines import Deadlines
from conflicto.platform.db.engine import Database
from conflicto.platform.db.faults import DATABASE_FAULTS, is_damaged
from conflicto.platform.db.postgres import PostgresOld
from conflicto.platform.db.schema import SCHEMA, SchemaOld, require_current, require_not_newer, revision
from conflicto.platform.db.sqlite import SqliteAffected
from conflicto.platform.problems import DomainError, Kind
from conflicto.settings import Settings, SettingsInvalid, read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conflicto.activity_types.registry import Registry

DIFFERENT = 1
"""Exit code: the command ran, and what it compared is not equal."""

USAGE = 2
"""Exit code: the command line or a file named on it makes no sense; typer's own code for this."""

UNUSABLE = 3
"""Exit code: the settings, the database or the server cannot be used as they are."""

MISSING = 4
"""Exit code: there is no such session."""

PATIENT = Deadlines(statement_s=6 * 3600.0)
"""For work on a whole database: hours, where a request may take seconds."""

EXIT_CODES = "Exit codes: 0 done, 1 something differs, 2 wrong use, 3 settings, database or server unusable, 4 no such session."

err = Console(stderr=True, highlight=False, soft_wrap=True)


def settings_or_exit() -> Settings:
    """Return the settings of the environment, or say what is wrong with them and exit with 3."""
    try:
        return read_settings(os.environ)
    except SettingsInvalid as error:
        err.print(str(error))
        raise typer.Exit(UNUSABLE) from None


def registered_or_exit(settings: Settings) -> Registry:
    """Return the activity types of these settings, or say which folder holds none and exit with 3."""
    try:
        return registered(settings.activity_types)
    except TypeRefused as error:
        err.print(f"CONFLICTO_ACTIVITY_TYPES, or an installed package, brings no sound activity type. {error}", markup=False)
        raise typer.Exit(UNUSABLE) from None


def migrate(url: str, to: str = "head") -> None:
    """Run the migrations; Alembic is imported only now, so that an ordinary start does not wait for it."""
    importlib.import_module("conflicto.migrations").upgrade(url, to)


def upgrade_or_exit(settings: Settings) -> None:
    """Bring the database to this program's schema, or say why that cannot be and exit with 3."""
    with _opened(settings) as db:
        with db.writer_connection() as connection:
            require_not_newer(revision(connection))
        migrate(settings.url)


@contextmanager
def prepared_database(settings: Settings) -> Iterator[Database]:
    """Yield the database with the newest schema: the embedded one migrates itself, PostgreSQL is left to the operator."""
    with _opened(settings) as db:
        with db.writer_connection() as connection:
            found = revision(connection)
        if settings.is_embedded and (found is None or found < SCHEMA):
            migrate(settings.url)
        require_current(db)
        yield db


@contextmanager
def existing_database(settings: Settings, *, any_schema: bool = False) -> Iterator[Database]:
    """Yield a database that is there, for work that may take long; none is made, and none is migrated."""
    path = make_url(settings.url).database
    if settings.is_embedded and path and not Path(path).exists():
        err.print(f"There is no database at {path}. Are DATABASE_URL and CONFLICTO_DATA_DIR those of the server?", markup=False)
        raise typer.Exit(UNUSABLE)
    with _opened(settings) as db:
        if not any_schema:
            require_current(db)
        yield db


@contextmanager
def _opened(settings: Settings) -> Iterator[Database]:
    """Open and close the database; whatever makes it unusable, or is wrong with the work on it, is told as `title: detail`."""
    try:
        db = Database(settings.url, deadlines=PATIENT)
        try:
            yield db
        finally:
            db.close()
    except (SchemaOld, SqliteAffected, PostgresOld) as error:
        err.print(str(error), markup=False)
        raise typer.Exit(UNUSABLE) from None
    except DATABASE_FAULTS as error:
        err.print(f"The database cannot be used: {type(error).__name__}. Is it running, and is DATABASE_URL right?")
        raise typer.Exit(UNUSABLE) from None
    except DatabaseError as error:
        if not is_damaged(error):
            raise
        _tell_damage(error)
        raise typer.Exit(UNUSABLE) from None
    except DomainError as error:
        if isinstance(error.__cause__, DatabaseError) and is_damaged(error.__cause__):
            _tell_damage(error.__cause__)
            raise typer.Exit(UNUSABLE) from None
        err.print(f"{error.title}: {error.detail}" if error.detail else f"{error.title}.", markup=False)
        raise typer.Exit(MISSING if error.kind is Kind.MISSING else UNUSABLE) from None


def _tell_damage(error: DatabaseError) -> None:
    err.print(
        f"The database cannot be read: {error.orig}. `conflicto db restore` puts a backup in its place, and keeps this file.",
        markup=False,
    )
