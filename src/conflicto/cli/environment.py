"""Preconditions of commands: valid settings, and a database with the right schema."""

from __future__ import annotations

import importlib
import os
from contextlib import closing, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from conflicto.activity_types.packs.index import packed_types
from conflicto.activity_types.registry import load_registry
from conflicto.cli.database_wait import DatabaseUnreachable, liveness_server, retry_until_reachable
from conflicto.platform.db.dialects.dialect import DatabaseUnsupported, DatabaseUrlInvalid
from conflicto.platform.db.dialects.registry import dialect_of, parse_database_url
from conflicto.platform.db.engine import Database
from conflicto.platform.db.errors import DATABASE_ERRORS, first_line, is_damaged
from conflicto.platform.db.schema import SCHEMA, SchemaMismatch, require_current, require_not_newer, revision
from conflicto.platform.db.timeouts import Timeouts
from conflicto.platform.problems import DomainError, Kind
from conflicto.settings import Settings, SettingsInvalid, read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conflicto.activity_types.registry import Registry

EXIT_DIFFERENT = 1
"""The command ran, and the compared data differ."""

EXIT_USAGE = 2
"""The command line or a file named in it is invalid; typer's own code for this."""

EXIT_UNUSABLE = 3
"""The settings, the database or the server cannot be used as they are."""

EXIT_NOT_FOUND = 4
"""There is no such session."""

MAINTENANCE_TIMEOUTS = Timeouts(statement_s=6 * 3600.0)
"""For work on a whole database: hours, where a request may take seconds."""

RESTORE = "`conflicto db restore` puts a backup in its place, and keeps this file."

EXIT_CODES_HELP = (
    "Exit codes: 0 done, 1 something differs, 2 wrong use, 3 settings, database or server unusable, 4 no such session."
)

err = Console(stderr=True, highlight=False, soft_wrap=True)


def settings_or_exit() -> Settings:
    """Return the settings of the environment, or print their faults and exit with 3."""
    try:
        return read_settings(os.environ)
    except SettingsInvalid as error:
        err.print(str(error))
        raise typer.Exit(EXIT_UNUSABLE) from None


def registered_types(settings: Settings) -> Registry:
    """Return the activity types of these settings, and print the faults of those left out."""
    types = load_registry(settings.activity_types, packed_types(settings.packs_path))
    for rejected in types.rejected:
        err.print(f"The activity type {rejected.name} ({rejected.origin}) is left out:", markup=False)
        for fault in rejected.faults:
            err.print(f"  {printable(str(fault))}", markup=False)
    return types


def printable(text: str) -> str:
    """Return a text of others without control characters, which could rewrite a terminal."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


def migrate(url: str, to: str = "head") -> None:
    """Run the migrations; imports Alembic only now, to keep ordinary starts fast."""
    importlib.import_module("conflicto.migrations").upgrade(url, to)


def upgrade_or_exit(settings: Settings) -> None:
    """Wait for the database and upgrade its schema, or print the reason and exit with 3."""
    wait_for_database(settings)
    with _open_database(settings) as db:
        with db.writer_connection() as connection:
            require_not_newer(revision(connection))
        migrate(settings.url)


def wait_for_database(settings: Settings, host: str | None = None, port: int = 0) -> None:
    """Wait until PostgreSQL can be reached, and answer liveness probes at `host` meanwhile.

    Exits with 3 for an error that no waiting mends.
    """
    if settings.is_embedded:
        return
    attempt = partial(_connect_once, settings)
    try:
        attempt()
    except DatabaseUnreachable:
        with liveness_server(host, port) if host else nullcontext():
            retry_until_reachable(attempt)


def _connect_once(settings: Settings) -> None:
    try:
        with closing(Database(settings.url)) as db:
            db.writer_connection().close()
    except DatabaseUrlInvalid as error:
        err.print(str(error), markup=False)
        raise typer.Exit(EXIT_UNUSABLE) from None
    except DATABASE_ERRORS as error:
        sentence = dialect_of(parse_database_url(settings.url)).explain(error)
        if sentence is None:
            raise DatabaseUnreachable(first_line(error)) from None
        err.print(sentence, markup=False)
        raise typer.Exit(EXIT_UNUSABLE) from None


@contextmanager
def prepared_database(settings: Settings) -> Iterator[Database]:
    """Yield the database with the newest schema.

    An embedded database is migrated; the operator migrates PostgreSQL.
    """
    with _open_database(settings) as db:
        with db.writer_connection() as connection:
            found = revision(connection)
        if settings.is_embedded and (found is None or found < SCHEMA):
            migrate(settings.url)
        require_current(db)
        yield db


@contextmanager
def existing_database(settings: Settings, *, any_schema: bool = False) -> Iterator[Database]:
    """Yield an existing database for work that may take long; none is created or migrated."""
    path = parse_database_url(settings.url).database
    if settings.is_embedded and path and not Path(path).exists():
        err.print(f"There is no database at {path}. Are DATABASE_URL and CONFLICTO_DATA_DIR those of the server?", markup=False)
        raise typer.Exit(EXIT_UNUSABLE)
    with _open_database(settings) as db:
        if not any_schema:
            require_current(db)
        yield db


@contextmanager
def _open_database(settings: Settings) -> Iterator[Database]:
    """Open and close the database; errors of the database or the work exit with a sentence."""
    try:
        db = Database(settings.url, timeouts=MAINTENANCE_TIMEOUTS)
        try:
            yield db
        finally:
            db.close()
    except Exception as error:
        explained = _explain(error, settings.url)
        if explained is None:
            raise
        sentence, code = explained
        err.print(sentence, markup=False)
        raise typer.Exit(code) from None


def _explain(error: Exception, url: str) -> tuple[str, int] | None:
    """Return the sentence and exit code for an error; None for a fault of the program itself."""
    cause = error.__cause__ if isinstance(error, DomainError) else error
    if isinstance(error, (SchemaMismatch, DatabaseUnsupported, DatabaseUrlInvalid)):
        return str(error), EXIT_UNUSABLE
    if isinstance(cause, Exception) and is_damaged(cause):
        return f"The database cannot be read: {first_line(cause)}. {RESTORE}", EXIT_UNUSABLE
    if isinstance(cause, Exception) and (sentence := dialect_of(parse_database_url(url)).explain(cause)):
        return sentence, EXIT_UNUSABLE
    if isinstance(cause, DATABASE_ERRORS):
        return (
            f"The database cannot be used: {first_line(cause).rstrip('.')}. Is it running, and is DATABASE_URL right?",
            EXIT_UNUSABLE,
        )
    return _describe_problem(error) if isinstance(error, DomainError) else None


def _describe_problem(error: DomainError) -> tuple[str, int]:
    sentence = f"{error.title}: {error.detail}" if error.detail else f"{error.title}."
    return sentence, EXIT_NOT_FOUND if error.kind is Kind.MISSING else EXIT_UNUSABLE
