"""What every command needs first: the settings, and a database with the right schema."""

from __future__ import annotations

import importlib
import os
from contextlib import closing, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from sqlalchemy.exc import DatabaseError

from conflicto.activity_types.errors import InvalidActivityType
from conflicto.activity_types.registry import load_registry
from conflicto.cli.database_wait import NotThere, answering, patiently
from conflicto.platform.db.database_url import DatabaseUrlInvalid, parse_database_url
from conflicto.platform.db.engine import Database
from conflicto.platform.db.errors import DATABASE_ERRORS, is_damaged
from conflicto.platform.db.postgres import PostgresTooOld
from conflicto.platform.db.schema import SCHEMA, SchemaMismatch, require_current, require_not_newer, revision
from conflicto.platform.db.sqlite import SqliteUnsafe
from conflicto.platform.db.startup_errors import explain, first_line
from conflicto.platform.db.timeouts import Timeouts
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

PATIENT = Timeouts(statement_s=6 * 3600.0)
"""For work on a whole database: hours, where a request may take seconds."""

RESTORE = "`conflicto db restore` puts a backup in its place, and keeps this file."

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
        return load_registry(settings.activity_types)
    except InvalidActivityType as error:
        err.print(f"CONFLICTO_ACTIVITY_TYPES, or an installed package, brings no sound activity type. {error}", markup=False)
        raise typer.Exit(UNUSABLE) from None


def migrate(url: str, to: str = "head") -> None:
    """Run the migrations; Alembic is imported only now, so that an ordinary start does not wait for it."""
    importlib.import_module("conflicto.migrations").upgrade(url, to)


def upgrade_or_exit(settings: Settings) -> None:
    """Wait for the database and bring it to this program's schema, or say why that cannot be and exit with 3."""
    await_database(settings)
    with _opened(settings) as db:
        with db.writer_connection() as connection:
            require_not_newer(revision(connection))
        migrate(settings.url)


def await_database(settings: Settings, host: str | None = None, port: int = 0) -> None:
    """Wait until a PostgreSQL server can be reached, answering liveness at `host` meanwhile; exit with 3 for what no waiting mends."""
    if settings.is_embedded:
        return
    attempt = partial(_reach, settings)
    try:
        attempt()
    except NotThere:
        with answering(host, port) if host else nullcontext():
            patiently(attempt)


def _reach(settings: Settings) -> None:
    try:
        with closing(Database(settings.url)) as db:
            db.writer_connection().close()
    except DatabaseUrlInvalid as error:
        err.print(str(error), markup=False)
        raise typer.Exit(UNUSABLE) from None
    except DATABASE_ERRORS as error:
        refused = explain(error)
        if refused is None:
            raise NotThere(first_line(error)) from None
        err.print(refused, markup=False)
        raise typer.Exit(UNUSABLE) from None


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
    path = parse_database_url(settings.url).database
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
        db = Database(settings.url, timeouts=PATIENT)
        try:
            yield db
        finally:
            db.close()
    except Exception as error:
        refusal = _refusal(error)
        if refusal is None:
            raise
        sentence, code = refusal
        err.print(sentence, markup=False)
        raise typer.Exit(code) from None


def _refusal(error: Exception) -> tuple[str, int] | None:
    """Return what is told of an error, and the exit code; None for one that is nobody's but the program's."""
    cause = error.__cause__ if isinstance(error, DomainError) else error
    if isinstance(error, (SchemaMismatch, SqliteUnsafe, PostgresTooOld, DatabaseUrlInvalid)):
        return str(error), UNUSABLE
    if isinstance(cause, DatabaseError) and is_damaged(cause):
        return f"The database cannot be read: {cause.orig}. {RESTORE}", UNUSABLE
    if isinstance(cause, Exception) and (sentence := explain(cause)):
        return sentence, UNUSABLE
    if isinstance(cause, DATABASE_ERRORS):
        return f"The database cannot be used: {first_line(cause).rstrip('.')}. Is it running, and is DATABASE_URL right?", UNUSABLE
    return _told(error) if isinstance(error, DomainError) else None


def _told(error: DomainError) -> tuple[str, int]:
    sentence = f"{error.title}: {error.detail}" if error.detail else f"{error.title}."
    return sentence, MISSING if error.kind is Kind.MISSING else UNUSABLE
